//! What a drill comes to.

use serde::Serialize;
use twinsite_core::Mode;
use twinsite_s3_site::How;

use super::timeline::{Look, Lost, Marks, Sample, Seen, Way};

/// A drill, from its first look to its last.
#[derive(Clone, Debug)]
pub(crate) struct Drilled {
    pub(crate) domain: String,
    pub(crate) mode: Mode,
    pub(crate) how: How,
    pub(crate) way: Way,
    /// True on the embedded cloud.
    pub(crate) local: bool,
    /// How many times faster time ran.
    pub(crate) speed: u32,
    /// When the primary was broken, in seconds since 1970.
    pub(crate) started: u64,
    pub(crate) samples: Vec<Sample>,
    pub(crate) marks: Marks,
    pub(crate) lost: Lost,
    /// How long the failover takes at most, by interval, threshold and TTL, or by the origin's timeouts.
    pub(crate) budget: u64,
    /// How long it may take.
    pub(crate) objective: u64,
}

impl Drilled {
    /// True when visitors were not served by the backup in time, or not by the primary again.
    pub(crate) fn missed(&self) -> bool {
        // How soon the backup falls behind is nobody's objective.
        let late = |mark: Option<f64>| mark.is_none_or(|at| self.way != Way::Stay && at > secs(self.objective));
        late(self.marks.failed_over) || self.marks.failed_back.is_none()
    }
}

/// Whole seconds as a mark.
pub(crate) fn secs(seconds: u64) -> f64 {
    std::time::Duration::from_secs(seconds).as_secs_f64()
}

/// Something that changed between one look and the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Seconds since the primary was broken.
    pub(crate) at: f64,
    /// Who saw it: `dns`, `http`, `https`, `backup`, or a health check's role.
    pub(crate) who: String,
    /// What is seen now.
    pub(crate) what: String,
}

/// What changed from one look to the next; everything, when there was none before.
pub(crate) fn changes(before: Option<&Sample>, now: &Sample) -> Vec<Change> {
    let at = now.at;
    let mut all = Vec::new();
    let mut say = |who: &str, old: Option<String>, new: String| {
        if old.as_ref() != Some(&new) {
            all.push(Change { at, who: who.to_owned(), what: new });
        }
    };
    let led = |sample: &Sample| sample.dns.map_or("no answer", Seen::as_str).to_owned();
    say("dns", before.map(led), led(now));
    say("http", before.map(|before| looked(&before.http)), looked(&now.http));
    say("https", before.map(|before| looked(&before.https)), looked(&now.https));
    let has = |sample: &Sample| if sample.backup { "has it" } else { "has it not" }.to_owned();
    say("backup", before.map(has), has(now));
    all
}

/// What changed of what the checkers think, since they were last asked.
pub(crate) fn health_changes(known: &mut std::collections::BTreeMap<String, bool>, now: &Sample) -> Vec<Change> {
    let mut all = Vec::new();
    for (role, well) in &now.health {
        if known.insert(role.clone(), *well) != Some(*well) {
            let what = if *well { "see it well" } else { "see it failing" }.to_owned();
            all.push(Change { at: now.at, who: format!("checkers of {role}"), what });
        }
    }
    all
}

fn looked(look: &Look) -> String {
    match look {
        Look::Site(Seen::Either) => "the site".to_owned(),
        Look::Site(side) => format!("the site, from the {}", side.as_str()),
        Look::Failed(why) => format!("nothing: {why}"),
    }
}

/// Everything that changed, in order.
pub(crate) fn timeline(samples: &[Sample]) -> Vec<Change> {
    let (mut known, mut all, mut before) = (std::collections::BTreeMap::new(), Vec::new(), None);
    for sample in samples {
        all.extend(changes(before, sample));
        all.extend(health_changes(&mut known, sample));
        before = Some(sample);
    }
    all
}
