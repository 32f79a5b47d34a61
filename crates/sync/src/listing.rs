//! Listing a bucket in ranges, all at once.
//!
//! S3 pages a listing a thousand keys at a time, one after the other. But `StartAfter` may be any key, and the source
//! tells where keys are likely to be: so the key space is cut there and the ranges are listed in parallel. A wrong guess
//! costs a request or two, never a key.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::{Key, RemoteObject, Source, Store, StoreError};

/// Source keys per range: a little less than a page, so that a few extra keys in the bucket do not cost a request.
const PER_RANGE: usize = 980;

/// Ranges listed at once.
const WIDTH: usize = 16;

/// Behind a key, up to and with another one.
type Range = (Option<Key>, Option<Key>);

/// Where the key space is likely to be as full as a page.
pub(crate) fn cuts(source: &Source) -> Vec<Key> {
    source.objects.iter().skip(PER_RANGE).step_by(PER_RANGE).map(|object| object.key.clone()).collect()
}

fn ranges(cuts: &[Key]) -> impl Iterator<Item = Range> {
    let cuts = || cuts.iter().cloned().map(Some);
    std::iter::once(None).chain(cuts()).zip(cuts().chain(std::iter::once(None)))
}

/// Every object of the bucket, in key order.
pub(crate) async fn list(source: &Source, store: &impl Store) -> Result<Vec<RemoteObject>, StoreError> {
    list_ranges(ranges(&cuts(source)).collect(), store).await
}

/// The stretches of the bucket that these keys are in, which are in order; all of it, in key order.
pub(crate) async fn list_around(
    keys: &[Key],
    cuts: &[Key],
    store: &impl Store,
) -> Result<Vec<RemoteObject>, StoreError> {
    let is_wanted = |(after, until): &Range| {
        let start = after.as_ref().map_or(0, |after| keys.partition_point(|key| key <= after));
        keys.get(start).is_some_and(|key| until.as_ref().is_none_or(|until| key <= until))
    };
    list_ranges(ranges(cuts).filter(is_wanted).collect(), store).await
}

async fn list_ranges(ranges: Vec<Range>, store: &impl Store) -> Result<Vec<RemoteObject>, StoreError> {
    let mut ranges = ranges.into_iter().enumerate();
    // Tasks of their own, because reading a page costs more than waiting for it.
    let mut flight = JoinSet::new();
    let mut listed = BTreeMap::new();
    loop {
        while flight.len() < WIDTH
            && let Some((n, (after, until))) = ranges.next()
        {
            let store = store.clone();
            flight.spawn(async move { (n, range(&store, after, until).await) });
        }
        match flight.join_next().await {
            None => {
                let mut listing: Vec<RemoteObject> = listed.into_values().flatten().collect();
                // It is in order already, unless the server has an order of its own; then this is all that is lost.
                listing.sort_by(|a, b| a.key.cmp(&b.key));
                return Ok(listing);
            }
            Some(Ok((n, found))) => drop(listed.insert(n, found?)),
            Some(Err(stopped)) => return Err(StoreError::Broken(stopped.to_string())),
        }
    }
}

/// The objects behind `after`, up to and with `until`.
async fn range(store: &impl Store, after: Option<Key>, until: Option<Key>) -> Result<Vec<RemoteObject>, StoreError> {
    let until = until.as_ref();
    let mut found: Vec<RemoteObject> = Vec::new();
    let mut behind = after.map(|key| key.as_str().to_owned());
    loop {
        let page = store.page(behind.as_deref()).await?;
        let full = page.objects.last().is_some_and(|last| until.is_some_and(|until| last.key >= *until));
        found.extend(page.objects.into_iter().take_while(|object| until.is_none_or(|until| object.key <= *until)));
        if full || !page.more {
            return Ok(found);
        }
        behind = found.last().map(|last| last.key.as_str().to_owned());
    }
}
