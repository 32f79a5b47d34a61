//! Which objects have the right bytes.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::Run;

use super::{Planner, Put, Reason, Sending};
use crate::manifest::Prints;
use crate::model::limits::part_size;
use crate::plan::diff::{
    Difference, KnownHeaders, KnownObject, ListingVerdict, compare_listed_object, headers_by_manifest, same_bytes,
};
use crate::source::digest::spawn_read;
use crate::source::prehash::Prehasher;
use crate::{
    Body, ETag, Index, Key, Md5, RemoteObject, SourceObject, Store, SyncError, hash, multipart_etag, part_digests,
};

/// What comparing found.
pub(super) struct Bytes {
    pub(super) puts: Vec<Put>,
    /// The places in the source of the objects whose bytes are right.
    pub(super) same: Vec<usize>,
    /// What is known of each object of the source.
    pub(super) digests: Vec<Option<Md5>>,
}

/// An older version that is to be live again.
struct PastVersion<'a> {
    etag: &'a ETag,
    /// The digest of its bytes, as an entity tag would have it.
    digest: &'a ETag,
    size: u64,
}

impl PastVersion<'_> {
    /// Why it is put. It needs no reading: its entity tag is known, and the digest of its bytes.
    fn reason(&self, known: Option<&KnownObject<'_>>) -> Option<Reason> {
        match known {
            None => Some(Reason::Absent),
            Some(known) if known.remote.etag == *self.etag => None,
            Some(known) if known.remote.size != self.size => Some(Reason::Size),
            Some(known) if known.digest == *self.digest => None,
            Some(_) => Some(Reason::Content),
        }
    }
}

