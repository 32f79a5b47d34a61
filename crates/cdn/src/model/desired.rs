//! The desired state of the certificate and the distribution.

use twinsite_aws::{Owner, Tags};
use twinsite_core::{Arn, Mode, Side, Site};

use super::{OwnerSettings, Store};

/// The edge locations that serve the site: fewer are cheaper.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriceClass {
    /// North America, Europe and Israel.
    #[default]
    Class100,
    /// Those, and most of Asia, Africa and the Middle East.
    Class200,
    /// All edge locations.
    All,
}

impl PriceClass {
    /// The name in CloudFront's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class100 => "PriceClass_100",
            Self::Class200 => "PriceClass_200",
            Self::All => "PriceClass_All",
        }
    }
}

/// The desired state of the certificate and the distribution of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a configuration has switches")]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// The certificate to use. With `None`, a certificate that covers the domain is looked up or requested.
    pub certificate: Option<Arn>,
    /// The edge locations that serve the site.
    pub price_class: PriceClass,
    /// Whether HTTP requests are redirected to HTTPS.
    pub redirect_to_https: bool,
    /// Whether CloudFront's managed security headers are sent, among them `Strict-Transport-Security`.
    pub security_headers: bool,
    /// Allows the two settings above although visitors are served over HTTP after a DNS failover.
    pub accept_http_standby: bool,
    /// The index document of folders.
    pub index: String,
    /// The error document for missing pages.
    pub not_found: Option<String>,
    /// Whether the domain is the apex of its hosted zone. DNS failover uses alias records there, and alias records for
    /// website endpoints exist for type A only; so the distribution has no IPv6, to keep visitors from being stranded on it.
    pub apex: bool,
    /// Settings that are left as they are unless they are configured, and the minimum version of TLS.
    pub owner_settings: OwnerSettings,
    /// Whether a distribution of others with the domain as alias becomes the site's. `destroy` keeps it.
    pub adopt: bool,
    /// Tags of the owner, which new resources get beside those by which twinsite recognises them.
    pub tags: Tags,
}

impl Desired {
    /// The defaults for a site. Without a distribution that outlives the primary, in mode `dns`, HTTP is not redirected. HSTS is sent
    /// only where no DNS failover leads to an S3 website endpoint, which supports HTTP only.
    pub fn new(site: Site) -> Self {
        let (redirect_to_https, security_headers) = match site.mode {
            Mode::Dns => (false, false),
            Mode::Layered => (true, false),
            Mode::Origin => (true, true),
        };
        Self {
            site,
            certificate: None,
            price_class: PriceClass::default(),
            redirect_to_https,
            security_headers,
            accept_http_standby: false,
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            apex: false,
            owner_settings: OwnerSettings::default(),
            adopt: false,
            tags: Tags::new(),
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone()).with_tags(self.tags.clone())
    }

    /// The name of the site's named CloudFront resources: access control, function and key value store.
    pub(crate) fn resource_name(&self) -> String {
        format!("twinsite-{}", self.site.slug())
    }

    /// The comment by which the distribution is recognised; its tags confirm the ownership.
    pub(crate) fn comment(&self) -> String {
        format!("twinsite {}", self.site.domain)
    }

    /// The caller reference of the distribution. CloudFront may remember those of deleted distributions: then a number is appended.
    pub(crate) fn caller_reference(&self) -> String {
        format!("twinsite:{}:{}", self.site.account, self.site.domain)
    }

    /// Whether a distribution was created for the site: its caller reference cannot be changed.
    pub(crate) fn has_created(&self, caller_reference: &str) -> bool {
        let number = caller_reference.strip_prefix(&self.caller_reference());
        number.is_some_and(|rest| {
            let digits = rest.strip_prefix('-').unwrap_or(rest);
            rest.is_empty() || (rest.starts_with('-') && digits.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }

    /// True if the origins are private buckets. S3's REST API, unlike website endpoints, supports neither index documents of
    /// folders nor error documents.
    pub(crate) fn has_private_origins(&self) -> bool {
        !self.site.mode.public_buckets()
    }

    /// Whether a key value store is the site's: by its tags or, if those were replaced, by its key that names the site.
    pub(crate) fn owns_store(&self, store: &Store) -> bool {
        let is_named = store.site.as_deref() == Some(self.site.domain.as_str());
        self.owner().owns(&store.tags) || is_named && self.owner().other(&store.tags).is_none()
    }

    /// The regional host of a bucket. The global host redirects for some time after a bucket was created.
    pub(crate) fn bucket_host(&self, side: Side) -> String {
        format!("{}.s3.{}.amazonaws.com", self.site.buckets.get(side), self.site.regions.get(side))
    }

    /// The status codes of the primary origin on which CloudFront fails over to the backup; empty without an origin group.
    ///
    /// A bucket that is gone and a website that is turned off are a 404, a denial is a 403. So is a missing page: it is looked for in
    /// both buckets, which costs a request to the second, and is missing if neither has it.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html>
    pub(crate) fn failover_codes(&self) -> &'static [i32] {
        match self.site.mode {
            Mode::Dns => &[],
            Mode::Origin | Mode::Layered => &[403, 404, 500, 502, 503, 504],
        }
    }

    /// The statuses of origins for which visitors get the error document with status 404. A website endpoint whose bucket may not be
    /// listed answers 403 for a missing page.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    pub(crate) fn missing_statuses(&self) -> &'static [i32] {
        if self.has_private_origins() { &[404] } else { &[403, 404] }
    }

    /// True if a function answers requests at the edge: the edge check, the origin that visitors are served from, and folders of private
    /// buckets.
    pub(crate) fn has_function(&self) -> bool {
        self.site.mode != Mode::Dns
    }
}
