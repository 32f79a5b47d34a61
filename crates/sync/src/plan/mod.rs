//! Planning a publish: reads both sides, changes nothing, leaves no choice to the transfer.

mod bytes;
pub(crate) mod diff;
mod headers;
pub(crate) mod listing;
mod types;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use twinsite_core::{Event, Phase, Run, Side};

pub use types::{Delete, Deletes, Guard, Options, Put, Reason, Rewrite, Sending, SupersededObject};

use crate::manifest::{self, Entries, Entry, Name, OpaqueTag, Substitute, Tags};
use crate::model::layout::MANIFESTS;
use crate::model::release_id::{ReleaseId, listed};
use crate::model::time::now;
use crate::plan::diff::{Joined, KnownHeaders, headers_by_manifest, merge_join};
use crate::plan::listing::{list, list_from_the_start};
use crate::source::prehash::Prehasher;
use crate::{
    ETag, EncryptionAlgorithm, Headers, Index, Key, ListedObject, Md5, Prefixes, RemoteObject, Source, SourceObject,
    Store, SyncError,
};

/// Everything that a publish to one bucket will do.
#[derive(Debug)]
pub struct SyncPlan {
    pub(crate) puts: Vec<Put>,
    pub(crate) rewrites: Vec<Rewrite>,
    pub(crate) deletes: Vec<Delete>,
    pub(crate) kept: usize,
    pub(crate) foreign: Vec<Key>,
    pub(crate) notes: Vec<Key>,
    pub(crate) superseded: Vec<SupersededObject>,
    /// Those of the source's objects that stay as they are, in the source's order.
    pub(crate) same: Vec<Option<SameObject>>,
    pub(crate) releases: Vec<ReleaseId>,
    pub(crate) manifest: PlannedManifest,
    pub(crate) side: Option<Side>,
    /// The newest manifest, if it had to be read and is damaged.
    pub(crate) damaged: Option<Key>,
}

/// An object that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SameObject {
    pub(crate) etag: ETag,
    /// The digest of its bytes, as an entity tag would have it, where its own does not tell.
    pub(crate) digest: Option<ETag>,
}

/// The bookkeeping at the end.
#[derive(Debug)]
pub(crate) struct PlannedManifest {
    pub(crate) name: manifest::Name,
    pub(crate) content: manifest::Manifest,
    /// The manifests that are there, the newest last.
    pub(crate) listed: Vec<ListedObject>,
    /// Whether the newest is the one to be written.
    pub(crate) current: bool,
    /// Whether there is one at all.
    pub(crate) known: bool,
}

impl SyncPlan {
    /// What is put, in key order.
    pub fn puts(&self) -> &[Put] {
        &self.puts
    }

    /// What is rewritten in place, in key order.
    pub fn rewrites(&self) -> &[Rewrite] {
        &self.rewrites
    }

    /// What is deleted, in key order.
    pub fn deletes(&self) -> &[Delete] {
        &self.deletes
    }

    /// How many objects are as they should be.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Objects in the bucket that neither the source nor an earlier publish knows. They stay.
    pub fn foreign(&self) -> &[Key] {
        &self.foreign
    }

    /// How many assets stay although the source does not have them: a kept release names them, and so may open pages.
    pub fn superseded(&self) -> usize {
        self.superseded.len()
    }

    /// These assets, in key order.
    pub fn superseded_objects(&self) -> &[SupersededObject] {
        &self.superseded
    }

    /// How many of the objects that stay have entity tags that are no digests of their bytes.
    pub fn opaque(&self) -> usize {
        self.same.iter().flatten().filter(|same| same.digest.is_some()).count()
    }

    /// How many of the objects that stay are not encrypted as new ones would be, as far as their entity tags tell: those of objects that
    /// are encrypted with a key of KMS are no digests. Which key it is they do not tell.
    pub fn kept_in_other_encryption(&self, wanted: EncryptionAlgorithm) -> usize {
        self.same.iter().flatten().filter(|same| same.digest.is_some() != wanted.is_kms()).count()
    }

    /// The releases that the bucket has records of, the oldest first.
    pub fn releases(&self) -> &[ReleaseId] {
        &self.releases
    }

