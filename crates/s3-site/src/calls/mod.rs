//! One function per AWS operation, named like it. Only `wire`, this module and the clients know the SDKs.

pub(crate) mod buckets;
pub(crate) mod jobs;
mod objects;
pub(crate) mod replication;
pub(crate) mod roles;
mod versions;

use aws_sdk_s3::Client;
use twinsite_core::BucketName;

pub(crate) use objects::NewObject;

/// One bucket, and the client of its region.
#[derive(Clone, Copy)]
pub(crate) struct BucketClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bucket: &'a BucketName,
}

/// Sends a request. Boxed, because the futures of the SDK are large.
macro_rules! call {
    ($operation:expr, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| twinsite_aws::AwsError::new($operation, $subject, error))
    };
}
use call;
