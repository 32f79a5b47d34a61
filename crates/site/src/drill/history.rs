//! The history of drills: each one that has broken something leaves a record in the backup bucket, whatever became of it.
//!
//! Others may write to the bucket, so that records are read with limits, and what is no record is named and left out.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twinsite_core::{Event, Mode, Run, Side, clean_up};
use twinsite_sync::{Headers, Key, Store, StoreError, SyncError};

use super::report::{DrillResult, Verdict};
use super::timeline::{ByProtocol, Marks, Protocol};
use super::{DRILL_RECORDS, Outage};
use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::releases::rfc3339;

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// How many records are kept, and read at most: the newest.
const KEPT: usize = 100;

/// The size of the largest record that is read, in bytes. One has about one kibibyte.
const MAX_BYTES: u64 = 64 << 10;

/// The longest text in a record, in characters.
const MAX_TEXT: usize = 2000;

/// How many pages of a thousand keys are listed at most.
const MAX_PAGES: usize = 10;

/// How many records are read at a time.
const CONCURRENCY: usize = 16;

/// The longest time in a record, in seconds: a year.
const MAX_SECONDS: f64 = 366.0 * 86_400.0;

/// How a drill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DrillEnd {
    /// It has measured everything.
    Completed,
    /// A call failed.
    Failed,
    /// It was stopped.
    Interrupted,
    /// It was killed, and what it had broken was restored later.
    Restored,
}

/// The record of a drill, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// When the outage began, in seconds since 1970.
    started: u64,
    mode: String,
    outage: String,
    embedded: bool,
    speed: u32,
    ended: DrillEnd,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Who has run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// What it has measured, if it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    measured: Option<Measured>,
}

/// What a drill has measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Whether it met its objective.
    pub verdict: Verdict,
    /// When visitors moved.
    pub marks: Marks,
    /// What visitors were promised, and what they got.
    pub visitors: ByProtocol<Protocol>,
    /// The upper bound of a failover that followed from the configuration, in seconds.
    pub bound_seconds: u64,
    /// The objective, in seconds.
    pub objective_seconds: u64,
}

/// A drill of the past.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PastDrill {
    /// When the outage began, as RFC 3339.
    pub started: String,
    /// `dns`, `origin` or `layered`.
    pub mode: String,
    /// The outage, as for `--how`.
    pub outage: &'static str,
    /// Whether it ran in an embedded cloud.
    pub embedded: bool,
    /// How many times faster than real time it ran.
    pub speed: u32,
    /// How it ended.
    pub ended: DrillEnd,
    /// Why it failed.
    pub error: Option<String>,
    /// The ARN of who has run it.
    pub by: Option<String>,
    /// What it has measured; `null` unless it was completed.
    pub measured: Option<Measured>,
    /// How it compares with the completed drill of the same kind before it: same mode, same outage, both in an embedded cloud or neither.
    pub compared: Option<Comparison>,
}

/// A drill compared with an earlier one: what has become more is positive.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Comparison {
    /// When the earlier one began, as RFC 3339.
    pub started: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Seconds until the outage was detected; `null` if one of the two has never detected it.
    pub detected: Option<f64>,
    /// Seconds until visitors were served by the backup.
    pub failed_over: Option<f64>,
    /// Failed requests over HTTP.
    pub lost_http: i64,
    /// Failed requests over HTTPS.
    pub lost_https: i64,
}

/// An object in the place of a record that cannot be read as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DamagedDrill {
    /// Its key in the backup bucket.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The drills of a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DrillHistory {
    /// The newest hundred, the oldest of them first.
    pub drills: Vec<PastDrill>,
    /// Records that cannot be read.
    pub damaged: Vec<DamagedDrill>,
    /// Whether there is more below the prefix than was listed.
    pub truncated: bool,
}

impl DrillHistory {
    /// The completed drills of the same kind as a drill, itself included, the oldest first.
    pub fn of_kind<'a>(&'a self, drill: &'a DrillResult) -> impl Iterator<Item = &'a PastDrill> {
        let kind = Kind { outage: drill.outage, mode: &drill.mode, embedded: drill.embedded };
        self.drills.iter().filter(move |past| past.is_completed(kind))
    }
}

/// Drills that can be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind<'a> {
    outage: &'a str,
    mode: &'a str,
    embedded: bool,
}

