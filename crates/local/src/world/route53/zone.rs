//! A hosted zone and the rules that every change of it must keep.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::model::{Change, ChangeAction, RecordSet, Value, Values};

/// The alias zone of every `CloudFront` distribution.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html>
pub const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";

/// A public hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its id, without `/hostedzone/`.
    pub id: String,
    /// Its name with the trailing dot.
    pub name: String,
    /// What the creator said to make creation repeatable.
    pub caller_reference: String,
    /// The sets in the order listings show them.
    #[serde(with = "listed")]
    records: BTreeMap<Place, RecordSet>,
    /// Names and types that may not be changed, with the reason given.
    #[serde(default)]
    protections: Vec<Protection>,
}

/// A name and type whose sets may not be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Protection {
    /// The name of the sets.
    pub record_name: String,
    /// Their type.
    pub record_type: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// Sets carry their own place: they are kept as a list.
mod listed {
    use serde::{Deserializer, Serializer};

    use super::{BTreeMap, Deserialize, Place, RecordSet, Serialize};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Place, RecordSet>, to: S) -> Result<S::Ok, S::Error> {
        map.values().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Place, RecordSet>, D::Error> {
        let sets = Vec::<RecordSet>::deserialize(from)?;
        Ok(sets.into_iter().map(|set| (Place::of(&set), set)).collect())
    }
}

/// Where a set stands in a listing: by name from the right, then type, then identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(String, String, String);

