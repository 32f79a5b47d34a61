use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
};

use crate::{code, eager, site};

const PART: usize = 5 << 20;
const SIZE: i64 = 5 << 20;

async fn begin(s3: &Client, key: &str) -> String {
    s3.create_multipart_upload().bucket("site").key(key).send().await.unwrap().upload_id.unwrap()
}

async fn part(s3: &Client, key: &str, id: &str, number: i32, bytes: Vec<u8>) -> CompletedPart {
    let sent = s3.upload_part().bucket("site").key(key).upload_id(id).part_number(number).body(bytes.into());
    let etag = sent.send().await.unwrap().e_tag.unwrap();
    CompletedPart::builder().part_number(number).e_tag(etag).build()
}

fn all(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn a_completed_upload_has_a_composite_etag() {
    let (_, s3) = site().await;
    let id = begin(&s3, "big").await;
    let parts = vec![part(&s3, "big", &id, 1, vec![1; PART]).await, part(&s3, "big", &id, 2, vec![2; 10]).await];
    let listed = s3.list_parts().bucket("site").key("big").upload_id(&id).send().await.unwrap();
    assert_eq!(listed.parts().iter().map(|p| p.size().unwrap()).collect::<Vec<_>>(), [SIZE, 10]);
    assert_eq!(s3.list_multipart_uploads().bucket("site").send().await.unwrap().uploads().len(), 1);
    let complete = s3.complete_multipart_upload().bucket("site").key("big").upload_id(&id);
    let done = complete.multipart_upload(all(parts)).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let first = s3.head_object().bucket("site").key("big").part_number(1).send().await.unwrap();
    assert_eq!((first.content_length(), first.parts_count()), (Some(SIZE), Some(2)));
    let range = format!("bytes={}-{}", PART - 1, PART);
    let seam = s3.get_object().bucket("site").key("big").range(range).send().await.unwrap();
    assert_eq!(seam.body.collect().await.unwrap().to_vec(), [1, 2]);
    assert!(s3.list_multipart_uploads().bucket("site").send().await.unwrap().uploads().is_empty());
}

#[tokio::test]
async fn small_missing_and_unordered_parts_are_refused() {
    let (_, s3) = site().await;
    let id = begin(&s3, "k").await;
    let a = part(&s3, "k", &id, 1, vec![1; 10]).await;
    let b = part(&s3, "k", &id, 2, vec![2; 10]).await;
    let complete = |parts| {
        let call = s3.complete_multipart_upload().bucket("site").key("k").upload_id(&id);
        call.multipart_upload(all(parts)).send()
    };
    assert_eq!(code(complete(vec![a.clone(), b.clone()]).await), "EntityTooSmall");
    assert_eq!(code(complete(vec![b.clone(), a.clone()]).await), "InvalidPartOrder");
    let ghost = CompletedPart::builder().part_number(3).e_tag("\"x\"").build();
    assert_eq!(code(complete(vec![ghost]).await), "InvalidPart");
    s3.abort_multipart_upload().bucket("site").key("k").upload_id(&id).send().await.unwrap();
    assert_eq!(code(complete(vec![a]).await), "NoSuchUpload");
}

#[tokio::test]
async fn a_part_may_be_copied_from_another_object() {
    let (_, s3) = site().await;
    s3.put_object().bucket("site").key("from").body(vec![7; PART + 5].into()).send().await.unwrap();
    let id = begin(&s3, "to").await;
    let copied = s3.upload_part_copy().bucket("site").key("to").upload_id(&id).part_number(1);
    let copied = copied.copy_source("site/from").copy_source_range(format!("bytes=5-{}", PART + 4)).send().await;
    let etag = copied.unwrap().copy_part_result.unwrap().e_tag.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag(etag).build();
    let complete = s3.complete_multipart_upload().bucket("site").key("to").upload_id(&id);
    complete.multipart_upload(all(vec![part])).send().await.unwrap();
    let head = s3.head_object().bucket("site").key("to").send().await.unwrap();
    assert_eq!(head.content_length(), Some(SIZE));
}

/// Both parts of an upload with a checksum of each.
async fn upload(s3: &Client, key: &str, algorithm: &str, kind: ChecksumType) -> (String, [CompletedPart; 2]) {
    let s3 = eager(s3);
    let create = s3.create_multipart_upload().bucket("site").key(key).checksum_type(kind);
    let id = create.checksum_algorithm(algorithm.into()).send().await.unwrap().upload_id.unwrap();
    let part = async |number: i32, bytes: Vec<u8>| {
        let sent = s3.upload_part().bucket("site").key(key).upload_id(&id).part_number(number).body(bytes.into());
        let sent = sent.checksum_algorithm(algorithm.into()).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).e_tag(sent.e_tag().unwrap());
        let part = part.set_checksum_sha256(sent.checksum_sha256).set_checksum_crc32(sent.checksum_crc32);
        part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme).build()
    };
    let parts = [part(1, vec![1; PART]).await, part(2, vec![2; 10]).await];
    (id, parts)
}

