//! The types of the Route 53 API, used for state, requests and responses alike.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Types_Amazon_Route_53.html>

use serde::{Deserialize, Serialize};

/// A record set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RecordSet {
    /// The name; normalized once stored.
    pub name: String,
    /// `A`, `AAAA`, `CNAME`, `NS`, `SOA`…
    pub r#type: String,
    /// Distinguishes record sets of the same name and type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub set_identifier: Option<String>,
    /// `PRIMARY` or `SECONDARY`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failover: Option<String>,
    /// Time to live in seconds; none on alias records.
    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none", default)]
    pub ttl: Option<u32>,
    /// The values; none on alias records.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource_records: Option<Values>,
    /// The target of an alias record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alias_target: Option<Alias>,
    /// The health check on which answers with this set depend.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub health_check_id: Option<String>,
}

impl RecordSet {
    /// The values; none for alias records.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.resource_records.iter().flat_map(|list| list.resource_record.iter().map(|v| v.value.as_str()))
    }
}

/// The values of a record set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Values {
    /// Each value.
    #[serde(default)]
    pub resource_record: Vec<Value>,
}

/// One value of a record set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Value {
    /// The value as text.
    pub value: String,
}

/// The target of an alias record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Alias {
    /// The zone of the target: this one, or that of an AWS service in a region.
    pub hosted_zone_id: String,
    /// The target's name.
    #[serde(rename = "DNSName")]
    pub dns_name: String,
    /// Whether the health of the target is evaluated.
    pub evaluate_target_health: bool,
}

/// The configuration of a health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckConfig {
    /// The address, instead of a name.
    #[serde(rename = "IPAddress", skip_serializing_if = "Option::is_none", default)]
    pub ip_address: Option<String>,
    /// The port; 80 or 443 by type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub port: Option<u16>,
    /// `HTTP`, `HTTPS_STR_MATCH`, `CALCULATED`… Cannot be updated.
    #[serde(default)]
    pub r#type: String,
    /// The path to request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resource_path: Option<String>,
    /// The domain name to connect to, sent as `Host`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fully_qualified_domain_name: Option<String>,
    /// Text that the first 5,120 bytes of the body must contain.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub search_string: Option<String>,
    /// Seconds between two probes of one checker: 10 or 30. Cannot be updated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_interval: Option<u32>,
    /// Consecutive probes that change the verdict of a checker.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure_threshold: Option<u32>,
    /// Whether latency is measured. Cannot be updated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub measure_latency: Option<bool>,
    /// Inverts the status.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inverted: Option<bool>,
    /// Stops probing; the check is then always healthy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disabled: Option<bool>,
    /// How many children must be healthy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub health_threshold: Option<u32>,
    /// The children of a `CALCULATED` check.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub child_health_checks: Option<Children>,
    /// Sends the domain name in the TLS handshake.
    #[serde(rename = "EnableSNI", skip_serializing_if = "Option::is_none", default)]
    pub enable_sni: Option<bool>,
    /// The regions to probe from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub regions: Option<CheckRegions>,
}

/// The children of a `CALCULATED` health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Children {
    /// Their ids.
    #[serde(default)]
    pub child_health_check: Vec<String>,
}

/// The regions that a health check probes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckRegions {
    /// Their codes.
    #[serde(default)]
    pub region: Vec<String>,
}

/// A change to one record set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// The action.
    pub action: ChangeAction,
    /// The record set.
    pub resource_record_set: RecordSet,
}

/// The action of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeAction {
    /// Fails when the record set exists.
    Create,
    /// Fails unless the record set exists with the same values.
    Delete,
    /// Creates or replaces.
    Upsert,
}

impl ChangeAction {
    /// The word on the wire.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Delete => "DELETE",
            Self::Upsert => "UPSERT",
        }
    }
}
