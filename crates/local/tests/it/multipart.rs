use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::{code, site};

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
