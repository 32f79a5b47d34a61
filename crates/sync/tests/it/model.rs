//! Random trees, random buckets, random options: what must always hold, faults or none.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use twinsite_core::Run;
use twinsite_sync::{
    Deletes, Guard, Headers, Index, Key, MemoryStore, Options, Rules, Store, md5, plan, transfer, walk,
};

use crate::gated::Fault;
use crate::write;

const NAMES: [&str; 9] = [
    "index.html",
    "a.css",
    "b/index.html",
    "b/c.js",
    "d e.png",
    "feed.xml",
    "drafts/x.html",
    "drafts/y.css",
    "z+%.txt",
];

fn tree() -> impl Strategy<Value = BTreeMap<&'static str, u8>> {
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), 0u8..3, 1..NAMES.len())
}

fn deletes() -> impl Strategy<Value = Deletes> {
    prop::sample::select(vec![Deletes::None, Deletes::Owned, Deletes::All])
}

/// A request that fails with all behind it, or whose reply alone is lost.
pub(crate) fn fault() -> impl Strategy<Value = Option<(usize, bool)>> {
    prop::option::of((0_usize..24, any::<bool>()))
}

fn text(version: u8) -> String {
    // Versions 0 and 1 have the same size.
    ["aa", "bb", "ccc"][usize::from(version)].to_owned()
}

/// Publishes, after an attempt with a fault in it, should there be one.
async fn publish(
    tree: &BTreeMap<&str, u8>,
    store: &MemoryStore,
    deletes: Deletes,
    fault: Option<(usize, bool)>,
) -> Option<BTreeSet<Key>> {
    let dir = tempfile::tempdir().unwrap();
    for (name, version) in tree {
        write(dir.path(), name, &text(*version));
    }
    let rules = Rules::web().ignore("drafts/").unwrap();
    let source = walk(dir.path(), &rules).ok()?;
    let options = Options { deletes, guard: Guard::OFF, ..Options::default() };
    let (index, run) = (Index::memory(), Run::silent());
    let mut deleted = BTreeSet::new();
    for faulty in fault.iter().flat_map(|(at, lost)| Fault::both(*at, *lost, [store])) {
        let Ok(first) = plan(&source, &faulty, &options, &index, &run).await else { continue };
        deleted.extend(first.deletes().iter().map(|delete| delete.key.clone()));
        drop(transfer(first, &faulty, &index, &run).await);
    }
    let first = plan(&source, store, &options, &index, &run).await.unwrap();
    deleted.extend(first.deletes().iter().map(|delete| delete.key.clone()));
    transfer(first, store, &index, &run).await.unwrap();
    let second = plan(&source, store, &options, &index, &run).await.unwrap();
    assert!(second.is_empty(), "{second:?}");
    let contents = store.contents();
    for object in source.objects() {
        let (bytes, headers) = &contents[&object.key];
        assert_eq!(
            (bytes.as_ref(), headers),
            (&std::fs::read(object.file().unwrap().0).unwrap()[..], &*object.headers)
        );
    }
    Some(deleted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_publish_makes_the_bucket_equal_and_touches_nothing_else(
        foreign in prop::collection::btree_map(prop::sample::select(&NAMES[..]), 0u8..3, 0..4),
        trees in prop::collection::vec((tree(), deletes(), fault()), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = MemoryStore::default();
            let mut owned: BTreeSet<String> = BTreeSet::new();
            for (name, version) in &foreign {
                let bytes = Bytes::from(text(*version));
                let digest = md5(&bytes);
                store.put(&name.parse().unwrap(), &Headers::default(), (bytes.into(), digest)).await.unwrap();
            }
            for (tree, deletes, fault) in &trees {
                let before = store.contents();
                let Some(deleted) = publish(tree, &store, *deletes, *fault).await else { continue };
                for key in &deleted {
                    assert!(!key.as_str().starts_with("drafts/"), "protected keys stay");
                    assert!(*deletes == Deletes::All || owned.contains(key.as_str()), "{key} was not ours");
                }
                for (key, kept) in before.iter().filter(|(key, _)| key.as_str().starts_with("drafts/")) {
                    assert_eq!(store.contents().get(key), Some(kept));
                }
                owned.extend(tree.keys().filter(|name| !name.starts_with("drafts/")).map(ToString::to_string));
            }
        });
    }
}
