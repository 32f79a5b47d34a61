//! IAM's roles, through the SDK.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use twinsite_local::Cloud;

use crate::{code, session};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

const PERMISSIONS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;

async fn iam(cloud: &Cloud) -> Client {
    session(cloud).await.iam()
}

#[tokio::test]
async fn a_role_is_created_read_changed_and_deleted() {
    let cloud = Cloud::memory();
    let iam = iam(&cloud).await;
    let tag = Tag::builder().key("site").value("a & b").build().unwrap();
    let create = iam.create_role().role_name("r").path("/twinsite/").assume_role_policy_document(TRUST).tags(tag);
    let role = create.clone().send().await.unwrap().role.unwrap();
    assert_eq!(role.arn, "arn:aws:iam::000000000000:role/twinsite/r");
    assert_eq!(code(create.send().await), "EntityAlreadyExists");
    let put = |text: &str| iam.put_role_policy().role_name("r").policy_name("p").policy_document(text).send();
    put(PERMISSIONS).await.unwrap();
    assert_eq!(code(put("no json").await), "MalformedPolicyDocument");
    // Only policies of resources name principals.
    assert_eq!(code(put(TRUST).await), "MalformedPolicyDocument");
    let policy = iam.get_role_policy().role_name("r").policy_name("p").send().await.unwrap();
    assert!(policy.policy_document.starts_with("%7B%22Version%22"), "{}", policy.policy_document);
    let read = iam.get_role().role_name("r").send().await.unwrap().role.unwrap();
    assert_eq!(read.tags()[0].value, "a & b");
    assert_eq!(code(iam.delete_role().role_name("r").send().await), "DeleteConflict");
    iam.delete_role_policy().role_name("r").policy_name("p").send().await.unwrap();
    iam.delete_role().role_name("r").send().await.unwrap();
    assert_eq!(code(iam.get_role().role_name("r").send().await), "NoSuchEntity");
}
