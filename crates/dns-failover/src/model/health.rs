//! The status of health checks, calculated from the reports of the checkers. Route 53's API does not return the status.

use std::collections::BTreeMap;

use twinsite_core::ResourceId;

use super::{Check, CheckPurpose};

/// An endpoint is healthy if more than this percentage of the checkers consider it healthy.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
const HEALTHY_SHARE: usize = 18;

/// The checkers' status texts, by health check: `Success: HTTP Status Code 200, OK`.
pub(crate) type CheckerReports = BTreeMap<ResourceId, Vec<String>>;

/// Whether each check is healthy. Checks without a status yet are left out.
pub(crate) fn evaluate_health(checks: &[Check], reports: &CheckerReports) -> BTreeMap<CheckPurpose, bool> {
    let mut healthy = BTreeMap::new();
    for check in checks.iter().filter(|check| check.purpose != CheckPurpose::Serving) {
        let statuses = reports.get(&check.id).map(Vec::as_slice).unwrap_or_default();
        let inverted = check.properties.get("Inverted").is_some_and(|inverted| inverted == "true");
        if let Some(endpoint_healthy) = endpoint_health(statuses) {
            healthy.insert(check.purpose, endpoint_healthy != inverted);
        }
    }
    if let Some(serving) = checks.iter().find(|check| check.purpose == CheckPurpose::Serving) {
        let children = serving.properties.get("ChildHealthChecks").map(String::as_str).unwrap_or_default();
        let children = children.split_whitespace().map(|id| {
            let child = checks.iter().find(|check| check.id.as_str() == id)?;
            healthy.get(&child.purpose).copied()
        });
        if let Some(children) = children.collect::<Option<Vec<bool>>>() {
            healthy.insert(CheckPurpose::Serving, children.into_iter().all(|healthy| healthy));
        }
    }
    healthy
}

fn endpoint_health(statuses: &[String]) -> Option<bool> {
    // The status is open until every checker has reported, as the next report may change it.
    let undecided = statuses.is_empty() || statuses.iter().any(|text| text.starts_with("Unknown"));
    let successes = statuses.iter().filter(|text| text.starts_with("Success")).count();
    (!undecided).then_some(successes * 100 > HEALTHY_SHARE * statuses.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, purpose: CheckPurpose, properties: &[(&str, &str)]) -> Check {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Check { id: id.parse().unwrap(), purpose, immutable_digest: String::new(), tags: BTreeMap::new(), properties }
    }

    #[test]
    fn serving_requires_healthy_children_and_the_inverted_switch() {
        let checks = [
            check("p", CheckPurpose::Primary, &[("Inverted", "false")]),
            check("s", CheckPurpose::Switch, &[("Inverted", "true")]),
            check("both", CheckPurpose::Serving, &[("ChildHealthChecks", "p s")]),
        ];
        let id = |id: &str| id.parse().unwrap();
        let reports = |primary: &[&str], switch: &str| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            evaluate_health(&checks, &[(id("p"), texts(primary)), (id("s"), texts(&[switch]))].into())
        };
        let healthy = reports(&["Success: 200", "Failure: x", "Failure: x"], "Failure: 403");
        assert_eq!(
            healthy,
            [(CheckPurpose::Primary, true), (CheckPurpose::Switch, true), (CheckPurpose::Serving, true)].into()
        );
        assert!(!reports(&["Success: 200"], "Success: 200")[&CheckPurpose::Serving]);
        assert!(!reports(&["Failure: x"; 8], "Failure: 403")[&CheckPurpose::Serving]);
        assert!(!reports(&["Unknown: no probe"], "Failure: 403").contains_key(&CheckPurpose::Serving));
    }
}
