//! Health checks: what is watched, and from where.

mod calls;
mod diff;
mod spec;
mod verdict;
mod wire;

pub(crate) use calls::Calls;
pub(crate) use diff::{destroy, steps};
pub use spec::{Role, Spec, Watched};
pub(crate) use verdict::verdicts;

use std::collections::BTreeMap;

use twinsite_aws::Tags;
use twinsite_core::ResourceId;

/// A health check of ours that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id.
    pub id: ResourceId,
    /// What it watches.
    pub role: Role,
    /// A digest of its settings that can never change; a check with another one has to be replaced.
    pub kind: String,
    /// Its tags.
    pub tags: Tags,
    /// Its settings, in the words of [`Spec::words`].
    pub settings: BTreeMap<String, String>,
}
