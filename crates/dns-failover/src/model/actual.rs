//! The actual state in Route 53.

use std::collections::BTreeMap;

use super::{Check, ZoneId};

/// The actual state of a site's records and health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Actual {
    /// The records.
    pub zone: ZoneRecords,
    /// The site's health checks.
    pub checks: Vec<Check>,
}

/// The records of one name in a hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZoneRecords {
    /// The id of the zone.
    pub id: ZoneId,
    /// The name of the zone, without the trailing dot.
    pub name: String,
    /// The record sets of the name, except NS and SOA.
    pub sets: Vec<ActualRecordSet>,
    /// The values of validation records, by their names.
    pub validation_values: BTreeMap<String, String>,
    /// The record sets of these names that Route 53 protects from changes.
    pub protections: Vec<Protection>,
    /// The name, the site's or one above it, that the zone delegates to other name servers: what the zone says below it, nobody sees.
    pub delegated: Option<String>,
}

/// An existing record set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActualRecordSet {
    /// `A`, `AAAA`, `CNAME`, `TXT`…
    pub r#type: String,
    /// The set identifier, which distinguishes record sets with the same name and type.
    pub identifier: Option<String>,
    /// The routing policy.
    pub routing: Routing,
    /// The host of the alias target.
    pub alias_host: Option<String>,
    /// All its settings in the normalized form of [`RecordSet`](super::RecordSet)'s `Display`.
    pub properties: String,
}

/// A routing policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Routing {
    /// Simple routing.
    Simple,
    /// Failover routing.
    Failover,
    /// Any other: weighted, latency, geolocation, multivalue answer…
    Other,
}

/// A name and type whose record sets Route 53 protects from changes.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSetProtection.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protection {
    /// The name, without the trailing dot.
    pub name: String,
    /// The type.
    pub r#type: String,
    /// The comment on the protection.
    pub comment: Option<String>,
}