    /// Keys below `.twinsite/` other than manifests and releases: notes of other commands.
    pub fn notes(&self) -> &[Key] {
        &self.notes
    }

    /// Bytes that are sent.
    pub fn bytes(&self) -> u64 {
        self.puts.iter().map(|put| put.object.size).sum()
    }

    /// True when nothing in the bucket says that it was published to before.
    pub fn is_first(&self) -> bool {
        !self.manifest.known
    }

    /// True when every object is as it should be.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.rewrites.is_empty() && self.deletes.is_empty()
    }
}

/// Compares a source with a bucket. Makes list requests, and more only where a listing cannot tell.
///
/// # Errors
/// [`SyncError`]; nothing has been changed then.
pub async fn plan(
    source: &Source,
    store: &impl Store,
    options: &Options,
    index: &Index,
    run: &Run,
) -> Result<SyncPlan, SyncError> {
    let started = Instant::now();
    let side = options.side;
    run.emit(&Event::PhaseStarted { phase: Phase::List, side, objects: None, bytes: None });
    // What was published from here before is likely to be there.
    let known = source.objects.iter().take(32).any(|object| index.get(object).is_some());
    let ahead = Prehasher::start(source, index);
    let listing = if known { list(source, store).await } else { list_from_the_start(source, store).await };
    let mut listing = listing?;
    run.emit(&Event::PhaseDone { phase: Phase::List, side, took: started.elapsed() });
    Prefixes::of(&listing).without(&mut listing);
    let listed = Listed { store, listing: &listing, created: &HashSet::new(), substitute: None };
    let plan = plan_with(source, listed, options, (index, ahead), run).await?;
    if let Some(key) = &plan.damaged {
        let text = format!("the manifest `{key}` is damaged: what twinsite has published is not known");
        run.emit(&Event::Warning { text, hint: Some("the next deploy mends it".to_owned()) });
    }
    Ok(plan)
}

/// A bucket and its objects.
pub(crate) struct Listed<'a, S> {
    pub(crate) store: &'a S,
    /// In key order.
    pub(crate) listing: &'a [RemoteObject],
    /// Keys that unfinished publishes have created: they are the site's although no manifest names them.
    pub(crate) created: &'a HashSet<Key>,
    /// What takes the place of a damaged manifest.
    pub(crate) substitute: Option<Substitute>,
}

/// The same, with a listing that was made before, in key order, and while files are hashed that may need it.
pub(crate) async fn plan_with(
    source: &Source,
    mut bucket: Listed<'_, impl Store>,
    options: &Options,
    (index, ahead): (&Index, Prehasher),
    run: &Run,
) -> Result<SyncPlan, SyncError> {
    let side = options.side;
    let listing = bucket.listing;
    let substitute = bucket.substitute.take();
    let mut planner = Planner::new(source, &bucket, options);
    planner.substitute(substitute);
    planner.read_manifest_if_needed().await?;
    let bytes = planner.compare_bytes((index, ahead), run).await?;
    if run.is_cancelled() {
        return Err(SyncError::Cancelled);
    }
    let rewrites = planner.compare_headers(&bytes.same, run).await?;
    planner.read_manifest_to_replace(!bytes.puts.is_empty() || !rewrites.is_empty()).await?;
    let (deletes, foreign) = planner.deletes()?;
    let kept = bytes.same.len() - rewrites.len();
    let same = planner.same_objects(&bytes.same);
    let (manifest, superseded) = planner.manifest(bytes.digests, &same, &deletes);
    let notes = manifest::notes(listing).cloned().collect();
    let releases = std::mem::take(&mut planner.releases);
    Ok(SyncPlan {
        puts: bytes.puts,
        rewrites,
        deletes,
        kept,
        foreign,
        notes,
        superseded,
        same,
        releases,
        manifest,
        side,
        damaged: planner.damaged,
    })
}

