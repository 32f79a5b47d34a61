//! Large files: parts in parallel, going on where an interrupted upload stopped.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt, stream};
use twinsite_core::{Event, Phase, Run, Side};

use super::budget::ByteBudget;
use super::wave::Stored;
use crate::model::limits::part_size;
use crate::plan::diff::header_changes;
use crate::source::digest::{attribute_error, checked_range, spawn_read};
use crate::store::{Condition, ListedObject, PartMade, Pending, Written};
use crate::{ETag, Md5, Put, SourceObject, Store, SyncError};

/// Parts of one file sent at once.
const WIDTH: usize = 4;

/// Puts a large file.
pub(super) async fn put<S: Store>(
    Put { object, replaces, .. }: &Put,
    store: &S,
    memory: &ByteBudget,
    (run, side): (&Run, Option<Side>),
) -> Result<Stored, SyncError> {
    let pending = store.pending(&object.key).await?;
    let resumed = pending.is_some();
    let (id, there) = match pending {
        Some(Pending { id, parts }) => (id, parts),
        None => (store.begin(&object.key, &object.headers).await?, Vec::new()),
    };
    let there: HashMap<u32, PartMade> = there.into_iter().map(|part| (part.number, part)).collect();
    let upload = Upload { object, store, memory, id: &id, there };
    match upload.run(run, side).await {
        Ok(sent) => {
            let condition = Condition::unchanged(replaces.as_ref());
            let (parts, digests): (Vec<PartMade>, Vec<Md5>) = sent.into_iter().map(|one| (one.made, one.md5)).unzip();
            let written = store.complete((&object.key, &id), &parts, &condition).await?;
            let digest = Some(crate::multipart_etag(&digests));
            let etag = written.etag.clone().or_else(|| digest.clone());
            let written = Written { etag, ..written };
            let written = if resumed { check_headers(object, store, written).await? } else { written };
            Ok(Stored { written, digest })
        }
        Err(SyncError::Source(error)) => {
            // The parts are of a file that is no more. Should this fail, the bucket's lifecycle rule ends the upload.
            drop(store.abort((&object.key, &id)).await);
            Err(SyncError::Source(error))
        }
        // Anything else may be gone by the next run, which goes on from here.
        Err(error) => Err(error),
    }
}

/// An upload that was begun by an earlier run has the headers of that run, which need not be today's.
async fn check_headers<S: Store>(object: &SourceObject, store: &S, written: Written) -> Result<Written, SyncError> {
    let head = store.head(&object.key).await?;
    let right = head.is_none_or(|head| header_changes(&head.headers, &object.headers).is_empty());
    if right {
        return Ok(written);
    }
    let etag = written.etag.unwrap_or_else(|| ETag::parse(""));
    Ok(store.rewrite(&ListedObject { key: object.key.clone(), etag }, &object.headers).await?)
}

/// A part that has arrived, and the MD5 of its bytes, which its entity tag need not be.
struct SentPart {
    made: PartMade,
    md5: Md5,
}

struct Upload<'a, S> {
    object: &'a Arc<SourceObject>,
    store: &'a S,
    memory: &'a ByteBudget,
    id: &'a str,
    there: HashMap<u32, PartMade>,
}

impl<S: Store> Upload<'_, S> {
    async fn run(&self, run: &Run, side: Option<Side>) -> Result<Vec<SentPart>, SyncError> {
        let size = part_size(self.object.size);
        let count = u32::try_from(self.object.size.div_ceil(size)).unwrap_or(u32::MAX);
        let parts = (0..count).map(|index| self.part(index, size, run, side));
        let mut made = Vec::with_capacity(count as usize);
        let mut flight = stream::iter(parts).buffered(WIDTH);
        let mut failed = None;
        while let Some(part) = flight.next().await {
            match part {
                Ok(part) => made.push(part),
                Err(error) => failed = failed.or(Some(error)),
            }
            if failed.is_some() {
                break;
            }
        }
        failed.map_or(Ok(made), Err)
    }

    async fn part(&self, index: u32, size: u64, run: &Run, side: Option<Side>) -> Result<SentPart, SyncError> {
        if run.is_cancelled() {
            return Err(SyncError::Cancelled);
        }
        let offset = u64::from(index) * size;
        let length = size.min(self.object.size - offset);
        let _room = self.memory.acquire(length).await;
        let (content, digest) = spawn_read(self.object, move |object| checked_range(object, offset, length)).await?;
        let mut made = PartMade { number: index + 1, etag: ETag::Md5(digest), size: length };
        // A part with an opaque tag is sent again: what it has is not known.
        if self.there.get(&made.number) != Some(&made) {
            let sent = self.store.part((&self.object.key, self.id), made.number, (content, digest)).await;
            made.etag = sent.map_err(|error| attribute_error(self.object, error))?;
        }
        run.emit(&Event::Progress { phase: Phase::Transfer, side, objects: 0, bytes: length });
        Ok(SentPart { made, md5: digest })
    }
}
