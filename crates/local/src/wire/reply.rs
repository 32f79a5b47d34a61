//! What answers have in common.

use std::time::SystemTime;

use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An answer in XML.
pub(crate) fn xml(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    typed(status, "text/xml", text.into())
}

/// An answer with a body of some type.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A time as services write it.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

/// A refusal as the XML services write it.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let message = quick_xml::escape::escape(message);
    xml(
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>embedded</RequestId></ErrorResponse>"
        ),
    )
}
