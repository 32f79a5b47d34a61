//! Carrying out a plan: waves with barriers between them, deletes last, the ledger at the very end.

mod budget;
pub(crate) mod copy;
pub(crate) mod limit;
mod multipart;
mod wave;

use std::time::{Duration, Instant};

use futures::future::join;
use twinsite_core::{Event, Phase, Run, Side, Verb};

use crate::plan::Ledger;
use crate::store::VersionedStore;
use crate::{Delete, ETag, Headers, Index, Key, PRIVATE, Store, SyncError, SyncPlan, Wave};
use wave::{Work, run_wave};

/// An object that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenObject {
    /// Its key.
    pub key: Key,
    /// Its entity tag.
    pub etag: ETag,
    /// Its size in bytes.
    pub size: u64,
    /// The id of its version, where the bucket keeps versions.
    pub version: Option<String>,
    /// Where only its headers changed: since when it has them, in seconds since the epoch.
    pub since: Option<i64>,
    /// `x-amz-website-redirect-location`, which neither replication nor a copy carries over.
    pub redirect: Option<String>,
}

/// What a transfer did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects put.
    pub put: usize,
    /// Objects rewritten in place.
    pub rewritten: usize,
    /// Objects deleted.
    pub deleted: usize,
    /// Objects that were as they should be.
    pub kept: usize,
    /// Bytes sent.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// The keys that were put, rewritten or deleted.
    pub changed: Vec<Key>,
    /// What was put or rewritten, ledgers and records of releases included.
    pub wrote: Vec<WrittenObject>,
    /// What was deleted, ledgers included.
    pub removed: Vec<Key>,
    /// How many of those that were written had been waited for in a second bucket when the transfer ended.
    pub followed: usize,
}

/// A transfer that stopped half-way. Planning and transferring again finishes it.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentence(self))]
pub struct Interrupted {
    /// What was done before.
    pub report: Report,
    /// What failed, by key; empty when the run was cancelled.
    pub failed: Vec<(Key, SyncError)>,
    /// How many objects were not started.
    pub left: usize,
}

fn sentence(stopped: &Interrupted) -> String {
    let Interrupted { report, failed, left } = stopped;
    let done = report.put + report.rewritten;
    match failed.first() {
        None => format!("stopped on request: {done} objects done, {left} left"),
        Some((_, error)) if failed.len() == 1 => format!("{error} ({done} objects done, {left} left)"),
        Some((_, error)) => {
            format!("{error}, and {} more failed ({done} objects done, {left} left)", failed.len() - 1)
        }
    }
}

/// Carries out a plan.
///
/// A failure or a cancellation lets the requests in flight finish and starts no others: no later wave, no delete.
///
/// # Errors
/// [`Interrupted`] says what was done, what failed and what is left.
pub async fn transfer<S: VersionedStore>(
    plan: SyncPlan,
    store: &S,
    index: &Index,
    run: &Run,
) -> Result<Report, Interrupted> {
    transfer_with_barrier(plan, store, index, run, &mut NoBarrier).await
}

/// Somebody who keeps up with a transfer: hears after each wave what was done, and holds back the next one until it is
/// done elsewhere as well.
pub(crate) trait WaveBarrier {
    /// These were written since the last word.
    fn wait_for_backup(&mut self, wrote: &[WrittenObject]) -> impl Future<Output = ()> + Send;

    /// Everything is as it should be, and the ledger is being written: what is to be recorded beside it is written now. Returns
    /// what that was.
    fn record(&mut self, report: &Report) -> impl Future<Output = Result<Vec<WrittenObject>, SyncError>> + Send;
}

/// There is no other bucket.
pub(crate) struct NoBarrier;

impl WaveBarrier for NoBarrier {
    async fn wait_for_backup(&mut self, _: &[WrittenObject]) {}

    async fn record(&mut self, _: &Report) -> Result<Vec<WrittenObject>, SyncError> {
        Ok(Vec::new())
    }
}

