//! The comparison that ends a publish: what it says of the two buckets is what they hold then, whatever other programs have written to them
//! meanwhile.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use futures::future::join;
use twinsite_core::{Pair, Run};

use super::{Compared, KnownObjects, ReplicationState, compare_listed, marker};
use crate::plan::listing::list;
use crate::replicate::fill::copy_needed;
use crate::store::VersionedStore;
use crate::{Delete, ETag, Key, RemoteObject, Rules, Source, SyncError, WrittenObject};

/// Sites of more objects are not listed once more, unless copies have to be noted: every thousand objects are two requests, and only other
/// programs that write to the buckets in the very seconds of a publish could have changed more than what the publish itself follows.
const MAX_CONFIRMED: usize = 10_000;

/// How often the buckets are compared, and what differs copied.
const MAX_COMPARISONS: usize = 3;

/// What a publish has seen of the buckets before it changed them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// Digests of key and entity tag of every object of the first bucket, in order.
    objects: Vec<u64>,
    /// Keys that only the second bucket has, and that stay.
    foreign: BTreeSet<Key>,
    /// Entity tags in the second bucket of the objects that are to be deleted.
    deleted: HashMap<Key, ETag>,
}

impl Before {
    pub(crate) fn of(listing: &[RemoteObject]) -> Self {
        let mut objects: Vec<u64> = listing.iter().map(|object| digest(&object.key, &object.etag)).collect();
        objects.sort_unstable();
        Self { objects, ..Self::default() }
    }

    /// Takes note of the second bucket's objects that are to be deleted.
    pub(crate) fn with_deleted(mut self, deletes: &[Delete], backup: &[RemoteObject]) -> Self {
        let keys: BTreeSet<&Key> = deletes.iter().map(|delete| &delete.key).collect();
        let deleted = backup.iter().filter(|object| keys.contains(&object.key));
        self.deleted = deleted.map(|object| (object.key.clone(), object.etag.clone())).collect();
        self
    }

    pub(crate) fn take_deleted(&mut self) -> HashMap<Key, ETag> {
        std::mem::take(&mut self.deleted)
    }

    pub(crate) fn with_foreign(mut self, foreign: &[Key]) -> Self {
        self.foreign.extend(foreign.iter().filter(|key| !key.is_reserved()).cloned());
        self
    }

    /// Keys that only the second bucket had, and that stay.
    pub(crate) fn into_foreign(self) -> Vec<Key> {
        self.foreign.into_iter().collect()
    }

    /// Whether the first bucket had more objects than are listed once more.
    pub(crate) fn is_large(&self) -> bool {
        self.objects.len() > MAX_CONFIRMED
    }

    fn contains(&self, object: &RemoteObject) -> bool {
        self.objects.binary_search(&digest(&object.key, &object.etag)).is_ok()
    }
}

fn digest(key: &Key, etag: &ETag) -> u64 {
    let mut hash = DefaultHasher::new();
    (key, etag).hash(&mut hash);
    hash.finish()
}

/// What was published.
pub(crate) struct Confirming<'a> {
    pub(crate) source: &'a Source,
    pub(crate) rules: &'a Rules,
    pub(crate) before: &'a Before,
    pub(crate) wrote: &'a [WrittenObject],
    /// Whether copies are younger than their originals, or have other entity tags: then a note spares the next comparison a look at each.
    pub(crate) notes: bool,
}

impl Confirming<'_> {
    /// Compares the buckets, copies what differs, and sets `state` to what is there at last. Returns the keys of the source that the first
    /// bucket does not have as published.
    pub(crate) async fn run<S: VersionedStore>(
        &self,
        stores: Pair<&S>,
        state: &mut ReplicationState,
        run: &Run,
    ) -> Result<Vec<Key>, SyncError> {
        let redirects = self.source.redirects();
        for comparison in 1.. {
            run.check()?;
            if state.trouble.is_some() {
                break;
            }
            let (first, second) = join(list(self.source, stores.primary), list(self.source, stores.backup)).await;
            let first = first?;
            let replaced = self.replaced(&first);
            let second = match second {
                Ok(second) => second,
                Err(error) => {
                    state.trouble = Some(error.into());
                    return Ok(replaced);
                }
            };
            let (listings, none) = (Pair::new(first, second), BTreeSet::new());
            let known = KnownObjects { copies: &state.copies, redirects: &redirects };
            let compared = Box::pin(compare_listed(listings, stores, known, &none, run)).await?;
            if !compared.is_in_sync() && comparison < MAX_COMPARISONS {
                match Box::pin(copy_needed(compared, stores.primary, stores.backup, self.rules, run)).await {
                    Ok(filled) => state.copies.extend(filled.copies),
                    Err(stopped) => {
                        let error = stopped.failed.into_iter().next();
                        state.trouble = Some(error.map_or(SyncError::Cancelled, |(_, error)| error));
                    }
                }
                continue;
            }
            state.differing = self.differing(&compared);
            if !state.differing.is_empty() {
                state.trouble = Some(SyncError::Differ(state.differing.clone()));
            } else if self.notes {
                // If it could not be written, only looks at copies are lost.
                drop(marker::write(stores.backup, compared.until, compared.made).await);
            }
            return Ok(replaced);
        }
        Ok(self.replaced(&list(self.source, stores.primary).await?))
    }

    fn differing(&self, compared: &Compared) -> Vec<Key> {
        let Compared { copies, gone, foreign, .. } = compared;
        let copies = copies.iter().map(|copy| &copy.object.key);
        let gone = gone.iter().map(|object| &object.key);
        let foreign = foreign.iter().filter(|key| !key.is_reserved() && !self.before.foreign.contains(*key));
        copies.chain(gone).chain(foreign).cloned().collect()
    }

    /// The keys of the source whose object in the first bucket is neither what was there before nor what was written.
    fn replaced(&self, listing: &[RemoteObject]) -> Vec<Key> {
        let wrote: HashMap<&Key, &ETag> = self.wrote.iter().map(|wrote| (&wrote.key, &wrote.etag)).collect();
        let mut listed = listing.iter().peekable();
        let keys = self.source.objects.iter().map(|object| &object.key);
        let replaced = keys.filter(|key| {
            while listed.next_if(|object| object.key < **key).is_some() {}
            let Some(object) = listed.next_if(|object| object.key == **key) else { return true };
            match wrote.get(key) {
                Some(etag) => object.etag != **etag,
                None => !self.before.contains(object),
            }
        });
        replaced.cloned().collect()
    }
}
