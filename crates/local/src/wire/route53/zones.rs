//! Hosted zones, record sets, protections and changes.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, ChangeInfo, ok, written};
use crate::world::route53::{Change, Fault, RecordSet, Zone, normalise};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateZone {
    name: String,
    caller_reference: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneInfo {
    id: String,
    name: String,
    caller_reference: String,
    config: ZoneConfig,
    resource_record_set_count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneConfig {
    private_zone: bool,
}

impl ZoneInfo {
    fn of(zone: &Zone) -> Self {
        Self {
            id: format!("/hostedzone/{}", zone.id),
            name: zone.name.clone(),
            caller_reference: zone.caller_reference.clone(),
            config: ZoneConfig { private_zone: false },
            resource_record_set_count: zone.records().count(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneAnswer {
    hosted_zone: ZoneInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    change_info: Option<ChangeInfo>,
    delegation_set: DelegationSet,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DelegationSet {
    name_servers: NameServers,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NameServers {
    name_server: Vec<String>,
}

impl DelegationSet {
    fn of(zone: &Zone) -> Self {
        let servers = zone.records().find(|set| set.r#type == "NS" && set.name == zone.name);
        let names = servers.into_iter().flat_map(RecordSet::values);
        let name_server = names.map(|name| name.trim_end_matches('.').to_owned()).collect();
        Self { name_servers: NameServers { name_server } }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneList {
    hosted_zones: Zones,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    #[serde(rename = "NextDNSName", skip_serializing_if = "Option::is_none")]
    next_dns_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_hosted_zone_id: Option<String>,
    max_items: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Zones {
    hosted_zone: Vec<ZoneInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeRecords {
    change_batch: Batch,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    changes: Changes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Changes {
    #[serde(default)]
    change: Vec<Change>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    change_info: ChangeInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordList {
    resource_record_sets: Records,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_record_identifier: Option<String>,
    max_items: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Records {
    resource_record_set: Vec<RecordSet>,
}

impl Call<'_> {
    pub(super) fn create_zone(&self) -> Answered {
        let CreateZone { name, caller_reference } = self.body()?;
        let (zone, change_info) = self.world.change_account(|account, moment| {
            let (zone, submitted) = account.route53.create_zone(&name, &caller_reference, moment)?;
            Ok::<_, Fault>((zone, ChangeInfo::of(&submitted, moment.now)))
        })?;
        let (hosted_zone, delegation_set) = (ZoneInfo::of(&zone), DelegationSet::of(&zone));
        let answer = ZoneAnswer { hosted_zone, change_info: Some(change_info), delegation_set };
        written(StatusCode::CREATED, "CreateHostedZoneResponse", &answer)
    }

    pub(super) fn get_zone(&self, id: &str) -> Answered {
        let zone = self.world.account(|account, _| account.route53.zone(id).cloned())?;
        let (hosted_zone, delegation_set) = (ZoneInfo::of(&zone), DelegationSet::of(&zone));
        ok("GetHostedZoneResponse", &ZoneAnswer { hosted_zone, change_info: None, delegation_set })
    }

    pub(super) fn delete_zone(&self, id: &str) -> Answered {
        let change_info = self.world.change_account(|account, moment| {
            Ok::<_, Fault>(ChangeInfo::of(&account.route53.delete_zone(id, moment)?, moment.now))
        })?;
        ok("DeleteHostedZoneResponse", &Changed { change_info })
    }

    pub(super) fn list_zones(&self) -> Answered {
        let most = self.page(100)?;
        let all: Vec<_> = self.world.account(|account, _| account.route53.zones().map(ZoneInfo::of).collect());
        let marker = format!("/hostedzone/{}", self.query("marker"));
        let mut zones: Vec<_> = all.into_iter().filter(|zone| zone.id >= marker).collect();
        let rest = zones.split_off(zones.len().min(most));
        let next_marker = rest.first().map(|zone| zone.id.trim_start_matches("/hostedzone/").to_owned());
        ok("ListHostedZonesResponse", &ZoneList { next_marker, ..ZoneList::of(zones, most, !rest.is_empty()) })
    }

    pub(super) fn list_zones_by_name(&self) -> Answered {
        let most = self.page(100)?;
        let mut all: Vec<_> = self.world.account(|account, _| account.route53.zones().map(ZoneInfo::of).collect());
        let from = match self.query("dnsname") {
            "" => String::new(),
            name => reversed(&normalise(name)),
        };
        let id = format!("/hostedzone/{}", self.query("hostedzoneid"));
        all.sort_by_key(|zone| (reversed(&zone.name), zone.id.clone()));
        let place = |zone: &ZoneInfo| (reversed(&zone.name), zone.id.clone());
        let mut zones: Vec<_> = all.into_iter().filter(|zone| place(zone) >= (from.clone(), id.clone())).collect();
        let rest = zones.split_off(zones.len().min(most));
        let list = ZoneList {
            next_dns_name: rest.first().map(|zone| zone.name.clone()),
            next_hosted_zone_id: rest.first().map(|zone| zone.id.trim_start_matches("/hostedzone/").to_owned()),
            ..ZoneList::of(zones, most, !rest.is_empty())
        };
        ok("ListHostedZonesByNameResponse", &list)
    }

    pub(super) fn change_records(&self, zone: &str) -> Answered {
        let ChangeRecords { change_batch: Batch { changes: Changes { change } } } = self.body()?;
        let change_info = self.world.change_account(|account, moment| {
            Ok::<_, Fault>(ChangeInfo::of(&account.route53.change_records(zone, change, moment)?, moment.now))
        })?;
        ok("ChangeResourceRecordSetsResponse", &Changed { change_info })
    }

    pub(super) fn list_records(&self, id: &str) -> Answered {
        let most = self.page(300)?;
        let zone = self.world.account(|account, _| account.route53.zone(id).cloned())?;
        let from = (self.query("name"), self.query("type"), self.query("identifier"));
        let mut sets: Vec<RecordSet> = match from {
            ("", ..) => zone.records().cloned().collect(),
            (name, kind, identifier) => zone.records_from(name, kind, identifier).cloned().collect(),
        };
        let rest = sets.split_off(sets.len().min(most));
        let next = rest.into_iter().next();
        let list = RecordList {
            resource_record_sets: Records { resource_record_set: sets },
            is_truncated: next.is_some(),
            next_record_name: next.as_ref().map(|set| set.name.clone()),
            next_record_type: next.as_ref().map(|set| set.r#type.clone()),
            next_record_identifier: next.and_then(|set| set.set_identifier),
            max_items: most,
        };
        ok("ListResourceRecordSetsResponse", &list)
    }

    pub(super) fn get_change(&self, id: &str) -> Answered {
        let change_info = self.world.account(|account, moment| {
            let submitted = account.route53.change(id)?;
            Ok::<_, Fault>(ChangeInfo::of(submitted, moment.now))
        })?;
        ok("GetChangeResponse", &Changed { change_info })
    }
}

impl ZoneList {
    fn of(hosted_zone: Vec<ZoneInfo>, max_items: usize, is_truncated: bool) -> Self {
        let hosted_zones = Zones { hosted_zone };
        let (next_marker, next_dns_name, next_hosted_zone_id) = (None, None, None);
        Self { hosted_zones, is_truncated, next_marker, next_dns_name, next_hosted_zone_id, max_items }
    }
}

/// Zones are listed by name from the right: `com.example.www.`
fn reversed(name: &str) -> String {
    name.trim_end_matches('.').rsplit('.').collect::<Vec<_>>().join(".") + "."
}
