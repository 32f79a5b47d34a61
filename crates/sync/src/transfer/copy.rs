//! One object from bucket to bucket, or out of the past: small ones in one request, large ones part by part.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use twinsite_core::{Event, Phase, Run};

use crate::store::{Condition, Copied, Copying, PartMade, VersionHead, VersionedStore, Written};
use crate::{ETag, Headers, Key, Md5, SourceObject, SyncError, TagKind, multipart_etag};

/// The most bytes that one request copies.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
const MOST: u64 = 5 << 30;

/// Parts of one object copied at once.
const WIDTH: usize = 8;

/// What is known of an object's website redirect, which S3 leaves behind when it copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// It has to be asked for.
    Ask,
    /// It is this one, or there is none.
    Known(Option<String>),
}

/// An object to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectCopy {
    /// Its key.
    pub key: Key,
    /// Which version; the current one unless given.
    pub version: Option<String>,
    /// The entity tag that it must have.
    pub etag: ETag,
    /// Its size in bytes.
    pub size: u64,
    /// What it is to be served with; as it is unless given.
    pub headers: Option<Headers>,
    /// Its website redirect.
    pub redirect: Redirect,
    /// The precondition of the write, on the object that is replaced.
    pub condition: Condition,
}

impl ObjectCopy {
    /// A source's object whose bytes are in an older version.
    pub(crate) fn of(object: &SourceObject, etag: &ETag) -> Self {
        Self {
            key: object.key.clone(),
            version: None,
            etag: etag.clone(),
            size: object.size,
            headers: Some(Headers::clone(&object.headers)),
            redirect: Redirect::Known(None),
            condition: Condition::None,
        }
    }

    fn copying(&self, redirect: Option<String>) -> Copying {
        let Self { key, version, etag, headers, condition, .. } = self.clone();
        Copying { key, version, etag, headers, redirect, condition }
    }
}

/// Copies an object; `None` when it is not there any more as it was.
///
/// An object that was put in parts is copied in the same parts, so that its entity tag stays what it was: that is what later
/// comparisons go by.
///
/// # Errors
/// [`SyncError`] when a request failed. What was copied of a large object stays, and the next attempt goes on from there.
pub async fn copy_object<S: VersionedStore>(
    from: &S,
    to: &S,
    copy: &ObjectCopy,
    run: &Run,
) -> Result<Option<Written>, SyncError> {
    if copy.size > MOST || matches!(copy.etag, ETag::Multipart(..)) {
        return Box::pin(copy_in_parts(from, to, copy, run)).await;
    }
    let redirect = match (&copy.redirect, &copy.headers) {
        (_, Some(_)) => None,
        (Redirect::Known(known), None) => known.clone(),
        (Redirect::Ask, None) => {
            let look = from.look(&copy.key, copy.version.as_deref()).await?;
            let Some(look) = look else { return Ok(None) };
            look.head.headers.website_redirect
        }
    };
    match to.copy(from, &copy.copying(redirect)).await? {
        Copied::Done(written) => Ok(Some(written)),
        Copied::Gone => Ok(None),
    }
}

