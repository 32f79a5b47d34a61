//! The distribution and what belongs to it: the access control of private origins, and the function that resolves folders.

mod calls;
mod diff;
mod function;
mod invalidate;
mod settings;
mod wire;

pub(crate) use calls::Calls;
pub(crate) use diff::{destroy, steps};
pub(crate) use function::code;
pub use invalidate::Accepted;
pub use settings::{Origin, OriginKind, Settings};

use std::collections::BTreeMap;

use twinsite_aws::Tags;
use twinsite_core::{Arn, Host, ResourceId};

/// The step that makes or deletes the distribution.
pub const STEP: &str = "cdn/distribution";
/// The step that waits until every edge has it.
pub const DEPLOYED: &str = "cdn/deployed";
/// The step that makes the access control.
pub(crate) const CONTROL: &str = "cdn/access-control";
/// The step that publishes the function.
pub(crate) const FUNCTION: &str = "cdn/function";

/// A distribution that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// The name under which it can always be reached.
    pub host: Host,
    /// Its tags.
    pub tags: Tags,
    /// True when every edge has its last change.
    pub deployed: bool,
    /// True when it answers.
    pub enabled: bool,
    /// The settings that are managed, in the words of [`Settings::words`].
    pub settings: BTreeMap<String, String>,
}

/// A function that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveFunction {
    /// The code that requests run through; `None` when none was published.
    pub live: Option<String>,
}

/// An origin access control that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its id.
    pub id: ResourceId,
    /// How it signs: `sigv4 always s3`.
    pub how: String,
}

/// How an access control signs: every request, as S3 wants it.
pub(crate) const SIGNS: &str = "sigv4 always s3";

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// The site's distribution.
    pub distribution: Option<Distribution>,
    /// The distribution of somebody else that holds the name, by id.
    pub rival: Option<String>,
    /// The access control of our name.
    pub control: Option<Control>,
    /// The function of our name.
    pub function: Option<LiveFunction>,
}
