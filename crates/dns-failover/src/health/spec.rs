//! What a health check should be like, as data; and the same as words, in which what is there is compared with it.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use twinsite_core::{Deferred, Host, Mode, Need, ResourceId, Side, StepId, probe};

use crate::want::Desired;

/// What a health check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Whether the front door answers.
    Edge,
    /// Whether the primary answers.
    Primary,
    /// Whether the backup answers.
    Backup,
    /// Whether nobody has put the stop object there.
    Stop,
    /// Whether visitors are sent to the primary: the front door, or the primary, and no stop object.
    Serving,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Edge, Self::Primary, Self::Backup, Self::Stop, Self::Serving];

    /// The role's word, in names and tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Stop => "stop",
            Self::Serving => "serving",
        }
    }

    /// The step that makes the check.
    pub fn step(self) -> StepId {
        StepId::new(format!("health/{self}"))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// An address, from all over the world.
    Endpoint {
        /// The host that is asked.
        host: Deferred<Host>,
        /// The path that is asked for.
        path: String,
        /// Whether TLS is spoken, with the host's name in the handshake.
        https: bool,
        /// The word that the answer must have; without one any 2xx or 3xx will do.
        word: Option<String>,
        /// Whether an answer is bad news.
        inverted: bool,
    },
    /// Other checks, all of which must be healthy.
    Checks(Vec<(Role, Deferred<ResourceId>)>),
}

/// What a health check should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// What it is for.
    pub role: Role,
    /// What it watches.
    pub watched: Watched,
    /// Seconds between two probes of one checker.
    pub interval: u64,
    /// Probes in a row that change a checker's mind.
    pub threshold: u32,
}

impl Spec {
    pub(crate) fn needs(&self) -> Vec<Need> {
        match &self.watched {
            Watched::Endpoint { host, .. } => host.need().into_iter().collect(),
            Watched::Checks(checks) => checks.iter().filter_map(|(_, check)| check.need()).collect(),
        }
    }

    /// The service's word for what it does.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html>
    pub(crate) fn r#type(&self) -> &'static str {
        match &self.watched {
            Watched::Endpoint { https: true, word: Some(_), .. } => "HTTPS_STR_MATCH",
            Watched::Endpoint { https: true, word: None, .. } => "HTTPS",
            Watched::Endpoint { https: false, word: Some(_), .. } => "HTTP_STR_MATCH",
            Watched::Endpoint { https: false, word: None, .. } => "HTTP",
            Watched::Checks(_) => "CALCULATED",
        }
    }

    /// Where an endpoint listens.
    pub(crate) fn port(&self) -> i32 {
        if matches!(self.watched, Watched::Endpoint { https: true, .. }) { 443 } else { 80 }
    }

    /// A digest of what can never change.
    pub(crate) fn kind(&self) -> String {
        let interval = match self.watched {
            Watched::Endpoint { .. } => self.interval,
            Watched::Checks(_) => 0,
        };
        hex::encode(&Sha256::digest(format!("{} {interval}", self.r#type()))[..4])
    }

    /// Every setting in words: what is compared, shown and fingerprinted.
    pub fn words(&self) -> BTreeMap<String, String> {
        let Self { role: _, watched, interval, threshold } = self;
        let mut words = vec![("Type", self.r#type().to_owned())];
        match watched {
            Watched::Endpoint { host, path, https, word, inverted } => {
                words.push(("FullyQualifiedDomainName", host.to_string()));
                words.push(("Port", self.port().to_string()));
                words.push(("ResourcePath", path.clone()));
                words.push(("RequestInterval", interval.to_string()));
                words.push(("FailureThreshold", threshold.to_string()));
                words.push(("Inverted", inverted.to_string()));
                words.push(("EnableSNI", https.to_string()));
                words.extend(word.iter().map(|word| ("SearchString", word.clone())));
            }
            Watched::Checks(checks) => {
                let mut ids: Vec<String> = checks.iter().map(|(_, check)| check.to_string()).collect();
                ids.sort_unstable();
                words.push(("ChildHealthChecks", ids.join(" ")));
                words.push(("HealthThreshold", checks.len().to_string()));
                words.push(("Inverted", "false".to_owned()));
            }
        }
        words.push(("Disabled", "false".to_owned()));
        words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The checks of a site, those that others are made of first.
pub(crate) fn wanted(want: &Desired, id: impl Fn(Role) -> Deferred<ResourceId>) -> Vec<Spec> {
    let endpoint = |role, (host, path, https), word: bool| {
        let word = word.then(|| want.site.health_word());
        let inverted = word.is_none();
        spec(want, role, Watched::Endpoint { host, path, https, word, inverted })
    };
    let website =
        |side: Side, key: &str| (Deferred::Known(Host(want.site.website_host(side))), format!("/{key}"), false);
    let edge = |key: &str| (want.host.clone(), format!("/{key}"), true);
    let serving = |first: Role| {
        let both = [first, Role::Stop].map(|role| (role, id(role)));
        spec(want, Role::Serving, Watched::Checks(both.to_vec()))
    };
    let primary = || endpoint(Role::Primary, website(Side::Primary, probe::HEALTH), true);
    let backup = || endpoint(Role::Backup, website(Side::Backup, probe::HEALTH), true);
    // Nothing at that key is a 403 or 404, which is unhealthy, which is turned round.
    let stop = || endpoint(Role::Stop, website(Side::Backup, probe::STOP), false);
    match want.site.mode {
        Mode::Dns => vec![primary(), backup(), stop(), serving(Role::Primary)],
        Mode::Layered => {
            vec![endpoint(Role::Edge, edge(probe::HEALTH), true), primary(), backup(), stop(), serving(Role::Edge)]
        }
        Mode::Origin => vec![
            endpoint(Role::Edge, edge(probe::HEALTH), true),
            endpoint(Role::Primary, edge(&probe::key_of(Side::Primary)), true),
            endpoint(Role::Backup, edge(&probe::key_of(Side::Backup)), true),
        ],
    }
}

fn spec(want: &Desired, role: Role, watched: Watched) -> Spec {
    Spec { role, watched, interval: want.health.interval.as_secs(), threshold: want.health.threshold }
}