impl PastDrill {
    fn kind(&self) -> Kind<'_> {
        Kind { outage: self.outage, mode: &self.mode, embedded: self.embedded }
    }

    fn is_completed(&self, kind: Kind<'_>) -> bool {
        self.measured.is_some() && self.kind() == kind
    }
}

impl Record {
    /// The record of a drill of which nothing is known but that it began, and how it ended.
    pub(super) fn unmeasured(site: &SiteContext, of: Begun, ended: DrillEnd) -> Self {
        Self {
            version: VERSION,
            started: of.started,
            mode: site.site.mode.to_string(),
            outage: of.outage.to_string(),
            embedded: !site.is_internet(),
            speed: of.speed,
            ended,
            error: None,
            by: site.caller.clone(),
            measured: None,
        }
    }

    /// The record of a drill that has ended so.
    pub(super) fn of(site: &SiteContext, of: Begun, ended: Result<&DrillResult, &Error>) -> Self {
        match ended {
            Ok(result) => {
                let measured = Measured {
                    verdict: result.verdict(),
                    marks: result.marks,
                    visitors: result.visitors,
                    bound_seconds: result.bound_seconds,
                    objective_seconds: result.objective_seconds,
                };
                Self { measured: Some(measured), ..Self::unmeasured(site, of, DrillEnd::Completed) }
            }
            Err(error) if error.kind() == crate::ErrorKind::Interrupted => {
                Self::unmeasured(site, of, DrillEnd::Interrupted)
            }
            Err(error) => {
                let text: String = error.cause.to_string().chars().take(MAX_TEXT).collect();
                Self { error: Some(text), ..Self::unmeasured(site, of, DrillEnd::Failed) }
            }
        }
    }

    /// A record that may be anything. What it says is checked, because it is shown, compared and drawn.
    fn parse(bytes: &[u8]) -> Result<PastDrill, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if record.version != VERSION {
            return Err(format!("its format has version {}; this program reads version {VERSION}", record.version));
        }
        let mode: Mode = record.mode.parse().map_err(|error| format!("{error}"))?;
        let outage: Outage = record.outage.parse().map_err(|error| format!("{error}"))?;
        if (record.ended == DrillEnd::Completed) != record.measured.is_some() {
            return Err("its end and its measurements contradict each other".to_owned());
        }
        if record.measured.as_ref().is_some_and(|measured| !measured.is_plausible()) {
            return Err("it has times that no drill can take".to_owned());
        }
        let texts = [&record.error, &record.by];
        if texts.into_iter().flatten().any(|text| text.chars().count() > MAX_TEXT) {
            return Err(format!("it has a text of more than {MAX_TEXT} characters"));
        }
        let started = i64::try_from(record.started).ok().filter(|seconds| *seconds < LAST_YEAR);
        let started = started.ok_or("it has a date that no clock shows")?;
        Ok(PastDrill {
            started: rfc3339(started),
            mode: mode.to_string(),
            outage: outage.as_str(),
            embedded: record.embedded,
            speed: record.speed,
            ended: record.ended,
            error: record.error,
            by: record.by,
            measured: record.measured,
            compared: None,
        })
    }
}

/// The end of the year 9999, the last that RFC 3339 can express, in seconds since 1970.
const LAST_YEAR: i64 = 253_402_300_800;

impl Measured {
    fn is_plausible(&self) -> bool {
        let Marks { detected, failed_over, restored, failed_back } = self.marks;
        let ByProtocol { http, https } = self.visitors;
        let marks = [detected, failed_over, restored, failed_back].into_iter().flatten();
        let mut times = marks.chain([http.longest_wait, https.longest_wait]);
        let is_count = |protocol: Protocol| protocol.served.max(protocol.lost) <= 1_000_000_000;
        times.all(|time| (0.0..MAX_SECONDS).contains(&time)) && is_count(http) && is_count(https)
    }

    fn compared_with(&self, earlier: &PastDrill) -> Option<Comparison> {
        let before = earlier.measured.as_ref()?;
        let later = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Some(Comparison {
            started: earlier.started.clone(),
            verdict: before.verdict,
            detected: later(self.marks.detected, before.marks.detected),
            failed_over: later(self.marks.failed_over, before.marks.failed_over),
            lost_http: count(self.visitors.http.lost) - count(before.visitors.http.lost),
            lost_https: count(self.visitors.https.lost) - count(before.visitors.https.lost),
        })
    }
}

