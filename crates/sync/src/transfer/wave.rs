//! One wave: as many requests at once as the store bears and memory allows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::task::{JoinError, JoinSet};
use twinsite_core::{Event, Phase, Run, Side, Verb};

use super::budget::{ByteBudget, SMALL};
use super::copy;
use super::multipart;
use super::{Failed, Report};
use crate::model::limits::THRESHOLD;
use crate::source::digest::{attribute_error, checksummed_range, digest_of, load, spawn_read};
use crate::store::{Condition, ListedObject, VersionedStore, Written};
use crate::transfer::limit::ConcurrencyLimit;
use crate::{Body, ETag, Index, Put, Rewrite, SourceObject, SyncError, TagKind, WrittenObject};

/// Files sent in parts at once.
const UPLOADS: usize = 4;

/// Bytes that keep a link busy while answers are on their way back: 200 Mbit/s for 160 ms, which is more than it seems, because a
/// file counts until its answer is there. While so many are being sent, small files, whose bytes hardly count, use the waiting;
/// so neither runs out before the other.
const BUSY: u64 = 4 << 20;

/// Files streamed at once while there are others.
const STREAMED: usize = 2;

/// Something to be done to one object.
pub(super) enum Work {
    Put(Put),
    Rewrite(Rewrite),
}

impl Work {
    pub(super) fn object(&self) -> &Arc<SourceObject> {
        match self {
            Self::Put(put) => &put.object,
            Self::Rewrite(rewrite) => &rewrite.object,
        }
    }

    /// The bytes it holds in memory all the while. Parts ask for room one by one.
    fn weight(&self) -> u64 {
        match self {
            Self::Put(put) if put.object.size < THRESHOLD && put.object.is_local() => put.object.size,
            Self::Put(_) | Self::Rewrite(_) => 0,
        }
    }

    fn is_large(&self) -> bool {
        matches!(self, Self::Put(put) if put.object.size >= THRESHOLD)
    }

    /// True of what is read while it is sent.
    fn is_streamed(&self) -> bool {
        self.is_large() || self.weight() > SMALL && !matches!(self.object().body, Body::Memory(_))
    }

    /// How far it keeps the link busy; however large it is, others go along with it.
    fn burden(&self) -> u64 {
        if self.is_large() { BUSY / 4 } else { self.weight().min(BUSY / 4) }
    }
}

/// Does all of the work, from both ends of what there is by size, and returns what failed.
pub(super) async fn run_wave<S: VersionedStore>(
    mut work: Vec<Work>,
    (store, index, run, side): (&S, &Index, &Run, Option<Side>),
    report: &mut Report,
    left: &mut usize,
) -> Failed {
    work.sort_by_key(|work| work.object().size);
    let pace = ConcurrencyLimit::new(store.throttled());
    let queue = Queue {
        work: work.into(),
        sending: 0,
        streams: 0,
        workers: 0,
        pace,
        report: std::mem::take(report),
        left: *left,
        failed: Failed::new(),
    };
    let pool = Arc::new(Pool {
        store: store.clone(),
        index: index.clone(),
        run: run.clone(),
        side,
        queue: Mutex::new(queue),
        memory: ByteBudget::default(),
        uploads: Semaphore::new(UPLOADS),
        wanted: Notify::new(),
    });
    let mut workers = JoinSet::new();
    loop {
        for _ in 0..pool.workers_to_add() {
            workers.spawn(Arc::clone(&pool).work());
        }
        tokio::select! {
            ended = workers.join_next() => match ended {
                None => break,
                Some(Ok(())) => {}
                Some(Err(error)) => pool.lost(&error),
            },
            () = pool.wanted.notified() => {}
        }
    }
    let mut queue = pool.queue();
    *report = std::mem::take(&mut queue.report);
    *left = queue.left;
    std::mem::take(&mut queue.failed)
}

/// A wave under way. Workers are tasks of their own, so that hashing and signing use all cores; each does one piece of work
/// after another.
struct Pool<S> {
    store: S,
    index: Index,
    run: Run,
    side: Option<Side>,
    queue: Mutex<Queue>,
    memory: ByteBudget,
    uploads: Semaphore,
    /// Notified when the concurrency limit has grown.
    wanted: Notify,
}

/// Work that is waiting, and the results of what is done.
struct Queue {
    /// In the order of its size.
    work: VecDeque<Work>,
    /// Bytes that are being sent.
    sending: u64,
    /// How many files are being streamed.
    streams: usize,
    workers: usize,
    pace: ConcurrencyLimit,
    report: Report,
    left: usize,
    failed: Failed,
}

