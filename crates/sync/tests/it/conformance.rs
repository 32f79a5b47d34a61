//! What every store must do, whatever is behind it.

use bytes::Bytes;
use twinsite_local::Cloud;
use twinsite_sync::{
    Condition, Copied, Copying, ETag, Headers, Key, ListedObject, MemoryStore, NotDeleted, PartMade, Store, StoreError,
    VersionedStore, md5,
};

use crate::bucket;

pub(crate) const ODD: [&str; 14] = [
    "a b",
    "a+b",
    "100%",
    "a#b",
    "a&b",
    "a?b",
    "~a",
    "it's",
    "Ünï",
    "U\u{308}n",
    ".hidden",
    "tab\tnew\nline",
    "Case",
    "case",
];

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

async fn put(store: &impl Store, name: &str, text: &'static str) {
    let body = (text.into(), md5(text.as_bytes()));
    store.put(&key(name), &Headers::default(), body).await.unwrap();
}

async fn keys(store: &impl Store) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = store.page(found.last().map(String::as_str)).await.unwrap();
        found.extend(page.objects.into_iter().map(|object| object.key.to_string()));
        if !page.more {
            return found;
        }
    }
}

async fn odd_names_are_kept(store: &impl Store, names: &[&str]) {
    for name in names {
        put(store, name, "x").await;
    }
    let long = "k".repeat(1024);
    put(store, &long, "x").await;
    let mut expected: Vec<String> = names.iter().map(ToString::to_string).chain([long]).collect();
    expected.sort();
    assert_eq!(keys(store).await, expected);
    for name in &expected {
        assert_eq!(store.get(&key(name)).await.unwrap().as_deref(), Some(&b"x"[..]), "{name}");
        let listed = ListedObject { key: key(name), etag: ETag::Md5(md5(b"x")) };
        store.rewrite(&listed, &headers()).await.unwrap();
    }
    let all: Vec<Key> = expected.iter().map(|name| key(name)).collect();
    assert!(store.delete(&all).await.unwrap().is_empty());
    assert!(keys(store).await.is_empty());
}

fn headers() -> Headers {
    Headers {
        content_type: Some("text/css; charset=utf-8".into()),
        cache_control: Some("max-age=60".into()),
        content_encoding: Some("gzip".into()),
        content_disposition: Some("inline".into()),
        content_language: Some("de".into()),
        website_redirect: Some("/there".into()),
        metadata: [("who".to_owned(), "me".to_owned())].into(),
    }
}

async fn headers_are_put_and_replaced_whole(store: &impl Store) {
    let body = || ("css".into(), md5(b"css"));
    store.put(&key("k"), &headers(), body()).await.unwrap();
    let head = store.head(&key("k")).await.unwrap().unwrap();
    assert_eq!((head.headers, head.etag, head.size), (headers(), ETag::Md5(md5(b"css")), 3));
    let fewer = Headers { content_type: Some("text/plain".into()), ..Headers::default() };
    store.rewrite(&ListedObject { key: key("k"), etag: ETag::Md5(md5(b"css")) }, &fewer).await.unwrap();
    let head = store.head(&key("k")).await.unwrap().unwrap();
    assert_eq!((head.headers, head.etag), (fewer, ETag::Md5(md5(b"css"))));
    assert!(store.head(&key("none")).await.unwrap().is_none() && store.get(&key("none")).await.unwrap().is_none());
    store.delete(&[key("k"), key("none")]).await.unwrap();
}

async fn damage_on_the_way_is_noticed(store: &impl Store) {
    let wrong = ("sent".into(), md5(b"other"));
    assert!(store.put(&key("k"), &Headers::default(), wrong).await.is_err());
}

async fn uploads_in_parts_can_be_found_and_finished(store: &impl Store) {
    let big = key("big film");
    let id = store.begin(&big, &headers()).await.unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1u8, 5 << 20), (2, 10)] {
        let bytes = Bytes::from(vec![number; size]);
        let number = u32::from(number);
        let digest = md5(&bytes);
        store.part((&big, &id), number, (bytes.into(), digest)).await.unwrap();
        parts.push(PartMade { number, etag: ETag::Md5(digest), size: size as u64 });
    }
    let pending = store.pending(&big).await.unwrap().unwrap();
    assert_eq!((&pending.id, &pending.parts), (&id, &parts));
    store.complete((&big, &id), &parts, &Condition::None).await.unwrap();
    let head = store.head(&big).await.unwrap().unwrap();
    assert_eq!((head.size, head.part_size), ((5 << 20) + 10, Some(5 << 20)));
    assert!(matches!(head.etag, ETag::Multipart(_, 2)));
    assert!(store.pending(&big).await.unwrap().is_none());
    let other = store.begin(&big, &headers()).await.unwrap();
    store.abort((&big, &other)).await.unwrap();
    assert!(store.pending(&big).await.unwrap().is_none());
    store.delete(&[big]).await.unwrap();
}

fn is_changed<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Changed(_)))
}

