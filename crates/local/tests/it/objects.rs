use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, Delete, EncodingType, MetadataDirective, ObjectAttributes, ObjectIdentifier,
    StorageClass, Tag, Tagging,
};

use crate::wire::{Served, exchange, presigned};
use crate::{code, eager, get, put, site};

/// Names that break tools.
const ODD: [&str; 12] =
    ["a b", "a+b", "100%", "a#b", "a&b", "a?b", "~a", "it's", "Ünïcödé", "U\u{308}n", ".hidden", "tab\tand\nnewline"];

#[tokio::test]
async fn unusual_keys_are_stored_byte_for_byte() {
    let (_, s3) = site().await;
    for key in ODD {
        put(&s3, key, key).await;
    }
    for key in ODD {
        assert_eq!(get(&s3, key).await, key);
    }
    let page = s3.list_objects_v2().bucket("site").encoding_type(EncodingType::Url).send().await.unwrap();
    assert_eq!(page.contents().len(), ODD.len());
    let long = "k".repeat(1024);
    put(&s3, &long, "x").await;
    assert_eq!(get(&s3, &long).await, "x");
}

#[tokio::test]
async fn versions_are_added_and_deleted() {
    let (_, s3) = site().await;
    let (first, second) = (put(&s3, "k", "1").await, put(&s3, "k", "2").await);
    s3.delete_object().bucket("site").key("k").send().await.unwrap();
    assert_eq!(code(s3.get_object().bucket("site").key("k").send().await), "NoSuchKey");
    let old = s3.get_object().bucket("site").key("k").version_id(&first).send().await.unwrap();
    assert_eq!(old.body.collect().await.unwrap().to_vec(), b"1");
    let all = s3.list_object_versions().bucket("site").send().await.unwrap();
    assert_eq!(all.versions().iter().map(|v| v.version_id().unwrap()).collect::<Vec<_>>(), [&second, &first]);
    let marker = all.delete_markers()[0].version_id().unwrap();
    s3.delete_object().bucket("site").key("k").version_id(marker).send().await.unwrap();
    assert_eq!(get(&s3, "k").await, "2");
}