impl Queue {
    /// The largest; but while some are streamed, the largest of those that are not, so that the link has something to carry when
    /// the former have been sent and their answers are on the way.
    fn largest(&mut self) -> Option<Work> {
        if self.streams >= STREAMED {
            let others = self.work.partition_point(|work| !work.is_streamed());
            if let Some(next) = others.checked_sub(1).and_then(|at| self.work.remove(at)) {
                return Some(next);
            }
        }
        self.work.pop_back()
    }
}

impl<S: VersionedStore> Pool<S> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is begun once something failed.
    fn is_over(&self, queue: &Queue) -> bool {
        !queue.failed.is_empty() || self.run.is_cancelled()
    }

    /// How many workers to add.
    fn workers_to_add(&self) -> usize {
        let mut queue = self.queue();
        if self.is_over(&queue) {
            return 0;
        }
        let more = queue.pace.width().saturating_sub(queue.workers).min(queue.work.len());
        queue.workers += more;
        more
    }

    async fn work(self: Arc<Self>) {
        while let Some(work) = self.next() {
            let turn = if work.is_large() { self.uploads.acquire().await.ok() } else { None };
            let permit = self.memory.acquire(work.weight()).await;
            let over = self.is_over(&self.queue());
            let started = Instant::now();
            let result = if over { Err(SyncError::Cancelled) } else { self.execute(&work).await };
            drop((turn, permit));
            self.done(&work, result, started.elapsed());
        }
    }

    /// The next piece of work; `None`: the worker ends.
    fn next(&self) -> Option<Work> {
        let mut queue = self.queue();
        let stays = !self.is_over(&queue) && queue.workers <= queue.pace.width();
        let next = match stays {
            true if queue.sending < BUSY => queue.largest(),
            true => queue.work.pop_front(),
            false => None,
        };
        match &next {
            Some(work) => {
                queue.sending += work.burden();
                queue.streams += usize::from(work.is_streamed());
            }
            None => queue.workers -= 1,
        }
        next
    }

    /// What a piece of work left.
    async fn execute(&self, work: &Work) -> Result<Stored, SyncError> {
        let (store, object) = (&self.store, work.object());
        if let (Work::Put(put), Body::Version { etag, version, digest: _ }) = (work, &object.body) {
            let condition = Condition::unchanged(put.replaces.as_ref());
            let copied = copy::ObjectCopy::of(object, etag);
            let past = copy::ObjectCopy { version: version.clone(), condition, ..copied };
            let copied = copy::copy_object(store, store, &past, &self.run).await?;
            let written = copied.ok_or_else(|| SyncError::Lost(vec![object.key.clone()]))?;
            return Ok(Stored { written, digest: object.version_digest() });
        }
        match work {
            Work::Rewrite(Rewrite { object, etag, digest, .. }) => {
                let listed = ListedObject { key: object.key.clone(), etag: etag.clone() };
                let written = store.rewrite(&listed, &object.headers).await?;
                Ok(Stored { written, digest: digest.clone() })
            }
            Work::Put(put) if work.is_large() => multipart::put(put, store, &self.memory, (&self.run, self.side)).await,
            Work::Put(Put { object, replaces, .. }) if work.is_streamed() => {
                let range = spawn_read(object, checksummed_range).await?;
                let condition = Condition::unchanged(replaces.as_ref());
                let written = store.put_range(&object.key, &object.headers, range, &condition).await;
                let written = written.map_err(|error| attribute_error(object, error))?;
                let digest = match (written.tag_kind, &written.etag) {
                    (TagKind::Digest, Some(ETag::Md5(digest))) => *digest,
                    _ => spawn_read(object, |object| digest_of(object, &mut Vec::new())).await?,
                };
                self.index.put(object, digest);
                Ok(Stored { written, digest: Some(ETag::Md5(digest)) })
            }
            Work::Put(Put { object, replaces, .. }) => {
                let (bytes, digest) = load(object)?;
                self.index.put(object, digest);
                let condition = Condition::unchanged(replaces.as_ref());
                let body = (bytes.into(), digest);
                let written = store.put_if(&object.key, &object.headers, body, &condition).await?;
                Ok(Stored { written, digest: Some(ETag::Md5(digest)) })
            }
        }
    }

    fn done(&self, work: &Work, result: Result<Stored, SyncError>, took: Duration) {
        let mut queue = self.queue();
        queue.sending -= work.burden();
        queue.streams -= usize::from(work.is_streamed());
        queue.pace.tick(self.store.throttled(), took);
        if queue.pace.width() > queue.workers && !queue.work.is_empty() {
            self.wanted.notify_one();
        }
        match result {
            Err(SyncError::Cancelled) => {}
            Err(error) => {
                queue.failed.push((work.object().key.clone(), error));
                queue.left -= 1;
            }
            Ok(stored) => {
                note(work, stored, &mut queue.report);
                queue.left -= 1;
                drop(queue);
                tell(work, &self.run, self.side);
            }
        }
    }

    /// A worker panicked, or was ended with the runtime: what it did is not known.
    fn lost(&self, error: &JoinError) {
        let mut queue = self.queue();
        queue.workers = queue.workers.saturating_sub(1);
        let key = "?".parse().unwrap_or_else(|_| unreachable!("a short text is a key"));
        queue.failed.push((key, crate::StoreError::Broken(error.to_string()).into()));
    }
}

