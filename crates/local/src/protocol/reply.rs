//! Parts of responses that several services need.

use std::time::SystemTime;

use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::context::ServiceError;

/// An XML response.
pub(crate) fn xml(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    typed(status, "text/xml", text.into())
}

/// A response with a body of any content type.
pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A value as XML: objects are elements with children, arrays are repeated elements, nulls are left out.
pub(crate) fn to_xml(root: &str, mut value: Value) -> Result<String, ServiceError> {
    remove_nulls(&mut value);
    quick_xml::se::to_string_with_root(root, &value).map_err(ServiceError::internal)
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(remove_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

/// A timestamp in RFC 3339, as XML services write it.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

/// An error's HTTP status.
pub(crate) fn status_of(error: &ServiceError) -> StatusCode {
    StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error as the XML services (restXml, awsQuery) write it.
pub(crate) fn xml_error(error: &ServiceError) -> Response<Body> {
    let (code, message) = (error.code, quick_xml::escape::escape(&error.message));
    xml(
        status_of(error),
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>embedded</RequestId></ErrorResponse>"
        ),
    )
}

/// An error as S3 writes it.
pub(crate) fn s3_error(error: &ServiceError) -> Response<Body> {
    let (code, message) = (error.code, quick_xml::escape::escape(&error.message));
    xml(status_of(error), format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// An error as awsJson1.1 services write it.
pub(crate) fn json_error(error: &ServiceError) -> Response<Body> {
    let body = json!({"__type": error.code, "message": error.message}).to_string();
    typed(status_of(error), "application/x-amz-json-1.1", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_xml() {
        let value =
            json!({"A": {"B": ["1 & 2", "3"]}, "C": true, "D": null, "E": [], "F": {"G": [{"H": 1}, {"H": 2}]}});
        let text = "<R><A><B>1 &amp; 2</B><B>3</B></A><C>true</C><F><G><H>1</H></G><G><H>2</H></G></F></R>";
        assert_eq!(to_xml("R", value).unwrap(), text);
        assert_eq!(to_xml("R", json!({})).unwrap(), "<R/>");
    }
}
