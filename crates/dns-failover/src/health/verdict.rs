//! What the checkers' reports come to: as Route 53 decides, since it does not tell.

use std::collections::BTreeMap;

use super::{Check, Role};

/// More than this share of the checkers, in percent, makes an endpoint healthy.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
const SHARE: usize = 18;

/// What the checkers said of each endpoint; by their reports' texts.
pub(crate) type Reports = BTreeMap<String, Vec<String>>;

/// Which roles are healthy; a role that nobody has reported on is left out.
pub(crate) fn verdicts(checks: &[Check], reports: &Reports) -> BTreeMap<Role, bool> {
    let mut all = BTreeMap::new();
    for check in checks.iter().filter(|check| check.role != Role::Serving) {
        let said = reports.get(&check.id.0).map(Vec::as_slice).unwrap_or_default();
        let inverted = check.settings.get("Inverted").is_some_and(|inverted| inverted == "true");
        if let Some(well) = endpoint(said) {
            all.insert(check.role, well != inverted);
        }
    }
    if let Some(serving) = checks.iter().find(|check| check.role == Role::Serving) {
        let children = serving.settings.get("ChildHealthChecks").map(String::as_str).unwrap_or_default();
        let children: Option<Vec<bool>> = children
            .split_whitespace()
            .map(|id| checks.iter().find(|check| check.id.0 == id).and_then(|check| all.get(&check.role).copied()))
            .collect();
        if let Some(children) = children {
            all.insert(Role::Serving, children.into_iter().all(|well| well));
        }
    }
    all
}

fn endpoint(said: &[String]) -> Option<bool> {
    // While a checker has not looked, the next one to look may decide.
    let undecided = said.is_empty() || said.iter().any(|text| text.starts_with("Unknown"));
    let well = said.iter().filter(|text| text.starts_with("Success")).count();
    (!undecided).then_some(well * 100 > SHARE * said.len())
}

#[cfg(test)]
mod tests {
    use twinsite_core::ResourceId;

    use super::*;

    fn check(id: &str, role: Role, settings: &[(&str, &str)]) -> Check {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Check { id: ResourceId(id.into()), role, kind: String::new(), tags: BTreeMap::new(), settings }
    }

    #[test]
    fn serving_needs_its_children_and_the_stop_object_turned_round() {
        let checks = [
            check("p", Role::Primary, &[("Inverted", "false")]),
            check("s", Role::Stop, &[("Inverted", "true")]),
            check("both", Role::Serving, &[("ChildHealthChecks", "p s")]),
        ];
        let reports = |primary: &[&str], stop: &str| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            verdicts(&checks, &[("p".to_owned(), texts(primary)), ("s".to_owned(), texts(&[stop]))].into())
        };
        let well = reports(&["Success: 200", "Failure: x", "Failure: x"], "Failure: 403");
        assert_eq!(well, [(Role::Primary, true), (Role::Stop, true), (Role::Serving, true)].into());
        assert!(!reports(&["Success: 200"], "Success: 200")[&Role::Serving]);
        assert!(!reports(&["Failure: x"; 8], "Failure: 403")[&Role::Serving]);
        assert!(!reports(&["Unknown: no probe"], "Failure: 403").contains_key(&Role::Serving));
    }
}
