//! Samples of a drill, one a second, and what follows from them. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The site was served, by this side.
    Served(ServedBy),
    /// It was not, and why.
    Failed(String),
}

/// The side that served a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServedBy {
    /// The primary.
    Primary,
    /// The backup.
    Backup,
    /// Either: their responses are indistinguishable.
    Either,
}

impl ServedBy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
            Self::Either => "either",
        }
    }
}

impl Outcome {
    /// The side that served the site; `None` if the request failed.
    pub(crate) fn side(&self) -> Option<ServedBy> {
        match self {
            Self::Served(side) => Some(*side),
            Self::Failed(_) => None,
        }
    }
}

/// What was observed within one second.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sample {
    /// Seconds since the outage began; negative before.
    pub at: f64,
    /// When the requests of this sample were sent.
    pub asked: f64,
    /// How long visitors waited for a response, or for the failure, in seconds.
    pub waited: ByProtocol<f64>,
    /// Where DNS leads; `null` without a response of the name servers.
    pub dns: Option<ServedBy>,
    /// A request over HTTP by a visitor whose resolver honours the TTL.
    pub http: Outcome,
    /// The same over HTTPS.
    pub https: Outcome,
    /// Whether the backup serves the site; in a drill of replication, whether it has the last probe object.
    pub backup: bool,
    /// What the health checkers report, by role; empty in samples for which they were not queried.
    pub health: BTreeMap<String, bool>,
}

/// When something happened, in seconds since the outage began; `null` if it never did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Marks {
    /// The health checkers reported the outage; in a drill of replication, the backup was behind.
    pub detected: Option<f64>,
    /// Visitors were served by the backup.
    pub failed_over: Option<f64>,
    /// The primary was restored.
    pub restored: Option<f64>,
    /// Visitors were served by the primary again.
    pub failed_back: Option<f64>,
}

/// A value for each protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ByProtocol<T> {
    /// Over HTTP. Redirects to HTTPS are followed.
    pub http: T,
    /// Over HTTPS.
    pub https: T,
}

/// What a mode promises to visitors over one protocol in an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// Requests are served all the while. Those of the first seconds may fail while edges try the primary.
    Uninterrupted,
    /// Requests are served as soon as DNS has moved, and from then on.
    AfterFailover,
    /// None: requests may fail from the beginning of the outage until DNS leads to the primary again.
    None,
}

/// What visitors were promised over one protocol, and what they got.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Protocol {
    /// What the mode promises in this outage.
    pub promised: Promise,
    /// Requests that were served.
    pub served: usize,
    /// Requests that failed.
    pub lost: usize,
    /// Of those, the ones that the promise rules out.
    pub lost_despite_promise: usize,
    /// The longest that a visitor waited for a request that was served, in seconds.
    pub longest_wait: f64,
    /// Whether the promise was kept.
    pub kept: bool,
}

/// For how long promises allow requests to fail, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Until DNS has moved.
    pub(crate) failover: u64,
    /// While edges try the primary.
    pub(crate) attempts: u64,
}

/// What visitors got over each protocol.
pub(crate) fn protocols(samples: &[Sample], promises: ByProtocol<Promise>, allowed: Allowed) -> ByProtocol<Protocol> {
    let during = || samples.iter().filter(|sample| sample.at >= 0.0);
    let count = |promised: Promise, outcome: fn(&Sample) -> &Outcome, waited: fn(&Sample) -> f64| {
        let lost = || during().filter(|sample| outcome(sample).side().is_none());
        let ruled_out = |sample: &&Sample| match promised {
            Promise::Uninterrupted => sample.asked >= super::report::seconds(allowed.attempts),
            Promise::AfterFailover => sample.asked >= super::report::seconds(allowed.failover),
            Promise::None => false,
        };
        let served = || during().filter(|sample| outcome(sample).side().is_some());
        let lost_despite_promise = lost().filter(ruled_out).count();
        Protocol {
            promised,
            served: served().count(),
            lost: lost().count(),
            lost_despite_promise,
            longest_wait: served().map(waited).fold(0.0, f64::max),
            kept: lost_despite_promise == 0,
        }
    };
    ByProtocol {
        http: count(promises.http, |sample| &sample.http, |sample| sample.waited.http),
        https: count(promises.https, |sample| &sample.https, |sample| sample.waited.https),
    }
}

/// What tells when an outage was detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// What the health checkers report.
    Checkers,
    /// Where DNS leads, because the checkers cannot be asked.
    NameServers,
    /// What the checkers report once they can be asked again.
    CheckersAfterwards,
}

/// How visitors reach the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailoverPath {
    /// DNS leads to the backup's website endpoint, over HTTP.
    Dns,
    /// The distribution's origin group, over HTTPS; DNS does not change.
    OriginGroup,
    /// They do not: only the backup's replication is interrupted.
    None,
}

/// Seconds without a replica after which replication counts as interrupted.
const BEHIND: f64 = 10.0;

impl FailoverPath {
    /// True if visitors are served by the backup or, in a drill of replication, if the backup is behind.
    pub(crate) fn is_failed_over(self, sample: &Sample) -> bool {
        let backup = |outcome: &Outcome| matches!(outcome.side(), Some(ServedBy::Backup | ServedBy::Either));
        match self {
            // An HTTPS standby answers over HTTPS only, a website endpoint over HTTP only.
            Self::Dns => sample.dns == Some(ServedBy::Backup) && (backup(&sample.http) || backup(&sample.https)),
            Self::OriginGroup => backup(&sample.https),
            Self::None => sample.at >= BEHIND && !sample.backup,
        }
    }

