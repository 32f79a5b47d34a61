use std::collections::BTreeMap;
use std::fs::File;
use std::time::{Duration, SystemTime};

use twinsite_core::Run;
use twinsite_local::Cloud;
use twinsite_sync::Store;
use twinsite_sync::{
    Deletes, Guard, HeaderRule, Index, MemoryStore, Options, Reason, Rules, Setting, SyncError, plan, transfer, walk,
};

use crate::{bucket, planned, publish, site, write};

fn requests(cloud: &Cloud) -> BTreeMap<String, u64> {
    let requests = cloud.request_counts();
    cloud.reset_request_counts();
    requests
}

#[tokio::test]
async fn the_second_publish_makes_list_requests_only() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    let first = publish(dir.path(), &store).await;
    assert_eq!((first.put, first.kept), (7, 0));
    assert_eq!(requests(&cloud), [("ListObjectsV2".into(), 1), ("PutObject".into(), 8)].into());
    let second = publish(dir.path(), &store).await;
    assert_eq!((second.put, second.rewritten, second.kept), (0, 0, 7));
    assert_eq!(requests(&cloud), [("ListObjectsV2".into(), 1)].into());
}

#[tokio::test]
async fn touching_files_changes_nothing_and_one_byte_changes_one_object() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    publish(dir.path(), &store).await;
    let later = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    File::options().write(true).open(dir.path().join("feed.xml")).unwrap().set_modified(later).unwrap();
    assert!(planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap().is_empty());
    write(dir.path(), "feed.xml", "<food/>");
    let plan = planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap();
    let puts: Vec<_> = plan.puts().iter().map(|put| (put.object.key.as_str(), &put.reason)).collect();
    assert_eq!(puts, [("feed.xml", &Reason::Content)]);
}

#[tokio::test]
async fn a_header_rule_rewrites_exactly_what_it_matches_and_sends_no_bytes() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    publish(dir.path(), &store).await;
    requests(&cloud);
    let rule = HeaderRule::new("assets/*.svg", vec![Setting::CacheControl(Some("no-store".into()))]).unwrap();
    let rules = Rules::web().header(rule);
    let plan = planned(dir.path(), &rules, &store, &Options::default()).await.unwrap();
    assert_eq!(plan.rewrites().iter().map(|r| r.object.key.as_str()).collect::<Vec<_>>(), ["assets/logo.svg"]);
    let report = transfer(plan, &store, &Index::memory(), &Run::silent()).await.unwrap();
    assert_eq!((report.put, report.rewritten, report.bytes), (0, 1, 0));
    let made = requests(&cloud);
    assert_eq!((made.get("CopyObject"), made.get("HeadObject"), made.get("PutObject")), (Some(&1), None, Some(&1)));
    assert!(planned(dir.path(), &rules, &store, &Options::default()).await.unwrap().is_empty());
    assert_eq!(requests(&cloud), [("ListObjectsV2".into(), 1)].into());
}

#[tokio::test]
async fn headers_changed_behind_our_back_are_put_right() {
    let (dir, store) = (site(), MemoryStore::default());
    publish(dir.path(), &store).await;
    let key = "feed.xml".parse().unwrap();
    let etag = store.head(&key).await.unwrap().unwrap().etag;
    let listed = twinsite_sync::ListedObject { key, etag };
    store.rewrite(&listed, &twinsite_sync::Headers::default()).await.unwrap();
    let plan = planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap();
    let reason = Reason::Metadata(vec!["content-type", "cache-control"]);
    assert_eq!(plan.rewrites().iter().map(|r| &r.reason).collect::<Vec<_>>(), [&reason]);
}

#[tokio::test]
async fn only_what_was_published_is_deleted_and_ignored_keys_are_protected() {
    let (dir, store) = (site(), MemoryStore::default());
    publish(dir.path(), &store).await;
    for key in ["foreign.txt", "drafts/x.html"] {
        let body = ("x".into(), twinsite_sync::md5(b"x"));
        twinsite_sync::Store::put(&store, &key.parse().unwrap(), &Default::default(), body).await.unwrap();
    }
    std::fs::remove_file(dir.path().join("feed.xml")).unwrap();
    write(dir.path(), ".twinsiteignore", "drafts/\n");
    let owned = planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap();
    let keys =
        |plan: &twinsite_sync::SyncPlan| plan.deletes().iter().map(|delete| delete.key.to_string()).collect::<Vec<_>>();
    assert_eq!((keys(&owned), owned.foreign().len()), (vec!["feed.xml".to_owned()], 1));
    let all = Options { deletes: Deletes::All, ..Options::default() };
    let all = planned(dir.path(), &Rules::web(), &store, &all).await.unwrap();
    assert_eq!(keys(&all), ["feed.xml", "foreign.txt"]);
    let none = Options { deletes: Deletes::None, ..Options::default() };
    assert!(planned(dir.path(), &Rules::web(), &store, &none).await.unwrap().deletes().is_empty());
    transfer(owned, &store, &Index::memory(), &Run::silent()).await.unwrap();
    assert!(store.contents().contains_key(&"foreign.txt".parse().unwrap()));
}

#[tokio::test]
async fn keys_that_were_kept_once_can_still_be_deleted_later() {
    let (dir, store) = (site(), MemoryStore::default());
    publish(dir.path(), &store).await;
    std::fs::remove_file(dir.path().join("feed.xml")).unwrap();
    write(dir.path(), "new.txt", "new");
    let none = Options { deletes: Deletes::None, ..Options::default() };
    crate::try_publish(dir.path(), &store, &none).await.unwrap();
    let report = publish(dir.path(), &store).await;
    assert_eq!(report.deleted, 1);
}

