//! The distribution and the CloudFront resources that it uses.

use std::collections::BTreeMap;

use twinsite_aws::Tags;
use twinsite_core::{Arn, Host, ResourceId};

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distribution {
    /// Its id.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: Arn,
    /// Its own domain name, `d111.cloudfront.net`.
    pub host: Host,
    /// Its tags.
    pub tags: Tags,
    /// By what it is known to belong to the site.
    pub proof: Proof,
    /// True if its last change is deployed to all edge locations.
    pub deployed: bool,
    /// True if it serves requests.
    pub enabled: bool,
    /// The managed settings, normalized as by [`DistributionSettings::to_properties`](super::DistributionSettings::to_properties).
    pub properties: BTreeMap<String, String>,
}

/// By what a distribution is known to belong to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// Its tags.
    Tags,
    /// Its caller reference, which was set on creation and cannot be changed. Its tags were replaced.
    CallerReference,
    /// The owner's word: it has the site's domain as alias, and is to be adopted. Its tags will say so.
    Adopted,
}

/// A CloudFront function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Function {
    /// The code of its LIVE stage; `None` if it was never published.
    pub live_code: Option<String>,
    /// The key value store that its LIVE stage is associated with.
    pub live_store: Option<Arn>,
}

/// An origin access control.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessControl {
    /// Its id.
    pub id: ResourceId,
    /// Its signing protocol, signing behavior and origin type: `sigv4 always s3`.
    pub signing: String,
}

/// The signing of the site's access control: every request, for an S3 origin.
pub(crate) const SIGNING: &str = "sigv4 always s3";
