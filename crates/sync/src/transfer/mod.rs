//! Executing a plan on one bucket: uploads in waves, then deletes, then the manifest.

mod budget;
pub(crate) mod copy;
pub(crate) mod limit;
mod multipart;
mod wave;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use twinsite_core::{Event, Phase, Run, Side, Verb};

use crate::manifest::Manifest;
use crate::plan::PlannedManifest;
use crate::store::{VersionedStore, WrittenObject};
use crate::{
    Delete, ETag, Headers, Index, Key, ListedObject, PRIVATE, Put, Rewrite, Store, StoreError, SyncError, SyncPlan,
    Wave,
};
use wave::{Work, run_wave};

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
    /// How long it took until the last upload was complete.
    pub took: Duration,
    /// The keys that were put, rewritten or deleted.
    pub changed: Vec<Key>,
    /// What was put or rewritten, manifests and records of releases included.
    pub wrote: Vec<WrittenObject>,
    /// What was deleted, manifests included.
    pub removed: Vec<ListedObject>,
}

/// A transfer that stopped half-way. Planning and transferring again finishes it.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentence(self))]
pub struct Interrupted {
    /// What was done before.
    pub report: Report,
    /// What failed, by key; empty if the run was cancelled.
    pub failed: Vec<(Key, SyncError)>,
    /// How many objects were not started.
    pub left: usize,
}

impl Interrupted {
    /// The first object that was not as it had been listed: planning again takes that into account.
    pub fn changed(&self) -> Option<&Key> {
        self.failed.iter().find_map(|(_, error)| match error {
            SyncError::Store(StoreError::Changed(key)) => Some(key),
            _ => None,
        })
    }
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

/// Executes a plan on one bucket: uploads in waves, then deletes, then the manifest.
///
/// After a failure or a cancellation, requests in flight are awaited and no others are sent.
///
/// # Errors
/// [`Interrupted`]: what was done, what failed and what is left. [`StoreError::Changed`] among the failures: an object is not as it was
/// listed; it was left as it is, and planning again takes it into account.
pub async fn transfer<S: VersionedStore>(
    plan: SyncPlan,
    store: &S,
    index: &Index,
    run: &Run,
) -> Result<Report, Interrupted> {
    let SyncPlan { puts, rewrites, deletes, kept, manifest, side, .. } = plan;
    let mut transfer = Transfer::new(store.clone(), run, side, kept);
    transfer.upload(Uploads { puts, rewrites }, index).await?;
    transfer.delete(deletes).await?;
    transfer.write_manifest(manifest).await?;
    Ok(transfer.report)
}

/// What a plan writes before anything is deleted.
pub(crate) struct Uploads {
    pub(crate) puts: Vec<Put>,
    pub(crate) rewrites: Vec<Rewrite>,
}

/// The execution of a plan on one bucket, phase by phase.
pub(crate) struct Transfer<'a, S> {
    store: S,
    run: &'a Run,
    side: Option<Side>,
    started: Instant,
    /// What has been done so far.
    pub(crate) report: Report,
}

type Failed = Vec<(Key, SyncError)>;

impl<'a, S: VersionedStore> Transfer<'a, S> {
    pub(crate) fn new(store: S, run: &'a Run, side: Option<Side>, kept: usize) -> Self {
        Self { store, run, side, started: Instant::now(), report: Report { kept, ..Report::default() } }
    }

    /// Uploads and rewrites in waves: assets, pages, entry documents.
    pub(crate) async fn upload(
        &mut self,
        Uploads { puts, rewrites }: Uploads,
        index: &Index,
    ) -> Result<(), Interrupted> {
        let bytes = puts.iter().map(|put| put.object.size).sum();
        let mut work: Vec<Work> =
            puts.into_iter().map(Work::Put).chain(rewrites.into_iter().map(Work::Rewrite)).collect();
        let mut left = work.len();
        // Both may be long, and would be twice as long if they grew by themselves.
        self.report.wrote.reserve_exact(left + 2);
        self.report.changed.reserve_exact(left);
        let (store, run, side) = (&self.store, self.run, self.side);
        if left > 0 {
            let objects = Some(left as u64);
            run.emit(&Event::PhaseStarted { phase: Phase::Transfer, side, objects, bytes: Some(bytes) });
        }
        for wave in [Wave::Assets, Wave::Pages, Wave::Entry] {
            let (now, later) = work.into_iter().partition(|work| work.object().wave == wave);
            work = later;
            let failed = run_wave(now, (store, index, run, side), &mut self.report, &mut left).await;
            if !failed.is_empty() || (left > 0 && run.is_cancelled()) {
                return Err(self.interrupted(failed, left));
            }
        }
        self.report.took = self.started.elapsed();
        run.emit(&Event::PhaseDone { phase: Phase::Transfer, side, took: self.report.took });
        Ok(())
    }

