//! S3: buckets and their settings.

use super::{Asked, Chance, OTHER_LOCATION, Outlook, Range};
use crate::context::ServiceError;
use crate::s3::no_such_bucket;

/// A new bucket is not known everywhere. Terraform's provider repeats requests for two minutes.
/// <https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/s3/bucket.go>
const UNKNOWN: &str = "bucket-unknown";
/// A name that was given up is held back: "it can take some time before the name can be reused", minutes as a rule.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html>
const HELD: &str = "bucket-name-held";
/// Versioning that was just enabled is not known everywhere.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html>
const UNVERSIONED: &str = "bucket-unversioned";
/// A public access block that was just lifted still blocks policies. <https://github.com/aws/aws-cdk/issues/25983>
const BLOCKED: &str = "bucket-blocked";

/// Another change of the bucket, which the caller knows nothing of, may be in progress.
const CONFLICT: Chance = Chance { aws: 2, storm: 10 };
/// A version that was just deleted is still listed.
const NOT_EMPTY: Chance = Chance { aws: 5, storm: 30 };
const SLOW_DOWN: Chance = Chance { aws: 0, storm: 1 };
const INTERNAL: Chance = Chance { aws: 0, storm: 1 };

/// Operations on the settings of a bucket that change something.
pub(super) fn changes_settings(operation: &str) -> bool {
    let settings = operation.strip_prefix("Put").or_else(|| operation.strip_prefix("Delete"));
    settings.is_some_and(|rest| rest.starts_with("Bucket") || rest == "PublicAccessBlock")
        || operation == "PostBucketLifecycleConfiguration"
}

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let Asked { operation, subject, at, .. } = asked;
    match operation.as_str() {
        "CreateBucket" if outlook.is_open(HELD, subject, *at) => return Some(aborted()),
        "CreateBucket" => return outlook.happens(CONFLICT).then(aborted),
        _ => {}
    }
    if outlook.is_open(UNKNOWN, subject, *at) && outlook.happens(OTHER_LOCATION) {
        return Some(no_such_bucket());
    }
    if operation == "DeleteBucket" && outlook.happens(NOT_EMPTY) {
        return Some(ServiceError::new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty"));
    }
    if !changes_settings(operation) {
        return object_refusal(outlook, operation);
    }
    if outlook.happens(CONFLICT) {
        return Some(aborted());
    }
    match operation.as_str() {
        "PutBucketPolicy" if outlook.is_open(BLOCKED, subject, *at) => {
            let message = if outlook.random.below(2) == 0 {
                "Access Denied".to_owned()
            } else {
                format!(
                    "User: arn:aws:iam::000000000000:root is not authorized to perform: s3:PutBucketPolicy on resource: \
                     \"arn:aws:s3:::{subject}\" because public policies are prevented by the BlockPublicPolicy setting in S3 \
                     Block Public Access."
                )
            };
            Some(ServiceError::new("AccessDenied", 403, message))
        }
        "PutBucketReplication" if outlook.is_any_open(super::iam::UNASSUMABLE, *at) => {
            // IAM is eventually consistent. <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html>
            Some(ServiceError::invalid(
                "InvalidRequest",
                "The specified role is invalid or cannot be assumed by Amazon S3.",
            ))
        }
        "PutBucketReplication" if outlook.is_any_open(UNVERSIONED, *at) && outlook.happens(OTHER_LOCATION) => {
            let message = "Destination bucket must have versioning enabled.";
            Some(ServiceError::invalid("InvalidRequest", message))
        }
        _ => None,
    }
}

/// Requests for objects: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
fn object_refusal(outlook: &mut Outlook, operation: &str) -> Option<ServiceError> {
    if !["PutObject", "GetObject", "CopyObject", "ListObjectsV2", "DeleteObjects"].contains(&operation) {
        return None;
    }
    if outlook.happens(SLOW_DOWN) {
        return Some(ServiceError::new("SlowDown", 503, "Please reduce your request rate."));
    }
    let message = "We encountered an internal error. Please try again.";
    outlook.happens(INTERNAL).then(|| ServiceError::new("InternalError", 500, message))
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    match asked.operation.as_str() {
        "CreateBucket" if !asked.existed => outlook.open(UNKNOWN, asked, Range { aws: [0, 10], storm: [0, 60] }),
        "DeleteBucket" => outlook.open(HELD, asked, Range { aws: [30, 600], storm: [60, 1800] }),
        "PutBucketVersioning" => outlook.open(UNVERSIONED, asked, Range { aws: [0, 10], storm: [0, 60] }),
        "PutPublicAccessBlock" => outlook.open(BLOCKED, asked, Range { aws: [0, 5], storm: [0, 30] }),
        _ => {}
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
pub(super) fn aborted() -> ServiceError {
    let message =
        "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    ServiceError::new("OperationAborted", 409, message)
}