#[tokio::test]
async fn listings_are_paged_by_key_and_group_common_prefixes() {
    let (_, s3) = site().await;
    for n in 0..25 {
        put(&s3, &format!("d{}/f{n:02}", n % 3), "x").await;
    }
    put(&s3, "top", "x").await;
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let page = s3.list_objects_v2().bucket("site").max_keys(7).set_continuation_token(token).send().await.unwrap();
        keys.extend(page.contents().iter().map(|o| o.key().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(keys.len(), 26);
    assert!(keys.is_sorted());
    let top = s3.list_objects_v2().bucket("site").delimiter("/").max_keys(2).send().await.unwrap();
    let folders: Vec<_> = top.common_prefixes().iter().map(|p| p.prefix().unwrap()).collect();
    assert_eq!((folders, top.is_truncated()), (vec!["d0/", "d1/"], Some(true)));
    let rest = s3.list_objects_v2().bucket("site").delimiter("/");
    let rest = rest.continuation_token(top.next_continuation_token().unwrap()).send().await.unwrap();
    assert_eq!((rest.common_prefixes().len(), rest.contents().len()), (1, 1));
    let after = s3.list_objects_v2().bucket("site").start_after("d2/f20").send().await.unwrap();
    assert_eq!(after.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), ["d2/f23", "top"]);
}

#[tokio::test]
async fn reads_have_ranges_and_conditions() {
    let (_, s3) = site().await;
    put(&s3, "k", "0123456789").await;
    let head = s3.head_object().bucket("site").key("k").send().await.unwrap();
    let etag = head.e_tag().unwrap();
    assert_eq!(etag, "\"781e5e245d69b566979b86e28d23f2c7\"");
    let part = s3.get_object().bucket("site").key("k").range("bytes=2-4").send().await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"234");
    let beyond = s3.get_object().bucket("site").key("k").range("bytes=20-").send().await;
    assert_eq!(code(beyond), "InvalidRange");
    let same = s3.get_object().bucket("site").key("k").if_none_match(etag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    let other = s3.get_object().bucket("site").key("k").if_match("\"other\"").send().await;
    assert_eq!(code(other), "PreconditionFailed");
}

#[tokio::test]
async fn writes_have_conditions() {
    let (_, s3) = site().await;
    let create = || s3.put_object().bucket("site").key("lock").if_none_match("*").send();
    let etag = create().await.unwrap().e_tag.unwrap();
    assert_eq!(code(create().await), "PreconditionFailed");
    let swap = |etag: &str| s3.put_object().bucket("site").key("lock").if_match(etag).body(b"2".to_vec().into()).send();
    swap(&etag).await.unwrap();
    assert_eq!(code(swap(&etag).await), "PreconditionFailed");
    assert_eq!(code(s3.put_object().bucket("site").key("none").if_match(&etag).send().await), "NoSuchKey");
}

#[tokio::test]
async fn checksums_are_verified_and_stored() {
    let (_, s3) = site().await;
    let put = || s3.put_object().bucket("site").key("k").body(b"hello".to_vec().into());
    let both = put().checksum_crc32("NhCmhg==").checksum_sha1("qvTGHdzF6KLavt4PO0gs2a6pQ00=").send().await;
    assert_eq!(code(both), "InvalidRequest", "one checksum is enough");
    let put = put().checksum_crc32("NhCmhg==").send().await.unwrap();
    assert_eq!(put.checksum_crc32(), Some("NhCmhg=="));
    let head = s3.head_object().bucket("site").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_crc32(), Some("NhCmhg=="));
    let eager = eager(&s3);
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] {
        let put = eager.put_object().bucket("site").key(algorithm).body(b"hello".to_vec().into());
        put.checksum_algorithm(ChecksumAlgorithm::from(algorithm)).send().await.unwrap();
    }
    let wrong = s3.put_object().bucket("site").key("w").body(b"hello".to_vec().into()).checksum_crc32("AAAAAA==");
    assert_eq!(code(wrong.send().await), "BadDigest");
    let wrong = s3.put_object().bucket("site").key("w").body(b"hello".to_vec().into());
    assert_eq!(code(wrong.content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await), "BadDigest");
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_headers_but_never_copies_a_redirect() {
    let (cloud, s3) = site().await;
    let put = s3.put_object().bucket("site").key("a").content_type("text/css").cache_control("max-age=1");
    put.metadata("who", "me").website_redirect_location("/x").body(b"css".to_vec().into()).send().await.unwrap();
    s3.copy_object().bucket("site").key("b").copy_source("site/a").send().await.unwrap();
    let copy = s3.head_object().bucket("site").key("b").send().await.unwrap();
    assert_eq!((copy.content_type(), copy.website_redirect_location()), (Some("text/css"), None));
    assert_eq!(copy.metadata().unwrap().get("who").unwrap(), "me");
    let itself = s3.copy_object().bucket("site").key("a").copy_source("site/a");
    assert_eq!(code(itself.clone().send().await), "InvalidRequest");
    let rewrite = itself.metadata_directive(MetadataDirective::Replace).content_type("text/plain");
    rewrite.send().await.unwrap();
    let head = s3.head_object().bucket("site").key("a").send().await.unwrap();
    assert_eq!((head.content_type(), head.cache_control()), (Some("text/plain"), None));
    let west = crate::s3(&cloud, "us-west-2").await;
    cloud.world().s3().create_bucket("west", "us-west-2", twinsite_local::ACCOUNT).unwrap();
    west.copy_object().bucket("west").key("a").copy_source("site/a").send().await.unwrap();
}

