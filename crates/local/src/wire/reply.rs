//! What answers have in common.

use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;

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