#[tokio::test]
async fn what_completes_an_upload_is_compared_with_its_parts() {
    let (_, s3) = site().await;
    let (id, [one, two]) = upload(&s3, "k", "SHA256", ChecksumType::Composite).await;
    let complete = |parts: [CompletedPart; 2]| {
        let call = s3.complete_multipart_upload().bucket("site").key("k").upload_id(&id);
        call.multipart_upload(all(parts.to_vec()))
    };
    let bare = CompletedPart::builder().part_number(2).e_tag(two.e_tag().unwrap()).build();
    assert_eq!(code(complete([one.clone(), bare]).send().await), "InvalidRequest", "a checksum is missing");
    let wrong = CompletedPart::builder().part_number(2).e_tag(two.e_tag().unwrap());
    let wrong = wrong.checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").build();
    assert_eq!(code(complete([one.clone(), wrong]).send().await), "InvalidPart");
    let size = complete([one.clone(), two.clone()]).mpu_object_size(SIZE).send().await;
    assert_eq!(code(size), "InvalidRequest", "the size differs");
    let whole = complete([one.clone(), two.clone()]).checksum_type(ChecksumType::FullObject).send().await;
    assert_eq!(code(whole), "InvalidRequest", "the kind differs");
    let sum = complete([one.clone(), two.clone()]).checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-2");
    assert_eq!(code(sum.send().await), "BadDigest");
    let done = complete([one, two]).mpu_object_size(SIZE + 10).send().await.unwrap();
    let sum = done.checksum_sha256().unwrap();
    assert!(sum.ends_with("-2") && done.checksum_type() == Some(&ChecksumType::Composite), "{done:?}");
    let attributes = s3.get_object_attributes().bucket("site").key("k").object_attributes(ObjectAttributes::Checksum);
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectParts).send().await.unwrap();
    assert_eq!(attributes.checksum().unwrap().checksum_sha256(), sum.strip_suffix("-2"));
    assert_eq!(attributes.object_parts().unwrap().parts().len(), 2);
}

#[tokio::test]
async fn a_full_checksum_is_that_of_the_whole_object() {
    let (_, s3) = site().await;
    let body = [vec![1; PART], vec![2; 10]].concat();
    for algorithm in ["CRC32", "CRC64NVME"] {
        let single = eager(&s3).put_object().bucket("site").key("single").body(body.clone().into());
        let single = single.checksum_algorithm(algorithm.into()).send().await.unwrap();
        let sum = single.checksum_crc32().or(single.checksum_crc64_nvme()).unwrap();
        let (id, parts) = upload(&s3, "k", algorithm, ChecksumType::FullObject).await;
        let complete = s3.complete_multipart_upload().bucket("site").key("k").upload_id(&id);
        let complete = complete.multipart_upload(all(parts.to_vec())).checksum_type(ChecksumType::FullObject);
        let wrong = if algorithm == "CRC32" {
            complete.clone().checksum_crc32("AAAAAA==")
        } else {
            complete.clone().checksum_crc64_nvme("AAAAAAAAAAA=")
        };
        assert_eq!(code(wrong.send().await), "BadDigest");
        let done = complete.send().await.unwrap();
        assert_eq!(done.checksum_crc32().or(done.checksum_crc64_nvme()), Some(sum), "{algorithm}");
    }
}

