//! Operations on record set protections.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSetProtections.html>

use serde::Deserialize;
use serde_json::json;

use super::super::Protection;
use super::{Call, Reply, ok};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    protections: Protections,
}

/// The list of a creation or of a deletion.
#[derive(Deserialize)]
struct Protections {
    #[serde(default, rename = "ResourceRecordSetProtectionConfig", alias = "ResourceRecordSetProtectionKey")]
    list: Vec<Protection>,
}

impl Call<'_> {
    pub(super) fn list_protections(&self, zone: &str) -> Reply {
        let list = json!({"ResourceRecordSetProtection": self.route53.zone(zone)?.protections()});
        ok("ListResourceRecordSetProtectionsResponse", json!({"ResourceRecordSetProtections": list}))
    }

    pub(super) fn create_protections(&mut self, zone: &str) -> Reply {
        let Request { protections } = self.body()?;
        self.route53.protect(zone, protections.list)?;
        ok("CreateResourceRecordSetProtectionsResponse", json!({}))
    }

    pub(super) fn delete_protections(&mut self, zone: &str) -> Reply {
        let Request { protections } = self.body()?;
        self.route53.unprotect(zone, &protections.list)?;
        ok("DeleteResourceRecordSetProtectionsResponse", json!({}))
    }
}
