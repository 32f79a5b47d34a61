use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, Delete, EncodingType, MetadataDirective, ObjectIdentifier};

use crate::{code, get, put, site};

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
    let put = s3.put_object().bucket("site").key("k").body(b"hello".to_vec().into());
    let put = put.checksum_crc32("NhCmhg==").checksum_sha1("qvTGHdzF6KLavt4PO0gs2a6pQ00=").send().await.unwrap();
    assert_eq!(put.checksum_crc32(), Some("NhCmhg=="));
    let head = s3.head_object().bucket("site").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_sha1(), Some("qvTGHdzF6KLavt4PO0gs2a6pQ00="));
    let config = s3.config().to_builder();
    let when = aws_sdk_s3::config::RequestChecksumCalculation::WhenSupported;
    let eager = aws_sdk_s3::Client::from_conf(config.request_checksum_calculation(when).build());
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