#[tokio::test]
async fn too_many_deletes_are_refused_before_anything_is_changed() {
    let (dir, store) = (site(), MemoryStore::default());
    publish(dir.path(), &store).await;
    for name in ["feed.xml", "about/index.html", "assets/app.css"] {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    let options = Options { guard: Guard { count: 2, percent: 10, pages_percent: 100 }, ..Options::default() };
    let refused = planned(dir.path(), &Rules::web(), &store, &options).await.unwrap_err();
    assert!(matches!(refused, SyncError::TooManyDeletes { count: 3, owned: 7, .. }), "{refused}");
}

#[tokio::test]
async fn large_files_go_up_in_parts_and_are_recognised_afterwards() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    let file = File::create(dir.path().join("film.mp4")).unwrap();
    file.set_len(40 << 20).unwrap();
    publish(dir.path(), &store).await;
    let made = requests(&cloud);
    assert_eq!((made.get("UploadPart"), made.get("CompleteMultipartUpload")), (Some(&3), Some(&1)));
    assert!(planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap().is_empty());
    assert_eq!(requests(&cloud), [("ListObjectsV2".into(), 1)].into());
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_where_it_stopped() {
    let (dir, cloud) = (site(), Cloud::memory());
    let store = bucket(&cloud).await;
    let text = vec![7; 33 << 20];
    std::fs::write(dir.path().join("film.mp4"), text).unwrap();
    cloud.inject_faults(|seen| match seen.operation.as_str() {
        "CompleteMultipartUpload" => twinsite_local::InjectedFault::Refuse,
        _ => twinsite_local::InjectedFault::None,
    });
    assert!(crate::try_publish(dir.path(), &store, &Options::default()).await.is_err());
    cloud.inject_faults(|_| twinsite_local::InjectedFault::None);
    requests(&cloud);
    publish(dir.path(), &store).await;
    assert_eq!(requests(&cloud).get("UploadPart"), None);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_read_is_not_published() {
    let (dir, store) = (site(), MemoryStore::default());
    let source = walk(dir.path(), &Rules::web()).unwrap();
    let (index, run) = (Index::memory(), Run::silent());
    let plan = plan(&source, &store, &Options::default(), &index, &run).await.unwrap();
    write(dir.path(), "assets/app.css", "body{color:red}");
    std::fs::remove_file(dir.path().join("assets/logo.svg")).unwrap();
    let stopped = transfer(plan, &store, &index, &run).await.unwrap_err();
    // The second may not have been begun any more when the first failed.
    assert!((1..=2).contains(&stopped.failed.len()), "{stopped}");
    assert!(!store.contents().keys().any(|key| key.extension() == "html"), "pages wait for their assets");
    publish(dir.path(), &store).await;
    assert!(planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_keys_are_listed_in_ranges_at_about_a_request_per_thousand() {
    let (dir, cloud) = (tempfile::tempdir().unwrap(), Cloud::memory());
    let store = bucket(&cloud).await;
    for n in 0..2500 {
        std::fs::write(dir.path().join(format!("f{n:05}.txt")), n.to_string()).unwrap();
    }
    publish(dir.path(), &store).await;
    assert_eq!(requests(&cloud)["ListObjectsV2"], 1, "an empty bucket has one page");
    assert!(planned(dir.path(), &Rules::web(), &store, &Options::default()).await.unwrap().is_empty());
    assert_eq!(requests(&cloud), [("ListObjectsV2".into(), 3)].into());
}

#[tokio::test]
async fn the_index_spares_reading_but_never_lies() {
    let (dir, keep) = (site(), tempfile::tempdir().unwrap());
    let file = keep.path().join("index");
    let source = walk(dir.path(), &Rules::web()).unwrap();
    let css = source.get(&"assets/app.css".parse().unwrap()).unwrap();
    let index = Index::open(&file);
    index.put(css, twinsite_sync::md5(b"body{}"));
    index.save().unwrap();
    // Written in the same moment as the file was: not to be trusted. On a busy machine, it takes longer to get here.
    let modified = std::fs::metadata(dir.path().join("assets/app.css")).unwrap().modified().unwrap();
    File::options().append(true).open(&file).unwrap().set_modified(modified).unwrap();
    assert_eq!(Index::open(&file).get(css), None);
    // Later it is, by the very file and no other.
    let mut bytes = std::fs::read(&file).unwrap();
    let touched = File::options().append(true).open(&file).unwrap();
    let later = touched.metadata().unwrap().modified().unwrap() + Duration::from_secs(1);
    touched.set_modified(later).unwrap();
    assert_eq!(Index::open(&file).get(css), Some(twinsite_sync::md5(b"body{}")));
    assert_eq!(Index::open(&file).get(source.get(&"index.html".parse().unwrap()).unwrap()), None);
    std::fs::write(dir.path().join("assets/app.css"), "body{ }").unwrap();
    let changed = walk(dir.path(), &Rules::web()).unwrap();
    assert_eq!(Index::open(&file).get(changed.get(&"assets/app.css".parse().unwrap()).unwrap()), None);
    bytes.pop();
    for damaged in [&bytes[..], b"{ damaged", b""] {
        std::fs::write(&file, damaged).unwrap();
        touched.set_modified(later).unwrap();
        assert_eq!(Index::open(&file).get(css), None);
    }
}