/// Everything that planning looks at.
struct Planner<'a, S> {
    source: &'a Source,
    store: &'a S,
    options: &'a Options,
    listing: &'a [RemoteObject],
    created: &'a HashSet<Key>,
    met: Joined<'a>,
    manifests: Vec<&'a RemoteObject>,
    releases: Vec<ReleaseId>,
    /// The first releases that are kept from now on.
    oldest: Option<ReleaseId>,
    wanted: String,
    /// Whether the newest manifest has the name that the source asks for.
    is_current: bool,
    /// What the newest manifest says; `None` when it was not needed.
    entries: Option<Entries>,
    /// The newest manifest, if it is damaged.
    damaged: Option<Key>,
    /// When what takes its place was written.
    substitute_written: Option<i64>,
    /// The objects that the manifest's name alone told to be superseded.
    superseded_unread: Vec<SupersededObject>,
}

impl<'a, S: Store> Planner<'a, S> {
    fn new(source: &'a Source, bucket: &Listed<'a, S>, options: &'a Options) -> Self {
        let Listed { store, listing, created, substitute: _ } = *bucket;
        let met = merge_join(&source.objects, listing);
        let manifests = manifest::listed(listing);
        let wanted = manifest::name_for(&source.objects);
        let name = |object: &RemoteObject| {
            object.key.as_str().strip_prefix(MANIFESTS).is_some_and(|name| name.starts_with(&wanted))
        };
        let is_current = manifests.last().is_some_and(|newest| name(newest));
        let found = listed(listing);
        let oldest = options.keep.oldest_with_next(&found, now());
        let releases = found.into_iter().map(|(id, _)| id).collect();
        Self {
            source,
            store,
            options,
            listing,
            created,
            met,
            manifests,
            releases,
            oldest,
            wanted,
            is_current,
            entries: None,
            damaged: None,
            substitute_written: None,
            superseded_unread: Vec::new(),
        }
    }

    /// Uses this in the place of the newest manifest, which is damaged.
    fn substitute(&mut self, substitute: Option<Substitute>) {
        let Some(Substitute { entries, written }) = substitute else { return };
        self.damaged = self.manifests.last().map(|newest| newest.key.clone());
        (self.entries, self.substitute_written) = (Some(entries), Some(written));
    }

    /// The source's objects, and what the bucket has of each.
    fn pairs(&self) -> impl Iterator<Item = (&'a Arc<SourceObject>, Option<&'a RemoteObject>)> {
        self.source.objects.iter().zip(self.met.remote.iter().copied())
    }

    /// When the newest manifest was written; nothing is older when there is none.
    fn written(&self) -> i64 {
        if let Some(written) = self.substitute_written {
            return written;
        }
        self.manifests.last().map_or(i64::MIN, |newest| newest.modified)
    }

    /// Reads the manifest, if the listing alone does not tell enough.
    async fn read_manifest_if_needed(&mut self) -> Result<(), SyncError> {
        let public = |object: &&&RemoteObject| !object.key.is_reserved() && !self.source.is_protected(&object.key);
        let extra: Vec<&Key> = self.met.extra.iter().filter(public).map(|object| &object.key).collect();
        let opaque = |object: &RemoteObject| !object.key.is_reserved() && matches!(object.etag, ETag::Opaque(_));
        let named = self.manifests.last().is_some_and(|newest| Tags::of(&newest.key) == Tags::Named);
        let opaque = named || self.listing.iter().any(opaque);
        let until = self.manifests.last();
        let until =
            until.and_then(|newest| manifest::superseded_of_name(&newest.key, &self.wanted, extra.iter().copied()));
        let is_known = until.is_some_and(|until| {
            let stay = self.oldest.is_some_and(|oldest| until >= oldest.0);
            stay || until == u64::MAX || self.options.deletes == Deletes::None
        });
        let all = self.options.deletes == Deletes::All && !extra.is_empty();
        let others = self.manifests.len() > 1 && !extra.is_empty();
        let needed = !is_known || opaque || all || others;
        if self.entries.is_some() {
            return Ok(());
        }
        if !needed {
            let release = until.filter(|until| *until != u64::MAX).map(ReleaseId);
            let unread = extra.into_iter().map(|key| SupersededObject { key: key.clone(), release });
            self.superseded_unread = unread.collect();
        }
        if needed { self.read_manifest().await } else { Ok(()) }
    }

