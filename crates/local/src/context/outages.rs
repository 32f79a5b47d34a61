//! Outages: failures of whole regions and services, which no AWS API can cause.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The outages in force. This is also the JSON body of `/_twinsite/faults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "outages are independent of one another")]
pub struct Outages {
    /// Regions in which neither S3's API nor its website endpoints respond.
    pub regions_out: BTreeSet<String>,
    /// Whether no CloudFront edge responds.
    pub cdn_out: bool,
    /// Whether the control planes of the global services do not respond: CloudFront, Route 53, IAM, ACM.
    pub control_out: bool,
    /// Regions whose buckets answer CloudFront and visitors late, and after how many seconds: a brown-out.
    pub slow_regions: BTreeMap<String, u64>,
    /// Whether functions at the edges cannot read their key value store.
    pub stores_unreadable: bool,
    /// Services that do not respond in any region, by the names that SDKs have for them: `acm`, `cloudfront`, `cloudwatch`, `iam`,
    /// `route53`, `s3`, `s3control`, `sns`, `sts`. Visitors are served all the same.
    pub services_out: BTreeSet<String>,
    /// What requests meet in these outages: requests to APIs and, if it is `hang`, also those of visitors, edges and health checkers.
    pub symptom: OutageSymptom,
    /// Whether replication is paused.
    pub replication_paused: bool,
    /// Every how many requests S3 answers one with `503 SlowDown`; 0 for never.
    pub slow_down_every: u64,
}

/// What a request meets that goes to what is out of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutageSymptom {
    /// The connection breaks.
    #[default]
    Reset,
    /// The response is `503 ServiceUnavailable`.
    /// <https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html>
    Unavailable,
    /// There is no response until the outage ends.
    Hang,
}
