//! Operations on hosted zones, record sets and changes.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::{Change, RecordSet, Zone, normalize};
use super::{Call, ChangeInfo, Reply, ok, respond};

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
    fn new(zone: &Zone) -> Self {
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
struct ZoneResponse {
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
    fn new(zone: &Zone) -> Self {
        let servers = zone.records().find(|set| set.r#type == "NS" && set.name == zone.name);
        let names = servers.into_iter().flat_map(RecordSet::values);
        let name_server = names.map(|name| name.trim_end_matches('.').to_owned()).collect();
        Self { name_servers: NameServers { name_server } }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZonesResponse {
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
struct ChangeResponse {
    change_info: ChangeInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordsResponse {
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

impl ZoneResponse {
    fn new(zone: &Zone, change_info: Option<ChangeInfo>) -> Self {
        Self { hosted_zone: ZoneInfo::new(zone), change_info, delegation_set: DelegationSet::new(zone) }
    }
}

impl Call<'_> {
    pub(super) fn create_zone(&mut self) -> Reply {
        let CreateZone { name, caller_reference } = self.body()?;
        let (zone, change) = self.route53.create_zone(&name, &caller_reference, self.now)?;
        let body = ZoneResponse::new(&zone, Some(self.change_info(&change)));
        respond(StatusCode::CREATED, "CreateHostedZoneResponse", &body)
    }

    pub(super) fn get_zone(&self, id: &str) -> Reply {
        ok("GetHostedZoneResponse", &ZoneResponse::new(self.route53.zone(id)?, None))
    }

    pub(super) fn delete_zone(&mut self, id: &str) -> Reply {
        let change = self.route53.delete_zone(id, self.now)?;
        ok("DeleteHostedZoneResponse", &ChangeResponse { change_info: self.change_info(&change) })
    }

    pub(super) fn list_zones(&self) -> Reply {
        let max_items = self.page_size(100)?;
        let marker = self.query("marker");
        let mut rest = self.route53.zones().filter(|zone| zone.id.as_str() >= marker);
        let hosted_zone = rest.by_ref().take(max_items).map(ZoneInfo::new).collect();
        let next_marker = rest.next().map(|zone| zone.id.clone());
        let body = ZonesResponse {
            hosted_zones: Zones { hosted_zone },
            is_truncated: next_marker.is_some(),
            next_marker,
            next_dns_name: None,
            next_hosted_zone_id: None,
            max_items,
        };
        ok("ListHostedZonesResponse", &body)
    }

    pub(super) fn list_zones_by_name(&self) -> Reply {
        let max_items = self.page_size(100)?;
        let first_name = match self.query("dnsname") {
            "" => String::new(),
            name => reversed(&normalize(name)),
        };
        let first = (first_name, self.query("hostedzoneid").to_owned());
        let key = |zone: &&Zone| (reversed(&zone.name), zone.id.clone());
        let mut all: Vec<_> = self.route53.zones().filter(|zone| key(zone) >= first).collect();
        all.sort_by_key(key);
        let next = all.get(max_items);
        let body = ZonesResponse {
            is_truncated: next.is_some(),
            next_marker: None,
            next_dns_name: next.map(|zone| zone.name.clone()),
            next_hosted_zone_id: next.map(|zone| zone.id.clone()),
            hosted_zones: Zones { hosted_zone: all.iter().take(max_items).map(|zone| ZoneInfo::new(zone)).collect() },
            max_items,
        };
        ok("ListHostedZonesByNameResponse", &body)
    }

    pub(super) fn change_records(&mut self, zone: &str) -> Reply {
        let ChangeRecords { change_batch: Batch { changes: Changes { change } } } = self.body()?;
        let submitted = self.route53.change_records(zone, change, self.now)?;
        ok("ChangeResourceRecordSetsResponse", &ChangeResponse { change_info: self.change_info(&submitted) })
    }

    pub(super) fn list_records(&self, id: &str) -> Reply {
        let max_items = self.page_size(300)?;
        let zone = self.route53.zone(id)?;
        let all: Vec<&RecordSet> = match self.query("name") {
            "" => zone.records().collect(),
            name => zone.records_from(name, self.query("type"), self.query("identifier")).collect(),
        };
        let next = all.get(max_items);
        let body = RecordsResponse {
            is_truncated: next.is_some(),
            next_record_name: next.map(|set| set.name.clone()),
            next_record_type: next.map(|set| set.r#type.clone()),
            next_record_identifier: next.and_then(|set| set.set_identifier.clone()),
            resource_record_sets: Records { resource_record_set: all.into_iter().take(max_items).cloned().collect() },
            max_items,
        };
        ok("ListResourceRecordSetsResponse", &body)
    }

    pub(super) fn get_change(&self, id: &str) -> Reply {
        let change_info = self.change_info(self.route53.change(id)?);
        ok("GetChangeResponse", &ChangeResponse { change_info })
    }
}

/// The sort key of hosted zones: labels from the right, `com.example.www.`
fn reversed(name: &str) -> String {
    name.trim_end_matches('.').rsplit('.').collect::<Vec<_>>().join(".") + "."
}
