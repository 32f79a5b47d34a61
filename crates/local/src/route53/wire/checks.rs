//! Operations on health checks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{CheckConfig, HealthCheck, REGIONS};
use super::{Call, Reply, created, ok};
use crate::protocol::reply;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateCheck {
    caller_reference: String,
    health_check_config: CheckConfig,
}

/// The part of an update that is not the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCheck {
    #[serde(default)]
    health_check_version: Option<u64>,
}

fn check_info(check: &HealthCheck) -> Value {
    json!({
        "Id": check.id,
        "CallerReference": check.caller_reference,
        "HealthCheckConfig": check.config,
        "HealthCheckVersion": check.version,
    })
}

impl Call<'_> {
    pub(super) fn create_check(&mut self) -> Reply {
        let CreateCheck { caller_reference, health_check_config } = self.body()?;
        let check = self.route53.create_check(&caller_reference, health_check_config)?;
        let path = format!("healthcheck/{}", check.id);
        created(&path, "CreateHealthCheckResponse", json!({"HealthCheck": check_info(&check)}))
    }

    pub(super) fn get_check(&self, id: &str) -> Reply {
        ok("GetHealthCheckResponse", json!({"HealthCheck": check_info(self.route53.check(id)?)}))
    }

    /// The latest observation of each checker. Calculated checks have none.
    pub(super) fn get_check_status(&self, id: &str) -> Reply {
        let calculated = self.route53.check(id)?.config.child_health_checks.is_some();
        let observations = if calculated { Vec::new() } else { self.health.observations(id) };
        let rows = REGIONS.iter().zip(observations).enumerate().map(|(index, (region, observation))| {
            json!({
                "Region": region,
                "IPAddress": format!("192.0.2.{}", index + 1),
                "StatusReport": {"Status": observation.status, "CheckedTime": reply::rfc3339(observation.at)},
            })
        });
        let observations = json!({"HealthCheckObservation": rows.collect::<Vec<_>>()});
        ok("GetHealthCheckStatusResponse", json!({"HealthCheckObservations": observations}))
    }

    pub(super) fn update_check(&mut self, id: &str) -> Reply {
        let UpdateCheck { health_check_version } = self.body()?;
        let check = self.route53.update_check(id, health_check_version, self.body()?)?;
        ok("UpdateHealthCheckResponse", json!({"HealthCheck": check_info(&check)}))
    }

    pub(super) fn delete_check(&mut self, id: &str) -> Reply {
        self.route53.delete_check(id)?;
        ok("DeleteHealthCheckResponse", json!({}))
    }

    pub(super) fn list_checks(&self) -> Reply {
        let max_items = self.page_size(100)?;
        let marker = self.query("marker");
        let mut rest = self.route53.checks().filter(|check| check.id.as_str() >= marker);
        let page: Vec<_> = rest.by_ref().take(max_items).map(check_info).collect();
        let next = rest.next();
        let body = json!({
            "HealthChecks": {"HealthCheck": page},
            "Marker": marker,
            "IsTruncated": next.is_some(),
            "NextMarker": next.map(|check| &check.id),
            "MaxItems": max_items,
        });
        ok("ListHealthChecksResponse", body)
    }
}
