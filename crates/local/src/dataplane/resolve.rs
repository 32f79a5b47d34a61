//! The answers of Route 53's name servers: records selected by health. Pure functions.

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
    Ns(String),
    Soa(String),
    /// Of any other type; not encoded in responses.
    Text(String),
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// `NOERROR`; without records when the name has none of this type.
    Records(Vec<Record>),
    /// `NXDOMAIN`.
    NoSuchName,
    /// `REFUSED`: not in any hosted zone.
    NotAuthoritative,
}

/// The TTL of AWS names, and of alias records to them, in seconds.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-shared.html>
const ALIAS_TTL: u32 = 60;

/// The data that name servers answer from.
pub(super) struct NameServerData<'a> {
    pub(super) zones: &'a Route53,
    /// Whether a health check is healthy.
    pub(super) healthy: &'a dyn Fn(&str) -> bool,
    /// The address of an AWS name.
    pub(super) address: &'a dyn Fn(&str) -> Option<IpAddr>,
}

impl NameServerData<'_> {
    /// Answers a query for a name in lower case without trailing dot. CNAME records are followed as far as possible, which
    /// saves resolvers further queries.
    pub(super) fn answer(&self, name: &str, kind: &str) -> Answer {
        let mut records = Vec::new();
        let mut current = name.to_owned();
        for _ in 0..8 {
            match self.answer_one(&current, kind) {
                Answer::Records(found) => {
                    let next = found.iter().find_map(|record| match &record.data {
                        Data::Cname(target) if kind != "CNAME" => {
                            Some(target.trim_end_matches('.').to_ascii_lowercase())
                        }
                        _ => None,
                    });
                    records.extend(found);
                    let Some(next) = next else { return Answer::Records(records) };
                    current = next;
                }
                other if records.is_empty() => return other,
                Answer::NoSuchName | Answer::NotAuthoritative => return Answer::Records(records),
            }
        }
        Answer::Records(records)
    }

    /// The closest enclosing hosted zone.
    fn zone_of(&self, name: &str) -> Option<&Zone> {
        let dotted = format!("{name}.");
        let contains = |zone: &str| dotted == zone || dotted.ends_with(&format!(".{zone}"));
        self.zones.zones().filter(|zone| contains(&zone.name)).max_by_key(|zone| zone.name.len())
    }

    fn answer_one(&self, name: &str, kind: &str) -> Answer {
        if let Some(address) = (self.address)(name) {
            let record = Record { name: name.to_owned(), ttl: ALIAS_TTL, data: Data::Address(address) };
            return Answer::Records(if kind == "A" { vec![record] } else { Vec::new() });
        }
        let Some(zone) = self.zone_of(name) else { return Answer::NotAuthoritative };
        let sets: Vec<&RecordSet> = zone.records().filter(|set| set.name.strip_suffix('.') == Some(name)).collect();
        if sets.is_empty() {
            return Answer::NoSuchName;
        }
        let of_type =
            |kind: &str| -> Vec<&RecordSet> { sets.iter().filter(|set| set.r#type == kind).copied().collect() };
        let mut matching = of_type(kind);
        if matching.is_empty() {
            matching = of_type("CNAME");
        }
        Answer::Records(self.select(&matching).map(|set| self.records(name, set)).unwrap_or_default())
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

    fn records(&self, name: &str, set: &RecordSet) -> Vec<Record> {
        let record = |ttl, data| Record { name: name.to_owned(), ttl, data };
        if let Some(alias) = &set.alias_target {
            let target = alias.dns_name.trim_end_matches('.').to_ascii_lowercase();
            let address = (self.address)(&target).filter(|address| address.is_ipv4() == (set.r#type == "A"));
            return address.map(|address| record(ALIAS_TTL, Data::Address(address))).into_iter().collect();
        }
        let ttl = set.ttl.unwrap_or(300);
        let data = |text: &str| match set.r#type.as_str() {
            "A" | "AAAA" => text.parse().map_or_else(|_| Data::Text(text.to_owned()), Data::Address),
            "CNAME" => Data::Cname(text.to_owned()),
            "NS" => Data::Ns(text.to_owned()),
            "SOA" => Data::Soa(text.to_owned()),
            _ => Data::Text(text.to_owned()),
        };
        set.values().map(|text| record(ttl, data(text))).collect()
    }

    /// The SOA record of the zone of a name; its minimum is the TTL of negative answers.
    pub(super) fn soa(&self, name: &str) -> Option<Record> {
        let zone = self.zone_of(name)?;
        let set = zone.records().find(|set| set.r#type == "SOA")?;
        self.records(zone.name.trim_end_matches('.'), set).into_iter().next()
    }
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
            match ask(&healthy, &route53, "www.example.com", "A") {
                Answer::Records(records) => records[0].data.clone(),
                other => panic!("{other:?}"),
            }
        };
        let to = |name: &str| Data::Cname(name.to_owned());
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
        assert!(matches!(apex[0].data, Data::Address(_)) && apex[0].name == "example.com");
        assert_eq!(ask("example.com", "AAAA"), Answer::Records(Vec::new()));
        assert_eq!(ask("none.example.com", "A"), Answer::NoSuchName);
        assert_eq!(ask("example.org", "A"), Answer::NotAuthoritative);
        let Answer::Records(ns) = ask("example.com", "NS") else { panic!() };
        assert_eq!(ns.len(), 2);
    }
}
