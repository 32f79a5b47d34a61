//! Redirect buckets: each bears the name of an alias, and its website endpoint redirects the visitors whom a DNS failover leads there.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>

use std::fmt;

use twinsite_aws::Tags;
use twinsite_core::{BucketName, Domain};

/// Where the website of a bucket redirects all requests.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RedirectAllRequestsTo.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebsiteRedirect {
    /// The host.
    pub host: String,
    /// The protocol; `None` for that of the request.
    pub protocol: Option<String>,
}

impl WebsiteRedirect {
    /// The redirect to a site, whose standby serves HTTP only.
    pub(crate) fn to_site(domain: &Domain) -> Self {
        Self { host: domain.to_string(), protocol: Some("http".to_owned()) }
    }
}

impl fmt::Display for WebsiteRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.protocol {
            Some(protocol) => write!(f, "{protocol}://{}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// The bucket that bears the name of an alias, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectBucket {
    /// The alias.
    pub alias: Domain,
    /// Its name.
    pub bucket: BucketName,
    /// Its state.
    pub actual: ActualRedirectBucket,
}

/// The state of a bucket that bears the name of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActualRedirectBucket {
    /// It does not exist.
    Absent,
    /// The name belongs to another account, or the credentials lack permissions.
    Inaccessible,
    /// It belongs to this account, in another region than that of the backup.
    OtherRegion(String),
    /// It belongs to this account, in the region of the backup.
    Present {
        /// Its tags.
        tags: Tags,
        /// Where it redirects all requests.
        redirect: Option<WebsiteRedirect>,
        /// The object versions and delete markers in it.
        objects: u64,
    },
}

/// Why a bucket cannot be the redirect bucket of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectProblem {
    /// It belongs to another account, or the credentials lack permissions.
    Inaccessible,
    /// It is in another region.
    OtherRegion(String),
    /// twinsite did not create it.
    Untagged,
    /// It belongs to another site.
    OtherSite(String),
}

impl fmt::Display for RedirectProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inaccessible => f.write_str("belongs to another account, or these credentials may not read it"),
            Self::OtherRegion(region) => write!(f, "is in {region}, and not in the region of the backup"),
            Self::Untagged => f.write_str("exists, and twinsite did not create it"),
            Self::OtherSite(site) => write!(f, "belongs to the site `{site}`"),
        }
    }
}
