//! What can be wrong with a value or a plan.

use crate::{HandleKind, StepId};

/// A value that breaks a rule of the service it is meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{value}` {rule}")]
pub struct Invalid {
    /// What kind of value it is: `domain`, `region`, `bucket name`…
    pub what: &'static str,
    /// The value as it was given.
    pub value: String,
    /// The rule it breaks, as the rest of the sentence: `has an empty label`.
    pub rule: String,
}

impl Invalid {
    /// Says which rule a value breaks.
    pub fn new(what: &'static str, value: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { what, value: value.into(), rule: rule.into() }
    }
}

/// Why a list of steps is not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two steps share one id.
    #[error("step `{0}` is planned twice")]
    Duplicate(StepId),
    /// A step waits for one that is not in the plan.
    #[error("step `{step}` waits for `{missing}`, which is not in the plan")]
    UnknownStep {
        /// The step that waits.
        step: StepId,
        /// The id that no step has.
        missing: StepId,
    },
    /// A step needs a value that the step it names does not make.
    #[error("step `{step}` needs {kind} of `{from}`, which does not make one")]
    UnmetNeed {
        /// The step in need.
        step: StepId,
        /// The step it expects the value from.
        from: StepId,
        /// What it needs.
        kind: HandleKind,
    },
    /// Steps wait for one another in a circle.
    #[error("these steps wait for one another in a circle: {}", list(.0))]
    Cycle(Vec<StepId>),
}

fn list(ids: &[StepId]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
