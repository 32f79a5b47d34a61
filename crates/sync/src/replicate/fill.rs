//! Carrying out what a comparison found, in the order in which a publish does it: assets, pages, entry points, and at last
//! the records that say what is there.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use twinsite_core::{Event, Phase, Run, Side, Verb};

use super::{Compared, Copies, Needed, RestoredRecord, marker};
use crate::model::layout::RELEASES;
use crate::model::release_id::{ReleaseId, listed, releases_key};
use crate::release;
use crate::store::{Condition, Store, VersionedStore};
use crate::transfer::copy::{ObjectCopy, Redirect, copy_object};
use crate::transfer::limit::ConcurrencyLimit;
use crate::{ETag, Interrupted, Key, NotDeleted, Report, Rules, StoreError, SyncError, Wave};

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Objects copied.
    pub copied: usize,
    /// Their size together, in bytes; none of them passed through this machine.
    pub bytes: u64,
    /// Objects deleted, because the first bucket had deleted them.
    pub deleted: usize,
    /// Objects that the first bucket changed or deleted meanwhile: the next comparison has them.
    pub missed: Vec<Key>,
    /// How long it took.
    pub took: Duration,
    /// What was copied, as it is in the second bucket.
    pub(crate) copies: Copies,
    /// When the last of that was written, in seconds since the epoch.
    newest: i64,
}

/// Makes the second bucket equal to the first, and notes that it is, so that the next comparison need not look at every copy. Foreign
/// objects stay.
///
/// # Errors
/// [`Interrupted`] says what failed. Comparing and filling again finishes it.
pub async fn fill<S: VersionedStore>(
    compared: Compared,
    first: &S,
    second: &S,
    rules: &Rules,
    run: &Run,
) -> Result<Filled, Interrupted> {
    let Compared { until, made, asked, .. } = compared;
    let touched = !compared.is_in_sync();
    let filled = Box::pin(copy_needed(compared, first, second, rules, run)).await?;
    if filled.missed.is_empty() && (touched || asked) {
        let made = made.max(filled.newest);
        if let Err(error) = marker::write(second, until, made).await {
            let report = Report { put: filled.copied, bytes: filled.bytes, took: filled.took, ..Report::default() };
            return Err(Interrupted { report, failed: failed(releases_key(), error.into()), left: 0 });
        }
    }
    Ok(filled)
}

/// The same without a note.
pub(crate) async fn copy_needed<S: VersionedStore>(
    compared: Compared,
    first: &S,
    second: &S,
    rules: &Rules,
    run: &Run,
) -> Result<Filled, Interrupted> {
    let started = Instant::now();
    let side = compared.side.unwrap_or(Side::Backup);
    let mut filled = Filled::default();
    let mut left = compared.copies.len();
    let stopped = |filled: &Filled, mut failed: Vec<(Key, SyncError)>, left: usize| {
        failed.retain(|(_, error)| !matches!(error, SyncError::Cancelled));
        let report = Report { put: filled.copied, bytes: filled.bytes, took: started.elapsed(), ..Report::default() };
        Interrupted { report, failed, left }
    };
    let known = match Known::of(first, &compared.copies).await {
        Ok(known) => Arc::new(known),
        Err(error) => return Err(stopped(&filled, failed(releases_key(), error), left)),
    };
    if left > 0 {
        let (objects, bytes) = (Some(left as u64), Some(compared.bytes()));
        run.emit(&Event::PhaseStarted { phase: Phase::Copy, side: Some(side), objects, bytes });
    }
    for RestoredRecord { id, object, replaces } in compared.damaged {
        let key = object.key.clone();
        let redirect = Redirect::Known(None);
        let condition = Condition::Is(replaces);
        let (etag, size) = (object.etag, object.size);
        let one = ObjectCopy { key: object.key, version: None, etag, size, headers: None, redirect, condition };
        match copy_object(second, first, &one, run).await {
            Ok(Some(_)) => {
                let from = side.other();
                let text =
                    format!("the record of release {id} was damaged in the {from}; it was restored from the {side}");
                run.emit(&Event::Warning { text, hint: None });
            }
            Ok(None) | Err(SyncError::Store(StoreError::Changed(_))) => filled.missed.push(key),
            Err(error) => return Err(stopped(&filled, failed(key, error), left)),
        }
    }
    let mut work = compared.copies;
    for stage in [Some(Wave::Assets), Some(Wave::Pages), Some(Wave::Entry), None] {
        let here =
            |needed: &Needed| if needed.object.key.is_reserved() { None } else { Some(rules.wave(&needed.object.key)) };
        let (now, later) = work.into_iter().partition(|needed| here(needed) == stage);
        work = later;
        let failed = wave(now, (first, second), side, &known, (&mut filled, &mut left), run).await;
        if !failed.is_empty() || (left > 0 && run.is_cancelled()) {
            return Err(stopped(&filled, failed, left));
        }
    }
    for batch in compared.gone.chunks(1000) {
        let not_deleted = match second.delete_if(batch).await {
            Ok(not_deleted) => not_deleted,
            Err(error) => return Err(stopped(&filled, failed(batch[0].key.clone(), error.into()), left)),
        };
        filled.deleted += batch.len() - not_deleted.len();
        for NotDeleted { key, error } in not_deleted {
            match error {
                StoreError::Changed(_) => filled.missed.push(key),
                error => return Err(stopped(&filled, failed(key, error.into()), left)),
            }
        }
    }
    filled.took = started.elapsed();
    run.emit(&Event::PhaseDone { phase: Phase::Copy, side: Some(side), took: filled.took });
    Ok(filled)
}

