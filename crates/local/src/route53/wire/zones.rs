//! Operations on hosted zones, record sets and changes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Change, RecordSet, Zone, normalize};
use super::{Call, Reply, created, ok};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateZone {
    name: String,
    caller_reference: String,
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

/// The changes in the body of a `ChangeResourceRecordSets` request; none if it cannot be read.
pub(super) fn changes_in(body: &[u8]) -> Vec<Change> {
    quick_xml::de::from_reader::<_, ChangeRecords>(body)
        .map_or_else(|_| Vec::new(), |read| read.change_batch.changes.change)
}

fn zone_info(zone: &Zone) -> Value {
    json!({
        "Id": format!("/hostedzone/{}", zone.id),
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": {"PrivateZone": false},
        "ResourceRecordSetCount": zone.records().count(),
    })
}

fn delegation_set(zone: &Zone) -> Value {
    let set = zone.records().find(|set| set.r#type == "NS" && set.name == zone.name);
    let names = set.into_iter().flat_map(RecordSet::values).map(|name| name.trim_end_matches('.'));
    json!({"NameServers": {"NameServer": names.collect::<Vec<_>>()}})
}

impl Call<'_> {
    pub(super) fn create_zone(&mut self) -> Reply {
        let CreateZone { name, caller_reference } = self.body()?;
        let (zone, change) = self.route53.create_zone(&name, &caller_reference, self.now)?;
        let body = json!({
            "HostedZone": zone_info(&zone),
            "ChangeInfo": self.change_info(&change),
            "DelegationSet": delegation_set(&zone),
        });
        created(&format!("hostedzone/{}", zone.id), "CreateHostedZoneResponse", body)
    }

    pub(super) fn get_zone(&self, id: &str) -> Reply {
        let zone = self.route53.zone(id)?;
        let body = json!({"HostedZone": zone_info(zone), "DelegationSet": delegation_set(zone)});
        ok("GetHostedZoneResponse", body)
    }

    pub(super) fn delete_zone(&mut self, id: &str) -> Reply {
        let change = self.route53.delete_zone(id, self.now)?;
        ok("DeleteHostedZoneResponse", json!({"ChangeInfo": self.change_info(&change)}))
    }

    pub(super) fn list_zones(&self) -> Reply {
        let max_items = self.page_size(100)?;
        let marker = self.query("marker");
        let mut rest = self.route53.zones().filter(|zone| zone.id.as_str() >= marker);
        let page: Vec<_> = rest.by_ref().take(max_items).map(zone_info).collect();
        let next = rest.next();
        let body = json!({
            "HostedZones": {"HostedZone": page},
            "IsTruncated": next.is_some(),
            "Marker": marker,
            "NextMarker": next.map(|zone| &zone.id),
            "MaxItems": max_items,
        });
        ok("ListHostedZonesResponse", body)
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
        let page: Vec<_> = all.iter().take(max_items).map(|zone| zone_info(zone)).collect();
        let body = json!({
            "HostedZones": {"HostedZone": page},
            "IsTruncated": next.is_some(),
            "NextDNSName": next.map(|zone| &zone.name),
            "NextHostedZoneId": next.map(|zone| &zone.id),
            "MaxItems": max_items,
        });
        ok("ListHostedZonesByNameResponse", body)
    }

    pub(super) fn change_records(&mut self, zone: &str) -> Reply {
        let ChangeRecords { change_batch: Batch { changes: Changes { change } } } = self.body()?;
        let submitted = self.route53.change_records(zone, change, self.now)?;
        ok("ChangeResourceRecordSetsResponse", json!({"ChangeInfo": self.change_info(&submitted)}))
    }

    pub(super) fn list_records(&self, id: &str) -> Reply {
        let max_items = self.page_size(300)?;
        let zone = self.route53.zone(id)?;
        let all: Vec<&RecordSet> = match self.query("name") {
            "" => zone.records().collect(),
            name => zone.records_from(name, self.query("type"), self.query("identifier")).collect(),
        };
        let next = all.get(max_items);
        let body = json!({
            "ResourceRecordSets": {"ResourceRecordSet": all.iter().take(max_items).collect::<Vec<_>>()},
            "IsTruncated": next.is_some(),
            "NextRecordName": next.map(|set| &set.name),
            "NextRecordType": next.map(|set| &set.r#type),
            "NextRecordIdentifier": next.and_then(|set| set.set_identifier.as_ref()),
            "MaxItems": max_items,
        });
        ok("ListResourceRecordSetsResponse", body)
    }

    pub(super) fn get_change(&self, id: &str) -> Reply {
        ok("GetChangeResponse", json!({"ChangeInfo": self.change_info(self.route53.change(id)?)}))
    }
}

/// The sort key of hosted zones: labels from the right, `com.example.www.`
fn reversed(name: &str) -> String {
    name.trim_end_matches('.').rsplit('.').collect::<Vec<_>>().join(".") + "."
}
