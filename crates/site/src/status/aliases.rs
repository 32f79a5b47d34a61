//! What visitors of aliases get, judged.

use super::findings::Findings;
use super::part::{FailureKind, Part};
use super::state::{AliasState, VisitState};
use super::{Level, Status};

/// Whether a response leads to a host, over HTTP or HTTPS.
fn leads_to(visit: &VisitState, host: &str) -> bool {
    let location = visit.location.as_deref().unwrap_or_default();
    let location = location.strip_prefix("https:").or(location.strip_prefix("http:")).unwrap_or(location);
    let rest = location.strip_prefix("//").and_then(|location| location.strip_prefix(host));
    visit.is_redirect() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl AliasState {
    /// Whether visitors are redirected to the domain, over HTTPS or, where HTTPS is not available, over HTTP.
    pub fn is_redirected(&self, domain: &str) -> bool {
        let leads = |visit: &Part<VisitState>| visit.known().is_some_and(|visit| leads_to(visit, domain));
        leads(&self.https) || !self.https.is_known() && leads(&self.http)
    }
}

impl Status {
    /// What is wrong with the aliases. What is wrong with the domain in the same way is said of it alone.
    pub(super) fn judge_aliases(&self, findings: &mut Findings) {
        let not_asked = |part: &Part<VisitState>| matches!(part, Part::Unavailable { kind: FailureKind::NotAsked, .. });
        for alias in &self.aliases {
            let name = &alias.name;
            if alias.is_redirected(&self.domain) || not_asked(&alias.https) {
                continue;
            }
            let plan = "see what differs with `twinsite plan`, and correct it with `twinsite apply`";
            if alias.dns.known().is_some_and(|dns| dns.values.is_empty()) {
                findings.problem(format!("the alias `{name}` has no address"), plan);
                continue;
            }
            match (&alias.https, &self.visitors.https) {
                (Part::Known { value }, _) => {
                    let to = value.location.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                    findings.problem(
                        format!(
                            "the alias `{name}` answers with {}{to}, and not with a redirect to `{}`",
                            value.status, self.domain
                        ),
                        plan,
                    );
                }
                (Part::Unavailable { reason, .. } | Part::Forbidden { reason, .. }, Part::Known { .. }) => findings
                    .add(
                        Level::Problem,
                        format!("visitors of the alias `{name}` get no redirect: {reason}"),
                        Some("check the delegation of its hosted zone: `twinsite doctor`"),
                    ),
                (_, _) => {}
            }
        }
    }
}
