//! S3's error codes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::context::ServiceError;

pub(crate) fn no_such_bucket() -> ServiceError {
    ServiceError::new("NoSuchBucket", 404, "The specified bucket does not exist")
}

pub(crate) fn no_such_key() -> ServiceError {
    ServiceError::new("NoSuchKey", 404, "The specified key does not exist.")
}

pub(super) fn no_such_version() -> ServiceError {
    ServiceError::new("NoSuchVersion", 404, "The specified version does not exist.")
}

pub(super) fn no_such_upload() -> ServiceError {
    let message = "The specified upload does not exist. It may have been aborted or completed.";
    ServiceError::new("NoSuchUpload", 404, message)
}

/// A version that is a delete marker was read.
pub(super) fn method_not_allowed() -> ServiceError {
    ServiceError::new("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
}

pub(super) fn access_denied() -> ServiceError {
    ServiceError::new("AccessDenied", 403, "Access Denied")
}

pub(super) fn precondition_failed() -> ServiceError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ServiceError::new("PreconditionFailed", 412, message)
}

pub(super) fn invalid_part() -> ServiceError {
    let message = "One or more of the specified parts could not be found, or its entity tag does not match.";
    ServiceError::invalid("InvalidPart", message)
}

pub(super) fn invalid_request(message: &str) -> ServiceError {
    ServiceError::invalid("InvalidRequest", message)
}

impl From<ServiceError> for S3Error {
    fn from(error: ServiceError) -> Self {
        let code = S3ErrorCode::from_bytes(error.code.as_bytes()).unwrap_or(S3ErrorCode::Custom(error.code.into()));
        let status = StatusCode::from_u16(error.status).ok();
        let mut converted = Self::with_message(code, error.message.clone());
        if let Some(status) = status {
            converted.set_status_code(status);
        }
        converted.set_source(Box::new(error));
        converted
    }
}

/// 301: the bucket is in another region, which the response names.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>
pub(super) fn permanent_redirect(region: &str) -> S3Error {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint.";
    let mut error = S3Error::with_message(S3ErrorCode::PermanentRedirect, message);
    let mut headers = http::HeaderMap::new();
    if let Ok(value) = region.parse() {
        headers.insert("x-amz-bucket-region", value);
    }
    error.set_headers(headers);
    error
}
