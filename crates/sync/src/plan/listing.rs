//! Listing a bucket in ranges, all at once.
//!
//! S3 pages a listing a thousand keys at a time, one after the other. But `StartAfter` may be any key, and the source
//! tells where keys are likely to be: so the key space is cut there and the ranges are listed in parallel. A wrong guess
//! costs a request or two, never a key.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use crate::{Key, Page, RemoteObject, Source, Store, StoreError};

/// Keys of a page.
const PAGE: usize = 1000;

/// Keys that the bucket may have beside the source's without a request more.
const EXTRA: usize = 12;

/// Ranges listed at once.
const WIDTH: usize = 8;

/// Behind a key, up to and with another one.
type Range = (Option<Key>, Option<Key>);

/// Where the key space is likely to be as full as a page.
pub(crate) fn cuts(source: &Source) -> Vec<Key> {
    let keys = source.objects.len();
    // As many ranges as there would be pages, and all of them equally full.
    let range = keys.div_ceil((keys + EXTRA).div_ceil(PAGE)).max(1);
    source.objects.iter().skip(range).step_by(range).map(|object| object.key.clone()).collect()
}

fn ranges(cuts: &[Key]) -> impl Iterator<Item = Range> {
    let cuts = || cuts.iter().cloned().map(Some);
    std::iter::once(None).chain(cuts()).zip(cuts().chain(std::iter::once(None)))
}

/// Every object of the bucket, in key order.
pub(crate) async fn list(source: &Source, store: &impl Store) -> Result<Vec<RemoteObject>, StoreError> {
    list_behind(None, source, store).await
}

/// The same for a bucket that may well be empty: its first page tells whether there is anything to list at once.
pub(crate) async fn list_from_the_start(source: &Source, store: &impl Store) -> Result<Vec<RemoteObject>, StoreError> {
    let Page { mut objects, more } = store.page(None).await?;
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    share(&mut objects, source);
    if let Some(last) = objects.last().filter(|_| more) {
        let rest = list_behind(Some(&last.key), source, store).await?;
        objects.extend(rest);
    }
    without_repetition(objects)
}

/// A key that is listed twice would be compared with the source once, and count as extraneous the second time. S3 lists none twice;
/// servers that are like it, caches and proxies have done so.
fn without_repetition(listing: Vec<RemoteObject>) -> Result<Vec<RemoteObject>, StoreError> {
    match listing.windows(2).find(|pair| pair[0].key == pair[1].key) {
        None => Ok(listing),
        Some(pair) => Err(repeated(&pair[0].key)),
    }
}

/// The error of a listing that is not one.
pub(crate) fn repeated(key: &Key) -> StoreError {
    StoreError::Broken(format!("the listing of the bucket contains `{key}` twice: it cannot be relied on"))
}

async fn list_behind(
    start: Option<&Key>,
    source: &Source,
    store: &impl Store,
) -> Result<Vec<RemoteObject>, StoreError> {
    let mut cuts = cuts(source);
    cuts.retain(|cut| start.is_none_or(|start| cut > start));
    let ranges = ranges(&cuts).map(|(after, until)| (after.or_else(|| start.cloned()), until));
    let mut listed = BTreeMap::new();
    let keep = |n, mut found: Vec<RemoteObject>| {
        share(&mut found, source);
        listed.insert(n, found);
    };
    each_range(ranges.collect(), store, keep).await?;
    let mut listing: Vec<RemoteObject> = listed.into_values().flatten().collect();
    // It is in order already, unless the server has an order of its own; then this is all that is lost.
    listing.sort_by(|a, b| a.key.cmp(&b.key));
    without_repetition(listing)
}

/// Makes the source's keys out of equal ones: thousands of texts need not be in memory twice.
fn share(found: &mut [RemoteObject], source: &Source) {
    let start = found.first().map_or(0, |first| source.objects.partition_point(|object| object.key < first.key));
    let mut mine = source.objects[start..].iter().map(|object| &object.key).peekable();
    for object in found {
        while mine.next_if(|key| **key < object.key).is_some() {}
        if let Some(key) = mine.next_if(|key| **key == object.key) {
            object.key = key.clone();
        }
    }
}

