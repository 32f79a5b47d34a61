//! Large files are read while they are sent: again for every attempt, and never other bytes than were hashed.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use twinsite_core::Run;
use twinsite_local::{Cloud, InjectedFault};
use twinsite_sync::{
    Condition, ETag, FileRange, Headers, Index, MemoryStore, Options, Rules, S3Store, SourceError, Store, SyncError,
    md5, plan, transfer, walk,
};

use crate::{bucket, planned, publish, write};

/// Sent whole.
const WHOLE: usize = 3 << 20;
/// Sent in three parts.
const PARTS: usize = 40 << 20;

fn noise(path: &Path, size: usize) -> Vec<u8> {
    let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n * n / 251 % 256).unwrap()).collect();
    std::fs::write(path, &bytes).unwrap();
    bytes
}

async fn assert_there(store: &S3Store, name: &str, bytes: &[u8]) {
    let there = store.get(&name.parse().unwrap()).await.unwrap().unwrap();
    assert!(there == bytes, "{name}: {} of {} bytes", there.len(), bytes.len());
}

#[tokio::test]
async fn every_attempt_reads_them_anew() {
    for trouble in [
        InjectedFault::Refuse,
        InjectedFault::LoseReply,
        InjectedFault::SlowDown,
        InjectedFault::Error { status: 500, code: "InternalError" },
    ] {
        let (dir, cloud) = (tempfile::tempdir().unwrap(), Cloud::memory());
        let store = bucket(&cloud).await;
        let whole = noise(&dir.path().join("whole.bin"), WHOLE);
        let parts = noise(&dir.path().join("parts.bin"), PARTS);
        let (puts, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        cloud.inject_faults(move |seen| {
            let first = match seen.operation.as_str() {
                "PutObject" => puts.fetch_add(1, Ordering::Relaxed) == 0,
                "UploadPart" => sent.fetch_add(1, Ordering::Relaxed) < 2,
                _ => false,
            };
            if first { trouble } else { InjectedFault::None }
        });
        let report = publish(dir.path(), &store).await;
        assert_eq!((report.put, report.bytes), (2, (WHOLE + PARTS) as u64), "{trouble:?}");
        assert_there(&store, "whole.bin", &whole).await;
        assert_there(&store, "parts.bin", &parts).await;
        assert!(cloud.request_counts()["UploadPart"] >= 5, "{trouble:?}: {:?}", cloud.request_counts());
        let again = planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap();
        assert!(again.is_empty(), "{trouble:?}");
    }
}

#[tokio::test]
async fn one_that_changes_behind_its_digest_is_not_published() {
    for (size, operation) in [(WHOLE, "PutObject"), (PARTS, "UploadPart")] {
        let (dir, cloud) = (tempfile::tempdir().unwrap(), Cloud::memory());
        let store = bucket(&cloud).await;
        let path = dir.path().join("film.bin");
        noise(&path, size);
        write(dir.path(), "index.html", "<video src=film.bin>");
        let source = walk(dir.path(), &Rules::web()).unwrap();
        let (index, run) = (Index::memory(), Run::silent());
        let plan = plan(&source, &store, &Options::default(), &index, &run).await.unwrap();
        let done = AtomicBool::new(false);
        cloud.inject_faults(move |seen| {
            if seen.operation == operation && !done.swap(true, Ordering::Relaxed) {
                std::fs::write(&path, vec![7; size]).unwrap();
            }
            InjectedFault::None
        });
        let stopped = transfer(plan, &store, &index, &run).await.unwrap_err();
        let [(key, SyncError::Source(SourceError::Changed(changed)))] = &stopped.failed[..] else {
            panic!("{stopped}")
        };
        assert_eq!((key, key.as_str()), (changed, "film.bin"));
        assert!(store.page(None).await.unwrap().objects.is_empty(), "neither half a film nor a page without one");
        cloud.inject_faults(|_| InjectedFault::None);
        publish(dir.path(), &store).await;
        assert_there(&store, "film.bin", &vec![7; size]).await;
    }
}

/// A range in the middle of a file, put with its sum and with another one.
async fn assert_sum_counts(store: &impl Store) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("film.bin");
    std::fs::write(&path, "..123456789..").unwrap();
    let (key, headers) = ("film.bin".parse().unwrap(), Headers::default());
    let range = FileRange { path, offset: 2, length: 9 };
    let sum = 0xae8b_1486_0a79_9888;
    store.put_range(&key, &headers, (range.clone(), sum + 1), &Condition::None).await.unwrap_err();
    assert_eq!(store.get(&key).await.unwrap(), None);
    let written = store.put_range(&key, &headers, (range, sum), &Condition::Absent).await.unwrap();
    assert_eq!(written.etag, Some(ETag::Md5(md5(b"123456789"))));
    assert_eq!(store.get(&key).await.unwrap().unwrap(), "123456789");
}

#[tokio::test]
async fn a_stretch_with_another_sum_is_refused() {
    assert_sum_counts(&bucket(&Cloud::memory()).await).await;
    assert_sum_counts(&MemoryStore::default()).await;
}

#[tokio::test]
async fn one_that_was_just_sent_need_not_be_hashed() {
    let (dir, cloud) = (tempfile::tempdir().unwrap(), Cloud::memory());
    let store = bucket(&cloud).await;
    let bytes = noise(&dir.path().join("film.bin"), WHOLE);
    let source = walk(dir.path(), &Rules::web()).unwrap();
    let (index, run) = (Index::memory(), Run::silent());
    let plan = plan(&source, &store, &Options::default(), &index, &run).await.unwrap();
    transfer(plan, &store, &index, &run).await.unwrap();
    assert_eq!(index.get(&source.objects()[0]), Some(md5(&bytes)));
}

#[tokio::test]
async fn a_small_one_was_read_before_so_what_the_store_says_counts() {
    let (dir, cloud) = (tempfile::tempdir().unwrap(), Cloud::memory());
    let store = bucket(&cloud).await;
    write(dir.path(), "index.html", "first");
    let path = dir.path().join("index.html");
    cloud.inject_faults(move |seen| {
        if seen.operation != "PutObject" {
            return InjectedFault::None;
        }
        std::fs::write(&path, "second").unwrap();
        InjectedFault::Error { status: 403, code: "AccessDenied" }
    });
    let stopped = crate::try_publish(dir.path(), &store, &Options::default()).await.unwrap_err();
    assert!(matches!(&stopped.failed[..], [(_, SyncError::Store(_))]), "{stopped}");
}
