//! Which objects have the right bytes.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::Run;

use super::{Desk, Put, Reason, Sending};
use crate::model::limits::part_size;
use crate::plan::diff::{Glance, Sure, glance, same_bytes};
use crate::source::digest::beside;
use crate::source::prehash::Ahead;
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

impl<'a, S: Store> Desk<'a, S> {
    pub(super) async fn compare_bytes(&self, (index, ahead): (&Index, Ahead), run: &Run) -> Result<Bytes, SyncError> {
        let glances: Vec<Glance> = self.pairs().map(|(object, remote)| self.glance(object, remote)).collect();
        // From here on it is known which files need it.
        ahead.end().await;
        let digests = self.digests(&glances, index, run).await?;
        let parts = self.compare_parts(&glances).await?;
        let mut found = Bytes { puts: Vec::new(), same: Vec::new(), digests };
        for (at, ((object, remote), glance)) in self.pairs().zip(glances).enumerate() {
            let by_reading = |glance| match (glance, remote) {
                (Glance::Put(reason), _) => Some(reason.into()),
                (Glance::Parts(_), Some(_)) => (!parts.contains(&&object.key)).then_some(Reason::Content),
                (Glance::Content | Glance::Opaque, Some(remote)) => {
                    let digest = found.digests[at].as_ref();
                    (!same_bytes(remote, digest, self.line(&object.key))).then_some(Reason::Content)
                }
                (Glance::Content | Glance::Opaque | Glance::Parts(_), None) => Some(Reason::Absent),
            };
            let reason = match &object.body {
                Body::Past { etag, .. } => Self::past(etag, object, remote),
                Body::File { .. } => by_reading(glance),
            };
            match (reason, remote) {
                (Some(reason), _) => found.puts.push(Put { object: Arc::clone(object), reason }),
                (None, Some(_)) => found.same.push(at),
                (None, None) => {}
            }
        }
        Ok(found)
    }

    /// Of those files whose size does not tell.
    async fn digests(&self, glances: &[Glance], index: &Index, run: &Run) -> Result<Vec<Option<Md5>>, SyncError> {
        let asks = |(object, glance): &(&Arc<SourceObject>, &Glance)| {
            object.is_file() && matches!(glance, Glance::Content | Glance::Opaque)
        };
        let all = || self.source.objects.iter().zip(glances);
        let unread: Vec<&Arc<SourceObject>> = all().filter(asks).map(|(object, _)| object).collect();
        let mut digests = hash(&unread, index, run).await?.into_iter();
        Ok(all().map(|each| if asks(&each) { digests.next() } else { None }).collect())
    }

    /// An older version needs no reading: its entity tag is known.
    fn past(etag: &ETag, object: &SourceObject, remote: Option<&RemoteObject>) -> Option<Reason> {
        match remote {
            None => Some(Reason::Absent),
            Some(remote) if remote.etag == *etag => None,
            Some(remote) if remote.size == object.size => Some(Reason::Content),
            Some(_) => Some(Reason::Size),
        }
    }

    fn glance(&self, object: &SourceObject, remote: Option<&RemoteObject>) -> Glance {
        match (self.options.send, glance(object, remote)) {
            (Sending::All, Glance::Content | Glance::Parts(_) | Glance::Opaque) => Glance::Put(Sure::Forced),
            (_, glance) => glance,
        }
    }

    /// The keys whose parts have the digests that the entity tag was made of.
    async fn compare_parts(&self, glances: &[Glance]) -> Result<Vec<&'a Key>, SyncError> {
        let multipart = self.pairs().zip(glances).filter_map(|((object, remote), glance)| match glance {
            Glance::Parts(count) if object.is_file() => Some((object, remote?, *count)),
            Glance::Parts(_) | Glance::Put(_) | Glance::Content | Glance::Opaque => None,
        });
        let checks = multipart.map(|(object, remote, count)| async move {
            let same = self.has_parts(object, remote, count).await?;
            Ok::<_, SyncError>(same.then_some(&object.key))
        });
        let same: Vec<Option<&Key>> = stream::iter(checks).buffer_unordered(2).try_collect().await?;
        Ok(same.into_iter().flatten().collect())
    }

    /// With the part size that this engine would choose, should it fit the number of parts; else the one S3 tells.
    async fn has_parts(
        &self,
        object: &Arc<SourceObject>,
        remote: &RemoteObject,
        count: u32,
    ) -> Result<bool, SyncError> {
        let fits = |size: u64| object.size.div_ceil(size.max(1)) == u64::from(count);
        let ours = part_size(object.size);
        if fits(ours) && parts_match(object, ours, &remote.etag).await? {
            return Ok(true);
        }
        let head = self.store.head(&object.key).await?;
        match head.and_then(|head| head.part_size) {
            Some(theirs) if theirs != ours && fits(theirs) => parts_match(object, theirs, &remote.etag).await,
            Some(_) | None => Ok(false),
        }
    }
}

async fn parts_match(object: &Arc<SourceObject>, size: u64, etag: &ETag) -> Result<bool, SyncError> {
    let parts = beside(object, move |object| part_digests(object, size)).await?;
    Ok(multipart_etag(&parts) == *etag)
}