    /// True if visitors are served by the primary again and the backup is in sync.
    pub(crate) fn is_failed_back(self, sample: &Sample) -> bool {
        is_served_by_primary(sample) && (self != Self::None || sample.backup)
    }
}

/// True if visitors are served by the primary.
pub(crate) fn is_served_by_primary(sample: &Sample) -> bool {
    let primary = |outcome: &Outcome| matches!(outcome.side(), Some(ServedBy::Primary | ServedBy::Either));
    sample.dns == Some(ServedBy::Primary) && primary(&sample.https)
}

/// True if the checkers report that the primary is unhealthy, or that DNS must lead to the backup.
pub(crate) fn is_detected(sample: &Sample) -> bool {
    ["serving", "primary"].iter().any(|role| sample.health.get(*role) == Some(&false))
}

/// The marks of a series of samples.
pub(crate) fn marks(samples: &[Sample], path: FailoverPath, evidence: Evidence, restored: Option<f64>) -> Marks {
    let during = || samples.iter().filter(|sample| sample.at >= 0.0);
    let detected = during().find(|sample| match path {
        FailoverPath::Dns if evidence == Evidence::NameServers => sample.dns == Some(ServedBy::Backup),
        FailoverPath::Dns | FailoverPath::OriginGroup => is_detected(sample),
        FailoverPath::None => path.is_failed_over(sample),
    });
    let failed_over = during().find(|sample| path.is_failed_over(sample)).map(|sample| sample.at);
    let after = restored.and_then(|restored| {
        let mut later = samples.iter().filter(move |sample| sample.at > restored);
        later.find(|sample| path.is_failed_back(sample)).map(|sample| sample.at)
    });
    Marks { detected: detected.map(|sample| sample.at), failed_over, restored, failed_back: after }
}

/// Failed requests by protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lost {
    /// Failed requests over HTTP.
    pub http: usize,
    /// Failed requests over HTTPS.
    pub https: usize,
    /// Of those, failed requests after the upper bound of a failover.
    pub https_after_bound: usize,
    /// Requests made over each.
    pub of: usize,
}

/// Failed requests since the outage began. `bound` is the upper bound of a failover in seconds.
pub(crate) fn lost(samples: &[Sample], bound: u64) -> Lost {
    let during: Vec<&Sample> = samples.iter().filter(|sample| sample.at >= 0.0).collect();
    let failed = |outcome: fn(&Sample) -> &Outcome, from: f64| {
        during.iter().filter(|sample| sample.at >= from && outcome(sample).side().is_none()).count()
    };
    Lost {
        http: failed(|sample| &sample.http, 0.0),
        https: failed(|sample| &sample.https, 0.0),
        https_after_bound: failed(|sample| &sample.https, super::report::seconds(bound)),
        of: during.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: f64, dns: ServedBy, http: Option<ServedBy>, https: Option<ServedBy>) -> Sample {
        let look = |side: Option<ServedBy>| side.map_or_else(|| Outcome::Failed("no answer".into()), Outcome::Served);
        let (http, https) = (look(http), look(https));
        Sample {
            at,
            asked: at,
            waited: ByProtocol::default(),
            dns: Some(dns),
            http,
            https,
            backup: true,
            health: BTreeMap::new(),
        }
    }

    const P: ServedBy = ServedBy::Primary;
    const B: ServedBy = ServedBy::Backup;

    #[test]
    fn marks_of_a_failover_by_dns() {
        let mut samples = [
            sample(-1.0, P, Some(P), Some(P)),
            sample(0.5, P, Some(P), Some(P)),
            sample(1.0, P, None, None),
            sample(90.0, B, None, None),
            sample(120.0, B, Some(B), None),
            sample(200.0, B, Some(B), None),
            sample(290.0, P, Some(P), Some(P)),
        ];
        samples[3].health.insert("serving".to_owned(), false);
        let marks = marks(&samples, FailoverPath::Dns, Evidence::Checkers, Some(150.0));
        let wanted =
            Marks { detected: Some(90.0), failed_over: Some(120.0), restored: Some(150.0), failed_back: Some(290.0) };
        assert_eq!(marks, wanted);
        assert_eq!(lost(&samples, 100), Lost { http: 2, https: 4, https_after_bound: 2, of: 6 });
    }

    #[test]
    fn a_failover_to_an_https_standby_is_marked_though_http_fails() {
        let samples = [sample(-1.0, P, Some(P), Some(P)), sample(1.0, P, None, None), sample(90.0, B, None, Some(B))];
        let marks = marks(&samples, FailoverPath::Dns, Evidence::Checkers, None);
        assert_eq!(marks.failed_over, Some(90.0));
    }

    #[test]
    fn with_an_origin_group_dns_stays_and_https_counts() {
        let samples =
            [sample(-1.0, P, Some(P), Some(P)), sample(0.2, P, Some(B), Some(B)), sample(9.0, P, Some(P), Some(P))];
        let marks = marks(&samples, FailoverPath::OriginGroup, Evidence::Checkers, Some(5.0));
        assert_eq!((marks.failed_over, marks.failed_back), (Some(0.2), Some(9.0)));
        assert_eq!(lost(&samples, 16).https, 0);
    }

    #[test]
    fn what_never_happened_has_no_mark() {
        let samples = [sample(-1.0, P, Some(P), Some(P)), sample(10.0, P, None, None)];
        let marks = marks(&samples, FailoverPath::Dns, Evidence::Checkers, None);
        assert_eq!((marks.failed_over, marks.restored, marks.failed_back), (None, None, None));
        assert_eq!(marks.detected, None, "a failed request is no report of a checker");
    }
}