#[tokio::test]
async fn delete_objects_deletes_several_keys() {
    let (_, s3) = site().await;
    for key in ["a", "b", "c"] {
        put(&s3, key, "x").await;
    }
    let ids = ["a", "b", "none"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(ids.to_vec())).build().unwrap();
    let done = s3.delete_objects().bucket("site").delete(delete).send().await.unwrap();
    assert_eq!((done.deleted().len(), done.errors().len()), (3, 0));
    let left = s3.list_objects_v2().bucket("site").send().await.unwrap();
    assert_eq!(left.contents().len(), 1);
}

#[tokio::test]
async fn listings_of_versions_with_a_delimiter_end() {
    let (_, s3) = site().await;
    for key in ["a/1", "a/2", "b/1", "c", "d/1"] {
        put(&s3, key, "x").await;
        put(&s3, key, "y").await;
    }
    let (mut prefixes, mut keys, mut markers) = (Vec::new(), Vec::new(), (None, None));
    for _ in 0..10 {
        let (key, version) = markers;
        let page = s3.list_object_versions().bucket("site").delimiter("/").max_keys(2);
        let page = page.set_key_marker(key).set_version_id_marker(version).send().await.unwrap();
        prefixes.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        keys.extend(page.versions().iter().map(|version| version.key().unwrap().to_owned()));
        markers = (page.next_key_marker().map(str::to_owned), page.next_version_id_marker().map(str::to_owned));
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!((prefixes, keys), (vec!["a/".into(), "b/".into(), "d/".into()], vec!["c".to_owned(), "c".into()]));
}

#[tokio::test]
async fn what_describes_the_transfer_is_not_stored() {
    let (_, s3) = site().await;
    for (sent, stored) in [("aws-chunked", None), ("aws-chunked,gzip", Some("gzip")), ("gzip", Some("gzip"))] {
        let put = s3.put_object().bucket("site").key("k").content_encoding(sent).body(b"x".to_vec().into());
        put.send().await.unwrap();
        let head = s3.head_object().bucket("site").key("k").send().await.unwrap();
        assert_eq!(head.content_encoding(), stored, "{sent}");
    }
}

#[tokio::test]
async fn storage_classes_are_kept() {
    let (_, s3) = site().await;
    let put = s3.put_object().bucket("site").key("k").storage_class(StorageClass::StandardIa);
    put.send().await.unwrap();
    let head = s3.head_object().bucket("site").key("k").send().await.unwrap();
    assert_eq!(head.storage_class(), Some(&StorageClass::StandardIa));
    let attributes = s3.get_object_attributes().bucket("site").key("k");
    let attributes = attributes.object_attributes(ObjectAttributes::StorageClass).send().await.unwrap();
    assert_eq!(attributes.storage_class(), Some(&StorageClass::StandardIa));
    let page = s3.list_objects_v2().bucket("site").send().await.unwrap();
    assert_eq!(page.contents()[0].storage_class().unwrap().as_str(), "STANDARD_IA");
    s3.copy_object().bucket("site").key("copy").copy_source("site/k").send().await.unwrap();
    let copy = s3.head_object().bucket("site").key("copy").send().await.unwrap();
    assert_eq!(copy.storage_class(), None, "a copy is in the default class");
}

#[tokio::test]
async fn tags_are_replaced_and_removed() {
    let (_, s3) = site().await;
    put(&s3, "k", "x").await;
    let tag = |key: &str| Tag::builder().key(key).value("v").build().unwrap();
    let set = |tags: Vec<Tag>| {
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        s3.put_object_tagging().bucket("site").key("k").tagging(tagging).send()
    };
    set(vec![tag("a"), tag("b")]).await.unwrap();
    assert_eq!(code(set(vec![tag("aws:a")]).await), "InvalidTag");
    assert_eq!(code(set((0..11).map(|n| tag(&n.to_string())).collect()).await), "BadRequest");
    let read = s3.get_object_tagging().bucket("site").key("k").send().await.unwrap();
    assert_eq!(read.tag_set().len(), 2);
    s3.delete_object_tagging().bucket("site").key("k").send().await.unwrap();
    assert!(s3.get_object_tagging().bucket("site").key("k").send().await.unwrap().tag_set().is_empty());
}

#[tokio::test]
async fn errors_name_what_they_are_about() {
    let (cloud, s3) = site().await;
    let served = Served::new(&cloud).await;
    put(&s3, "k", "x").await;
    let get = async |key: &str| {
        served.send(&s3.get_object().bucket("site").key(key).presigned(presigned()).await.unwrap(), "", "").await
    };
    let new = s3.put_object().bucket("site").key("k").if_none_match("*").presigned(presigned()).await.unwrap();
    let taken = served.send(&new, "", "y").await;
    assert!(taken.starts_with("HTTP/1.1 412") && taken.contains("<Condition>If-None-Match</Condition>"), "{taken}");
    let missing = get("none").await;
    assert!(missing.contains("<Key>none</Key>"), "{missing}");
    s3.delete_object().bucket("site").key("k").send().await.unwrap();
    let deleted = get("k").await;
    assert!(deleted.contains("x-amz-delete-marker: true") && deleted.contains("<Key>k</Key>"), "{deleted}");
    let head = s3.head_object().bucket("site").key("none").presigned(presigned()).await.unwrap();
    assert!(served.send(&head, "", "").await.contains("content-type: application/xml"));
}

#[tokio::test]
async fn headers_are_read_as_leniently_as_s3_does() {
    let (cloud, s3) = site().await;
    let served = Served::new(&cloud).await;
    put(&s3, "k", "0123").await;
    let get = s3.get_object().bucket("site").key("k");
    for ignored in ["bytes=2-1", "bytes=0-0,2-3", "lines=0-1"] {
        let request = get.clone().range(ignored).presigned(presigned()).await.unwrap();
        let whole = served.send(&request, "", "").await;
        assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("0123"), "{ignored}: {whole}");
    }
    let etag = s3.head_object().bucket("site").key("k").send().await.unwrap().e_tag.unwrap();
    let bare = get.clone().if_match(etag.trim_start_matches('"')).send().await.unwrap();
    assert_eq!(bare.content_length(), Some(4));
    assert_eq!(code(get.clone().if_match("other tag").send().await), "PreconditionFailed");
    let part = s3.head_object().bucket("site").key("k").part_number(1).presigned(presigned()).await.unwrap();
    assert!(served.send(&part, "", "").await.starts_with("HTTP/1.1 206"));
}