/// A drill that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    /// When, in seconds since 1970.
    pub(super) started: u64,
    pub(super) outage: Outage,
    /// How many times faster than real time it runs; 0 if that is not known any more.
    pub(super) speed: u32,
}

impl Begun {
    /// The key of the record. A drill that is restored after it was killed has the same.
    fn key(self) -> String {
        format!("{DRILL_RECORDS}{:012}-{}.json", self.started, self.outage)
    }
}

/// Writes the record of a drill, and deletes the oldest ones beyond the newest hundred. That it cannot be written is no failure of the
/// drill, and a warning.
pub(super) async fn write_record(site: &SiteContext, of: Begun, record: &Record, run: &Run) {
    let written = async {
        let store = site.store(Side::Backup);
        let broken = |error: &dyn std::fmt::Display| StoreError::Broken(error.to_string());
        let bytes = bytes::Bytes::from(serde_json::to_vec(record).map_err(|error| broken(&error))?);
        let headers = Headers {
            content_type: Some("application/json".to_owned()),
            cache_control: Some("no-store".to_owned()),
            ..Headers::default()
        };
        let digest = twinsite_sync::md5(&bytes);
        store.put(&of.key().parse().map_err(|error| broken(&error))?, &headers, (bytes.into(), digest)).await?;
        let Listed { keys, .. } = list(&store).await?;
        let expired: Vec<Key> = keys.iter().rev().skip(KEPT).take(1000).cloned().collect();
        if !expired.is_empty() {
            store.delete(&expired).await?;
        }
        Ok::<(), StoreError>(())
    };
    if let Err(error) = clean_up(Box::pin(written)).await {
        let text = format!("the record of the drill could not be written: {error}");
        run.emit(&Event::Warning { text, hint: None });
    }
}

/// What a listing shows.
struct Listed {
    /// The keys of records, the oldest first.
    keys: Vec<Key>,
    /// Keys that no drill has written.
    foreign: Vec<Key>,
    truncated: bool,
}

async fn list(store: &impl Store) -> Result<Listed, StoreError> {
    let (mut found, mut after, mut truncated) = (BTreeSet::new(), DRILL_RECORDS.to_owned(), true);
    for _ in 0..MAX_PAGES {
        let page = store.page(Some(&after)).await?;
        let last = page.objects.last().map(|object| object.key.as_str().to_owned());
        found.extend(
            page.objects.into_iter().map(|object| object.key).filter(|key| key.as_str().starts_with(DRILL_RECORDS)),
        );
        match last {
            Some(last) if page.more && last.starts_with(DRILL_RECORDS) => after = last,
            _ => {
                truncated = false;
                break;
            }
        }
    }
    let (keys, foreign) = found.into_iter().partition(is_record);
    Ok(Listed { keys, foreign, truncated })
}

/// Whether a key has the form of those that drills write.
fn is_record(key: &Key) -> bool {
    let name = key.as_str().strip_prefix(DRILL_RECORDS).and_then(|name| name.strip_suffix(".json"));
    name.and_then(|name| name.split_once('-')).is_some_and(|(started, outage)| {
        started.len() == 12 && started.bytes().all(|byte| byte.is_ascii_digit()) && outage.parse::<Outage>().is_ok()
    })
}

/// The drills of a site: the newest hundred, each compared with the one of the same kind before it. Read-only.
///
/// # Errors
/// The backup bucket could not be read.
pub async fn history(site: &SiteContext) -> Result<DrillHistory, Error> {
    const OPERATION: &str = "read the history of drills";
    let store = site.store(Side::Backup);
    let Listed { keys, foreign, truncated } =
        Box::pin(list(&store)).await.map_err(SyncError::from).context(OPERATION)?;
    let newest = keys.into_iter().rev().take(KEPT).rev();
    let read = stream::iter(newest).map(|key| {
        let store = store.clone();
        async move {
            let read = store.read_up_to(&key, MAX_BYTES).await;
            (key, read)
        }
    });
    let read: Vec<_> = Box::pin(read.buffered(CONCURRENCY).collect()).await;
    let mut found = DrillHistory { truncated, ..DrillHistory::default() };
    for (key, read) in read {
        let parsed = match read {
            Ok(Some(object)) => Record::parse(&object.bytes),
            // Deleted meanwhile.
            Ok(None) => continue,
            Err(StoreError::TooLarge { size, .. }) => Err(format!("it has {size} bytes")),
            Err(error) => return Err(Error::new(OPERATION, SyncError::from(error))),
        };
        match parsed {
            Ok(drill) => found.drills.push(drill),
            Err(reason) => found.damaged.push(DamagedDrill { key: key.to_string(), reason }),
        }
    }
    let reason = "its name is not that of a record".to_owned();
    let foreign = foreign.into_iter().take(KEPT);
    found.damaged.extend(foreign.map(|key| DamagedDrill { key: key.to_string(), reason: reason.clone() }));
    compare(&mut found.drills);
    Ok(found)
}

