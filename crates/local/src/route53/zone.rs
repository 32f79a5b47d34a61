//! Hosted zones, and the validation of change batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Change, ChangeAction, RecordSet, Value, Values};
use super::value::rdata;
use crate::context::{execute_api_host, hosted_zone};

/// The hosted zone id of alias targets that are `CloudFront` distributions.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
pub const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";

/// A public hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name with the trailing dot.
    pub name: String,
    /// The caller reference, which makes creation idempotent.
    pub caller_reference: String,
    /// The record sets in listing order.
    #[serde(with = "listed")]
    records: BTreeMap<SortKey, RecordSet>,
    /// Record sets that cannot be changed.
    #[serde(default)]
    protections: Vec<Protection>,
}

/// A name and type whose record sets cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Protection {
    /// The name.
    pub record_name: String,
    /// The type.
    pub record_type: String,
    /// The reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// A record set contains its own sort key, so only the values are serialized.
mod listed {
    use serde::{Deserializer, Serializer};

    use super::{BTreeMap, Deserialize, RecordSet, Serialize, SortKey};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<SortKey, RecordSet>, to: S) -> Result<S::Ok, S::Error> {
        map.values().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<SortKey, RecordSet>, D::Error> {
        let sets = Vec::<RecordSet>::deserialize(from)?;
        Ok(sets.into_iter().map(|set| (SortKey::of(&set), set)).collect())
    }
}

/// The order of listings: labels from the right, then type, then set identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SortKey(String, String, String);

impl SortKey {
    fn of(set: &RecordSet) -> Self {
        Self::new(&set.name, &set.r#type, set.set_identifier.as_deref().unwrap_or_default())
    }

    fn new(name: &str, r#type: &str, identifier: &str) -> Self {
        let labels: Vec<_> = name.trim_end_matches('.').rsplit('.').collect();
        Self(labels.join("."), r#type.to_owned(), identifier.to_owned())
    }
}

/// A name as Route 53 stores it: lower case, with a trailing dot, `*` as `\052`.
pub fn normalize(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('*', "\\052");
    if name.ends_with('.') { name } else { name + "." }
}

/// The name servers of a zone: every zone has a delegation set of its own.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html>
fn name_servers(id: &str) -> [String; 4] {
    let number = id.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 512);
    let server = |index: u32, tld: &str| {
        let number = index * 512 + number;
        format!("ns-{number}.awsdns-{:02}.{tld}.", number % 64)
    };
    [server(0, "com"), server(1, "net"), server(2, "org"), server(3, "co.uk")]
}

impl Zone {
    /// A new zone with its SOA and NS record sets.
    pub fn new(id: String, name: &str, caller_reference: String) -> Self {
        let name = normalize(name);
        let mut zone =
            Self { id, name: name.clone(), caller_reference, records: BTreeMap::new(), protections: Vec::new() };
        let servers = name_servers(&zone.id);
        let soa = format!("{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", servers[0]);
        for (kind, ttl, values) in [("NS", 172_800, servers.to_vec()), ("SOA", 900, vec![soa])] {
            let resource_record = values.into_iter().map(|value| Value { value }).collect();
            zone.put(RecordSet {
                name: name.clone(),
                r#type: kind.to_owned(),
                ttl: Some(ttl),
                resource_records: Some(Values { resource_record }),
                ..RecordSet::default()
            });
        }
        zone
    }

    /// The protections.
    pub fn protections(&self) -> &[Protection] {
        &self.protections
    }

    /// Adds protections. Fails with the first that exists already.
    pub(super) fn protect(&mut self, mut added: Vec<Protection>) -> Result<(), Protection> {
        for protection in &mut added {
            protection.record_name = normalize(&protection.record_name);
            if self.protection(&protection.record_name, &protection.record_type).is_some() {
                return Err(protection.clone());
            }
        }
        self.protections.extend(added);
        Ok(())
    }

