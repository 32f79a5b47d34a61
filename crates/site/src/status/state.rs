//! The parts of a site's state.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::Side;

/// Who uses the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The ARN of the user or role; empty if the endpoint has no accounts.
    pub arn: String,
}

/// The state of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct CertificateState {
    /// Its ARN.
    pub arn: String,
    /// Whether it can be used.
    pub state: CertificateStatus,
    /// ACM's reason for a failure.
    pub failure_reason: Option<String>,
    /// When it was requested, as RFC 3339; `null` if it was imported.
    pub requested: Option<String>,
    /// When it expires, as RFC 3339.
    pub expires: Option<String>,
    /// In how many days it expires; negative if it has expired.
    pub days_left: Option<i64>,
}

/// Whether a certificate can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateStatus {
    /// It can be used.
    Issued,
    /// ACM waits for its validation record.
    PendingValidation,
    /// ACM did not issue it.
    Failed,
}

/// The state of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DistributionState {
    /// Its id.
    pub id: String,
    /// Its host name.
    pub host: String,
    /// Whether it serves requests.
    pub enabled: bool,
    /// Whether its last change has reached every edge location.
    pub deployed: bool,
}

/// The hosted zone and the records of the domain in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ZoneState {
    /// The id of the zone.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The record sets of the domain.
    pub records: Vec<RecordState>,
}

/// A record set of the domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RecordState {
    /// The record type.
    pub r#type: String,
    /// Its routing and values.
    pub description: String,
}

/// The state of a health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct HealthCheckState {
    /// What it checks: `primary`, `backup`, `edge`…
    pub role: String,
    /// Its id.
    pub id: String,
    /// What the checkers report.
    pub health: Health,
}

/// What health checkers report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// At least 18 % of the checkers report success.
    Healthy,
    /// Fewer do.
    Unhealthy,
    /// No checker has reported yet.
    Unknown,
}

/// The state of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct BucketState {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub existence: BucketExistence,
    /// The region it is in.
    pub region: Option<String>,
    /// Whether versioning is enabled.
    pub versioned: bool,
    /// The bucket it replicates to, if replication is enabled.
    pub replicates_to: Option<String>,
}

/// Whether a bucket exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BucketExistence {
    /// It does not.
    Absent,
    /// It does.
    Present,
    /// The name belongs to another account, or the credentials may not use the bucket.
    OtherAccount,
    /// It exists in another region.
    OtherRegion,
}

/// Whether a bucket is being published to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PublishState {
    /// The lock; `null` if there is none.
    pub lock: Option<LockState>,
    /// Whether an earlier publish has left invalidations or its release record to the next one.
    pub unfinished: bool,
}

/// The lock of a publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct LockState {
    /// Who holds it: operation, machine and process; `null` if its content is not known to this version.
    pub owner: Option<String>,
    /// The seconds since it was renewed, by the clock of the store.
    pub seconds_since_renewal: Option<u64>,
    /// Whether its holder has ended without releasing it, or has not renewed it in time: the publish was interrupted.
    pub abandoned: bool,
}

/// The alerts in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AlarmState {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
}

/// What visitors get from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VisitorState {
    /// Where DNS leads.
    pub dns: super::Part<DnsState>,
    /// The response to `http://DOMAIN/`.
    pub http: super::Part<VisitState>,
    /// The response to `https://DOMAIN/`.
    pub https: super::Part<VisitState>,
    /// The side whose content they get; `null` if they get none, or it cannot be told.
    #[schemars(with = "Option<String>")]
    pub side: Option<SideName>,
    /// Whether edges read the redirect table; `null` if they do not say so, or it could not be asked.
    #[schemars(with = "Option<TableAtEdges>")]
    pub table: Option<TableAtEdges>,
}

/// Whether edges of CloudFront read the redirect table, by which they redirect and find folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TableAtEdges {
    /// They do.
    Read,
    /// There is none in the key value store.
    Absent,
    /// The key value store cannot be read.
    Unreadable,
}

/// What visitors of an alias get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AliasState {
    /// The alias.
    pub name: String,
    /// Where DNS leads.
    pub dns: super::Part<DnsState>,
    /// The response to `http://ALIAS/`.
    pub http: super::Part<VisitState>,
    /// The response to `https://ALIAS/`.
    pub https: super::Part<VisitState>,
}

/// Where DNS leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DnsState {
    /// What answers there, by the names and the response.
    pub target: Option<Target>,
    /// The names and addresses in the response, in order.
    pub values: Vec<String>,
}

/// What answers visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The distribution.
    CloudFront,
    /// The backup's website endpoint.
    Backup,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct VisitState {
    /// Its status.
    pub status: u16,
    /// Whether it came through CloudFront.
    pub cloudfront: bool,
    /// Where it redirects to.
    pub location: Option<String>,
}

impl VisitState {
    /// Whether the response is a redirect.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Whether visitors get a page: the response is one, or a redirect.
    pub fn is_served(&self) -> bool {
        // 401 asks for a password: the site answers.
        matches!(self.status, 200..=399 | 401)
    }

    /// Whether it redirects to HTTPS.
    pub fn leads_to_https(&self) -> bool {
        self.location.as_deref().is_some_and(|location| location.starts_with("https://"))
    }
}

/// A side in results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SideName {
    /// The primary.
    Primary,
    /// The backup.
    Backup,
}

impl From<Side> for SideName {
    fn from(side: Side) -> Self {
        match side {
            Side::Primary => Self::Primary,
            Side::Backup => Self::Backup,
        }
    }
}
