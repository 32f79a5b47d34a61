//! Keeping up with a publish: what was just written to the first bucket is waited for in the second, and what is late is
//! copied. So a page is not published before its assets are in both.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures::future::join;
use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::{Event, Pair, Phase, Run, Side, Verb, wait};

use super::compare::had_version;
use super::{Cause, Copies};
use crate::plan::listing::{cuts, list_around};
use crate::store::{Condition, ReplicationStatus, VersionedStore};
use crate::transfer::copy::{ObjectCopy, Redirect, copy_object};
use crate::{ETag, Key, ListedObject, NotDeleted, RemoteObject, Source, StoreError, SyncError, TagKind, WrittenObject};

/// Objects looked at at once.
const WIDTH: usize = 48;

/// Shorter waits are not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// So many are looked at one by one; more are listed.
const FEW: usize = 24;

/// So many are looked at all at once, each time: it costs next to nothing and spares a round trip.
const HANDFUL: usize = 8;

/// How level the second bucket is with a publish.
#[derive(Debug, Default)]
pub struct ReplicationState {
    /// Objects that replication has brought, deletes included.
    pub replicated: usize,
    /// Objects that had to be copied, because they were late, had failed, or no rule was about them.
    pub copied: Vec<Key>,
    /// How long replication was waited for.
    pub waited: Duration,
    /// Why the second bucket is not level; `None` when it is.
    pub trouble: Option<SyncError>,
    /// Of [`SyncError::Differ`], all keys.
    pub differing: Vec<Key>,
    /// What was copied or had to be looked at, as it is in the second bucket.
    pub(crate) copies: Copies,
}

/// What should be in the second bucket.
#[derive(Clone, Copy, Debug)]
enum Expected<'w> {
    Object(&'w WrittenObject),
    Nothing(&'w ListedObject),
}

impl<'w> Expected<'w> {
    /// True of what replication leaves behind.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html>
    fn is_redirect(self) -> bool {
        matches!(self, Self::Object(wrote) if wrote.redirect.is_some())
    }

    /// What a listing that shows this tells.
    fn listed(self, found: &RemoteObject) -> Listed {
        let Self::Object(wrote) = self else { return Listed::Missing };
        if is_copy(wrote, &found.etag, found.size, found.modified) {
            return Listed::There;
        }
        // A replica whose entity tag is opaque has another one than its original.
        let replica = wrote.etag != found.etag && wrote.size == found.size;
        if replica { Listed::Unknown } else { Listed::Missing }
    }

    fn key(self) -> &'w Key {
        match self {
            Self::Object(wrote) => &wrote.key,
            Self::Nothing(object) => &object.key,
        }
    }
}

/// What a look at an object in the second bucket told.
struct Looked<'w> {
    expected: Expected<'w>,
    /// Whether it is as expected.
    there: bool,
    opaque: bool,
    tag: Option<ETag>,
}

/// True when waiting is of no use: what no rule is about, or what replication gave up on, will not come. A look at one of the objects
/// tells about all: they were written together.
async fn is_hopeless<S: VersionedStore>(first: S, one: Option<&WrittenObject>) -> Result<bool, SyncError> {
    let Some(wrote) = one else { return Ok(false) };
    let look = first.look(&wrote.key, wrote.version.as_deref()).await?;
    Ok(look.is_some_and(|look| matches!(look.replication, ReplicationStatus::None | ReplicationStatus::Failed)))
}

/// What a listing tells of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    There,
    Missing,
    /// Something of its size, with another entity tag.
    Unknown,
}

/// True of an object that has what was written, and is no older where only that tells its headers.
fn is_copy(wrote: &WrittenObject, etag: &ETag, size: u64, modified: i64) -> bool {
    *etag == wrote.etag && size == wrote.size && wrote.since.is_none_or(|since| modified >= since)
}