/// A transfer that others keep up with.
pub(crate) async fn transfer_with_barrier<S: VersionedStore>(
    plan: SyncPlan,
    store: &S,
    index: &Index,
    run: &Run,
    behind: &mut impl WaveBarrier,
) -> Result<Report, Interrupted> {
    let started = Instant::now();
    let SyncPlan { puts, rewrites, deletes, kept, ledger, side, .. } = plan;
    let mut report = Report { kept, ..Report::default() };
    let bytes = puts.iter().map(|put| put.object.size).sum();
    let mut work: Vec<Work> = puts.into_iter().map(Work::Put).chain(rewrites.into_iter().map(Work::Rewrite)).collect();
    let mut left = work.len();
    // Both may be long, and would be twice as long if they grew by themselves.
    report.wrote.reserve_exact(left + 2);
    report.changed.reserve_exact(left + deletes.len());
    if left > 0 {
        let objects = Some(left as u64);
        run.emit(&Event::PhaseStarted { phase: Phase::Transfer, side, objects, bytes: Some(bytes) });
    }
    for wave in [Wave::Assets, Wave::Pages, Wave::Entry] {
        let (now, later) = work.into_iter().partition(|work| work.object().wave == wave);
        work = later;
        let failed = run_wave(now, (store, index, run, side), &mut report, &mut left).await;
        if !failed.is_empty() || (left > 0 && run.is_cancelled()) {
            report.took = started.elapsed();
            return Err(Interrupted { report, failed, left });
        }
        // What nothing is held back for is waited for at the end, with all the rest.
        let news = report.wrote.get(report.followed..).unwrap_or_default();
        if !news.is_empty() && (left > 0 || !deletes.is_empty()) {
            behind.wait_for_backup(news).await;
            report.followed = report.wrote.len();
        }
    }
    let end = End { deletes, ledger, side };
    let ended = end.run(store, run, &mut report, behind).await;
    match ended {
        Ok(()) => {
            report.took = started.elapsed();
            run.emit(&Event::PhaseDone { phase: Phase::Transfer, side, took: report.took });
            Ok(report)
        }
        Err(failed) => {
            report.took = started.elapsed();
            Err(Interrupted { report, failed, left })
        }
    }
}

/// What comes after all waves.
struct End {
    deletes: Vec<Delete>,
    ledger: Ledger,
    side: Option<Side>,
}

type Failed = Vec<(Key, SyncError)>;

impl End {
    async fn run(
        self,
        store: &impl Store,
        run: &Run,
        report: &mut Report,
        behind: &mut impl WaveBarrier,
    ) -> Result<(), Failed> {
        let Self { deletes, ledger, side } = self;
        for batch in deletes.chunks(1000) {
            if run.is_cancelled() {
                return Err(Vec::new());
            }
            let keys: Vec<Key> = batch.iter().map(|delete| delete.key.clone()).collect();
            remove(store, &keys).await?;
            for delete in batch {
                let key = delete.key.to_string();
                run.emit(&Event::Object { verb: Verb::Delete, side, key, reason: "extraneous", bytes: 0 });
            }
            report.deleted += keys.len();
            report.removed.extend_from_slice(&keys);
            report.changed.extend(keys);
        }
        let stale = ledger.stale.clone();
        let is_needed = !ledger.current || !report.changed.is_empty();
        let ledger = async { if is_needed { write_ledger(store, ledger).await.map(Some) } else { Ok(None) } };
        let (ledger, record) = join(ledger, behind.record(report)).await;
        report.wrote.extend(ledger?);
        report.wrote.extend(record.map_err(|error| vec![(records(), error)])?);
        if is_needed && !stale.is_empty() {
            remove(store, &stale).await?;
            report.removed.extend(stale);
        }
        Ok(())
    }
}

/// Where releases are recorded.
fn records() -> Key {
    crate::model::layout::RELEASES.parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

async fn remove(store: &impl Store, keys: &[Key]) -> Result<(), Failed> {
    let failed = match store.delete(keys).await {
        Ok(failed) => failed,
        Err(error) => return Err(keys.first().map(|key| (key.clone(), error.into())).into_iter().collect()),
    };
    if failed.is_empty() {
        return Ok(());
    }
    let broken = |(key, why): (Key, String)| {
        let text = format!("`{key}` was not deleted: {why}");
        (key, SyncError::Store(crate::StoreError::Broken(text)))
    };
    Err(failed.into_iter().map(broken).collect())
}

async fn write_ledger(store: &impl Store, ledger: Ledger) -> Result<WrittenObject, Failed> {
    let Ledger { key, book, .. } = ledger;
    let bytes = book.write();
    let digest = crate::md5(&bytes);
    let headers = Headers {
        content_type: Some("application/gzip".to_owned()),
        cache_control: Some("no-store".to_owned()),
        ..Headers::default()
    };
    debug_assert!(key.as_str().starts_with(PRIVATE), "the ledger is nobody's business");
    let size = bytes.len() as u64;
    let put = store.put(&key, &headers, (bytes.into(), digest)).await;
    let written = put.map_err(|error| vec![(key.clone(), SyncError::Store(error))])?;
    Ok(WrittenObject { key, etag: ETag::Md5(digest), size, version: written.version, since: None, redirect: None })
}
