//! Errors of values, plans and cancelled runs.

use crate::{OutputKind, StepId};

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
}

/// Why a list of steps is not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Two steps share one id.
    #[error("step `{0}` is planned twice")]
    Duplicate(StepId),
    /// A step depends on one that is not in the plan.
    #[error("step `{step}` depends on `{missing}`, which is not in the plan")]
    UnknownStep {
        /// The dependent step.
        step: StepId,
        /// The id that no step has.
        missing: StepId,
    },
    /// A step needs an output that the named step does not produce.
    #[error("step `{step}` needs {kind} of `{from}`, which does not produce it")]
    UnmetNeed {
        /// The dependent step.
        step: StepId,
        /// The step expected to produce the output.
        from: StepId,
        /// The kind of output.
        kind: OutputKind,
    },
    /// Steps depend on one another in a cycle.
    #[error("dependency cycle between the steps {}", list(.0))]
    Cycle(Vec<StepId>),
}

fn list(ids: &[StepId]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
