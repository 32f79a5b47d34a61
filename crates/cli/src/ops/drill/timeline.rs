//! What was seen, second by second, and what it comes to: pure.

use std::collections::BTreeMap;

use serde::Serialize;
use twinsite_core::Side;

/// What one visitor saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Look {
    /// The site, from this side.
    Site(Seen),
    /// Something else: why.
    Failed(String),
}

/// The side that answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seen {
    Primary,
    Backup,
    /// It cannot be told: both sides' answers are the same.
    Either,
}

impl Seen {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Either => "either",
        }
    }
}

impl From<Side> for Seen {
    fn from(side: Side) -> Self {
        match side {
            Side::Primary => Self::Primary,
            Side::Backup => Self::Backup,
        }
    }
}

impl Look {
    /// The side that served the site; `None` when none did.
    pub(crate) fn side(&self) -> Option<Seen> {
        match self {
            Self::Site(side) => Some(*side),
            Self::Failed(_) => None,
        }
    }
}

/// What was seen within one second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the primary was broken; negative before.
    pub(crate) at: f64,
    /// Where the name servers lead; `None` when they did not answer.
    pub(crate) dns: Option<Seen>,
    /// What a visitor gets over HTTP, who keeps names as long as their TTL says.
    pub(crate) http: Look,
    /// What the same visitor gets over HTTPS.
    pub(crate) https: Look,
    /// Whether the backup itself has the site or, when replication is what is broken, what was put last into the primary.
    pub(crate) backup: bool,
    /// What the health checkers think, by role; empty when they were not asked within this second.
    pub(crate) health: BTreeMap<String, bool>,
}

/// When something happened, in seconds since the primary was broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Marks {
    /// The first look that was not as before: a check turned red, DNS moved, or a visitor got nothing.
    pub(crate) detected: Option<f64>,
    /// Visitors were served by the backup.
    pub(crate) failed_over: Option<f64>,
    /// The primary was put back.
    pub(crate) restored: Option<f64>,
    /// Visitors were served by the primary again.
    pub(crate) failed_back: Option<f64>,
}

/// By which protocol visitors are expected to be served while the primary is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through DNS, to a website endpoint: over HTTP.
    Dns,
    /// Through the origin group: over HTTPS, and DNS stays where it is.
    Origin,
    /// They stay where they are: the backup falls behind, which is what is looked for.
    Stay,
}

/// For how many seconds nothing may arrive until replication counts as broken.
const BEHIND: f64 = 10.0;

impl Way {
    /// True when visitors are served by the backup or, where they stay, it has fallen behind.
    pub(crate) fn is_over(self, sample: &Sample) -> bool {
        let backup = |look: &Look| matches!(look.side(), Some(Seen::Backup | Seen::Either));
        match self {
            Self::Dns => sample.dns == Some(Seen::Backup) && backup(&sample.http),
            Self::Origin => backup(&sample.https),
            Self::Stay => sample.at >= BEHIND && !sample.backup,
        }
    }

    /// True when all is as before.
    pub(crate) fn is_back(self, sample: &Sample) -> bool {
        is_back(sample) && (self != Self::Stay || sample.backup)
    }
}

/// True when visitors are served by the primary.
pub(crate) fn is_back(sample: &Sample) -> bool {
    let primary = |look: &Look| matches!(look.side(), Some(Seen::Primary | Seen::Either));
    sample.dns == Some(Seen::Primary) && primary(&sample.https)
}

/// Reads the marks off what was seen.
pub(crate) fn marks(samples: &[Sample], way: Way, restored: Option<f64>) -> Marks {
    let broken = || samples.iter().filter(|sample| sample.at >= 0.0);
    let before = samples.iter().rev().find(|sample| sample.at < 0.0);
    let odd = |sample: &&Sample| {
        let other = before.is_some_and(|before| {
            before.dns != sample.dns || before.https != sample.https || (way == Way::Dns && before.http != sample.http)
        });
        let behind = way == Way::Stay && way.is_over(sample);
        other || behind || sample.health.get("serving").or(sample.health.get("primary")) == Some(&false)
    };
    let detected = broken().find(odd).map(|sample| sample.at);
    let failed_over = broken().find(|sample| way.is_over(sample)).map(|sample| sample.at);
    let after = restored.and_then(|restored| {
        let mut later = samples.iter().filter(move |sample| sample.at > restored);
        later.find(|sample| way.is_back(sample)).map(|sample| sample.at)
    });
    Marks { detected, failed_over, restored, failed_back: after }
}

/// Requests that got nothing, by protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Lost {
    pub(crate) http: usize,
    pub(crate) https: usize,
    /// Of how many each.
    pub(crate) of: usize,
}

pub(crate) fn lost(samples: &[Sample]) -> Lost {
    let broken: Vec<&Sample> = samples.iter().filter(|sample| sample.at >= 0.0).collect();
    let none = |look: fn(&Sample) -> &Look| broken.iter().filter(|sample| look(sample).side().is_none()).count();
    Lost { http: none(|sample| &sample.http), https: none(|sample| &sample.https), of: broken.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: f64, dns: Seen, http: Option<Seen>, https: Option<Seen>) -> Sample {
        let look = |side: Option<Seen>| side.map_or_else(|| Look::Failed("no answer".into()), Look::Site);
        let (http, https) = (look(http), look(https));
        Sample { at, dns: Some(dns), http, https, backup: true, health: BTreeMap::new() }
    }

    const P: Seen = Seen::Primary;
    const B: Seen = Seen::Backup;

    #[test]
    fn marks_of_a_failover_by_dns() {
        let samples = [
            sample(-1.0, P, Some(P), Some(P)),
            sample(0.5, P, Some(P), Some(P)),
            sample(1.0, P, None, None),
            sample(90.0, B, None, None),
            sample(120.0, B, Some(B), None),
            sample(200.0, B, Some(B), None),
            sample(290.0, P, Some(P), Some(P)),
        ];
        let marks = marks(&samples, Way::Dns, Some(150.0));
        let wanted =
            Marks { detected: Some(1.0), failed_over: Some(120.0), restored: Some(150.0), failed_back: Some(290.0) };
        assert_eq!(marks, wanted);
        assert_eq!(lost(&samples), Lost { http: 2, https: 4, of: 6 });
    }

    #[test]
    fn by_origin_dns_stays_and_https_counts() {
        let samples =
            [sample(-1.0, P, Some(P), Some(P)), sample(0.2, P, Some(B), Some(B)), sample(9.0, P, Some(P), Some(P))];
        let marks = marks(&samples, Way::Origin, Some(5.0));
        assert_eq!((marks.failed_over, marks.failed_back), (Some(0.2), Some(9.0)));
        assert_eq!(lost(&samples).https, 0);
    }

    #[test]
    fn what_never_happened_has_no_mark() {
        let samples = [sample(-1.0, P, Some(P), Some(P)), sample(10.0, P, None, None)];
        let marks = marks(&samples, Way::Dns, None);
        assert_eq!((marks.failed_over, marks.restored, marks.failed_back), (None, None, None));
        assert_eq!(marks.detected, Some(10.0));
    }
}
