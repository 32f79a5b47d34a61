//! S3's error codes.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Collected};
use s3s::{Body, S3Error, S3ErrorCode};

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
    let message = "The specified method is not allowed against this resource.";
    let error = ServiceError::new("MethodNotAllowed", 405, message).with("ResourceType", "DeleteMarker");
    error.with_header("x-amz-delete-marker", "true").with_header("allow", "DELETE")
}

pub(super) fn access_denied() -> ServiceError {
    ServiceError::new("AccessDenied", 403, "Access Denied")
}

/// An archived object was read. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(super) fn invalid_object_state(class: &str) -> ServiceError {
    let message = "The operation is not valid for the object's storage class";
    ServiceError::new("InvalidObjectState", 403, message).with("StorageClass", class)
}

/// The precondition in this header does not hold.
pub(super) fn precondition_failed(condition: &str) -> ServiceError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ServiceError::new("PreconditionFailed", 412, message).with("Condition", condition)
}

pub(super) fn invalid_part() -> ServiceError {
    let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                   specified entity tag may not match the part's entity tag.";
    ServiceError::invalid("InvalidPart", message)
}

pub(super) fn invalid_request(message: impl Into<String>) -> ServiceError {
    ServiceError::invalid("InvalidRequest", message)
}

/// The header that carries further elements of an error to where the response is completed, as JSON.
const DETAILS: &str = "x-embedded-details";

fn headers_of(error: &ServiceError) -> http::HeaderMap {
    let mut headers = http::HeaderMap::new();
    let details = (!error.details.is_empty()).then(|| (DETAILS, serde_json::json!(error.details).to_string()));
    for (name, value) in error.headers.iter().cloned().chain(details) {
        if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Completes an answer of S3: with the further elements of an error, and with the type that `HEAD` has too.
pub(crate) async fn complete(mut response: Response<Body>, operation: &str) -> Response<Body> {
    let is_head = ["HeadBucket", "HeadObject"].contains(&operation);
    let bare = is_head && !response.headers().contains_key(header::CONTENT_TYPE);
    if bare && (operation == "HeadBucket" || response.status().is_client_error()) {
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/xml"));
    }
    // The statuses that the crate which serves S3 does not set itself.
    let status = match operation {
        "HeadObject" if response.headers().contains_key(header::CONTENT_RANGE) => StatusCode::PARTIAL_CONTENT,
        "PutBucketTagging" | "DeleteObjectTagging" => StatusCode::NO_CONTENT,
        _ => response.status(),
    };
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    let Some(details) = response.headers_mut().remove(DETAILS).filter(|_| !is_head) else { return response };
    let details: Vec<(String, String)> = serde_json::from_slice(details.as_bytes()).unwrap_or_default();
    let elements = details.iter().map(|(name, value)| format!("<{name}>{}</{name}>", quick_xml::escape::escape(value)));
    let elements: String = elements.collect();
    let (mut head, body) = response.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8_lossy(&body).replace("</Error>", &format!("{elements}</Error>"));
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(text))
}

impl From<ServiceError> for S3Error {
    fn from(error: ServiceError) -> Self {
        let code = S3ErrorCode::from_bytes(error.code.as_bytes()).unwrap_or(S3ErrorCode::Custom(error.code.into()));
        let status = StatusCode::from_u16(error.status).ok();
        let mut converted = Self::with_message(code, error.message.clone());
        if let Some(status) = status {
            converted.set_status_code(status);
        }
        converted.set_headers(headers_of(&error));
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