/// Compares each drill with the completed one of the same kind before it.
fn compare(drills: &mut [PastDrill]) {
    for index in 0..drills.len() {
        let (before, rest) = drills.split_at_mut(index);
        let Some(drill) = rest.first_mut() else { continue };
        let earlier = before.iter().rev().find(|past| past.is_completed(drill.kind()));
        drill.compared = drill.measured.as_ref().zip(earlier).and_then(|(now, earlier)| now.compared_with(earlier));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"version":1,"started":1795860000,"mode":"layered","outage":"region","embedded":true,"speed":10,"ended":"completed","measured":{"verdict":"met","marks":{"detected":9.0,"failed_over":1.5,"restored":12.0,"failed_back":13.0},"visitors":{"http":{"promised":"uninterrupted","served":13,"lost":0,"lost_despite_promise":0,"longest_wait":6.5,"kept":true},"https":{"promised":"uninterrupted","served":13,"lost":0,"lost_despite_promise":0,"longest_wait":6.5,"kept":true}},"bound_seconds":26,"objective_seconds":26}}"#;

    #[test]
    fn the_format_does_not_change() {
        let record: Record = serde_json::from_str(RECORD).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), RECORD);
        let past = Record::parse(RECORD.as_bytes()).unwrap();
        assert_eq!((past.started.as_str(), past.outage), ("2026-11-28T10:00:00Z", "region"));
        let begun = Begun { started: 1_795_860_000, outage: Outage::Region, speed: 10 };
        assert_eq!(begun.key(), ".twinsite/drills/001795860000-region.json");
        assert!(is_record(&begun.key().parse().unwrap()));
    }

    #[test]
    fn what_no_drill_has_written_is_refused() {
        for (from, to) in [
            ("{", "["),
            ("\"version\":1", "\"version\":2"),
            ("layered", "sideways"),
            ("region", "fire"),
            ("1795860000", "18446744073709551615"),
            ("1795860000", "999999999999"),
            ("completed", "failed"),
            ("\"detected\":9.0", "\"detected\":1e300"),
            ("\"detected\":9.0", "\"detected\":-1"),
            ("\"longest_wait\":6.5", "\"longest_wait\":1e99"),
            ("\"served\":13", "\"served\":13000000000"),
            ("\"met\"", "\"splendid\""),
        ] {
            let foreign = RECORD.replacen(from, to, 1);
            assert!(Record::parse(foreign.as_bytes()).is_err(), "{foreign}");
        }
        for name in
            ["x", "1-region.json", "001795860000-fire.json", "001795860000-region.json/x", "-0179586000-cdn.json"]
        {
            assert!(!is_record(&format!("{DRILL_RECORDS}{name}").parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn a_drill_is_compared_with_the_one_of_the_same_kind_before() {
        let drill = |text: &str| Record::parse(text.as_bytes()).unwrap();
        let slower =
            RECORD.replace("\"failed_over\":1.5", "\"failed_over\":4.0").replacen("\"lost\":0", "\"lost\":2", 1);
        let other = RECORD.replace("\"region\"", "\"silence\"");
        let mut drills = [drill(RECORD), drill(&other), drill(&slower)];
        compare(&mut drills);
        assert_eq!((&drills[0].compared, &drills[1].compared), (&None, &None));
        let compared = drills[2].compared.as_ref().unwrap();
        assert_eq!((compared.failed_over, compared.detected), (Some(2.5), Some(0.0)));
        assert_eq!((compared.lost_http, compared.lost_https), (2, 0));
    }
}