impl Place {
    fn of(set: &RecordSet) -> Self {
        Self::at(&set.name, &set.r#type, set.set_identifier.as_deref().unwrap_or_default())
    }

    fn at(name: &str, r#type: &str, identifier: &str) -> Self {
        let labels: Vec<_> = name.trim_end_matches('.').rsplit('.').collect();
        Self(labels.join("."), r#type.to_owned(), identifier.to_owned())
    }
}

/// A name as Route 53 stores it: lower case, one dot at the end, `*` as `\052`.
pub fn normalise(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('*', "\\052");
    if name.ends_with('.') { name } else { name + "." }
}

impl Zone {
    /// A new zone with the two sets that every zone has.
    pub fn new(id: String, name: &str, caller_reference: String) -> Self {
        let name = normalise(name);
        let mut zone =
            Self { id, name: name.clone(), caller_reference, records: BTreeMap::new(), protections: Vec::new() };
        let soa = "ns-1.twinsite.test. hostmaster.twinsite.test. 1 7200 900 1209600 86400";
        for (kind, ttl, values) in
            [("NS", 172_800, vec!["ns-1.twinsite.test.", "ns-2.twinsite.test."]), ("SOA", 900, vec![soa])]
        {
            let resource_record = values.into_iter().map(|value| Value { value: value.to_owned() }).collect();
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

    /// The names and types that may not be changed.
    pub fn protections(&self) -> &[Protection] {
        &self.protections
    }

    /// Protects names and types; refused when one is protected already.
    pub(super) fn protect(&mut self, mut added: Vec<Protection>) -> Result<(), Protection> {
        for protection in &mut added {
            protection.record_name = normalise(&protection.record_name);
            if self.protection(&protection.record_name, &protection.record_type).is_some() {
                return Err(protection.clone());
            }
        }
        self.protections.extend(added);
        Ok(())
    }

    /// Takes protections away, all or none; the name of one that is not there otherwise.
    pub(super) fn unprotect(&mut self, gone: &[(String, String)]) -> Result<(), String> {
        if let Some((name, _)) = gone.iter().find(|(name, kind)| self.protection(&normalise(name), kind).is_none()) {
            return Err(name.clone());
        }
        let named = |p: &Protection| gone.iter().any(|(n, t)| normalise(n) == p.record_name && *t == p.record_type);
        self.protections.retain(|protection| !named(protection));
        Ok(())
    }

    fn protection(&self, name: &str, r#type: &str) -> Option<&Protection> {
        self.protections.iter().find(|p| p.record_name == name && p.record_type == r#type)
    }

    fn put(&mut self, set: RecordSet) {
        self.records.insert(Place::of(&set), set);
    }

    /// All sets in listing order.
    pub fn records(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    /// The sets from a place on, in listing order.
    pub fn records_from(&self, name: &str, r#type: &str, identifier: &str) -> impl Iterator<Item = &RecordSet> {
        self.records.range(Place::at(&normalise(name), r#type, identifier)..).map(|(_, set)| set)
    }

    /// True when only the two sets are left that every zone has.
    pub fn is_bare(&self) -> bool {
        self.records().all(|set| set.name == self.name && ["NS", "SOA"].contains(&set.r#type.as_str()))
    }

    /// The zone after all changes, or every reason why the batch is refused. A batch is all or nothing.
    ///
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
    pub fn changed(&self, changes: Vec<Change>) -> Result<Self, Vec<String>> {
        let mut after = self.clone();
        let mut faults = Vec::new();
        for Change { action, mut resource_record_set } in changes {
            resource_record_set.name = normalise(&resource_record_set.name);
            if let Err(fault) = after.change(action, resource_record_set) {
                faults.push(fault);
            }
        }
        faults.extend(after.records.values().filter_map(|set| after.company_fault(set)));
        if faults.is_empty() { Ok(after) } else { Err(faults) }
    }

    fn change(&mut self, action: ChangeAction, set: RecordSet) -> Result<(), String> {
        let place = Place::of(&set);
        let called = format!("[name='{}', type='{}'{}]", set.name, set.r#type, identifier(&set));
        if let Some(protection) = self.protection(&set.name, &set.r#type) {
            let why = protection.comment.as_deref().unwrap_or("no comment");
            return Err(format!("The resource record set {called} is protected ({why})"));
        }
        match (action, self.records.get(&place)) {
            (ChangeAction::Create, Some(_)) => {
                return Err(format!("Tried to create resource record set {called} but it already exists"));
            }
            (ChangeAction::Delete, None) => {
                return Err(format!("Tried to delete resource record set {called} but it was not found"));
            }
            (ChangeAction::Delete, Some(there)) if !same(there, &set) => {
                return Err(format!(
                    "Tried to delete resource record set {called} but the values provided do not match the current values"
                ));
            }
            (ChangeAction::Delete, Some(_)) => {
                self.records.remove(&place);
                return Ok(());
            }
            (ChangeAction::Create, None) | (ChangeAction::Upsert, _) => {}
        }
        self.own_fault(&set).map_or(Ok(()), Err)?;
        self.put(set);
        Ok(())
    }

    /// What is wrong with a set taken by itself.
    fn own_fault(&self, set: &RecordSet) -> Option<String> {
        let RecordSet { name, r#type, set_identifier, failover, ttl, resource_records, alias_target, .. } = set;
        let within = *name == self.name || name.ends_with(&format!(".{}", self.name));
        if !within {
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
            (None, Some(_), Some(_)) => None,
            (Some(_), None, None) => self.alias_fault(set),
            _ => Some(format!(
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], for {name}"
            )),
        }
    }

    fn alias_fault(&self, set: &RecordSet) -> Option<String> {
        let alias = set.alias_target.as_ref()?;
        let target = normalise(&alias.dns_name);
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

    /// What is wrong with a set in the company of the others.
    fn company_fault(&self, set: &RecordSet) -> Option<String> {
        let others = || self.records().filter(|other| other.name == set.name && *other != set);
        let RecordSet { name, r#type, .. } = set;
        if r#type == "CNAME" && others().any(|other| other.r#type != "CNAME") {
            return Some(format!(
                "RRSet of type CNAME with DNS name {name} is not permitted because a conflicting RRSet with the same \
                 DNS name already exists in zone {}",
                self.name
            ));
        }
        let mut twins = others().filter(|other| other.r#type == *r#type);
        match &set.failover {
            None => twins.next().map(|_| {
                format!(
                    "RRSet with DNS name {name}, type {type} cannot be created as other RRSets exist with the same name \
                     and type"
                )
            }),
            Some(role) => twins.find(|other| other.failover.as_ref() == Some(role)).map(|_| {
                format!("Invalid request: {role} failover record set {name}, type {type} already exists")
            }),
        }
    }
}

fn identifier(set: &RecordSet) -> String {
    set.set_identifier.as_ref().map(|id| format!(", set identifier='{id}'")).unwrap_or_default()
}

/// Equal for `DELETE`: the order of values and a trailing dot in an alias do not count.
fn same(a: &RecordSet, b: &RecordSet) -> bool {
    let canonical = |set: &RecordSet| {
        let mut set = set.clone();
        if let Some(values) = &mut set.resource_records {
            values.resource_record.sort_by(|x, y| x.value.cmp(&y.value));
        }
        if let Some(alias) = &mut set.alias_target {
            alias.dns_name = normalise(&alias.dns_name);
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
        zone.changed(changes.iter().map(change).collect()).map_err(|faults| faults.join("; "))
    }

    #[test]
    fn a_plain_record_gives_way_to_a_failover_pair_in_one_batch_only() {
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
    fn a_batch_is_all_or_nothing_and_names_every_fault() {
        let good = (ChangeAction::Create, cname("a.example.com", "x"));
        let foreign = (ChangeAction::Create, cname("a.example.org", "x"));
        let apex = (ChangeAction::Create, cname("example.com", "x"));
        let faults = apply(&zone(), &[good, foreign, apex]).unwrap_err();
        assert!(faults.contains("not permitted in zone") && faults.contains("not permitted at apex"), "{faults}");
    }

    #[test]
    fn a_delete_must_match_but_not_in_the_order_of_values() {
        let mut set = cname("a.example.com", "x");
        set.r#type = "TXT".into();
        set.resource_records = Some(Values { resource_record: ["1", "2"].map(|v| Value { value: v.into() }).to_vec() });
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