fn failed(key: Key, error: SyncError) -> Vec<(Key, SyncError)> {
    vec![(key, error)]
}

async fn wave<S: VersionedStore>(
    mut work: Vec<Needed>,
    (first, second): (&S, &S),
    side: Side,
    known: &Arc<Known>,
    (filled, left): (&mut Filled, &mut usize),
    run: &Run,
) -> Vec<(Key, SyncError)> {
    let mut pace = ConcurrencyLimit::new(second.throttled());
    // Tasks of their own, so that requests are signed on all cores.
    let mut flight = JoinSet::new();
    let mut failed = Vec::new();
    work.sort_by_key(|needed| needed.object.size);
    loop {
        let stop = !failed.is_empty() || run.is_cancelled();
        while !stop && flight.len() < pace.width() {
            let Some(needed) = work.pop() else { break };
            let (first, second, known, run) = (first.clone(), second.clone(), Arc::clone(known), run.clone());
            flight.spawn(async move {
                let redirect = known.redirect(&needed.object.key, &needed.object.etag);
                let (key, etag, size) = (needed.object.key.clone(), needed.object.etag.clone(), needed.object.size);
                let one =
                    ObjectCopy { key, version: None, etag, size, headers: None, redirect, condition: Condition::None };
                let started = Instant::now();
                (copy_object(&first, &second, &one, &run).await, needed, started.elapsed())
            });
        }
        let (result, needed, took) = match flight.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(lost)) => {
                *left -= 1;
                failed.push((releases_key(), StoreError::Broken(lost.to_string()).into()));
                continue;
            }
            None => return failed,
        };
        pace.tick(second.throttled(), took);
        let Needed { object, cause } = needed;
        match result {
            Ok(Some(written)) => {
                filled.copied += 1;
                filled.newest = filled.newest.max(written.modified.unwrap_or_default());
                let copy = written.etag.unwrap_or_else(|| object.etag.clone());
                filled.copies.add(&object.key, &object.etag, copy);
                filled.bytes += object.size;
                let (side, key) = (Some(side), object.key.to_string());
                run.emit(&Event::Object { verb: Verb::Copy, side, key, reason: cause.word(), bytes: 0 });
                let bytes = if matches!(object.etag, ETag::Multipart(..)) { 0 } else { object.size };
                run.emit(&Event::Progress { phase: Phase::Copy, side, objects: 1, bytes });
            }
            Ok(None) => filled.missed.push(object.key),
            Err(SyncError::Cancelled) => continue,
            Err(error) => failed.push((object.key, error)),
        }
        *left -= 1;
    }
}

/// Which redirects are known without asking: those of the newest release.
#[derive(Default)]
struct Known {
    plain: HashSet<u64>,
    redirects: HashMap<Key, String>,
}

fn short(key: &Key, etag: &ETag) -> u64 {
    let mut hash = DefaultHasher::new();
    (key, etag).hash(&mut hash);
    hash.finish()
}

impl Known {
    /// One request, where it may spare one for each object.
    async fn of<S: Store>(first: &S, copies: &[Needed]) -> Result<Self, SyncError> {
        let mut known = Self::default();
        if copies.len() < 2 {
            return Ok(known);
        }
        let Some(newest) = newest_release(first).await? else { return Ok(known) };
        let Some(found) = release::read(first, newest).await? else { return Ok(known) };
        for entry in &found.entries {
            known.plain.insert(short(&entry.key, &entry.etag));
            if let Some(redirect) = found.redirect(entry) {
                known.redirects.insert(entry.key.clone(), redirect.to_owned());
            }
        }
        Ok(known)
    }

    fn redirect(&self, key: &Key, etag: &ETag) -> Redirect {
        let known = key.is_reserved() || self.plain.contains(&short(key, etag));
        if known { Redirect::Known(self.redirects.get(key).cloned()) } else { Redirect::Ask }
    }
}

pub(super) async fn newest_release<S: Store>(first: &S) -> Result<Option<ReleaseId>, SyncError> {
    let page = first.page(Some(RELEASES)).await?;
    Ok(listed(&page.objects).last().map(|(id, _)| *id))
}
