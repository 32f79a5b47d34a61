//! Values that exist only after a step has run: "known after apply", proven when the plan is made.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Arn, StepId};

/// A host name that a service chose: a distribution's `d111.cloudfront.net`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub String);

/// An id that a service chose: a health check's, a distribution's, an origin access control's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub String);

/// A CNAME record that proves to a service that a name is ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Proof {
    /// The record's name.
    pub name: String,
    /// What it must lead to.
    pub value: String,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} CNAME {}", self.name, self.value)
    }
}

/// A value that a step makes and later steps may need. The list is closed: what crosses between crates is named here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handle {
    /// An ARN of whatever the step made.
    Arn(Arn),
    /// A host name.
    Host(Host),
    /// An id that the service chose.
    Id(ResourceId),
    /// A record that proves a name.
    Proof(Proof),
}

/// The kind of a [`Handle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandleKind {
    /// See [`Handle::Arn`].
    Arn,
    /// See [`Handle::Host`].
    Host,
    /// See [`Handle::Id`].
    Id,
    /// See [`Handle::Proof`].
    Proof,
}

impl Handle {
    /// The kind of this handle.
    pub fn kind(&self) -> HandleKind {
        match self {
            Self::Arn(_) => HandleKind::Arn,
            Self::Host(_) => HandleKind::Host,
            Self::Id(_) => HandleKind::Id,
            Self::Proof(_) => HandleKind::Proof,
        }
    }
}

impl fmt::Display for HandleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arn => "the ARN",
            Self::Host => "the host name",
            Self::Id => "the id",
            Self::Proof => "the validation record",
        })
    }
}

/// A type that one kind of [`Handle`] holds.
pub trait Typed: Sized {
    /// The kind that holds it.
    const KIND: HandleKind;
    /// Takes the value out; `None` when the handle is of another kind.
    fn from_handle(handle: &Handle) -> Option<Self>;
}

macro_rules! typed {
    ($type:ident, $kind:ident) => {
        impl Typed for $type {
            const KIND: HandleKind = HandleKind::$kind;

            fn from_handle(handle: &Handle) -> Option<Self> {
                match handle {
                    Handle::$kind(value) => Some(value.clone()),
                    _ => None,
                }
            }
        }
    };
}

typed!(Arn, Arn);
typed!(Host, Host);
typed!(ResourceId, Id);
typed!(Proof, Proof);

/// A value needed by a step: known already, or made by a step before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Later<T> {
    /// Known when the plan was made.
    Known(T),
    /// Made by this step.
    After(StepId),
}

/// That a step needs a value of some kind from another step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The step that makes the value.
    pub from: StepId,
    /// The kind of value.
    pub kind: HandleKind,
}

impl<T: Typed> Later<T> {
    /// What the plan must prove for this value; nothing when it is known.
    pub fn need(&self) -> Option<Need> {
        match self {
            Self::Known(_) => None,
            Self::After(from) => Some(Need { from: from.clone(), kind: T::KIND }),
        }
    }

    /// The value, now that the steps before have run.
    ///
    /// `None` only when a step did not make what it had declared, which its crate's own tests exclude.
    pub fn resolve(&self, made: &Made) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Known(value) => Some(value.clone()),
            Self::After(step) => made.of(step).iter().find_map(T::from_handle),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::After(step) => write!(f, "(known after {step})"),
        }
    }
}

/// What the steps so far have made.
#[derive(Clone, Debug, Default)]
pub struct Made(BTreeMap<StepId, Vec<Handle>>);

impl Made {
    /// The handles that a step made; empty when it made none or has not run.
    pub fn of(&self, step: &StepId) -> &[Handle] {
        self.0.get(step).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn record(&mut self, step: StepId, handles: Vec<Handle>) {
        self.0.insert(step, handles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_value_is_found_among_what_its_step_made() {
        let arn: Arn = "arn:aws:s3:::b".parse().unwrap();
        let mut made = Made::default();
        made.record("d".into(), vec![Handle::Id(ResourceId("E1".into())), Handle::Arn(arn.clone())]);
        let later: Later<Arn> = Later::After("d".into());
        assert_eq!(later.to_string(), "(known after d)");
        assert_eq!(later.resolve(&made), Some(arn.clone()));
        assert_eq!(Later::<Arn>::After("x".into()).resolve(&made), None);
        assert_eq!(Later::Known(arn.clone()).resolve(&Made::default()), Some(arn));
    }
}
