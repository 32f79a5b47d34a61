//! The permissions that operations of S3 Control need.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>

use bytes::Bytes;
use http::Request;

use super::wire::{bucket_of_tags, operation, role_of_job, tags_of_request};
use crate::context::ACCOUNT;
use crate::iam::{Keys, Permission};
use crate::protocol::request::region_of;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let name = operation(request);
    let path = request.uri().path();
    match name.as_str() {
        "GetAccountPublicAccessBlock" | "PutAccountPublicAccessBlock" => {
            Some(vec![Permission::new(format!("s3:{name}"), "*")])
        }
        "CreateJob" => {
            let passed = Keys::default().with("iam:PassedToService", "batchoperations.s3.amazonaws.com");
            let pass = Permission::new("iam:PassRole", role_of_job(request)?).with(&passed);
            Some(vec![Permission::new("s3:CreateJob", "*"), pass])
        }
        "DescribeJob" => {
            let id = path.rsplit('/').next().unwrap_or_default();
            Some(vec![Permission::new(
                "s3:DescribeJob",
                format!("arn:aws:s3:{}:{ACCOUNT}:job/{id}", region_of(request)),
            )])
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => {
            let keys = Keys::default().with_request_tags(&tags_of_request(request));
            let bucket = bucket_of_tags(path)?;
            Some(vec![Permission::new(format!("s3:{name}"), format!("arn:aws:s3:::{bucket}")).with(&keys)])
        }
        _ => None,
    }
}
