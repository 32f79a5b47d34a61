//! What the front door should be like.

use twinsite_aws::Owner;
use twinsite_core::{Arn, Mode, Site};

/// Where edges are used: fewer are cheaper.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriceClass {
    /// North America, Europe and Israel.
    #[default]
    Class100,
    /// Those, and most of Asia, Africa and the Middle East.
    Class200,
    /// Everywhere.
    All,
}

impl PriceClass {
    /// CloudFront's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class100 => "PriceClass_100",
            Self::Class200 => "PriceClass_200",
            Self::All => "PriceClass_All",
        }
    }
}

/// What the front door should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a configuration has switches")]
pub struct Desired {
    /// The site.
    pub site: Site,
    /// A certificate to be used as it is; otherwise one that covers the name is found, or requested.
    pub certificate: Option<Arn>,
    /// Where edges are used.
    pub price_class: PriceClass,
    /// Whether HTTP is answered with a redirect to HTTPS.
    pub redirect_to_https: bool,
    /// Whether CloudFront's managed security headers are sent, among them `Strict-Transport-Security`.
    pub security_headers: bool,
    /// Whether the above may be on although visitors may have to be served without TLS.
    pub accept_http_standby: bool,
    /// The index document of folders.
    pub index: String,
    /// The page for what is not there.
    pub not_found: Option<String>,
    /// Whether the name is that of its hosted zone. Failover is by alias records there, and those to a website endpoint are
    /// of type A only, so that visitors over IPv6 would be stranded on a primary that is gone.
    pub apex: bool,
}

impl Desired {
    /// The defaults for a site. While visitors may have to be served by a website endpoint, which speaks HTTP only, nothing
    /// tells their browsers to insist on HTTPS.
    pub fn new(site: Site) -> Self {
        let secure = !site.mode.public_buckets();
        Self {
            site,
            certificate: None,
            price_class: PriceClass::default(),
            redirect_to_https: secure,
            security_headers: secure,
            accept_http_standby: false,
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            apex: false,
        }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.site.domain.clone())
    }

    /// The name of everything in CloudFront that has a name.
    pub(crate) fn name(&self) -> String {
        format!("twinsite-{}", self.site.slug())
    }

    /// How the distribution is found again.
    pub(crate) fn comment(&self) -> String {
        format!("twinsite {}", self.site.domain)
    }

    /// True when origins are S3's own API, which knows neither folders' index documents nor error documents.
    pub(crate) fn private(&self) -> bool {
        !self.site.mode.public_buckets()
    }

    /// The answers of the primary after which the backup is asked; none without an origin group.
    ///
    /// A private origin may list, so 403 is a real denial there. A website endpoint answers 403 or 404 for any page that is
    /// missing. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html>
    pub(crate) fn failover_codes(&self) -> &'static [i32] {
        match self.site.mode {
            Mode::Dns => &[],
            Mode::Origin => &[403, 500, 502, 503, 504],
            Mode::Layered => &[500, 502, 503, 504],
        }
    }
}
