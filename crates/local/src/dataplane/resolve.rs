//! The answers of Route 53's name servers: records selected by health. Pure functions.
//!
//! They are authoritative servers: what is not in the zone of a name is not in their answer.

use std::net::IpAddr;

use crate::route53::{RecordSet, Route53, Zone};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) ttl: u32,
    pub(super) data: Data,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Address(IpAddr),
    Cname(String),
    /// Of any other type, as text.
    Other {
        kind: String,
        value: String,
    },
}

/// The response code of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Code {
    /// `NOERROR`; without records when the name has none of the type.
    #[default]
    NoError,
    /// `NXDOMAIN`.
    NoSuchName,
    /// `REFUSED`: not in any hosted zone.
    Refused,
}

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: Code,
    /// Whether the server has authority over the name: not over what it delegates.
    pub(super) authoritative: bool,
    pub(super) records: Vec<Record>,
    /// The SOA record with a negative answer, NS records with a referral.
    pub(super) authority: Vec<Record>,
}

/// The TTL of AWS names, and of alias records to them, in seconds.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-shared.html>
const ALIAS_TTL: u32 = 60;

/// How many CNAME records are followed.
pub(super) const MAX_CHAIN: usize = 8;

/// The data that name servers answer from.
pub(super) struct NameServerData<'a> {
    pub(super) zones: &'a Route53,
    /// Whether a health check is healthy.
    pub(super) healthy: &'a dyn Fn(&str) -> bool,
    /// The address of an AWS name.
    pub(super) address: &'a dyn Fn(&str) -> Option<IpAddr>,
}

