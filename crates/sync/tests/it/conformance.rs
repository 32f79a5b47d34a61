//! What every store must do, whatever is behind it.

use bytes::Bytes;
use twinsite_local::Cloud;
use twinsite_sync::{ETag, Headers, Key, MemoryStore, PartMade, Store, md5};

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
        store.rewrite(&key(name), &headers()).await.unwrap();
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
    store.rewrite(&key("k"), &fewer).await.unwrap();
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
        parts.push(PartMade { number, md5: digest, size: size as u64 });
    }
    let pending = store.pending(&big).await.unwrap().unwrap();
    assert_eq!((&pending.id, &pending.parts), (&id, &parts));
    store.complete((&big, &id), &parts).await.unwrap();
    let head = store.head(&big).await.unwrap().unwrap();
    assert_eq!((head.size, head.part_size), ((5 << 20) + 10, Some(5 << 20)));
    assert!(matches!(head.etag, ETag::Multipart(_, 2)));
    assert!(store.pending(&big).await.unwrap().is_none());
    let other = store.begin(&big, &headers()).await.unwrap();
    store.abort((&big, &other)).await.unwrap();
    assert!(store.pending(&big).await.unwrap().is_none());
    store.delete(&[big]).await.unwrap();
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
