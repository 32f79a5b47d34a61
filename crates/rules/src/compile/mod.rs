//! From rules to what CloudFront and website endpoints can do.

pub(crate) mod headers;
mod paths;
pub(crate) mod table;
pub(crate) mod website;

use std::fmt;

use crate::model::{Place, Redirect};

/// What answers visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// CloudFront, by its viewer-request function.
    CloudFront,
    /// A website endpoint of S3: the site itself in mode `dns`, and the standby in mode `layered`.
    WebsiteEndpoint,
}

impl Target {
    /// As it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudFront => "cloudfront",
            Self::WebsiteEndpoint => "website-endpoint",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CloudFront => "CloudFront",
            Self::WebsiteEndpoint => "website endpoints",
        })
    }
}

/// A rule that a target does not honour, or not exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotHonored {
    /// Where the rule was written.
    pub place: Place,
    /// The rule as it was written.
    pub text: String,
    /// The target.
    pub target: Target,
    /// Why, as a sentence without a full stop.
    pub reason: String,
    /// Whether the target redirects all the same, only not exactly as the rule says.
    pub in_part: bool,
}

impl NotHonored {
    fn new(rule: &Redirect, target: Target, reason: impl Into<String>) -> Self {
        let (place, text) = (rule.place.clone(), rule.text.clone());
        Self { place, text, target, reason: reason.into(), in_part: false }
    }
}
