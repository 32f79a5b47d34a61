//! Operations on health checks.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::super::{CheckConfig, HealthCheck, REGIONS};
use super::{Call, Reply, ok, respond};
use crate::protocol::reply;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateCheck {
    caller_reference: String,
    health_check_config: CheckConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckInfo {
    id: String,
    caller_reference: String,
    health_check_config: CheckConfig,
    health_check_version: u64,
}

impl CheckInfo {
    fn new(check: &HealthCheck) -> Self {
        let HealthCheck { id, caller_reference, config, version } = check.clone();
        Self { id, caller_reference, health_check_config: config, health_check_version: version }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckResponse {
    health_check: CheckInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChecksResponse {
    health_checks: Checks,
    marker: String,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    max_items: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Checks {
    health_check: Vec<CheckInfo>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatusResponse {
    health_check_observations: Observations,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Observations {
    health_check_observation: Vec<Observation>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Observation {
    region: String,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    status_report: Report,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    status: String,
    checked_time: String,
}

/// The part of an update that is not the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCheck {
    #[serde(default)]
    health_check_version: Option<u64>,
}

impl Call<'_> {
    pub(super) fn create_check(&mut self) -> Reply {
        let CreateCheck { caller_reference, health_check_config } = self.body()?;
        let check = self.route53.create_check(&caller_reference, health_check_config)?;
        let body = CheckResponse { health_check: CheckInfo::new(&check) };
        respond(StatusCode::CREATED, "CreateHealthCheckResponse", &body)
    }

    pub(super) fn get_check(&self, id: &str) -> Reply {
        let health_check = CheckInfo::new(self.route53.check(id)?);
        ok("GetHealthCheckResponse", &CheckResponse { health_check })
    }

    /// The latest observation of each checker. Calculated checks have none.
    pub(super) fn get_check_status(&self, id: &str) -> Reply {
        let calculated = self.route53.check(id)?.config.child_health_checks.is_some();
        let observations = if calculated { Vec::new() } else { self.health.observations(id) };
        let rows = REGIONS.iter().zip(observations).enumerate().map(|(index, (region, observation))| Observation {
            region: (*region).to_owned(),
            ip_address: format!("192.0.2.{}", index + 1),
            status_report: Report { status: observation.status, checked_time: reply::rfc3339(observation.at) },
        });
        let health_check_observations = Observations { health_check_observation: rows.collect() };
        ok("GetHealthCheckStatusResponse", &StatusResponse { health_check_observations })
    }

    pub(super) fn update_check(&mut self, id: &str) -> Reply {
        let UpdateCheck { health_check_version } = self.body()?;
        let config: CheckConfig = self.body()?;
        let health_check = CheckInfo::new(&self.route53.update_check(id, health_check_version, config)?);
        ok("UpdateHealthCheckResponse", &CheckResponse { health_check })
    }

    pub(super) fn delete_check(&mut self, id: &str) -> Reply {
        self.route53.delete_check(id)?;
        ok("DeleteHealthCheckResponse", &())
    }

    pub(super) fn list_checks(&self) -> Reply {
        let max_items = self.page_size(100)?;
        let marker = self.query("marker").to_owned();
        let mut rest = self.route53.checks().filter(|check| check.id >= marker);
        let health_check: Vec<_> = rest.by_ref().take(max_items).map(CheckInfo::new).collect();
        let next_marker = rest.next().map(|check| check.id.clone());
        let is_truncated = next_marker.is_some();
        let health_checks = Checks { health_check };
        ok("ListHealthChecksResponse", &ChecksResponse { health_checks, marker, is_truncated, next_marker, max_items })
    }
}
