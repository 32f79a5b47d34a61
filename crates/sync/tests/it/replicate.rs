//! Random pairs of buckets: after a backfill they are level, and nothing foreign was touched.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use twinsite_core::{Pair, Run};
use twinsite_sync::{Headers, Key, MemoryStore, Rules, Store, SyncError, md5, replicate};

use crate::{contents, publish, site};

const NAMES: [&str; 7] = ["index.html", "a.css", "b/index.html", "b/c.js", "d e.png", "z+%.txt", "\u{e4}.svg"];

/// Text, type and redirect of an object.
type Object = (u8, u8, bool);

fn bucket() -> impl Strategy<Value = Vec<(usize, Option<Object>)>> {
    let object = prop::option::weighted(0.8, (0u8..3, 0u8..2, any::<bool>()));
    prop::collection::vec((0..NAMES.len(), object), 0..12)
}

async fn write(store: &MemoryStore, changes: &[(usize, Option<Object>)]) {
    for (name, object) in changes {
        let key: Key = NAMES[*name].parse().unwrap();
        let Some((text, kind, redirect)) = object else {
            store.delete(&[key]).await.unwrap();
            continue;
        };
        let bytes = Bytes::from(["aa", "bb", "ccc"][usize::from(*text)]);
        let headers = Headers {
            content_type: Some(["text/html", "text/css"][usize::from(*kind)].to_owned()),
            website_redirect: redirect.then(|| "/there".to_owned()),
            ..Headers::default()
        };
        let digest = md5(&bytes);
        store.put(&key, &headers, (bytes.into(), digest)).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_backfill_makes_two_buckets_level_and_touches_nothing_foreign(
        first in bucket(), second in bucket(), later in bucket(), meddling in bucket(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (primary, backup, run) = (MemoryStore::default(), MemoryStore::default(), Run::silent());
            write(&primary, &first).await;
            write(&backup, &second).await;
            // Twice, because what the first backfill noted must not hide what changes after it, on either side.
            for changes in [None, Some((&later, &meddling))] {
                if let Some((here, there)) = changes {
                    write(&primary, here).await;
                    write(&backup, there).await;
                }
                let before = contents(&backup).await;
                let compared = replicate::compare(&primary, &backup, &run).await.unwrap();
                let (foreign, copies) = (compared.foreign.clone(), compared.copies.len());
                let filled = replicate::fill(compared, &primary, &backup, &Rules::web(), &run).await.unwrap();
                assert_eq!((filled.copied, &filled.missed), (copies, &Vec::new()));
                let (here, there) = (contents(&primary).await, contents(&backup).await);
                let left: BTreeMap<_, _> = there.iter().filter(|(key, _)| !here.contains_key(*key)).collect();
                assert!(here.iter().all(|(key, object)| there.get(key) == Some(object)), "{here:?} {there:?}");
                assert_eq!(left.keys().map(|key| (*key).clone()).collect::<Vec<_>>(), foreign);
                assert!(left.iter().all(|(key, object)| before.get(*key) == Some(*object)), "foreign objects stay");
                let again = replicate::compare(&primary, &backup, &run).await.unwrap();
                assert!(again.is_in_sync(), "{again:?}");
            }
        });
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_copies_nothing_more_and_says_so() {
    let (primary, backup, run) = (MemoryStore::default(), MemoryStore::default(), Run::silent());
    let wrote = publish(site().path(), &primary).await.wrote;
    run.cancel.cancel();
    let mut follower =
        replicate::ReplicationWaiter::new(Pair::new(primary, backup.clone()), Duration::from_secs(5), &run);
    follower.follow(&wrote, &[]).await;
    assert!(matches!(follower.state.trouble, Some(SyncError::Cancelled)), "{:?}", follower.state);
    assert!(!wrote.is_empty() && backup.contents().is_empty());
}
