//! The desired state of a site's records and health checks.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use twinsite_aws::{Owner, Tags};
use twinsite_core::{Deferred, Domain, Host, Region, Site, ValidationRecord, ValidationRecords};

use super::{AliasTarget, FailoverTiming, ZoneId};

/// The desired state of a site's records and health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// Names that were aliases of the site: their records are deleted.
    pub former_aliases: Vec<Domain>,
    /// The hosted zone. With `None`, the one with the longest name that contains the domain.
    pub zone: Option<ZoneId>,
    /// The hosted zones of aliases, instead of those with the longest names that contain them.
    pub alias_zones: BTreeMap<Domain, ZoneId>,
    /// The host of the distribution.
    pub distribution_host: Deferred<Host>,
    /// The validation records of the certificate, which must exist until it is issued and for each renewal.
    pub validation_records: Option<Deferred<ValidationRecords>>,
    /// The validation records of former aliases that no other certificate needs: they are deleted.
    pub former_validation_records: Vec<FormerValidationRecord>,
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
            former_aliases: Vec::new(),
            zone: None,
            alias_zones: BTreeMap::new(),
            distribution_host,
            validation_records: None,
            former_validation_records: Vec::new(),
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

    /// The validation record of a name, also of a former one, if it is known.
    pub(crate) fn validation_record_of(&self, name: &Domain) -> Option<&ValidationRecord> {
        let former = self.former_validation_records.iter().find(|former| former.alias == *name);
        match (&self.validation_records, former) {
            (_, Some(former)) => Some(&former.record),
            (Some(Deferred::Known(records)), None) => records.get(name.as_str()),
            (Some(Deferred::After(_)) | None, None) => None,
        }
    }

    /// True in modes with DNS failover. In the others, CloudFront fails over between its origins, and DNS points to the
    /// distribution only.
    pub(crate) fn has_dns_failover(&self) -> bool {
        self.site.mode.public_buckets()
    }
}

/// The validation record of a former alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerValidationRecord {
    /// The former alias.
    pub alias: Domain,
    /// The record.
    pub record: ValidationRecord,
}

/// Whether the validation records may be deleted together with the site's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValidationRecordUse {
    /// Only the site's certificate uses them: they are deleted.
    Exclusive,
    /// Certificates that are kept use these for their renewal: they are kept.
    Shared(Vec<ValidationRecord>),
}

impl ValidationRecordUse {
    pub(crate) fn is_shared(&self, record: &ValidationRecord) -> bool {
        match self {
            Self::Exclusive => false,
            Self::Shared(kept) => kept.contains(record),
        }
    }
}
