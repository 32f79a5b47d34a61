//! The result of a drill.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timeline::{ByProtocol, FailoverPath, Lost, Marks, Outcome, Protocol, Sample, ServedBy};

/// The result of a drill.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DrillResult {
    /// The domain name.
    pub domain: String,
    /// `dns`, `origin` or `layered`.
    pub mode: String,
    /// The kind of outage.
    pub outage: &'static str,
    /// How visitors reach the backup.
    pub path: FailoverPath,
    /// Whether it ran in an embedded cloud.
    pub embedded: bool,
    /// How many times faster than real time it ran.
    pub speed: u32,
    /// When the outage began, as RFC 3339.
    pub started: String,
    /// When visitors moved.
    pub marks: Marks,
    /// Whether the health checkers could be asked during the outage: the API of Route 53 is in us-east-1. Else `marks.detected` is when DNS
    /// had moved or, if it does not move in this outage, when the checkers reported afterwards.
    pub checkers_readable: bool,
    /// Failed requests.
    pub lost: Lost,
    /// What visitors were promised, and what they got.
    pub visitors: ByProtocol<Protocol>,
    /// The upper bound of a failover that follows from the configuration, in seconds.
    pub bound_seconds: u64,
    /// The objective, in seconds.
    pub objective_seconds: u64,
    /// Every change that was observed.
    pub timeline: Vec<Change>,
    /// All samples.
    #[serde(skip)]
    pub samples: Vec<Sample>,
}

/// Whether a drill met its objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It did.
    Met,
    /// Visitors never reached the backup; in a drill of replication, the backup never fell behind.
    NotFailedOver,
    /// Visitors reached the backup too late.
    TooLate,
    /// HTTPS requests failed although the mode serves HTTPS while the primary is unavailable.
    HttpsLost,
    /// HTTP requests failed although the mode serves HTTP then.
    HttpLost,
    /// The health checkers never reported the outage, so no alarm was raised.
    NotDetected,
    /// Visitors did not return to the primary; in a drill of replication, the backup did not catch up.
    NotFailedBack,
}

impl DrillResult {
    /// Whether the objective was met: visitors reached the backup in time, and got what the mode promises over each protocol.
    pub fn verdict(&self) -> Verdict {
        // A backup falls behind at no particular time, so that has no objective.
        let timed = self.path != FailoverPath::None;
        match (self.marks.failed_over, self.marks.failed_back) {
            (None, _) => Verdict::NotFailedOver,
            (Some(at), _) if timed && at > seconds(self.objective_seconds) => Verdict::TooLate,
            (Some(_), _) if !self.visitors.https.kept => Verdict::HttpsLost,
            (Some(_), _) if !self.visitors.http.kept => Verdict::HttpLost,
            (Some(_), _) if self.marks.detected.is_none() => Verdict::NotDetected,
            (Some(_), None) => Verdict::NotFailedBack,
            (Some(_), Some(_)) => Verdict::Met,
        }
    }
}

/// Whole seconds as a mark.
pub(super) fn seconds(seconds: u64) -> f64 {
    std::time::Duration::from_secs(seconds).as_secs_f64()
}

/// A change between two samples.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Seconds since the outage began.
    pub at: f64,
    /// What observed it: `dns`, `http`, `https`, `backup`, or the checkers of a health check.
    pub observer: String,
    /// What is observed now.
    pub observed: String,
}

/// The changes from one sample to the next; everything for the first one.
pub(super) fn changes(before: Option<&Sample>, now: &Sample) -> Vec<Change> {
    let at = now.at;
    let mut all = Vec::new();
    let mut record = |observer: &str, old: Option<String>, new: String| {
        if old.as_ref() != Some(&new) {
            all.push(Change { at, observer: observer.to_owned(), observed: new });
        }
    };
    let dns = |sample: &Sample| sample.dns.map_or("no response", ServedBy::as_str).to_owned();
    record("dns", before.map(dns), dns(now));
    record("http", before.map(|before| outcome(&before.http)), outcome(&now.http));
    record("https", before.map(|before| outcome(&before.https)), outcome(&now.https));
    let backup = |sample: &Sample| if sample.backup { "in sync" } else { "missing" }.to_owned();
    record("backup", before.map(backup), backup(now));
    all
}

/// The changes of what the checkers report since they were last queried.
pub(super) fn health_changes(known: &mut BTreeMap<String, bool>, now: &Sample) -> Vec<Change> {
    let mut all = Vec::new();
    for (role, healthy) in &now.health {
        if known.insert(role.clone(), *healthy) != Some(*healthy) {
            let observed = if *healthy { "healthy" } else { "unhealthy" }.to_owned();
            all.push(Change { at: now.at, observer: format!("checkers of {role}"), observed });
        }
    }
    all
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Served(ServedBy::Either) => "the site".to_owned(),
        Outcome::Served(side) => format!("the site, from the {}", side.as_str()),
        Outcome::Failed(why) => format!("failed: {why}"),
    }
}

/// All changes, in order.
pub fn timeline(samples: &[Sample]) -> Vec<Change> {
    let (mut known, mut all, mut before) = (BTreeMap::new(), Vec::new(), None);
    for sample in samples {
        all.extend(changes(before, sample));
        all.extend(health_changes(&mut known, sample));
        before = Some(sample);
    }
    all
}