#[tokio::test]
async fn parts_have_the_checksum_that_the_upload_was_created_with() {
    let (_, s3) = site().await;
    let create = s3.create_multipart_upload().bucket("site").key("k").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let id = create.send().await.unwrap().upload_id.unwrap();
    let part = || s3.upload_part().bucket("site").key("k").upload_id(&id).part_number(1).body(vec![1; 10].into());
    assert_eq!(code(part().checksum_algorithm(ChecksumAlgorithm::Crc32).send().await), "InvalidRequest");
    assert_eq!(code(part().send().await), "InvalidRequest", "none");
    let kind = s3.create_multipart_upload().bucket("site").key("k").checksum_algorithm(ChecksumAlgorithm::Sha256);
    assert_eq!(code(kind.checksum_type(ChecksumType::FullObject).send().await), "InvalidRequest");
}

#[tokio::test]
async fn every_object_has_a_checksum() {
    let (_, s3) = site().await;
    let put = s3.put_object().bucket("site").key("k").body(b"123456789".to_vec().into()).send().await.unwrap();
    // The check value of the algorithm.
    let sum = Some("rosUhgp5mIg=");
    assert_eq!((put.checksum_crc64_nvme(), put.checksum_type()), (sum, Some(&ChecksumType::FullObject)));
    let head = s3.head_object().bucket("site").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!((head.checksum_crc64_nvme(), head.checksum_type()), (sum, Some(&ChecksumType::FullObject)));
    let id = begin(&s3, "parts").await;
    let part = part(&s3, "parts", &id, 1, b"123456789".to_vec()).await;
    let complete = s3.complete_multipart_upload().bucket("site").key("parts").upload_id(&id);
    let done = complete.multipart_upload(all(vec![part])).send().await.unwrap();
    assert_eq!(done.checksum_crc64_nvme(), sum);
    let copy = s3.copy_object().bucket("site").key("copy").copy_source("site/parts").send().await.unwrap();
    assert_eq!(copy.copy_object_result().unwrap().checksum_crc64_nvme(), sum);
    let copy = s3.copy_object().bucket("site").key("copy").copy_source("site/parts");
    let copy = copy.checksum_algorithm(ChecksumAlgorithm::Crc32).send().await.unwrap();
    assert_eq!(copy.copy_object_result().unwrap().checksum_crc32(), Some("y/Q5Jg=="));
}

#[tokio::test]
async fn an_upload_may_be_completed_twice() {
    let (_, s3) = site().await;
    let id = begin(&s3, "k").await;
    let (one, two) = (part(&s3, "k", &id, 1, vec![1; PART]).await, part(&s3, "k", &id, 2, vec![2; 10]).await);
    let complete = |parts| {
        let call = s3.complete_multipart_upload().bucket("site").key("k").upload_id(&id);
        call.multipart_upload(all(parts)).if_none_match("*").send()
    };
    let first = complete(vec![one.clone(), two.clone()]).await.unwrap();
    let second = complete(vec![one.clone(), two]).await.unwrap();
    assert_eq!((first.e_tag(), first.version_id()), (second.e_tag(), second.version_id()));
    let versions = s3.list_object_versions().bucket("site").send().await.unwrap();
    assert_eq!(versions.versions().len(), 1);
    assert_eq!(code(complete(vec![one]).await), "NoSuchUpload", "other parts");
}
