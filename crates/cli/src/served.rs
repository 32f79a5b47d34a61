//! Where the embedded cloud is served, and its state.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use twinsite_local::Endpoints;
use twinsite_site::Pair;

/// Where the embedded cloud is served.
pub(crate) struct Addresses {
    pub(crate) api: SocketAddr,
    pub(crate) websites: Pair<SocketAddr>,
    pub(crate) buckets: Pair<String>,
    /// The data plane.
    pub(crate) visitors: Endpoints,
    /// The certificate authority that visitors must trust.
    pub(crate) authority: PathBuf,
    pub(crate) domain: String,
    /// Whether the state is kept when it stops.
    pub(crate) kept: bool,
}

/// The state of a served embedded cloud.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub(crate) struct LocalState {
    /// Where DNS leads visitors.
    pub(crate) dns: DnsTarget,
    /// Whether each health check is healthy, by name.
    pub(crate) health_checks: BTreeMap<String, bool>,
    /// Objects that wait for replication.
    pub(crate) replication_backlog: usize,
}

/// Where DNS leads visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DnsTarget {
    /// To the distribution, by a CNAME record.
    CloudFront,
    /// To the backup's website endpoint, by a CNAME record.
    Backup,
    /// To an address, by an alias record.
    Alias,
    /// There is no record: the site has not been applied.
    NoRecord,
    /// The name servers did not respond.
    Unavailable,
}
