//! Names and types whose record sets may not be changed.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSetProtections.html>

use serde::{Deserialize, Serialize};

use super::{Answered, Call, ok};
use crate::world::route53::{Fault, Protection};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
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
struct Create {
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
struct Delete {
    protections: Keys,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    #[serde(default)]
    resource_record_set_protection_key: Vec<Protection>,
}

#[derive(Serialize)]
struct Nothing {}

impl Call<'_> {
    pub(super) fn list_protections(&self, zone: &str) -> Answered {
        let all =
            self.world.account(|account, _| Ok::<_, Fault>(account.route53.zone(zone)?.protections().to_vec()))?;
        let resource_record_set_protections = Protections { resource_record_set_protection: all };
        ok("ListResourceRecordSetProtectionsResponse", &Listed { resource_record_set_protections })
    }

    pub(super) fn create_protections(&self, zone: &str) -> Answered {
        let Create { protections } = self.body()?;
        let added = protections.resource_record_set_protection_config;
        self.world.change_account(|account, _| account.route53.protect(zone, added))?;
        ok("CreateResourceRecordSetProtectionsResponse", &Nothing {})
    }

    pub(super) fn delete_protections(&self, zone: &str) -> Answered {
        let Delete { protections } = self.body()?;
        let gone = protections.resource_record_set_protection_key.into_iter();
        let gone: Vec<_> = gone.map(|key| (key.record_name, key.record_type)).collect();
        self.world.change_account(|account, _| account.route53.unprotect(zone, &gone))?;
        ok("DeleteResourceRecordSetProtectionsResponse", &Nothing {})
    }
}