/// What a zone has at a name.
enum Found<'z> {
    Sets(Vec<&'z RecordSet>),
    /// Names below it exist, but no records.
    Empty,
    /// Another zone begins there or above it.
    Delegated(Vec<&'z RecordSet>),
    Missing,
}

impl NameServerData<'_> {
    /// Answers a query for a name in lower case without trailing dot.
    pub(super) fn answer(&self, name: &str, kind: &str) -> Answer {
        if let Some(address) = (self.address)(name) {
            let record = Record { name: name.to_owned(), ttl: ALIAS_TTL, data: Data::Address(address) };
            let records = if ["A", "ANY"].contains(&kind) { vec![record] } else { Vec::new() };
            return Answer { authoritative: true, records, ..Answer::default() };
        }
        match self.zone_of(name) {
            Some(zone) => self.answer_in(zone, name, kind),
            None => Answer { code: Code::Refused, ..Answer::default() },
        }
    }

    /// Answers from a zone. CNAME records are followed within it.
    /// <https://www.rfc-editor.org/rfc/rfc1034#section-4.3.2>
    fn answer_in(&self, zone: &Zone, name: &str, kind: &str) -> Answer {
        let mut answer = Answer { authoritative: true, ..Answer::default() };
        let mut current = name.to_owned();
        for _ in 0..MAX_CHAIN {
            match find(zone, &current, kind) {
                Found::Delegated(sets) => {
                    // A referral is not authoritative; what led to it is.
                    answer.authoritative = !answer.records.is_empty();
                    answer.authority = sets.iter().flat_map(|set| self.records(zone, &owner(set), set)).collect();
                    return answer;
                }
                Found::Missing => {
                    answer.code = Code::NoSuchName;
                    answer.authority = self.soa(zone);
                    return answer;
                }
                Found::Empty => {
                    answer.authority = self.soa(zone);
                    return answer;
                }
                Found::Sets(sets) => {
                    let found = self.of_type(zone, &current, &sets, kind);
                    let next = found.iter().find_map(|record| match &record.data {
                        Data::Cname(target) if !["CNAME", "ANY"].contains(&kind) => Some(plain(target)),
                        _ => None,
                    });
                    if found.is_empty() {
                        answer.authority = self.soa(zone);
                    }
                    answer.records.extend(found);
                    match next {
                        Some(next) if contains(zone, &next) => current = next,
                        _ => return answer,
                    }
                }
            }
        }
        answer
    }

    /// The records of a type among the record sets of a name; its CNAME record when there are none.
    fn of_type(&self, zone: &Zone, name: &str, sets: &[&RecordSet], kind: &str) -> Vec<Record> {
        let of_type = |kind: &str| {
            let sets: Vec<&RecordSet> = sets.iter().filter(|set| set.r#type == kind).copied().collect();
            self.select(&sets).map(|set| self.records(zone, name, set)).unwrap_or_default()
        };
        if kind == "ANY" {
            let mut kinds: Vec<&str> = sets.iter().map(|set| set.r#type.as_str()).collect();
            kinds.dedup();
            return kinds.into_iter().flat_map(of_type).collect();
        }
        if sets.iter().any(|set| set.r#type == kind) { of_type(kind) } else { of_type("CNAME") }
    }

    /// The closest enclosing hosted zone.
    fn zone_of(&self, name: &str) -> Option<&Zone> {
        self.zones.zones().filter(|zone| contains(zone, name)).max_by_key(|zone| zone.name.len())
    }

    /// The record set to answer with: a healthy primary, else a healthy secondary, else the primary.
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-problems.html>
    fn select<'s>(&self, sets: &[&'s RecordSet]) -> Option<&'s RecordSet> {
        let role = |role: &str| sets.iter().find(|set| set.failover.as_deref() == Some(role)).copied();
        let healthy = |set: &&RecordSet| set.health_check_id.as_deref().is_none_or(|id| (self.healthy)(id));
        match (role("PRIMARY"), role("SECONDARY")) {
            (None, None) => sets.first().copied(),
            (Some(primary), secondary) => {
                Some(primary).filter(healthy).or_else(|| secondary.filter(healthy)).or(Some(primary))
            }
            (None, secondary) => secondary,
        }
    }

    fn records(&self, zone: &Zone, name: &str, set: &RecordSet) -> Vec<Record> {
        let record = |ttl, data| Record { name: name.to_owned(), ttl, data };
        if let Some(alias) = &set.alias_target {
            let target = plain(&alias.dns_name);
            if let Some(address) = (self.address)(&target) {
                let matches = address.is_ipv4() == (set.r#type == "A") && ["A", "AAAA"].contains(&set.r#type.as_str());
                return matches.then(|| record(ALIAS_TTL, Data::Address(address))).into_iter().collect();
            }
            // An alias to another record of the zone answers with the data of that one.
            if target == name || !contains(zone, &target) {
                return Vec::new();
            }
            let Found::Sets(sets) = find(zone, &target, &set.r#type) else { return Vec::new() };
            let sets: Vec<&RecordSet> = sets.into_iter().filter(|other| other.r#type == set.r#type).collect();
            let found = self.select(&sets).filter(|other| other.alias_target.is_none() || other.name != set.name);
            let found = found.map(|other| self.records(zone, &target, other)).unwrap_or_default();
            return found.into_iter().map(|found| record(found.ttl, found.data)).collect();
        }
        let ttl = set.ttl.unwrap_or(300);
        let other = |value: &str| Data::Other { kind: set.r#type.clone(), value: value.to_owned() };
        let data = |text: &str| match set.r#type.as_str() {
            "A" | "AAAA" => text.parse().map_or_else(|_| other(text), Data::Address),
            "CNAME" => Data::Cname(text.to_owned()),
            _ => other(text),
        };
        set.values().map(|text| record(ttl, data(text))).collect()
    }

    /// The SOA record of a zone; its minimum is the TTL of negative answers.
    fn soa(&self, zone: &Zone) -> Vec<Record> {
        let set = zone.records().find(|set| set.r#type == "SOA");
        set.map(|set| self.records(zone, &plain(&zone.name), set)).unwrap_or_default()
    }
}

/// A name in lower case without trailing dot.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The name of a record set, without trailing dot.
fn owner(set: &RecordSet) -> String {
    plain(&set.name)
}

fn contains(zone: &Zone, name: &str) -> bool {
    let apex = zone.name.trim_end_matches('.');
    name == apex || name.strip_suffix(apex).is_some_and(|rest| rest.ends_with('.'))
}

/// What a zone has at a name, wildcards included.
/// <https://www.rfc-editor.org/rfc/rfc4592#section-3.3>
fn find<'z>(zone: &'z Zone, name: &str, kind: &str) -> Found<'z> {
    let apex = zone.name.trim_end_matches('.');
    let at = |name: &str| -> Vec<&'z RecordSet> { zone.records().filter(|set| owner(set) == name).collect() };
    // From the name upwards: itself, and what encloses it.
    let enclosing: Vec<&str> = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest))
        .take_while(|one| one.len() >= apex.len())
        .collect();
    // The topmost delegation counts: what is below it is not in this zone. DS records are on the side of the parent.
    let cuts = enclosing.iter().rev().filter(|one| **one != apex && (**one != name || kind != "DS"));
    for cut in cuts {
        let servers: Vec<_> = at(cut).into_iter().filter(|set| set.r#type == "NS").collect();
        if !servers.is_empty() {
            return Found::Delegated(servers);
        }
    }
    let sets = at(name);
    if !sets.is_empty() {
        return Found::Sets(sets);
    }
    let below = |name: &str| {
        let suffix = format!(".{name}");
        zone.records().any(|set| owner(set).ends_with(&suffix))
    };
    if below(name) {
        return Found::Empty;
    }
    let exists = |name: &str| !at(name).is_empty() || below(name);
    let Some(encloser) = enclosing.iter().skip(1).find(|name| exists(name)) else { return Found::Missing };
    let wildcard = at(&format!("\\052.{encloser}"));
    if wildcard.is_empty() { Found::Missing } else { Found::Sets(wildcard) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::SystemTime;

    use super::*;
    use crate::context::{Delays, Now};
    use crate::route53::{Alias, Change, ChangeAction, CheckConfig, Value, Values};

    fn set(role: &str, check: &str, target: &str) -> RecordSet {
        RecordSet {
            name: "www.example.com".into(),
            r#type: "CNAME".into(),
            set_identifier: Some(role.into()),
            failover: Some(role.into()),
            ttl: Some(60),
            resource_records: Some(Values { resource_record: vec![Value { value: target.into() }] }),
            health_check_id: Some(check.into()),
            ..RecordSet::default()
        }
    }

    fn route53() -> (Route53, [String; 2]) {
        let mut route53 = Route53::default();
        let now = Now { time: SystemTime::UNIX_EPOCH, delays: Delays::NONE };
        let http = |name: &str| CheckConfig {
            r#type: "HTTP".into(),
            fully_qualified_domain_name: Some(name.into()),
            ..CheckConfig::default()
        };
        let ids = ["a", "b"].map(|name| route53.create_check(name, http(name)).unwrap().id);
        let zone = route53.create_zone("example.com", "r", now).unwrap().0.id;
        let create = |set| Change { action: ChangeAction::Create, resource_record_set: set };
        let apex = RecordSet {
            name: "example.com".into(),
            r#type: "A".into(),
            alias_target: Some(Alias {
                hosted_zone_id: "Z2FDTNDATAQYW2".into(),
                dns_name: "d1.cloudfront.net".into(),
                evaluate_target_health: false,
            }),
            ..RecordSet::default()
        };
        let sets = [set("PRIMARY", &ids[0], "d1.cloudfront.net"), set("SECONDARY", &ids[1], "b.elsewhere.net"), apex];
        route53.change_records(&zone, sets.map(create).to_vec(), now).unwrap();
        (route53, ids)
    }

    fn of(name: &str, kind: &str, values: &[&str]) -> RecordSet {
        let resource_record = values.iter().map(|value| Value { value: (*value).to_owned() }).collect();
        RecordSet {
            name: name.into(),
            r#type: kind.into(),
            ttl: Some(30),
            resource_records: Some(Values { resource_record }),
            ..RecordSet::default()
        }
    }

    fn ask(healthy: &dyn Fn(&str) -> bool, route53: &Route53, name: &str, kind: &str) -> Answer {
        let edge = IpAddr::V4(Ipv4Addr::new(127, 0, 2, 1));
        let address = |name: &str| (name == "d1.cloudfront.net").then_some(edge);
        NameServerData { zones: route53, healthy, address: &address }.answer(name, kind)
    }

    #[test]
    fn the_primary_is_answered_while_it_is_healthy_and_when_neither_is() {
        let (route53, [primary, backup]) = route53();
        let first = |unhealthy: &[&String]| {
            let healthy = |id: &str| !unhealthy.iter().any(|unhealthy| *unhealthy == id);
            ask(&healthy, &route53, "www.example.com", "A").records[0].data.clone()
        };
        let to = |name: &str| Data::Cname(name.to_owned());
        assert_eq!(first(&[]), to("d1.cloudfront.net"));
        assert_eq!(first(&[&primary]), to("b.elsewhere.net"));
        assert_eq!(first(&[&primary, &backup]), to("d1.cloudfront.net"));
        assert_eq!(first(&[&backup]), to("d1.cloudfront.net"));
    }

    #[test]
    fn only_what_is_in_the_zone_is_answered() {
        let (mut route53, _) = route53();
        let zone = route53.zones().next().unwrap().id.clone();
        let sets = [
            of("in.example.com", "CNAME", &["target.example.com"]),
            of("target.example.com", "A", &["192.0.2.1", "192.0.2.2"]),
            of("gone.example.com", "CNAME", &["none.example.com"]),
            of("a.deep.example.com", "TXT", &["\"text\""]),
            of("*.wild.example.com", "A", &["192.0.2.3"]),
            of("there.wild.example.com", "TXT", &["\"text\""]),
            of("sub.example.com", "NS", &["ns.example.net"]),
        ];
        let create = |set| Change { action: ChangeAction::Create, resource_record_set: set };
        let now = Now { time: SystemTime::UNIX_EPOCH, delays: Delays::NONE };
        route53.change_records(&zone, sets.map(create).to_vec(), now).unwrap();
        let ask = |name: &str, kind: &str| ask(&|_| true, &route53, name, kind);
        let shape = |name: &str, kind: &str| {
            let Answer { code, authoritative, records, authority } = ask(name, kind);
            (code, authoritative, records.len(), authority.len())
        };
        let (ok, missing) = (Code::NoError, Code::NoSuchName);
        for (name, kind, expected) in [
            ("www.example.com", "A", (ok, true, 1, 0)), // its target is in another zone
            ("in.example.com", "A", (ok, true, 3, 0)),  // and this one is not
            ("gone.example.com", "A", (missing, true, 1, 1)),
            ("example.com", "A", (ok, true, 1, 0)),
            ("example.com", "AAAA", (ok, true, 0, 1)), // no data
            ("example.com", "NS", (ok, true, 4, 0)),
            ("none.example.com", "A", (missing, true, 0, 1)),
            ("deep.example.com", "A", (ok, true, 0, 1)), // names below it exist
            ("x.wild.example.com", "A", (ok, true, 1, 0)),
            ("y.x.wild.example.com", "A", (ok, true, 1, 0)),
            ("x.wild.example.com", "TXT", (ok, true, 0, 1)),
            ("there.wild.example.com", "A", (ok, true, 0, 1)), // the wildcard is for names that do not exist
            ("x.there.wild.example.com", "A", (missing, true, 0, 1)),
            ("sub.example.com", "A", (ok, false, 0, 1)), // delegated
            ("www.sub.example.com", "A", (ok, false, 0, 1)),
            ("example.org", "A", (Code::Refused, false, 0, 0)),
            ("notexample.com", "A", (Code::Refused, false, 0, 0)),
        ] {
            assert_eq!(shape(name, kind), expected, "{name} {kind}");
        }
        assert_eq!(ask("x.wild.example.com", "A").records[0].name, "x.wild.example.com");
        assert_eq!(ask("www.sub.example.com", "A").authority[0].name, "sub.example.com");
    }
}
