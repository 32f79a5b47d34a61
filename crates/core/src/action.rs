//! What a step does and why, in words that both people and fingerprints can read.

use std::fmt;

/// What a step does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Makes a resource that is not there.
    Create,
    /// Changes settings of a resource in place.
    Update,
    /// Removes a resource.
    Delete,
    /// Changes nothing: waits for AWS to finish something that takes minutes.
    Wait,
}

impl Action {
    /// The one-character sign in front of a planned step.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
            Self::Wait => '…',
        }
    }

    /// The verb in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Wait => "wait",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a step is planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The resource is not there.
    Absent,
    /// The resource is there, but some settings are not as wanted; the step's fields say which.
    Drifted,
    /// The resource is ours and nothing wants it any more.
    Unwanted,
    /// A step before it needs time to take effect.
    Pending,
    /// The owner asked for exactly this, in the words given.
    Asked(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("is not there yet"),
            Self::Drifted => f.write_str("is not as configured"),
            Self::Unwanted => f.write_str("is no longer wanted"),
            Self::Pending => f.write_str("takes a while"),
            Self::Asked(why) => f.write_str(why),
        }
    }
}

/// One setting that a step makes or changes.
///
/// Fields are what `plan` prints *and* what the plan's fingerprint covers, so what was reviewed is what is applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The setting's name, as AWS calls it.
    pub name: String,
    /// The value now; `None` when there is none.
    pub have: Option<String>,
    /// The value afterwards; `None` when it is removed.
    pub want: Option<String>,
}

impl Field {
    /// A setting that had no value.
    pub fn set(name: impl Into<String>, want: impl Into<String>) -> Self {
        Self { name: name.into(), have: None, want: Some(want.into()) }
    }

    /// A setting whose value changes.
    pub fn change(name: impl Into<String>, have: impl Into<String>, want: impl Into<String>) -> Self {
        Self { name: name.into(), have: Some(have.into()), want: Some(want.into()) }
    }

    /// A setting that is taken away.
    pub fn unset(name: impl Into<String>, have: impl Into<String>) -> Self {
        Self { name: name.into(), have: Some(have.into()), want: None }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.have, &self.want) {
            (None, Some(want)) => write!(f, "{} = {want}", self.name),
            (Some(have), Some(want)) => write!(f, "{}: {have} -> {want}", self.name),
            (Some(have), None) => write!(f, "{}: {have} -> (none)", self.name),
            (None, None) => f.write_str(&self.name),
        }
    }
}