    /// Deletes objects that are as they were listed.
    pub(crate) async fn delete(&mut self, deletes: Vec<Delete>) -> Result<(), Interrupted> {
        for (n, batch) in deletes.chunks(1000).enumerate() {
            let left = deletes.len() - n * 1000;
            if self.run.is_cancelled() {
                return Err(self.interrupted(Vec::new(), left));
            }
            let listed: Vec<ListedObject> = batch.iter().map(Delete::listed).collect();
            let not_deleted = match self.store.delete_if(&listed).await {
                Ok(not_deleted) => not_deleted,
                Err(error) => return Err(self.interrupted(vec![(batch[0].key.clone(), error.into())], left)),
            };
            let failed: HashSet<&Key> = not_deleted.iter().map(|one| &one.key).collect();
            for object in listed.into_iter().filter(|object| !failed.contains(&object.key)) {
                let (side, key) = (self.side, object.key.to_string());
                self.run.emit(&Event::Object { verb: Verb::Delete, side, key, reason: "extraneous", bytes: 0 });
                self.report.deleted += 1;
                self.report.changed.push(object.key.clone());
                self.report.removed.push(object);
            }
            if !not_deleted.is_empty() {
                let failed = not_deleted.into_iter().map(|one| (one.key, one.error.into())).collect();
                return Err(self.interrupted(failed, left));
            }
        }
        Ok(())
    }

    /// Writes the manifest and deletes the one before, unless nothing has changed.
    pub(crate) async fn write_manifest(&mut self, manifest: PlannedManifest) -> Result<(), Interrupted> {
        if manifest.current && self.report.changed.is_empty() {
            return Ok(());
        }
        if self.run.is_cancelled() {
            return Err(self.interrupted(Vec::new(), 0));
        }
        let PlannedManifest { name, mut content, listed, .. } = manifest;
        content.record(&self.report.wrote);
        let key = name.key(content.tags());
        let stale: Vec<ListedObject> = listed.into_iter().filter(|object| object.key != key).collect();
        match store_manifest(&self.store, key, &content).await {
            Ok(wrote) => self.report.wrote.push(wrote),
            Err((key, error)) => return Err(self.interrupted(vec![(key, error)], 0)),
        }
        if !stale.is_empty() {
            let keys: Vec<Key> = stale.iter().map(|object| object.key.clone()).collect();
            match self.store.delete(&keys).await {
                // The newest manifest counts: one that could not be deleted is deleted by the next publish.
                Ok(_) => self.report.removed.extend(stale),
                Err(error) => return Err(self.interrupted(vec![(keys[0].clone(), error.into())], 0)),
            }
        }
        Ok(())
    }

    pub(crate) fn interrupted(&mut self, mut failed: Failed, left: usize) -> Interrupted {
        failed.retain(|(_, error)| !matches!(error, SyncError::Cancelled));
        self.report.took = self.started.elapsed();
        Interrupted { report: std::mem::take(&mut self.report), failed, left }
    }
}

async fn store_manifest(store: &impl Store, key: Key, content: &Manifest) -> Result<WrittenObject, (Key, SyncError)> {
    let bytes = content.write();
    let digest = crate::md5(&bytes);
    let headers = Headers::of_record("application/gzip");
    debug_assert!(key.as_str().starts_with(PRIVATE), "manifests are below the reserved prefix");
    let size = bytes.len() as u64;
    let put = store.put(&key, &headers, (bytes.into(), digest)).await;
    let written = put.map_err(|error| (key.clone(), SyncError::from(error)))?;
    Ok(WrittenObject::record(key, size, ETag::Md5(digest), written))
}
