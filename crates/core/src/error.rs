//! Errors of values and of cancelled runs.

/// The run was cancelled: requests in flight were awaited and no further ones were sent. What was done stays done, and
/// repeating the operation completes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("stopped on request")]
pub struct Cancelled;

/// A value that breaks a rule of the service it is meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` {rule}")]
pub struct Invalid {
    /// The kind of value: `domain`, `region`, `bucket name`…
    pub what: &'static str,
    /// The value as given.
    pub value: String,
    /// The rule it breaks, as the rest of the sentence: `has an empty label`.
    pub rule: String,
}

impl Invalid {
    /// The rule that a value breaks.
    pub fn new(what: &'static str, value: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { what, value: value.into(), rule: rule.into() }
    }

    /// A value that is none of those known, with the nearest of them if one is probably meant.
    pub fn unknown(what: &'static str, value: &str, known: &[&str]) -> Self {
        let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let meant = crate::did_you_mean(crate::nearest(value, known.iter().copied()));
        Self::new(what, value, format!("is not one of {}{meant}", all.join(", ")))
    }
}
