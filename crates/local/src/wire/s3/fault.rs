//! Refusals on the wire.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::world::Fault;

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        let code = match &fault {
            Fault::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            Fault::NoSuchKey => S3ErrorCode::NoSuchKey,
            Fault::NoSuchVersion => S3ErrorCode::NoSuchVersion,
            Fault::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            Fault::MethodNotAllowed => S3ErrorCode::MethodNotAllowed,
            Fault::BucketAlreadyExists => S3ErrorCode::BucketAlreadyExists,
            Fault::BucketAlreadyOwnedByYou => S3ErrorCode::BucketAlreadyOwnedByYou,
            Fault::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            Fault::AccessDenied => S3ErrorCode::AccessDenied,
            Fault::PreconditionFailed => S3ErrorCode::PreconditionFailed,
            Fault::InvalidPart => S3ErrorCode::InvalidPart,
            Fault::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            Fault::EntityTooSmall => S3ErrorCode::EntityTooSmall,
            Fault::NoSuchConfiguration(code) => return absent(code, &fault),
            Fault::MalformedPolicy(_) => S3ErrorCode::MalformedPolicy,
            Fault::Disk(_) => S3ErrorCode::InternalError,
        };
        Self::with_message(code, fault.to_string())
    }
}

/// A 404 with a code of its own.
pub(super) fn absent(code: &'static str, message: &impl ToString) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message.to_string());
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

/// The bucket is in another region: 301 with the region that would answer.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>
pub(super) fn elsewhere(region: &str) -> S3Error {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint.";
    let mut error = S3Error::with_message(S3ErrorCode::PermanentRedirect, message);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = region.parse() {
        headers.insert("x-amz-bucket-region", value);
    }
    error.set_headers(headers);
    error
}
