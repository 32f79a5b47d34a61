//! Health checks.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use twinsite_aws::Tags;
use twinsite_core::{Deferred, Host, Need, ResourceId};

/// A health check of an endpoint, whoever created it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingCheck {
    /// Its id.
    pub id: String,
    /// The host that is requested, in lower case.
    pub host: String,
    /// Seconds between two requests of a checker.
    pub interval: u32,
    /// How many requests in a row must fail before it is unhealthy.
    pub threshold: u32,
}

/// What a health check of a site is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CheckPurpose {
    /// The site through CloudFront.
    Edge,
    /// The primary.
    Primary,
    /// The backup.
    Backup,
    /// The failover switch: unhealthy while the switch object exists in the backup bucket.
    Switch,
    /// Whether DNS returns the primary record: the edge or the primary is healthy, and the failover switch is off.
    Serving,
}

impl CheckPurpose {
    /// All purposes.
    pub const ALL: [Self; 5] = [Self::Edge, Self::Primary, Self::Backup, Self::Switch, Self::Serving];

    /// The word in step ids, tags and caller references. It is part of existing resources and never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Switch => "stop",
            Self::Serving => "serving",
        }
    }
}

impl fmt::Display for CheckPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a health check monitors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckTarget {
    /// An endpoint.
    Endpoint {
        /// The host.
        host: Deferred<Host>,
        /// The path.
        path: String,
        /// Whether to use HTTPS with SNI instead of HTTP.
        https: bool,
        /// The string that the response must contain. With `None`, any response with status 2xx or 3xx is healthy.
        search_string: Option<String>,
        /// Whether the status is inverted.
        inverted: bool,
    },
    /// Other health checks, all of which must be healthy.
    Calculated {
        /// The other checks.
        children: Vec<Deferred<ResourceId>>,
    },
}

/// The settings of a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckSettings {
    /// What it is for.
    pub purpose: CheckPurpose,
    /// What it monitors.
    pub target: CheckTarget,
    /// The request interval of each checker in seconds.
    pub interval: u64,
    /// The number of consecutive requests that change a checker's status.
    pub threshold: u32,
}

impl CheckSettings {
    pub(crate) fn needs(&self) -> Vec<Need> {
        match &self.target {
            CheckTarget::Endpoint { host, .. } => host.need().into_iter().collect(),
            CheckTarget::Calculated { children } => children.iter().filter_map(Deferred::need).collect(),
        }
    }

    /// The type in Route 53's API.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html>
    pub(crate) fn r#type(&self) -> &'static str {
        match &self.target {
            CheckTarget::Endpoint { https: true, search_string: Some(_), .. } => "HTTPS_STR_MATCH",
            CheckTarget::Endpoint { https: true, search_string: None, .. } => "HTTPS",
            CheckTarget::Endpoint { https: false, search_string: Some(_), .. } => "HTTP_STR_MATCH",
            CheckTarget::Endpoint { https: false, search_string: None, .. } => "HTTP",
            CheckTarget::Calculated { .. } => "CALCULATED",
        }
    }

    pub(crate) fn port(&self) -> i32 {
        if matches!(self.target, CheckTarget::Endpoint { https: true, .. }) { 443 } else { 80 }
    }

    /// A digest of the settings that cannot be changed after the creation: type and interval.
    pub(crate) fn immutable_digest(&self) -> String {
        let interval = match self.target {
            CheckTarget::Endpoint { .. } => self.interval,
            CheckTarget::Calculated { .. } => 0,
        };
        hex::encode(&Sha256::digest(format!("{} {interval}", self.r#type()))[..4])
    }

    /// The settings as properties in a normalized form. Plans compare them with the properties of the actual check, print them
    /// and fingerprint them.
    pub fn to_properties(&self) -> BTreeMap<String, String> {
        let Self { purpose: _, target, interval, threshold } = self;
        let mut properties = vec![("Type", self.r#type().to_owned()), ("Disabled", "false".to_owned())];
        match target {
            CheckTarget::Endpoint { host, path, https, search_string, inverted } => {
                properties.push(("FullyQualifiedDomainName", host.to_string()));
                properties.push(("Port", self.port().to_string()));
                properties.push(("ResourcePath", path.clone()));
                properties.push(("RequestInterval", interval.to_string()));
                properties.push(("FailureThreshold", threshold.to_string()));
                properties.push(("Inverted", inverted.to_string()));
                properties.push(("EnableSNI", https.to_string()));
                properties.extend(search_string.iter().map(|text| ("SearchString", text.clone())));
            }
            CheckTarget::Calculated { children } => {
                let mut ids: Vec<String> = children.iter().map(ToString::to_string).collect();
                ids.sort_unstable();
                properties.push(("ChildHealthChecks", ids.join(" ")));
                properties.push(("HealthThreshold", children.len().to_string()));
                properties.push(("Inverted", "false".to_owned()));
            }
        }
        properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// An existing health check of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Its id.
    pub id: ResourceId,
    /// What it is for.
    pub purpose: CheckPurpose,
    /// A digest of the settings that cannot be changed. A check with another digest than desired is replaced.
    pub immutable_digest: String,
    /// Its tags.
    pub tags: Tags,
    /// Its settings, normalized as by [`CheckSettings::to_properties`].
    pub properties: BTreeMap<String, String>,
}

/// A health check of a site that exists or is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRef {
    /// What it is for.
    pub purpose: CheckPurpose,
    /// Its id.
    pub id: Deferred<ResourceId>,
}
