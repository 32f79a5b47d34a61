//! What is chosen where what there is leaves a choice: mode and regions.

use twinsite_cdn::ExistingOrigin;
use twinsite_core::{Mode, Region};

use super::facts::{BucketHost, Facts, ReadBucket, served_origins};
use super::{ImportRequest, OPERATION};
use crate::error::Error;

/// Whether twinsite created what was read, for this domain.
pub(super) fn is_own(facts: &Facts) -> bool {
    let tags = facts.distribution.as_ref().map(|one| &one.tags);
    tags.is_some_and(|tags| twinsite_aws::Owner::new(facts.domain.clone()).owns(tags))
}

/// Whether a bucket has the name that one of the site has.
pub(super) fn is_site_bucket(bucket: &ReadBucket, facts: &Facts, mode: Mode) -> bool {
    let is_backup = mode.public_buckets() && bucket.name.as_str() == facts.domain.as_str();
    is_backup || twinsite_aws::Owner::new(facts.domain.clone()).owns(&bucket.bucket.settings.tags)
}

/// The mode that is closest to what there is, and why.
pub(super) fn chosen_mode(request: &ImportRequest, facts: &Facts) -> (Mode, &'static str) {
    if let Some(mode) = request.mode {
        return (mode, "as asked for");
    }
    let origins = facts.distribution.as_ref().map(served_origins).unwrap_or_default();
    let is_website = |origin: &&ExistingOrigin| BucketHost::parse(&origin.host).is_some_and(|host| host.website);
    let has_hsts = facts.distribution.as_ref().is_some_and(|one| one.default_behavior.security_headers);
    match origins.first() {
        Some(first) if is_website(first) && is_own(facts) && origins.len() == 1 => {
            (Mode::Dns, "the distribution has one website endpoint as origin")
        }
        Some(first) if is_website(first) && is_own(facts) => (Mode::Layered, "the origins are two website endpoints"),
        Some(first) if is_website(first) && has_hsts => (
            Mode::Origin,
            "browsers are told to insist on HTTPS (HSTS), which the standby of the other modes does not have",
        ),
        Some(first) if is_website(first) => (Mode::Layered, "the origin is a website endpoint"),
        Some(_) => (Mode::Origin, "the origin is not a website endpoint"),
        None => match facts.buckets.first().map(|one| &one.bucket) {
            Some(bucket) if bucket.settings.website.is_some() || bucket.redirect_all.is_some() => {
                (Mode::Layered, "the bucket is a website")
            }
            _ => (Mode::Origin, "the bucket is not a website"),
        },
    }
}

/// The other region of a pair: on the same continent, where two of AWS's regions are enabled in every account.
pub(super) fn other_region(region: &Region) -> Result<Region, Error> {
    let pair = match region.as_str().split('-').next() {
        Some("eu") => ["eu-west-1", "eu-central-1"],
        Some("ap") => ["ap-southeast-1", "ap-northeast-1"],
        _ => ["us-west-2", "us-east-1"],
    };
    let other = pair.into_iter().find(|other| *other != region.as_str()).unwrap_or(pair[0]);
    other.parse().map_err(|invalid| Error::new(OPERATION, crate::error::Cause::Invalid(invalid)))
}
