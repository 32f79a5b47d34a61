//! The desired state of a site's records and health checks.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use twinsite_aws::{Owner, Tags};
use twinsite_core::{Deferred, Host, Region, Site, ValidationRecord};

use super::{AliasTarget, FailoverTiming, ZoneId};

/// The desired state of a site's records and health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The hosted zone. With `None`, the one with the longest name that contains the domain.
    pub zone: Option<ZoneId>,
    /// The host of the distribution.
    pub distribution_host: Deferred<Host>,
    /// The validation record of the certificate, which must exist until it is issued and for each renewal.
    pub validation_record: Option<Deferred<ValidationRecord>>,
    /// The settings of the health checks and the TTL of the records.
    pub timing: FailoverTiming,
    /// Hosted zone ids of S3 website endpoints in regions that were added after this release.
    pub website_zones: BTreeMap<Region, ZoneId>,
    /// What visitors are led to after a failover, with IPv6; the website endpoint of the backup bucket if `None`.
    pub standby: Option<AliasTarget>,
    /// Tags of the owner, which new resources get beside those by which twinsite recognises them.
    pub tags: Tags,
}

impl Desired {
    /// The defaults for a site behind a distribution.
    pub fn new(site: Site, distribution_host: Deferred<Host>) -> Self {
        Self {
            site,
            zone: None,
            distribution_host,
            validation_record: None,
            timing: FailoverTiming::default(),
            website_zones: BTreeMap::new(),
            standby: None,
            tags: Tags::new(),
        }
    }

    /// What the caller references of all health checks of the site start with.
    pub(crate) fn check_reference_prefix(&self) -> String {
        let Site { account, domain, .. } = &self.site;
        format!("twinsite:{}:", hex::encode(&Sha256::digest(format!("{account}/{domain}"))[..8]))
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone()).with_tags(self.tags.clone())
    }

    /// True in modes with DNS failover. In the others, CloudFront fails over between its origins, and DNS points to the
    /// distribution only.
    pub(crate) fn has_dns_failover(&self) -> bool {
        self.site.mode.public_buckets()
    }
}

/// Whether a validation record may be deleted together with the site's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationRecordUse {
    /// Only the site's certificate uses it: it is deleted.
    Exclusive,
    /// A certificate that is kept uses it for its renewal: it is kept.
    Shared,
}
