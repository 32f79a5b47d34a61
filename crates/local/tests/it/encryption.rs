//! Objects that are encrypted with keys of KMS.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use md5::{Digest, Md5};

use crate::{code, get, put, site};

const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1234abcd";

fn quoted_md5(body: &str) -> String {
    format!("\"{}\"", hex::encode(Md5::digest(body)))
}

async fn encrypt_by_default(s3: &Client) {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let rule = ServerSideEncryptionRule::builder().bucket_key_enabled(true);
    let rule = rule.apply_server_side_encryption_by_default(default.kms_master_key_id(KEY).build().unwrap()).build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = s3.put_bucket_encryption().bucket("site").server_side_encryption_configuration(configuration);
    put.send().await.unwrap();
}

#[tokio::test]
async fn the_default_of_the_bucket_is_honoured() {
    let (_, s3) = site().await;
    put(&s3, "before", "text").await;
    encrypt_by_default(&s3).await;
    let kms = Some(&ServerSideEncryption::AwsKms);
    let written = s3.put_object().bucket("site").key("k").body(b"text".to_vec().into()).send().await.unwrap();
    assert_eq!((written.server_side_encryption(), written.ssekms_key_id()), (kms, Some(KEY)));
    assert_ne!(written.e_tag().unwrap(), quoted_md5("text"), "the ETag is no MD5");
    let head = s3.head_object().bucket("site").key("k").send().await.unwrap();
    assert_eq!((head.server_side_encryption(), head.bucket_key_enabled()), (kms, Some(true)));
    assert_eq!(head.e_tag(), written.e_tag());
    assert_eq!(get(&s3, "k").await, "text");
    // What was written before stays as it is, until it is copied, also onto itself.
    let before = s3.head_object().bucket("site").key("before").send().await.unwrap();
    assert_eq!((before.server_side_encryption(), before.ssekms_key_id()), (Some(&ServerSideEncryption::Aes256), None));
    let copy = s3.copy_object().bucket("site").key("before").copy_source("site/before").send().await.unwrap();
    assert_eq!(copy.server_side_encryption(), kms);
    assert_ne!(copy.copy_object_result().unwrap().e_tag().unwrap(), quoted_md5("text"));
}

#[tokio::test]
async fn a_request_overrides_the_default() {
    let (_, s3) = site().await;
    let put = || s3.put_object().bucket("site").key("k").body(b"text".to_vec().into());
    let kms = put().server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    assert_eq!(kms.ssekms_key_id(), Some("arn:aws:kms:us-east-1:000000000000:alias/aws/s3"));
    let dual = put().server_side_encryption(ServerSideEncryption::AwsKmsDsse).send().await.unwrap();
    assert_eq!(dual.server_side_encryption(), Some(&ServerSideEncryption::AwsKmsDsse));
    assert_eq!(dual.bucket_key_enabled(), None, "there are no keys of the bucket for two layers");
    assert_ne!(dual.e_tag().unwrap(), quoted_md5("text"));
    encrypt_by_default(&s3).await;
    let own = put().server_side_encryption(ServerSideEncryption::Aes256).send().await.unwrap();
    assert_eq!(own.e_tag().unwrap(), quoted_md5("text"));
    // A copy out of KMS has the MD5 of the bytes again.
    s3.put_object().bucket("site").key("k").body(b"text".to_vec().into()).send().await.unwrap();
    let copy = s3.copy_object().bucket("site").key("l").copy_source("site/k");
    let copy = copy.server_side_encryption(ServerSideEncryption::Aes256).send().await.unwrap();
    assert_eq!(copy.copy_object_result().unwrap().e_tag().unwrap(), quoted_md5("text"));
    assert_eq!(code(put().sse_customer_algorithm("AES256").send().await), "NotImplemented");
}

#[tokio::test]
async fn uploads_are_encrypted_as_they_were_created() {
    let (_, s3) = site().await;
    let create = s3.create_multipart_upload().bucket("site").key("k").ssekms_key_id("1234abcd");
    let created = create.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    assert_eq!(created.ssekms_key_id(), Some(KEY));
    let id = created.upload_id().unwrap();
    let part = s3.upload_part().bucket("site").key("k").upload_id(id).part_number(1).body(b"text".to_vec().into());
    let etag = part.send().await.unwrap().e_tag.unwrap();
    assert_ne!(etag, quoted_md5("text"));
    let part = CompletedPart::builder().part_number(1).e_tag(etag).build();
    let complete = s3.complete_multipart_upload().bucket("site").key("k").upload_id(id);
    let complete = complete.multipart_upload(CompletedMultipartUpload::builder().parts(part).build());
    let done = complete.send().await.unwrap();
    assert_eq!((done.server_side_encryption(), done.ssekms_key_id()), (created.server_side_encryption(), Some(KEY)));
    assert_eq!(get(&s3, "k").await, "text");
}