    /// A manifest that will be replaced must be known whole.
    async fn read_manifest_to_replace(&mut self, changes: bool) -> Result<(), SyncError> {
        if !changes || self.superseded_unread.is_empty() {
            return Ok(());
        }
        self.superseded_unread.clear();
        self.read_manifest().await
    }

    /// One that is damaged says nothing: headers are then read from the objects themselves.
    ///
    /// There is more than one after a publish was interrupted, or after two were made in different buckets during an outage: what any of them
    /// names was published by twinsite, and only the newest says with which headers.
    async fn read_manifest(&mut self) -> Result<(), SyncError> {
        let Some((newest, others)) = self.manifests.split_last().filter(|_| self.entries.is_none()) else {
            return Ok(());
        };
        let Some(mut entries) = manifest::read(self.store, &newest.key).await? else {
            self.damaged = Some(newest.key.clone());
            self.entries = Some(Entries::default());
            return Ok(());
        };
        for other in others {
            for (key, Entry { release, .. }) in manifest::read(self.store, &other.key).await?.unwrap_or_default() {
                entries.entry(key).or_insert(Entry { release, ..Entry::default() });
            }
        }
        self.entries = Some(entries);
        Ok(())
    }

    fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.as_ref()?.get(key)
    }

    /// Whether an earlier publish has put an object there.
    fn is_published(&self, key: &Key) -> bool {
        self.entry(key).is_some() || self.created.contains(key)
    }

    /// What is to be deleted, and what is nobody's.
    fn deletes(&self) -> Result<(Vec<Delete>, Vec<Key>), SyncError> {
        if !self.superseded_unread.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        // What an earlier publish put there is not protected by a rule that was added since.
        let ruled_out = |key: &Key| self.source.is_protected(key) && (key.is_reserved() || !self.is_published(key));
        let extra = self.met.extra.iter().filter(|object| !ruled_out(&object.key));
        let (mut deletes, mut foreign) = (Vec::new(), Vec::new());
        for object in extra {
            match (self.options.deletes, self.is_published(&object.key)) {
                (Deletes::Owned, true) if self.is_superseded(&object.key) => {}
                (Deletes::All, _) | (Deletes::Owned, true) => {
                    let (key, etag) = (object.key.clone(), object.etag.clone());
                    deletes.push(Delete { key, size: object.size, etag, served: self.served(object) });
                }
                (Deletes::Owned | Deletes::None, false) => foreign.push(object.key.clone()),
                (Deletes::None, true) => {}
            }
        }
        self.guard(&deletes)?;
        Ok((deletes, foreign))
    }

    /// The headers that an object is served with which the source no longer has, if they are those that its rules would give it.
    fn served(&self, object: &RemoteObject) -> Option<Headers> {
        let headers = self.source.headers(&object.key);
        let times = (object.modified, self.written());
        let known = headers_by_manifest(self.entry(&object.key), &manifest::fingerprint(&headers), times);
        (known == KnownHeaders::Right).then_some(headers)
    }

    /// An asset that a kept release names: pages that are open somewhere may still ask for it.
    fn is_superseded(&self, key: &Key) -> bool {
        let named = match self.entry(key) {
            // It leaves the source now: the newest release there is names it.
            Some(Entry { headers: Some(_), .. }) => self.releases.last().copied(),
            Some(entry) => entry.release.map(ReleaseId),
            None => None,
        };
        let kept = named.zip(self.oldest).is_some_and(|(named, oldest)| named >= oldest);
        kept && !self.source.is_protected(key) && self.source.is_asset_of_pages(key)
    }

    /// The objects at these places.
    fn same_objects(&self, same: &[usize]) -> Vec<Option<SameObject>> {
        let mut found = vec![None; self.source.objects.len()];
        for at in same {
            let known = self.known(&self.source.objects[*at].key, self.met.remote[*at]);
            found[*at] = known.map(|known| {
                let digest = known.untold().cloned();
                SameObject { etag: known.remote.etag.clone(), digest }
            });
        }
        found
    }

    /// Refuses to delete too many objects, or too many pages.
    fn guard(&self, deletes: &[Delete]) -> Result<(), SyncError> {
        /// So many pages may always be deleted.
        const FEW: usize = 2;
        let Guard { count, percent, pages_percent } = self.options.guard;
        let public = || self.listing.iter().map(|object| &object.key).filter(|key| !key.is_reserved());
        let share = |all: usize, percent: u8| all * usize::from(percent) / 100;
        let (owned, pages) = (public().count(), public().filter(|key| self.source.is_page(key)).count());
        let keys = || deletes.iter().map(|delete| &delete.key);
        let gone = keys().filter(|key| self.source.is_page(key)).count();
        let of_pages = gone > FEW.max(share(pages, pages_percent));
        if !of_pages && deletes.len() <= count.max(share(owned, percent)) {
            return Ok(());
        }
        let guard = if of_pages {
            format!("{pages_percent} % of all pages")
        } else {
            format!("{count} objects or {percent} %")
        };
        let first = keys().filter(|key| !of_pages || self.source.is_page(key)).take(3).cloned();
        Err(SyncError::TooManyDeletes { count: deletes.len(), owned, guard, examples: first.collect() })
    }

    /// The manifest to be written: the source's keys, and those of ours that stay although the source lost them.
    fn manifest(
        &self,
        digests: Vec<Option<Md5>>,
        same: &[Option<SameObject>],
        deletes: &[Delete],
    ) -> (PlannedManifest, Vec<SupersededObject>) {
        let gone: HashSet<&Key> = deletes.iter().map(|delete| &delete.key).collect();
        let newest = self.releases.last().map(|id| id.0);
        let mut rest = BTreeMap::new();
        for object in self.met.extra.iter().filter(|object| !gone.contains(&object.key)) {
            if let Some(entry) = self.entry(&object.key) {
                let release = if entry.headers.is_some() { newest } else { entry.release };
                let named = entry.etag.is_some();
                let bytes = entry.bytes.clone().filter(|_| named);
                let stays = Entry { headers: None, bytes, etag: entry.etag.clone(), release };
                rest.insert(object.key.clone(), stays);
            } else if self.created.contains(&object.key) {
                rest.insert(object.key.clone(), Entry::default());
            }
        }
        // What a rule keeps out now is deleted all the same: the name differs from what the next listing tells, so that the
        // manifest is read.
        let public = rest.keys().filter(|key| !key.is_reserved());
        // What is not an asset stays only as long as nothing is to be deleted.
        let until = |(key, entry): (&Key, &Entry)| {
            if self.source.is_asset_of_pages(key) { entry.release.unwrap_or_default() } else { 0 }
        };
        let until = rest.iter().map(until).min().unwrap_or_default();
        let name = match (&self.entries, self.manifests.last()) {
            // It was not read, because its name told everything, and it will not be replaced.
            (None, Some(newest)) if self.is_current => Name::of(&newest.key),
            _ => Name::new(&self.wanted, &manifest::rest_for(public, until)),
        };
        let listed = self.manifests.iter();
        let listed = listed.map(|object| ListedObject { key: object.key.clone(), etag: object.etag.clone() }).collect();
        let objects = self.source.objects.iter().zip(same);
        let opaque = objects.filter_map(|(object, same)| {
            let SameObject { etag, digest } = same.as_ref()?;
            Some((object.key.clone(), OpaqueTag { etag: etag.clone(), digest: digest.clone()? }))
        });
        let opaque = opaque.collect();
        // Every publish that ended has written its manifest last.
        let young = self.met.remote.iter().flatten().any(|object| object.modified > self.written());
        let named = self.manifests.last().is_some_and(|newest| Name::of(&newest.key) == name);
        let (current, known) = (named && !young && self.damaged.is_none(), !self.manifests.is_empty());
        let stays = rest.iter().filter(|(key, _)| !key.is_reserved());
        let stays =
            stays.map(|(key, entry)| SupersededObject { key: key.clone(), release: entry.release.map(ReleaseId) });
        let mut superseded = self.superseded_unread.clone();
        superseded.extend(stays);
        let content = manifest::Manifest { objects: self.source.objects.clone(), digests, opaque, rest };
        (PlannedManifest { name, content, listed, current, known }, superseded)
    }
}
