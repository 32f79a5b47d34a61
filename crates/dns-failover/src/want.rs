//! What DNS should say, and what it should watch.

use std::collections::BTreeMap;

use twinsite_aws::Owner;
use twinsite_core::{Deferred, Host, Region, Site, ValidationRecord};

use crate::budget::Settings;

/// What DNS should say, and what it should watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The hosted zone by id; otherwise the one with the longest name that holds the domain.
    pub zone: Option<String>,
    /// The distribution's host.
    pub host: Deferred<Host>,
    /// The record that proves the name to ACM, for as long as the certificate is to be renewed.
    pub proof: Option<Deferred<ValidationRecord>>,
    /// How often health is checked, and how soon a verdict changes.
    pub health: Settings,
    /// Hosted zone ids of S3's website endpoints, for regions that are younger than this version.
    pub website_zones: BTreeMap<Region, String>,
}

impl Desired {
    /// The defaults for a site behind a distribution.
    pub fn new(site: Site, host: Deferred<Host>) -> Self {
        let website_zones = BTreeMap::new();
        Self { site, zone: None, host, proof: None, health: Settings::default(), website_zones }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone())
    }

    /// True where DNS itself fails over; otherwise CloudFront does, and DNS leads there and nowhere else.
    pub(crate) fn fails_over(&self) -> bool {
        self.site.mode.public_buckets()
    }
}