/// Follows a publish to the first bucket in the second one.
pub struct ReplicationWaiter<'a, S> {
    first: S,
    second: S,
    patience: Duration,
    run: &'a Run,
    /// Where listings are cut.
    cuts: Vec<Key>,
    /// What the second bucket had, when it was listed, of what is deleted.
    listed: HashMap<Key, ETag>,
    /// Whether replicas have other entity tags than their originals.
    pub(crate) has_opaque: bool,
    /// What there is to tell.
    pub state: ReplicationState,
}

impl<S> std::fmt::Debug for ReplicationWaiter<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplicationWaiter").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'a, S: VersionedStore> ReplicationWaiter<'a, S> {
    /// Waits for replication as long as this, each time, before it copies.
    pub fn new(stores: Pair<S>, patience: Duration, run: &'a Run) -> Self {
        let Pair { primary: first, backup: second } = stores;
        let (cuts, listed) = (Vec::new(), HashMap::new());
        Self { first, second, patience, run, cuts, listed, has_opaque: false, state: ReplicationState::default() }
    }

    /// The entity tags that the second bucket's objects had when their deletion was planned, where these are other ones than the first
    /// bucket's: on that condition they are deleted if replication does not do it.
    #[must_use]
    pub(crate) fn deleting(mut self, listed: HashMap<Key, ETag>) -> Self {
        self.listed = listed;
        self
    }

    /// The second bucket holds about what this source does, so it can be listed in as many ranges at once.
    #[must_use]
    pub fn knowing(mut self, source: &Source) -> Self {
        self.cuts = cuts(source);
        self
    }

    /// Returns when these objects are in the second bucket as well and these keys are not, or with
    /// [`ReplicationState::trouble`]; then nothing more is waited for.
    pub async fn follow(&mut self, wrote: &[WrittenObject], deleted: &[ListedObject]) {
        if self.state.trouble.is_some() {
            return;
        }
        let objects = wrote.iter().filter(|wrote| wrote.key.is_replicated()).map(Expected::Object);
        let gone = deleted.iter().filter(|object| object.key.is_replicated()).map(Expected::Nothing);
        let expected: Vec<Expected<'_>> = objects.chain(gone).collect();
        if let Err(error) = self.settle(expected).await {
            self.state.trouble = Some(error);
        }
    }

    async fn settle(&mut self, expected: Vec<Expected<'_>>) -> Result<(), SyncError> {
        let started = self.run.timer.now();
        // A redirect is copied, and only after its replica has come: S3 orders versions by the time of the original, so that a replica that
        // comes later may hide the copy.
        let redirects: Vec<_> = expected.iter().copied().filter(|one| one.is_redirect()).collect();
        let others = expected.len() - redirects.len();
        let mut left = expected;
        let mut pause = Duration::from_millis(100);
        for round in 0_u32.. {
            let asked = self.run.timer.now();
            let one = left.iter().find_map(|expected| match expected {
                Expected::Object(wrote) => Some(*wrote),
                Expected::Nothing(_) => None,
            });
            let one = one.filter(|_| round.is_multiple_of(4));
            let hopeless = is_hopeless(self.first.clone(), one.filter(|_| !self.patience.is_zero()));
            let (missing, hopeless) = join(self.missing(left), hopeless).await;
            left = missing?;
            if left.is_empty() || hopeless? || self.since(started) + pause > self.patience || self.run.is_cancelled() {
                break;
            }
            if self.since(started) > WORTH_A_WORD {
                let what = "replication to the backup".to_owned();
                self.run.emit(&Event::Waiting { what, since: self.since(started), usually: Some("seconds") });
            }
            // On a slow link that long has been waited for the answer already.
            wait::pause(self.run, pause.saturating_sub(self.since(asked))).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(5));
        }
        self.state.waited += self.since(started);
        left.retain(|one| !one.is_redirect());
        self.state.replicated += others - left.len();
        left.extend(redirects);
        self.repair(left).await
    }

    async fn missing<'w>(&mut self, mut left: Vec<Expected<'w>>) -> Result<Vec<Expected<'w>>, SyncError> {
        if left.len() <= HANDFUL {
            return self.missing_by_looks(left).await;
        }
        // While the one that was written last is not there, the others need not be asked for.
        let Some(last) = left.pop() else { return Ok(left) };
        if let Some(last) = self.missing_by_looks(vec![last]).await?.pop() {
            left.push(last);
            return Ok(left);
        }
        if left.len() > FEW {
            return self.missing_by_listing(left).await;
        }
        self.missing_by_looks(left).await
    }

    async fn missing_by_looks<'w>(&mut self, left: Vec<Expected<'w>>) -> Result<Vec<Expected<'w>>, SyncError> {
        let second = &self.second;
        let looks = left.into_iter().map(|expected| async move {
            let look = second.look(expected.key(), None).await?;
            let opaque = look.as_ref().is_some_and(|look| look.head.tag_kind == TagKind::Opaque);
            let tag = look.as_ref().map(|look| look.head.etag.clone());
            let there = match (&expected, look) {
                (Expected::Nothing(_), look) => look.is_none(),
                (Expected::Object(_), None) => false,
                (Expected::Object(wrote), Some(look)) => {
                    let replica = look.version.is_some() && look.version == wrote.version;
                    let same = is_copy(wrote, &look.head.etag, look.head.size, look.modified);
                    replica || same
                }
            };
            Ok::<_, SyncError>(Looked { expected, there, opaque, tag })
        });
        let looks: Vec<_> = looks.collect();
        let found: Vec<Looked<'_>> = stream::iter(looks).buffer_unordered(WIDTH).try_collect().await?;
        let mut missing = Vec::new();
        for Looked { expected, there, opaque, tag } in found {
            self.has_opaque |= opaque;
            match (expected, tag) {
                (Expected::Object(wrote), Some(tag)) if there => self.state.copies.add(&wrote.key, &wrote.etag, tag),
                (expected, _) if !there => missing.push(expected),
                _ => {}
            }
        }
        Ok(missing)
    }

    async fn missing_by_listing<'w>(&mut self, mut left: Vec<Expected<'w>>) -> Result<Vec<Expected<'w>>, SyncError> {
        left.sort_by(|a, b| a.key().cmp(b.key()));
        let keys: Vec<&Key> = left.iter().map(|expected| expected.key()).collect();
        let absent = |expected: &Expected<'_>| match expected {
            Expected::Object(_) => Listed::Missing,
            Expected::Nothing(_) => Listed::There,
        };
        let mut states: Vec<Listed> = left.iter().map(absent).collect();
        list_around(&keys, &self.cuts, &self.second, |found| {
            let first = keys.partition_point(|key| **key < found.key);
            for at in (first..keys.len()).take_while(|at| *keys[*at] == found.key) {
                states[at] = left[at].listed(&found);
            }
        })
        .await?;
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        for (expected, state) in left.into_iter().zip(states) {
            match state {
                Listed::There => {}
                Listed::Missing => missing.push(expected),
                Listed::Unknown => unknown.push(expected),
            }
        }
        missing.extend(self.missing_by_looks(unknown).await?);
        Ok(missing)
    }

    /// Copies what is late. Nothing is copied while the run is being stopped: the next publish does it.
    async fn repair(&mut self, left: Vec<Expected<'_>>) -> Result<(), SyncError> {
        if left.is_empty() {
            return Ok(());
        }
        let (mut objects, mut gone) = (Vec::new(), Vec::new());
        for expected in left {
            match expected {
                Expected::Object(wrote) => {
                    let redirect = Redirect::Known(wrote.redirect.clone());
                    let (key, etag, size) = (wrote.key.clone(), wrote.etag.clone(), wrote.size);
                    // Its condition is that of the source: only what the primary still has is copied.
                    let condition = Condition::None;
                    objects.push(ObjectCopy { key, version: None, etag, size, headers: None, redirect, condition });
                }
                Expected::Nothing(object) => gone.push(object.clone()),
            }
        }
        let (first, second, run) = (&self.first, &self.second, self.run);
        let copies = objects.into_iter().map(move |one| async move {
            if run.is_cancelled() {
                return Err(SyncError::Cancelled);
            }
            // The original is gone if another program has replaced it: the last comparison sees to what is there now.
            let Some(written) = copy_object(first, second, &one, run).await? else { return Ok(None) };
            let (side, key) = (Some(Side::Backup), one.key.to_string());
            run.emit(&Event::Object { verb: Verb::Copy, side, key, reason: Cause::Late.word(), bytes: 0 });
            Ok::<_, SyncError>(Some((one, written)))
        });
        let mut copies = stream::iter(copies).buffer_unordered(WIDTH);
        let mut trouble = None;
        while let Some(copied) = copies.next().await {
            match copied {
                Ok(None) => {}
                Ok(Some((one, written))) => {
                    let copy = written.etag.unwrap_or_else(|| one.etag.clone());
                    self.state.copies.add(&one.key, &one.etag, copy);
                    self.state.copied.push(one.key);
                }
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        drop(copies);
        self.delete_late(gone).await?;
        trouble.map_or(Ok(()), Err)
    }

    /// Deletes what replication should have. What another program has put into the first bucket since is not deleted, whatever its
    /// bytes: the last comparison sees to it.
    async fn delete_late(&mut self, mut gone: Vec<ListedObject>) -> Result<(), SyncError> {
        let back = self.present_in_first(&gone).await?;
        gone.retain(|object| !back.contains(&object.key));
        for object in &mut gone {
            if let Some(etag) = self.listed.get(&object.key) {
                object.etag.clone_from(etag);
            }
        }
        for batch in gone.chunks(1000) {
            // Whatever has been put there since is not what was deleted. What has another entity tag may be its copy all the same.
            for NotDeleted { key, error } in self.second.delete_if(batch).await? {
                let StoreError::Changed(_) = error else { return Err(error.into()) };
                self.delete_copy(&key).await?;
            }
            self.state.copied.extend(batch.iter().map(|object| object.key.clone()));
        }
        Ok(())
    }

    /// Those of the keys that the first bucket has.
    async fn present_in_first(&self, objects: &[ListedObject]) -> Result<BTreeSet<Key>, SyncError> {
        let mut keys: Vec<&Key> = objects.iter().map(|object| &object.key).collect();
        keys.sort();
        let mut present = BTreeSet::new();
        if keys.len() <= FEW {
            let looks: Vec<_> = keys
                .into_iter()
                .map(async |key| Ok::<_, SyncError>((key, self.first.look(key, None).await?)))
                .collect();
            let looks: Vec<_> = stream::iter(looks).buffer_unordered(WIDTH).try_collect().await?;
            present.extend(looks.into_iter().filter_map(|(key, look)| look.map(|_| key.clone())));
        } else {
            list_around(&keys, &self.cuts, &self.first, |found| {
                if keys.binary_search(&&found.key).is_ok() {
                    present.insert(found.key);
                }
            })
            .await?;
        }
        Ok(present)
    }

    fn since(&self, start: Duration) -> Duration {
        self.run.timer.now().saturating_sub(start)
    }
}

impl<S: VersionedStore> ReplicationWaiter<'_, S> {
    /// Deletes the second bucket's object if the first one had it, under another entity tag.
    async fn delete_copy(&self, key: &Key) -> Result<(), SyncError> {
        let Some(there) = self.second.look(key, None).await? else { return Ok(()) };
        if self.first.look(key, None).await?.is_none() && had_version(&self.first, &self.second, key).await? {
            let listed = ListedObject { key: key.clone(), etag: there.head.etag };
            drop(self.second.delete_if(&[listed]).await?);
        }
        Ok(())
    }

    /// Follows, and says so.
    pub(crate) async fn end(&mut self, wrote: &[WrittenObject], deleted: &[ListedObject]) {
        let started = Instant::now();
        self.run.emit(&Event::PhaseStarted {
            phase: Phase::Verify,
            side: Some(Side::Backup),
            objects: None,
            bytes: None,
        });
        self.follow(wrote, deleted).await;
        self.run.emit(&Event::PhaseDone { phase: Phase::Verify, side: Some(Side::Backup), took: started.elapsed() });
    }
}