/// What a piece of work left in the bucket.
pub(super) struct Stored {
    pub(super) written: Written,
    /// The digest of the object's bytes as an entity tag would have it, where it is known.
    pub(super) digest: Option<ETag>,
}

impl Stored {
    /// The digest, where the entity tag does not tell it.
    fn untold(&self) -> Option<ETag> {
        let Self { written: Written { tag_kind, etag, .. }, digest } = self;
        let told = match (tag_kind, etag, digest) {
            (_, Some(etag), Some(digest)) if etag == digest => true,
            // A copy has one part, whatever its original had.
            (TagKind::Digest, Some(ETag::Md5(_)), Some(ETag::Multipart(..))) => true,
            (TagKind::Digest | TagKind::Opaque, ..) => false,
        };
        digest.clone().filter(|_| !told)
    }
}

fn note(work: &Work, stored: Stored, report: &mut Report) {
    let object = work.object();
    let untold = stored.untold();
    let Stored { written, digest } = stored;
    if let Some(etag) = written.etag.or(digest) {
        let since = written.modified.filter(|_| matches!(work, Work::Rewrite(_)));
        let (key, redirect) = (object.key.clone(), object.headers.website_redirect.clone());
        let (size, version) = (object.size, written.version);
        report.wrote.push(WrittenObject { key, etag, digest: untold, size, version, since, redirect });
    }
    match work {
        Work::Put(put) => {
            report.put += 1;
            report.bytes += put.object.size;
        }
        Work::Rewrite(_) => report.rewritten += 1,
    }
    report.changed.push(object.key.clone());
}

fn tell(work: &Work, run: &Run, side: Option<Side>) {
    let (verb, reason, bytes) = match work {
        Work::Put(put) => (Verb::Put, put.reason.word(), put.object.size),
        Work::Rewrite(rewrite) => (Verb::Rewrite, rewrite.reason.word(), 0),
    };
    run.emit(&Event::Object { verb, side, key: work.object().key.to_string(), reason, bytes });
    // Parts have told of their bytes already.
    let told = if work.is_large() { 0 } else { bytes };
    run.emit(&Event::Progress { phase: Phase::Transfer, side, objects: 1, bytes: told });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Headers, Place, Reason, Stamp, Wave};

    fn work(size: u64) -> Work {
        let stamp = Stamp { size, mtime: 0, ctime: 0, inode: 0 };
        let body = Body::File { place: Place::Under(std::path::Path::new("site").into()), stamp };
        let key = format!("{size}").parse().unwrap();
        let object = SourceObject { key, body, size, headers: Arc::new(Headers::default()), wave: Wave::Assets };
        Work::Put(Put { object: Arc::new(object), reason: Reason::Absent, replaces: None, served: None })
    }

    #[test]
    fn the_link_is_never_left_to_large_files_alone_while_there_are_others() {
        let sizes = [100, 200_000, SMALL, SMALL + 1, 3 << 20, THRESHOLD, 1 << 30];
        let mut queue = Queue {
            work: sizes.map(work).into(),
            sending: 0,
            streams: 0,
            workers: 0,
            pace: ConcurrencyLimit::new(0),
            report: Report::default(),
            left: sizes.len(),
            failed: Failed::new(),
        };
        let mut taken = Vec::new();
        while let Some(work) = queue.largest() {
            queue.streams += usize::from(work.is_streamed());
            queue.sending += work.burden();
            assert!(queue.streams > STREAMED || queue.sending < BUSY, "there is room for others");
            taken.push(work.object().size);
        }
        assert_eq!(taken, [1 << 30, THRESHOLD, SMALL, 200_000, 100, 3 << 20, SMALL + 1]);
    }
}