/// The ranges of the bucket that these keys are in, which are in order; range by range, as they arrive.
pub(crate) async fn list_around(
    keys: &[&Key],
    cuts: &[Key],
    store: &impl Store,
    mut each: impl FnMut(RemoteObject),
) -> Result<(), StoreError> {
    let is_wanted = |(after, until): &Range| {
        let start = after.as_ref().map_or(0, |after| keys.partition_point(|key| *key <= after));
        keys.get(start).is_some_and(|key| until.as_ref().is_none_or(|until| *key <= until))
    };
    let ranges = ranges(cuts).filter(is_wanted).collect();
    each_range(ranges, store, |_, found| found.into_iter().for_each(&mut each)).await
}

async fn each_range(
    ranges: Vec<Range>,
    store: &impl Store,
    mut arrived: impl FnMut(usize, Vec<RemoteObject>),
) -> Result<(), StoreError> {
    let mut ranges = ranges.into_iter().enumerate();
    // Tasks of their own, because reading a page costs more than waiting for it.
    let mut flight = JoinSet::new();
    loop {
        while flight.len() < WIDTH
            && let Some((n, (after, until))) = ranges.next()
        {
            let store = store.clone();
            flight.spawn(async move { (n, range(&store, after, until).await) });
        }
        match flight.join_next().await {
            None => return Ok(()),
            Some(Ok((n, found))) => arrived(n, found?),
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
        let last = found.last().map(|last| last.key.as_str().to_owned());
        if let Some(stuck) = found.last().filter(|_| last == behind) {
            return Err(repeated(&stuck.key));
        }
        behind = last;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{Body, ETag, Headers, MemoryStore, Rules, SourceObject, Wave, md5};

    fn source(names: impl IntoIterator<Item = u16>) -> Source {
        let object = |name: u16| {
            let body = Body::Version { etag: ETag::parse(""), digest: None, version: None };
            let (key, headers) = (format!("{name:05}").parse().unwrap(), std::sync::Arc::default());
            SourceObject { key, body, size: 0, headers, wave: Wave::Assets }
        };
        Source::of(names.into_iter().map(object), &Rules::web())
    }

    async fn bucket(names: impl IntoIterator<Item = u16>) -> MemoryStore {
        let store = MemoryStore::default();
        for name in names {
            let key = format!("{name:05}").parse().unwrap();
            store.put(&key, &Headers::default(), ("".into(), md5(b""))).await.unwrap();
        }
        store
    }

    #[test]
    fn a_listing_that_repeats_a_key_is_an_error_that_names_it() {
        let object =
            |key: &str| RemoteObject { key: key.parse().unwrap(), size: 0, etag: ETag::parse("x"), modified: 0 };
        assert_eq!(without_repetition(vec![object("a"), object("b")]).unwrap().len(), 2);
        let error = without_repetition(vec![object("a"), object("b"), object("b"), object("c")]).unwrap_err();
        assert!(error.to_string().contains("`b` twice"), "{error}");
    }

    #[test]
    fn there_are_as_many_ranges_as_pages() {
        for (keys, ranges) in [(1, 1), (988, 1), (989, 2), (2500, 3), (10_286, 11), (32_775, 33)] {
            let cuts = cuts(&source(0..keys));
            assert_eq!(cuts.len() + 1, ranges, "{keys}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn in_ranges_or_from_the_start_all_is_listed(mine in 0..4000_u16, theirs in 0..4000_u16, step in 1..4_usize) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let source = source((0..mine).step_by(step));
                let names: BTreeSet<u16> = (theirs / 3..theirs).collect();
                let store = bucket(names.iter().copied()).await;
                let wanted: Vec<Key> = names.iter().map(|name| format!("{name:05}").parse().unwrap()).collect();
                let keys = |listing: &[RemoteObject]| listing.iter().map(|object| object.key.clone()).collect::<Vec<_>>();
                prop_assert_eq!(&keys(&list(&source, &store).await.unwrap()), &wanted);
                prop_assert_eq!(&keys(&list_from_the_start(&source, &store).await.unwrap()), &wanted);
                let some: Vec<&Key> = wanted.iter().step_by(700).collect();
                let mut around = Vec::new();
                list_around(&some, &cuts(&source), &store, |object| around.push(object.key)).await.unwrap();
                prop_assert!(some.iter().all(|key| around.contains(key)));
                Ok(())
            })?;
        }
    }
}