impl<'a, S: Store> Planner<'a, S> {
    /// What is known of an object of the bucket.
    pub(super) fn known<'r>(&self, key: &Key, remote: Option<&'r RemoteObject>) -> Option<KnownObject<'r>> {
        Some(KnownObject::of(remote?, self.entry(key), self.written()))
    }

    pub(super) async fn compare_bytes(
        &self,
        (index, ahead): (&Index, Prehasher),
        run: &Run,
    ) -> Result<Bytes, SyncError> {
        let verdicts =
            self.pairs().map(|(object, remote)| self.verdict(object, self.known(&object.key, remote).as_ref()));
        let verdicts: Vec<ListingVerdict> = verdicts.collect();
        // From here on it is known which files need it.
        ahead.end().await;
        let digests = self.digests(&verdicts, index, run).await?;
        let parts = self.compare_parts(&verdicts).await?;
        let mut prints = Prints::default();
        let mut found = Bytes { puts: Vec::new(), same: Vec::new(), digests };
        for (at, ((object, remote), verdict)) in self.pairs().zip(verdicts).enumerate() {
            let by_reading = |verdict| match (verdict, remote) {
                (ListingVerdict::Put(reason), _) => Some(reason.into()),
                (ListingVerdict::Parts(_), Some(_)) => (!parts.contains(&&object.key)).then_some(Reason::Content),
                (ListingVerdict::Content, Some(_)) => {
                    let known = self.known(&object.key, remote);
                    let same = known.is_some_and(|known| same_bytes(&known, found.digests[at].as_ref()));
                    (!same).then_some(Reason::Content)
                }
                (ListingVerdict::Opaque, Some(_)) => Some(Reason::Content),
                (ListingVerdict::Content | ListingVerdict::Opaque | ListingVerdict::Parts(_), None) => {
                    Some(Reason::Absent)
                }
            };
            let reason = match &object.body {
                Body::Version { etag, digest, .. } => {
                    let version = PastVersion { etag, digest: digest.as_ref().unwrap_or(etag), size: object.size };
                    version.reason(self.known(&object.key, remote).as_ref())
                }
                Body::File { .. } | Body::Memory(_) => by_reading(verdict),
            };
            match (reason, remote) {
                (Some(reason), _) => {
                    let replaces = remote.map(|remote| remote.etag.clone());
                    let same = remote.is_some_and(|remote| self.has_headers(object, remote, &mut prints));
                    let served = same.then(|| Arc::clone(&object.headers));
                    found.puts.push(Put { object: Arc::clone(object), reason, replaces, served });
                }
                (None, Some(_)) => found.same.push(at),
                (None, None) => {}
            }
        }
        Ok(found)
    }

    /// Whether the manifest says that an object is served with the headers that it is to have.
    fn has_headers(&self, object: &'a SourceObject, remote: &RemoteObject, prints: &mut Prints<'a>) -> bool {
        let written = self.written();
        if self.is_current && remote.modified <= written {
            return true;
        }
        let wanted = prints.of(&object.headers);
        headers_by_manifest(self.entry(&object.key), wanted, (remote.modified, written)) == KnownHeaders::Right
    }

    /// Of those files whose size does not tell.
    async fn digests(
        &self,
        verdicts: &[ListingVerdict],
        index: &Index,
        run: &Run,
    ) -> Result<Vec<Option<Md5>>, SyncError> {
        let asks = |(object, verdict): &(&Arc<SourceObject>, &ListingVerdict)| {
            object.is_local() && matches!(verdict, ListingVerdict::Content | ListingVerdict::Opaque)
        };
        let all = || self.source.objects.iter().zip(verdicts);
        let unread: Vec<&Arc<SourceObject>> = all().filter(asks).map(|(object, _)| object).collect();
        let mut digests = hash(&unread, index, run).await?.into_iter();
        Ok(all().map(|each| if asks(&each) { digests.next() } else { None }).collect())
    }

    fn verdict(&self, object: &SourceObject, known: Option<&KnownObject<'_>>) -> ListingVerdict {
        match (self.options.send, compare_listed_object(object, known)) {
            (Sending::All, ListingVerdict::Content | ListingVerdict::Parts(_) | ListingVerdict::Opaque) => {
                ListingVerdict::Put(Difference::Forced)
            }
            (_, verdict) => verdict,
        }
    }

    /// The keys whose parts have the digests that the entity tag was made of.
    async fn compare_parts(&self, verdicts: &[ListingVerdict]) -> Result<Vec<&'a Key>, SyncError> {
        let multipart = self.pairs().zip(verdicts).filter_map(|((object, remote), verdict)| match verdict {
            ListingVerdict::Parts(count) if object.is_local() => Some((object, remote?, *count)),
            ListingVerdict::Parts(_) | ListingVerdict::Put(_) | ListingVerdict::Content | ListingVerdict::Opaque => {
                None
            }
        });
        let checks = multipart.map(|(object, remote, count)| async move {
            let known = KnownObject::of(remote, self.entry(&object.key), self.written());
            let same = self.has_parts(object, &known.digest, count).await?;
            Ok::<_, SyncError>(same.then_some(&object.key))
        });
        let same: Vec<Option<&Key>> = stream::iter(checks).buffer_unordered(2).try_collect().await?;
        Ok(same.into_iter().flatten().collect())
    }

    /// With the part size that this engine would choose, should it fit the number of parts; else the one S3 tells.
    async fn has_parts(&self, object: &Arc<SourceObject>, digest: &ETag, count: u32) -> Result<bool, SyncError> {
        let fits = |size: u64| object.size.div_ceil(size.max(1)) == u64::from(count);
        let ours = part_size(object.size);
        if fits(ours) && parts_match(object, ours, digest).await? {
            return Ok(true);
        }
        let head = self.store.head(&object.key).await?;
        match head.and_then(|head| head.part_size) {
            Some(theirs) if theirs != ours && fits(theirs) => parts_match(object, theirs, digest).await,
            Some(_) | None => Ok(false),
        }
    }
}

async fn parts_match(object: &Arc<SourceObject>, size: u64, etag: &ETag) -> Result<bool, SyncError> {
    let parts = spawn_read(object, move |object| part_digests(object, size)).await?;
    Ok(multipart_etag(&parts) == *etag)
}
