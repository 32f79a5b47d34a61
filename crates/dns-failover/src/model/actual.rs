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
    /// The records of the site in other public hosted zones of the account that contain its name: of a zone that another one took the
    /// place of.
    pub other_zones: Vec<ZoneRecords>,
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
    /// The CAA records that certificate authorities obey for the name: those of the name or of the closest name above it in the zone.
    pub caa: Option<CaaRecords>,
}

impl ZoneRecords {
    /// The records of a hosted zone that does not exist.
    pub fn none(id: ZoneId, name: String) -> Self {
        let validation_values = BTreeMap::new();
        Self { id, name, sets: Vec::new(), validation_values, protections: Vec::new(), delegated: None, caa: None }
    }
}

/// CAA records, which say what certificate authorities may issue certificates.
/// <https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaaRecords {
    /// The name that has them.
    pub name: String,
    /// Their values: `0 issue "amazon.com"`.
    pub values: Vec<String>,
}

/// The names of Amazon's certificate authorities in CAA records.
const AMAZON: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

impl CaaRecords {
    /// Whether Amazon may issue a certificate for a name. Only records with the tag `issue` matter for names that are no wildcards; if
    /// there are none, anybody may. <https://www.rfc-editor.org/rfc/rfc8659#section-4.2>
    pub fn allow_amazon(&self) -> bool {
        let issuers = self.values.iter().filter_map(|value| {
            let mut words = value.splitn(3, ' ');
            let (_, tag, issuer) = (words.next()?, words.next()?, words.next()?);
            let issuer = issuer.trim_matches('"').split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            tag.eq_ignore_ascii_case("issue").then_some(issuer)
        });
        let issuers: Vec<String> = issuers.collect();
        issuers.is_empty() || issuers.iter().any(|issuer| AMAZON.contains(&issuer.as_str()))
    }
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
    /// Seconds for which resolvers may keep it; an alias has none of its own.
    pub ttl: Option<u64>,
    /// The id of its health check.
    pub health_check: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caa_records_are_read_as_certificate_authorities_do() {
        let allow = |values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            CaaRecords { name: "example.com".to_owned(), values }.allow_amazon()
        };
        assert!(allow(&["0 issue \"letsencrypt.org\"", "0 issue \"amazonaws.com; account=1\""]));
        assert!(allow(&["0 iodef \"mailto:a@example.com\"", "0 issuewild \"letsencrypt.org\""]));
        assert!(!allow(&["0 issue \"letsencrypt.org\"", "0 issuewild \"amazon.com\""]));
        assert!(!allow(&["0 issue \";\""]) && !allow(&["0 issue \"notamazon.com\""]));
    }
}