async fn copy_in_parts<S: VersionedStore>(
    from: &S,
    to: &S,
    copy: &ObjectCopy,
    run: &Run,
) -> Result<Option<Written>, SyncError> {
    let Some(mut look) = from.look(&copy.key, copy.version.as_deref()).await? else { return Ok(None) };
    if look.head.etag != copy.etag {
        return Ok(None);
    }
    let direct = to.can_copy_from(from);
    let tags = if direct { from.tags(&copy.key, copy.version.as_deref()).await? } else { BTreeMap::new() };
    if !direct {
        look.checksum = None;
    }
    if let Some(headers) = &copy.headers {
        look.head.headers = headers.clone();
    }
    let pending = to.pending(&copy.key).await?;
    // Parts of an earlier attempt are recognised by what they add up to, which opaque tags do not tell.
    let opaque = look.head.tag_kind == TagKind::Opaque || !matches!(copy.etag, ETag::Multipart(..));
    if let Some(pending) = pending.as_ref().filter(|_| opaque) {
        to.abort((&copy.key, &pending.id)).await?;
    }
    if let Some(pending) = pending.as_ref().filter(|_| !opaque) {
        // It may be of another original, and does not say so: only what its parts add up to would tell, at the end.
        let whole = Job { from, to, copy, look: &look, id: &pending.id, there: there(&pending.parts), run };
        match whole.run().await? {
            Outcome::Complete(written) => return Ok(Some(written)),
            Outcome::Gone | Outcome::OtherParts => to.abort((&copy.key, &pending.id)).await?,
        }
    }
    let id = to.begin_copy(&copy.key, &look, &tags).await?;
    let job = Job { from, to, copy, look: &look, id: &id, there: HashMap::new(), run };
    match job.run().await? {
        Outcome::Complete(written) => Ok(Some(written)),
        Outcome::Gone | Outcome::OtherParts => {
            to.abort((&copy.key, &id)).await?;
            Ok(None)
        }
    }
}

/// How a copy in parts ended.
enum Outcome {
    Complete(Written),
    /// The original is not there any more as it was.
    Gone,
    /// The parts do not add up to the original.
    OtherParts,
}

fn there(parts: &[PartMade]) -> HashMap<u32, PartMade> {
    parts.iter().map(|part| (part.number, part.clone())).collect()
}

/// A large object on its way.
struct Job<'a, S> {
    from: &'a S,
    to: &'a S,
    copy: &'a ObjectCopy,
    look: &'a VersionHead,
    id: &'a str,
    there: HashMap<u32, PartMade>,
    run: &'a Run,
}

impl<S: VersionedStore> Job<'_, S> {
    async fn run(&self) -> Result<Outcome, SyncError> {
        let size = self.look.head.part_size.unwrap_or(self.copy.size).clamp(1, MOST);
        let count = u32::try_from(self.copy.size.div_ceil(size)).unwrap_or(u32::MAX).max(1);
        let parts = (1..=count).map(|number| self.part(number, size));
        let made: Vec<Option<PartMade>> = stream::iter(parts).buffered(WIDTH).try_collect().await?;
        let Some(made) = made.into_iter().collect::<Option<Vec<_>>>() else { return Ok(Outcome::Gone) };
        // Parts that were copied just now are those of the original, because each was copied under the condition of its entity tag.
        // Those of an earlier attempt may be another's.
        if !self.there.is_empty() {
            let digests: Option<Vec<Md5>> = made.iter().map(PartMade::md5).collect();
            if digests.is_none_or(|digests| multipart_etag(&digests) != self.copy.etag) {
                return Ok(Outcome::OtherParts);
            }
        }
        let written = self.to.complete((&self.copy.key, self.id), &made, &self.copy.condition).await?;
        let digests: Option<Vec<Md5>> = made.iter().map(PartMade::md5).collect();
        let etag = written.etag.or_else(|| digests.map(|digests| multipart_etag(&digests)));
        Ok(Outcome::Complete(Written { etag, ..written }))
    }

    async fn part(&self, number: u32, size: u64) -> Result<Option<PartMade>, SyncError> {
        if self.run.is_cancelled() {
            return Err(SyncError::Cancelled);
        }
        let start = u64::from(number - 1) * size;
        let end = (start + size).min(self.copy.size);
        let length = end - start;
        let etag = match self.there.get(&number) {
            Some(there) if there.size == length => Some(there.etag.clone()),
            _ => {
                let copying = self.copy.copying(None);
                self.to.part_copy(self.from, (&copying, self.id), number, start..end).await?
            }
        };
        self.run.emit(&Event::Progress { phase: Phase::Copy, side: None, objects: 0, bytes: length });
        Ok(etag.map(|etag| PartMade { number, etag, size: length }))
    }
}
