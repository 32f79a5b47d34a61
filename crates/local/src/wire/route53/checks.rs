//! Health checks.

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Answered, Call, ok, written};
use crate::wire::reply;
use crate::world::route53::{Check, CheckConfig, REGIONS};

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
    fn of(check: &Check) -> Self {
        let Check { id, caller_reference, config, version } = check.clone();
        Self { id, caller_reference, health_check_config: config, health_check_version: version }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckAnswer {
    health_check: CheckInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckList {
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
struct StatusAnswer {
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

/// The version that an update may name, beside the settings themselves.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(default)]
    health_check_version: Option<u64>,
}

impl Call<'_> {
    pub(super) fn create_check(&self) -> Answered {
        let CreateCheck { caller_reference, health_check_config } = self.body()?;
        let create = |account: &mut crate::world::Account, _| {
            account.route53.create_check(&caller_reference, health_check_config)
        };
        let health_check = CheckInfo::of(&self.world.change_account(create)?);
        written(StatusCode::CREATED, "CreateHealthCheckResponse", &CheckAnswer { health_check })
    }

    pub(super) fn get_check(&self, id: &str) -> Answered {
        let check = self.world.account(|account, _| account.route53.check(id).cloned())?;
        ok("GetHealthCheckResponse", &CheckAnswer { health_check: CheckInfo::of(&check) })
    }

    /// What each checker has seen last. Of checks that are made of others nobody sees anything.
    pub(super) fn get_check_status(&self, id: &str) -> Answered {
        let check = self.world.account(|account, _| account.route53.check(id).cloned())?;
        let sights =
            if check.config.child_health_checks.is_some() { Vec::new() } else { self.world.health().sights(id) };
        let seen = REGIONS.iter().zip(sights).enumerate().map(|(index, (region, sight))| Observation {
            region: (*region).to_owned(),
            ip_address: format!("192.0.2.{}", index + 1),
            status_report: Report { status: sight.said, checked_time: reply::rfc3339(sight.at) },
        });
        let health_check_observations = Observations { health_check_observation: seen.collect() };
        ok("GetHealthCheckStatusResponse", &StatusAnswer { health_check_observations })
    }

    pub(super) fn update_check(&self, id: &str) -> Answered {
        let (Version { health_check_version }, sent) = (self.body()?, self.body::<CheckConfig>()?);
        let update =
            |account: &mut crate::world::Account, _| account.route53.update_check(id, health_check_version, sent);
        let check = self.world.change_account(update)?;
        ok("UpdateHealthCheckResponse", &CheckAnswer { health_check: CheckInfo::of(&check) })
    }

    pub(super) fn delete_check(&self, id: &str) -> Answered {
        self.world.change_account(|account, _| account.route53.delete_check(id))?;
        ok("DeleteHealthCheckResponse", &())
    }

    pub(super) fn list_checks(&self) -> Answered {
        let most = self.page(100)?;
        let from = self.query("marker").to_owned();
        let all: Vec<_> = self.world.account(|account, _| account.route53.checks().map(CheckInfo::of).collect());
        let mut checks: Vec<_> = all.into_iter().filter(|check| check.id >= from).collect();
        let rest = checks.split_off(checks.len().min(most));
        let next_marker = rest.first().map(|check| check.id.clone());
        let is_truncated = next_marker.is_some();
        let health_checks = Checks { health_check: checks };
        let list = CheckList { health_checks, marker: from, is_truncated, next_marker, max_items: most };
        ok("ListHealthChecksResponse", &list)
    }
}
