//! Operations that are not emulated.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{ObjectCannedAcl, ObjectLockMode, ServerSideEncryption};
use twinsite_local::Cloud;

use crate::{code, session, site};

/// The status and message of a call that must fail with `NotImplemented`.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Some("NotImplemented"));
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 501);
    error.message().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn operations_that_are_not_emulated_are_refused_by_name() {
    let cloud = Cloud::memory();
    let (session, region) = (session(&cloud).await, "us-east-1".parse().unwrap());
    named(refused(session.iam().list_roles().send().await), "IAM ListRoles");
    named(refused(session.iam().list_role_tags().role_name("r").send().await), "IAM ListRoleTags");
    named(refused(session.sns(&region).list_subscriptions().send().await), "SNS ListSubscriptions");
    named(refused(session.acm().get_account_configuration().send().await), "ACM GetAccountConfiguration");
    named(refused(session.cloudwatch(&region).list_dashboards().send().await), "CloudWatch ListDashboards");
    named(refused(session.route53().list_geo_locations().send().await), "Route 53 GET /2013-04-01/geolocations");
    let policies = session.cloudfront().list_response_headers_policies().send().await;
    named(refused(policies), "CloudFront GET /2020-05-31/response-headers-policy");
    let jobs = session.s3control(&region).list_jobs().account_id("000000000000").send().await;
    named(refused(jobs), "S3 Control GET /v20180820/jobs");
    let (_cloud, s3) = site().await;
    named(refused(s3.get_bucket_acl().bucket("site").send().await), "GetBucketAcl");
}

#[tokio::test]
async fn what_would_be_forgotten_is_refused() {
    let (_cloud, s3) = site().await;
    let put = || s3.put_object().bucket("site").key("k");
    named(refused(put().sse_customer_algorithm("AES256").send().await), "keys of customers");
    named(refused(put().object_lock_mode(ObjectLockMode::Governance).send().await), "x-amz-object-lock-mode");
    named(refused(put().grant_read("id=1").send().await), "x-amz-grant-read");
    named(refused(put().write_offset_bytes(3).send().await), "x-amz-write-offset-bytes");
    named(refused(put().server_side_encryption(ServerSideEncryption::AwsFsx).send().await), "aws:fsx");
    let public = put().acl(ObjectCannedAcl::PublicRead).send().await;
    assert_eq!(code(public), "AccessControlListNotSupported");
    assert_eq!(code(put().expected_bucket_owner("111122223333").send().await), "AccessDenied");
    put().expected_bucket_owner("000000000000").send().await.unwrap();
}

fn named(message: impl AsRef<str>, operation: &str) {
    let message = message.as_ref();
    assert!(message.contains(operation), "{message}");
}