    /// Removes protections, all or none. Fails with the name of the first that does not exist.
    pub(super) fn unprotect(&mut self, removed: &[Protection]) -> Result<(), String> {
        let missing = |key: &&Protection| self.protection(&normalize(&key.record_name), &key.record_type).is_none();
        if let Some(key) = removed.iter().find(missing) {
            return Err(key.record_name.clone());
        }
        self.protections.retain(|protection| {
            let is = |key: &Protection| {
                normalize(&key.record_name) == protection.record_name && key.record_type == protection.record_type
            };
            !removed.iter().any(is)
        });
        Ok(())
    }

    fn protection(&self, name: &str, r#type: &str) -> Option<&Protection> {
        self.protections.iter().find(|p| p.record_name == name && p.record_type == r#type)
    }

    fn put(&mut self, set: RecordSet) {
        self.records.insert(SortKey::of(&set), set);
    }

    /// All record sets in listing order.
    pub fn records(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    /// The record sets from a position on, in listing order.
    pub fn records_from(&self, name: &str, r#type: &str, identifier: &str) -> impl Iterator<Item = &RecordSet> {
        self.records.range(SortKey::new(&normalize(name), r#type, identifier)..).map(|(_, set)| set)
    }

    /// Whether only the SOA and NS record sets are left.
    pub fn is_bare(&self) -> bool {
        self.records().all(|set| set.name == self.name && ["NS", "SOA"].contains(&set.r#type.as_str()))
    }

    /// The zone after a change batch, or every reason why the batch is invalid.
    ///
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
    pub fn changed(&self, changes: Vec<Change>) -> Result<Self, Vec<String>> {
        let mut after = self.clone();
        let mut errors = Vec::new();
        for Change { action, mut resource_record_set } in changes {
            resource_record_set.name = normalize(&resource_record_set.name);
            if let Err(error) = after.change(action, resource_record_set) {
                errors.push(error);
            }
        }
        errors.extend(after.records.values().filter_map(|set| after.conflict(set)));
        if errors.is_empty() { Ok(after) } else { Err(errors) }
    }

    fn change(&mut self, action: ChangeAction, set: RecordSet) -> Result<(), String> {
        let key = SortKey::of(&set);
        let label = format!("[name='{}', type='{}'{}]", set.name, set.r#type, identifier(&set));
        if let Some(protection) = self.protection(&set.name, &set.r#type) {
            let why = protection.comment.as_deref().unwrap_or("no comment");
            return Err(format!("The resource record set {label} is protected ({why})"));
        }
        match (action, self.records.get(&key)) {
            (ChangeAction::Create, Some(_)) => {
                return Err(format!("Tried to create resource record set {label} but it already exists"));
            }
            (ChangeAction::Delete, None) => {
                return Err(format!("Tried to delete resource record set {label} but it was not found"));
            }
            (ChangeAction::Delete, Some(existing)) if !same(existing, &set) => {
                return Err(format!(
                    "Tried to delete resource record set {label} but the values provided do not match the current values"
                ));
            }
            (ChangeAction::Delete, Some(_)) => {
                self.records.remove(&key);
                return Ok(());
            }
            (ChangeAction::Create, None) | (ChangeAction::Upsert, _) => {}
        }
        self.invalid(&set).map_or(Ok(()), Err)?;
        self.put(set);
        Ok(())
    }

    /// What is wrong with a record set by itself.
    fn invalid(&self, set: &RecordSet) -> Option<String> {
        let RecordSet { name, r#type, set_identifier, failover, ttl, resource_records, alias_target, .. } = set;
        let in_zone = *name == self.name || name.ends_with(&format!(".{}", self.name));
        if !in_zone {
            return Some(format!("RRSet with DNS name {name} is not permitted in zone {}", self.name));
        }
        if r#type == "CNAME" && *name == self.name {
            return Some(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}",
                self.name
            ));
        }
        if failover.is_some() != set_identifier.is_some() {
            return Some("Invalid request: a failover record set needs both SetIdentifier and Failover".to_owned());
        }
        match (alias_target, resource_records, ttl) {
            (None, Some(_), Some(_)) => set.values().find_map(|value| rdata(r#type, value).err()),
            (Some(_), None, None) => self.invalid_alias(set),
            _ => Some(format!(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], for {name}"
            )),
        }
    }

    fn invalid_alias(&self, set: &RecordSet) -> Option<String> {
        let alias = set.alias_target.as_ref()?;
        let target = normalize(&alias.dns_name);
        let missing = |zone: &str| {
            Some(format!(
                "Tried to create an alias that targets {target}, type {} in zone {zone}, but the alias target name \
                 does not lie within the target zone",
                set.r#type
            ))
        };
        if alias.hosted_zone_id == CLOUDFRONT_ZONE {
            if !target.ends_with(".cloudfront.net.") {
                return missing(CLOUDFRONT_ZONE);
            }
            let evaluates = "EvaluateTargetHealth cannot be true for an alias to a CloudFront distribution";
            return alias.evaluate_target_health.then(|| evaluates.to_owned());
        }
        if let Some((_, region)) = execute_api_host(target.trim_end_matches('.')) {
            let is_in_zone = alias.hosted_zone_id == hosted_zone(region);
            return if is_in_zone { None } else { missing(&alias.hosted_zone_id) };
        }
        if alias.hosted_zone_id == self.id && !target.ends_with(&self.name) {
            return missing(&self.id);
        }
        let website = target.starts_with("s3-website");
        (website && set.r#type != "A").then(|| {
            format!(
                "Tried to create an alias that targets {target}, type {}, but S3 websites are of type A",
                set.r#type
            )
        })
    }

    /// What is wrong with a record set in combination with the others.
    fn conflict(&self, set: &RecordSet) -> Option<String> {
        let others = || self.records().filter(|other| other.name == set.name && *other != set);
        let RecordSet { name, r#type, .. } = set;
        if r#type == "CNAME" && others().any(|other| other.r#type != "CNAME") {
            return Some(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted because a conflicting RRSet with the same \
                 DNS name already exists in zone {}",
                self.name
            ));
        }
        let mut same_type = others().filter(|other| other.r#type == *r#type);
        match &set.failover {
            None => same_type.next().map(|_| {
                format!(
                    "RRSet with DNS name {name}, type {type} cannot be created as other RRSets exist with the same name \
                     and type"
                )
            }),
            Some(role) => same_type.find(|other| other.failover.as_ref() == Some(role)).map(|_| {
                format!("Invalid request: {role} failover record set {name}, type {type} already exists")
            }),
        }
    }
}

fn identifier(set: &RecordSet) -> String {
    set.set_identifier.as_ref().map(|id| format!(", set identifier='{id}'")).unwrap_or_default()
}

/// Equality for `DELETE`: the order of values and a trailing dot in an alias are ignored.
fn same(a: &RecordSet, b: &RecordSet) -> bool {
    let canonical = |set: &RecordSet| {
        let mut set = set.clone();
        if let Some(values) = &mut set.resource_records {
            values.resource_record.sort_by(|x, y| x.value.cmp(&y.value));
        }
        if let Some(alias) = &mut set.alias_target {
            alias.dns_name = normalize(&alias.dns_name);
        }
        set
    };
    canonical(a) == canonical(b)
}

#[cfg(test)]
mod tests {
    use super::super::model::Alias;
    use super::*;

    fn zone() -> Zone {
        Zone::new("Z1".into(), "Example.com", "r".into())
    }

    fn cname(name: &str, value: &str) -> RecordSet {
        let resource_record = vec![Value { value: value.to_owned() }];
        RecordSet {
            name: name.to_owned(),
            r#type: "CNAME".into(),
            ttl: Some(60),
            resource_records: Some(Values { resource_record }),
            ..RecordSet::default()
        }
    }

    fn failover(role: &str, set: RecordSet) -> RecordSet {
        RecordSet { failover: Some(role.into()), set_identifier: Some(role.to_lowercase()), ..set }
    }

    fn alias(name: &str, kind: &str, zone: &str, target: &str) -> RecordSet {
        let alias = Alias { hosted_zone_id: zone.into(), dns_name: target.into(), evaluate_target_health: false };
        RecordSet { name: name.into(), r#type: kind.into(), alias_target: Some(alias), ..RecordSet::default() }
    }

    fn apply(zone: &Zone, changes: &[(ChangeAction, RecordSet)]) -> Result<Zone, String> {
        let change =
            |(action, set): &(ChangeAction, RecordSet)| Change { action: *action, resource_record_set: set.clone() };
        zone.changed(changes.iter().map(change).collect()).map_err(|errors| errors.join("; "))
    }

    #[test]
    fn a_simple_record_is_replaced_by_a_failover_pair_in_one_batch_only() {
        let plain = cname("www.example.com", "old.example.net");
        let zone = apply(&zone(), &[(ChangeAction::Create, plain.clone())]).unwrap();
        let primary = failover("PRIMARY", cname("www.example.com", "a.example.net"));
        let secondary = failover("SECONDARY", cname("www.example.com", "b.example.net"));
        let create = |set: &RecordSet| (ChangeAction::Create, set.clone());
        let beside = apply(&zone, &[create(&primary), create(&secondary)]).unwrap_err();
        assert!(beside.contains("other RRSets exist"), "{beside}");
        let swapped = apply(&zone, &[(ChangeAction::Delete, plain), create(&primary), create(&secondary)]).unwrap();
        assert_eq!(swapped.records().filter(|set| set.r#type == "CNAME").count(), 2);
        let twice = apply(&swapped, &[create(&failover("PRIMARY", cname("www.example.com", "c"))).clone()]);
        assert!(twice.unwrap_err().contains("already exists"));
    }

    #[test]
    fn a_batch_is_all_or_nothing_and_names_every_error() {
        let good = (ChangeAction::Create, cname("a.example.com", "x"));
        let foreign = (ChangeAction::Create, cname("a.example.org", "x"));
        let apex = (ChangeAction::Create, cname("example.com", "x"));
        let errors = apply(&zone(), &[good, foreign, apex]).unwrap_err();
        assert!(errors.contains("not permitted in zone") && errors.contains("not permitted at apex"), "{errors}");
    }

    #[test]
    fn a_delete_must_match_but_not_in_the_order_of_values() {
        let mut set = cname("a.example.com", "x");
        set.r#type = "TXT".into();
        set.resource_records =
            Some(Values { resource_record: ["\"1\"", "\"2\""].map(|v| Value { value: v.into() }).to_vec() });
        let zone = apply(&zone(), &[(ChangeAction::Create, set.clone())]).unwrap();
        let wrong = RecordSet { ttl: Some(61), ..set.clone() };
        assert!(apply(&zone, &[(ChangeAction::Delete, wrong)]).unwrap_err().contains("do not match"));
        set.resource_records.as_mut().unwrap().resource_record.reverse();
        assert!(apply(&zone, &[(ChangeAction::Delete, set)]).unwrap().is_bare());
    }

    #[test]
    fn alias_targets_must_lie_in_their_zone() {
        let create = |set| apply(&zone(), &[(ChangeAction::Create, set)]);
        create(alias("example.com", "A", CLOUDFRONT_ZONE, "d1.cloudfront.net")).unwrap();
        let stray = create(alias("example.com", "A", CLOUDFRONT_ZONE, "d1.example.net")).unwrap_err();
        assert!(stray.contains("does not lie within the target zone"), "{stray}");
        let website = "s3-website-us-west-2.amazonaws.com";
        create(alias("example.com", "A", "Z3BJ6K6RIION7M", website)).unwrap();
        assert!(create(alias("example.com", "AAAA", "Z3BJ6K6RIION7M", website)).is_err());
    }

    #[test]
    fn listings_go_by_reversed_name() {
        let sets = ["b.example.com", "a.b.example.com", "a.example.com"];
        let creates: Vec<_> = sets.iter().map(|name| (ChangeAction::Create, cname(name, "x"))).collect();
        let zone = apply(&zone(), &creates).unwrap();
        let names: Vec<_> = zone.records().map(|set| set.name.as_str()).collect();
        let apex = "example.com.";
        assert_eq!(names, [apex, apex, "a.example.com.", "b.example.com.", "a.b.example.com."]);
        assert_eq!(zone.records_from("b.example.com", "", "").count(), 2);
    }
}
