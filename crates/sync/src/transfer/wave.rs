//! One wave: as many requests at once as the store bears and memory allows.

use tokio::task::JoinSet;
use twinsite_core::{Event, Phase, Run, Side, Verb};

use super::multipart::{self, THRESHOLD};
use super::{Failed, Report};
use crate::pace::Pace;
use crate::store::{History, Written};
use crate::{Body, ETag, Index, Put, Rewrite, SourceObject, SyncError, Wrote, md5, mirror, read_whole};

/// The bytes of small files that may be in memory at once.
const BUDGET: u64 = 16 << 20;

/// Large files sent at once; each sends several parts.
const LARGE: usize = 2;

/// Something to be done to one object.
pub(super) enum Work {
    Put(Put),
    Rewrite(Rewrite),
}

impl Work {
    pub(super) fn object(&self) -> &SourceObject {
        match self {
            Self::Put(put) => &put.object,
            Self::Rewrite(rewrite) => &rewrite.object,
        }
    }

    /// The bytes it holds in memory.
    fn weight(&self) -> u64 {
        match self {
            Self::Put(put) if put.object.size < THRESHOLD && put.object.file().is_some() => put.object.size,
            Self::Put(_) | Self::Rewrite(_) => 0,
        }
    }

    fn is_large(&self) -> bool {
        matches!(self, Self::Put(put) if put.object.size >= THRESHOLD)
    }
}

/// What is under way.
#[derive(Default)]
struct Load {
    bytes: u64,
    large: usize,
}

impl Load {
    fn admits(&self, work: &Work) -> bool {
        let fits = self.bytes == 0 || self.bytes + work.weight() <= BUDGET;
        fits && (!work.is_large() || self.large < LARGE)
    }

    fn add(&mut self, work: &Work) {
        self.bytes += work.weight();
        self.large += usize::from(work.is_large());
    }

    fn remove(&mut self, work: &Work) {
        self.bytes -= work.weight();
        self.large -= usize::from(work.is_large());
    }
}

/// Does all of the work, the largest first, and returns what failed.
pub(super) async fn run_wave<S: History>(
    mut work: Vec<Work>,
    (store, index, run, side): (&S, &Index, &Run, Option<Side>),
    report: &mut Report,
    left: &mut usize,
) -> Failed {
    work.sort_by_key(|work| work.object().size);
    let mut pace = Pace::new(store.throttled());
    let mut load = Load::default();
    // Tasks of their own, so that hashing and signing use all cores.
    let mut flight = JoinSet::new();
    let mut failed = Failed::new();
    loop {
        let stop = !failed.is_empty() || run.is_cancelled();
        while !stop && flight.len() < pace.width() && work.last().is_some_and(|next| load.admits(next)) {
            let Some(next) = work.pop() else { break };
            load.add(&next);
            let (store, index, run) = (store.clone(), index.clone(), run.clone());
            flight.spawn(async move {
                let result = carry_out(&next, &store, &index, &run, side).await;
                (next, result)
            });
        }
        let (done, result) = match flight.join_next().await {
            None => return failed,
            Some(Ok(done)) => done,
            // A task that panicked, or was ended with the runtime: what it did is not known.
            Some(Err(error)) => {
                failed.push((lost(), crate::StoreError::Broken(error.to_string()).into()));
                continue;
            }
        };
        load.remove(&done);
        pace.tick(store.throttled());
        match result {
            Ok(written) => note(&done, written, (run, side), report),
            Err(SyncError::Cancelled) => continue,
            Err(error) => failed.push((done.object().key.clone(), error)),
        }
        *left -= 1;
    }
}

/// Stands for the object of a task that cannot tell.
fn lost() -> crate::Key {
    "?".parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// What a piece of work left, and its entity tag.
async fn carry_out<S: History>(
    work: &Work,
    store: &S,
    index: &Index,
    run: &Run,
    side: Option<Side>,
) -> Result<Written, SyncError> {
    let object = work.object();
    if let (Work::Put(_), Body::Past { etag, version }) = (work, &object.body) {
        let past = mirror::Carry { version: version.clone(), ..mirror::Carry::of(object, etag) };
        let carried = mirror::carry(store, store, &past, run).await?;
        return carried.ok_or_else(|| SyncError::Lost(vec![object.key.clone()]));
    }
    match work {
        Work::Rewrite(Rewrite { object, .. }) => Ok(store.rewrite(&object.key, &object.headers).await?),
        Work::Put(put) if work.is_large() => multipart::put(&put.object, store, run, side).await,
        Work::Put(Put { object, .. }) => {
            let bytes = read_whole(object)?;
            let digest = md5(&bytes);
            index.put(object, digest);
            let written = store.put(&object.key, &object.headers, (bytes, digest)).await?;
            Ok(Written { etag: Some(ETag::Md5(digest)), ..written })
        }
    }
}

fn note(work: &Work, written: Written, (run, side): (&Run, Option<Side>), report: &mut Report) {
    let object = work.object();
    if let Some(etag) = written.etag {
        let since = written.modified.filter(|_| matches!(work, Work::Rewrite(_)));
        let (key, redirect) = (object.key.clone(), object.headers.website_redirect.clone());
        report.wrote.push(Wrote { key, etag, size: object.size, version: written.version, since, redirect });
    }
    let key = work.object().key.clone();
    let (verb, reason, bytes) = match work {
        Work::Put(put) => (Verb::Put, put.reason.word(), put.object.size),
        Work::Rewrite(rewrite) => (Verb::Rewrite, rewrite.reason.word(), 0),
    };
    match work {
        Work::Put(_) => report.put += 1,
        Work::Rewrite(_) => report.rewritten += 1,
    }
    report.bytes += bytes;
    run.say(&Event::Object { verb, side, key: key.to_string(), reason, bytes });
    // Parts have told of their bytes already.
    let told = if work.is_large() { 0 } else { bytes };
    run.say(&Event::Progress { phase: Phase::Transfer, side, objects: 1, bytes: told });
    report.changed.push(key);
}