/// Signs a URL with parameters that are headers otherwise, as the SDKs for browsers do.
#[tokio::test]
async fn presigned_urls_may_have_headers_among_their_parameters() {
    let (cloud, s3) = site().await;
    let served = Served::new(&cloud).await;
    put(&s3, "k", "0123").await;
    let url = async |parameters: &'static str, key: &str| {
        let put = s3.put_object().bucket("site").key(key).customize();
        let put = put.mutate_request(move |request| {
            let uri = format!("{}&{parameters}", request.uri());
            request.set_uri(uri).unwrap();
        });
        put.presigned(presigned()).await.unwrap()
    };
    let taken = served.send(&url("if-none-match=%2A", "k").await, "", "new").await;
    assert!(taken.starts_with("HTTP/1.1 412"), "{taken}");
    let stored = served.send(&url("x-amz-meta-who=a%20b", "new").await, "", "new").await;
    assert!(stored.starts_with("HTTP/1.1 200"), "{stored}");
    let head = s3.head_object().bucket("site").key("new").send().await.unwrap();
    assert_eq!(head.metadata().unwrap().get("who").map(String::as_str), Some("a b"));
    let unsigned = url("x-amz-meta-who=b", "new").await;
    let forged = unsigned.uri().replace("who=b", "who=c");
    assert!(served.send(&unsigned, "", "new").await.starts_with("HTTP/1.1 200"));
    let target = forged.split_once("://").unwrap().1.split_once('/').unwrap();
    let forged = format!("PUT /{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target.1, target.0);
    assert!(exchange(served.address, &forged).await.starts_with("HTTP/1.1 403"), "parameters are signed");
}