/// Every kind of write, with a precondition that holds and with one that does not.
pub(crate) async fn writes_are_conditional(store: &impl VersionedStore) {
    let (k, headers) = (key("k"), headers());
    let etag = |text: &str| ETag::Md5(md5(text.as_bytes()));
    let body = |text: &'static str| (text.into(), md5(text.as_bytes()));
    let listed = |text: &str| ListedObject { key: key("k"), etag: etag(text) };
    let is = |text: &str| Condition::Is(etag(text));

    assert!(is_changed(&store.put_if(&k, &headers, body("one"), &is("zero")).await), "there is none to replace");
    store.put_if(&k, &headers, body("one"), &Condition::Absent).await.unwrap();
    assert!(is_changed(&store.put_if(&k, &headers, body("two"), &Condition::Absent).await), "there is one");
    assert!(is_changed(&store.put_if(&k, &headers, body("two"), &is("zero")).await), "there is another one");
    store.put_if(&k, &headers, body("two"), &is("one")).await.unwrap();
    assert_eq!(store.get(&k).await.unwrap().unwrap(), "two");

    assert!(is_changed(&store.rewrite(&listed("one"), &Headers::default()).await), "rewrites");
    assert!(is_changed(&store.rewrite(&ListedObject { key: key("none"), etag: etag("one") }, &headers).await));
    store.rewrite(&listed("two"), &headers).await.unwrap();

    let id = store.begin(&k, &headers).await.unwrap();
    store.part((&k, &id), 1, body("film")).await.unwrap();
    let parts = [PartMade { number: 1, etag: ETag::Md5(md5(b"film")), size: 4 }];
    assert!(is_changed(&store.complete((&k, &id), &parts, &is("one")).await), "completions");
    store.complete((&k, &id), &parts, &is("two")).await.unwrap();
    store.put(&k, &headers, body("two")).await.unwrap();

    // A copy from one key's past onto itself, as a rollback makes it.
    let versions = store.versions("k", None).await.unwrap().past;
    let one = versions.iter().find(|version| version.etag == Some(etag("one"))).unwrap();
    let copying = |condition| Copying {
        key: key("k"),
        version: Some(one.version.clone()),
        etag: etag("one"),
        headers: None,
        redirect: None,
        condition,
    };
    assert!(is_changed(&store.copy(store, &copying(is("zero"))).await), "copies");
    assert!(is_changed(&store.copy(store, &copying(Condition::Absent)).await), "copies");
    assert!(matches!(store.copy(store, &copying(is("two"))).await, Ok(Copied::Done(_))));
    assert_eq!(store.get(&k).await.unwrap().unwrap(), "one");
    let gone = Copying { etag: etag("never"), ..copying(is("one")) };
    assert!(matches!(store.copy(store, &gone).await, Ok(Copied::Gone)), "the source is another one");

    let left = store.delete_if(&[listed("two")]).await.unwrap();
    assert!(matches!(&left[..], [NotDeleted { error: StoreError::Changed(_), .. }]), "{left:?}");
    let none = || ListedObject { key: key("none"), etag: etag("one") };
    let left = store.delete_if(&[listed("two"), none()]).await.unwrap();
    assert!(matches!(&left[..], [NotDeleted { error: StoreError::Changed(_), .. }]), "{left:?}");
    assert!(store.get(&k).await.unwrap().is_some());
    assert!(store.delete_if(&[listed("one"), none()]).await.unwrap().is_empty(), "what is absent counts as deleted");
    assert!(store.delete_if(&[none()]).await.unwrap().is_empty());
    assert!(store.get(&k).await.unwrap().is_none());
    store.put_if(&k, &headers, body("one"), &Condition::Absent).await.unwrap();
    store.delete(&[k]).await.unwrap();
}

/// Runs everything on an empty store.
pub(crate) async fn all(store: &impl Store, names: &[&str]) {
    odd_names_are_kept(store, names).await;
    headers_are_put_and_replaced_whole(store).await;
    damage_on_the_way_is_noticed(store).await;
    uploads_in_parts_can_be_found_and_finished(store).await;
}

#[tokio::test]
async fn the_memory_store_conforms() {
    all(&MemoryStore::default(), &ODD).await;
}

#[tokio::test]
async fn a_bucket_of_the_embedded_cloud_conforms() {
    all(&bucket(&Cloud::memory()).await, &ODD).await;
}

#[tokio::test]
async fn in_memory_and_in_the_embedded_cloud_writes_are_conditional() {
    writes_are_conditional(&MemoryStore::default()).await;
    let cloud = Cloud::memory();
    let store = bucket(&cloud).await;
    let versioning = twinsite_local::s3::Versioning::Enabled;
    cloud.world().s3().update_bucket("site", |settings| settings.versioning = versioning).unwrap();
    writes_are_conditional(&store).await;
    // Once more, when the fast path is open.
    store.put(&key("first"), &headers(), ("x".into(), md5(b"x"))).await.unwrap();
    writes_are_conditional(&store).await;
}
