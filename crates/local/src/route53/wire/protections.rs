//! Operations on record set protections.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSetProtections.html>

use serde::{Deserialize, Serialize};

use super::super::Protection;
use super::{Call, Reply, ok};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProtectionsResponse {
    resource_record_set_protections: Protections,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Protections {
    #[serde(default)]
    resource_record_set_protection: Vec<Protection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateProtections {
    protections: Configs,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configs {
    #[serde(default)]
    resource_record_set_protection_config: Vec<Protection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteProtections {
    protections: Keys,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    #[serde(default)]
    resource_record_set_protection_key: Vec<Protection>,
}

#[derive(Serialize)]
struct Empty {}

impl Call<'_> {
    pub(super) fn list_protections(&self, zone: &str) -> Reply {
        let resource_record_set_protection = self.route53.zone(zone)?.protections().to_vec();
        let resource_record_set_protections = Protections { resource_record_set_protection };
        ok("ListResourceRecordSetProtectionsResponse", &ProtectionsResponse { resource_record_set_protections })
    }

    pub(super) fn create_protections(&mut self, zone: &str) -> Reply {
        let CreateProtections { protections } = self.body()?;
        self.route53.protect(zone, protections.resource_record_set_protection_config)?;
        ok("CreateResourceRecordSetProtectionsResponse", &Empty {})
    }

    pub(super) fn delete_protections(&mut self, zone: &str) -> Reply {
        let DeleteProtections { protections } = self.body()?;
        self.route53.unprotect(zone, &protections.resource_record_set_protection_key)?;
        ok("DeleteResourceRecordSetProtectionsResponse", &Empty {})
    }
}
