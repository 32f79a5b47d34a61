//! What Route 53's name servers answer: records, chosen by health. Pure.

use std::net::IpAddr;

use crate::world::route53::{RecordSet, Route53};

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) ttl: u32,
    pub(super) value: Value,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Address(IpAddr),
    Cname(String),
    Ns(String),
    Soa(String),
    /// Of a type that nobody here asks for: named, and not answered.
    Text(String),
}

/// What is answered to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// These records; none when the name is there and has none of the type.
    Records(Vec<Record>),
    /// There is no such name.
    NoName,
    /// Nobody here knows about the name.
    NotOurs,
}

/// The seconds for which answers of AWS's own names, and of alias records to them, may be kept.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-shared.html>
const OWN: u32 = 60;

/// What name servers know.
pub(super) struct Known<'a> {
    pub(super) zones: &'a Route53,
    /// True when a health check is healthy.
    pub(super) healthy: &'a dyn Fn(&str) -> bool,
    /// The address of a name of AWS's own.
    pub(super) address: &'a dyn Fn(&str) -> Option<IpAddr>,
}

impl Known<'_> {
    /// Answers a question for a name in lower case without its last dot. `A` and `AAAA` of aliases of names are followed as
    /// far as is known here, which spares a resolver the questions.
    pub(super) fn answer(&self, name: &str, kind: &str) -> Answer {
        let mut records = Vec::new();
        let mut at = name.to_owned();
        for _ in 0..8 {
            match self.once(&at, kind) {
                Answer::Records(found) => {
                    let next = found.iter().find_map(|record| match &record.value {
                        Value::Cname(target) if kind != "CNAME" => {
                            Some(target.trim_end_matches('.').to_ascii_lowercase())
                        }
                        _ => None,
                    });
                    records.extend(found);
                    let Some(next) = next else { return Answer::Records(records) };
                    at = next;
                }
                other if records.is_empty() => return other,
                Answer::NoName | Answer::NotOurs => return Answer::Records(records),
            }
        }
        Answer::Records(records)
    }

    fn once(&self, name: &str, kind: &str) -> Answer {
        if let Some(address) = (self.address)(name) {
            let record = Record { name: name.to_owned(), ttl: OWN, value: Value::Address(address) };
            return Answer::Records(if kind == "A" { vec![record] } else { Vec::new() });
        }
        let dotted = format!("{name}.");
        let holds = |zone: &str| dotted == zone || dotted.ends_with(&format!(".{zone}"));
        let zones = self.zones.zones().filter(|zone| holds(&zone.name));
        let Some(zone) = zones.max_by_key(|zone| zone.name.len()) else { return Answer::NotOurs };
        let sets: Vec<&RecordSet> = zone.records().filter(|set| set.name == dotted).collect();
        if sets.is_empty() {
            return Answer::NoName;
        }
        let of = |kind: &str| -> Vec<&RecordSet> { sets.iter().filter(|set| set.r#type == kind).copied().collect() };
        let mut fitting = of(kind);
        if fitting.is_empty() {
            fitting = of("CNAME");
        }
        Answer::Records(self.chosen(&fitting).map(|set| self.records(name, set)).unwrap_or_default())
    }

    /// The set that is answered: the primary while it is healthy, else a healthy secondary; when neither is, the primary.
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-problems.html>
    fn chosen<'s>(&self, sets: &[&'s RecordSet]) -> Option<&'s RecordSet> {
        let role = |role: &str| sets.iter().find(|set| set.failover.as_deref() == Some(role)).copied();
        let well = |set: &&RecordSet| set.health_check_id.as_deref().is_none_or(|id| (self.healthy)(id));
        match (role("PRIMARY"), role("SECONDARY")) {
            (None, None) => sets.first().copied(),
            (Some(primary), secondary) => {
                Some(primary).filter(well).or_else(|| secondary.filter(well)).or(Some(primary))
            }
            (None, secondary) => secondary,
        }
    }

    fn records(&self, name: &str, set: &RecordSet) -> Vec<Record> {
        let record = |ttl, value| Record { name: name.to_owned(), ttl, value };
        if let Some(alias) = &set.alias_target {
            let target = alias.dns_name.trim_end_matches('.').to_ascii_lowercase();
            let address = (self.address)(&target).filter(|address| address.is_ipv4() == (set.r#type == "A"));
            return address.map(|address| record(OWN, Value::Address(address))).into_iter().collect();
        }
        let ttl = set.ttl.unwrap_or(300);
        let value = |text: &str| match set.r#type.as_str() {
            "A" | "AAAA" => text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Address),
            "CNAME" => Value::Cname(text.to_owned()),
            "NS" => Value::Ns(text.to_owned()),
            "SOA" => Value::Soa(text.to_owned()),
            _ => Value::Text(text.to_owned()),
        };
        set.values().map(|text| record(ttl, value(text))).collect()
    }

    /// The record that says how long the absence of a name may be remembered.
    pub(super) fn authority(&self, name: &str) -> Option<Record> {
        let dotted = format!("{name}.");
        let holds = |zone: &str| dotted == zone || dotted.ends_with(&format!(".{zone}"));
        let zone = self.zones.zones().filter(|zone| holds(&zone.name)).max_by_key(|zone| zone.name.len())?;
        let set = zone.records().find(|set| set.r#type == "SOA")?;
        let name = zone.name.trim_end_matches('.');
        self.records(name, set).into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::SystemTime;

    use super::*;
    use crate::world::route53::{Alias, Change, ChangeAction, CheckConfig, Value as Text, Values};
    use crate::world::{Delays, Moment};

    fn set(role: &str, check: &str, target: &str) -> RecordSet {
        RecordSet {
            name: "www.example.com".into(),
            r#type: "CNAME".into(),
            set_identifier: Some(role.into()),
            failover: Some(role.into()),
            ttl: Some(60),
            resource_records: Some(Values { resource_record: vec![Text { value: target.into() }] }),
            health_check_id: Some(check.into()),
            ..RecordSet::default()
        }
    }

    fn route53() -> (Route53, [String; 2]) {
        let mut route53 = Route53::default();
        let now = Moment { now: SystemTime::UNIX_EPOCH, delays: Delays::NONE };
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

    fn ask(healthy: &dyn Fn(&str) -> bool, route53: &Route53, name: &str, kind: &str) -> Answer {
        let edge = IpAddr::V4(Ipv4Addr::new(127, 0, 2, 1));
        let address = |name: &str| (name == "d1.cloudfront.net").then_some(edge);
        Known { zones: route53, healthy, address: &address }.answer(name, kind)
    }

    #[test]
    fn the_primary_is_answered_while_it_is_healthy_and_when_neither_is() {
        let (route53, [primary, backup]) = route53();
        let first = |sick: &[&String]| {
            let healthy = |id: &str| !sick.iter().any(|sick| *sick == id);
            match ask(&healthy, &route53, "www.example.com", "A") {
                Answer::Records(records) => records[0].value.clone(),
                other => panic!("{other:?}"),
            }
        };
        let to = |name: &str| Value::Cname(name.to_owned());
        assert_eq!(first(&[]), to("d1.cloudfront.net"));
        assert_eq!(first(&[&primary]), to("b.elsewhere.net"));
        assert_eq!(first(&[&primary, &backup]), to("d1.cloudfront.net"));
        assert_eq!(first(&[&backup]), to("d1.cloudfront.net"));
    }

    #[test]
    fn aliases_are_addresses_and_names_are_followed() {
        let (route53, _) = route53();
        let well = |_: &str| true;
        let ask = |name: &str, kind: &str| ask(&well, &route53, name, kind);
        let Answer::Records(records) = ask("www.example.com", "A") else { panic!() };
        assert_eq!((records.len(), records[0].ttl, records[1].ttl), (2, 60, 60));
        let Answer::Records(apex) = ask("example.com", "A") else { panic!() };
        assert!(matches!(apex[0].value, Value::Address(_)) && apex[0].name == "example.com");
        assert_eq!(ask("example.com", "AAAA"), Answer::Records(Vec::new()));
        assert_eq!(ask("none.example.com", "A"), Answer::NoName);
        assert_eq!(ask("example.org", "A"), Answer::NotOurs);
        let Answer::Records(ns) = ask("example.com", "NS") else { panic!() };
        assert_eq!(ns.len(), 2);
    }
}
