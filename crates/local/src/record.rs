//! Records requests and answers in a file, for other programs to judge them.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use s3s::Body;
use serde_json::{Value, json};

use crate::protocol::request::host_of;
use crate::route::{Service, service_of};
use crate::s3::aws_host;

/// Where exchanges are recorded; nowhere by default.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Option<File>>);

/// A request that is to be recorded with its answer.
pub(crate) struct RecordedRequest(Value);

impl Recorder {
    pub(crate) fn open(&self, file: &Path) -> io::Result<()> {
        let file = File::options().create(true).append(true).open(file)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// Reads a request to an API if exchanges are recorded. Its body is then in memory as a whole.
    pub(crate) async fn read(&self, request: Request<Body>) -> (Request<Body>, Option<RecordedRequest>) {
        let is_on = self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let service = match service_of(&request) {
            Service::S3 => "s3",
            Service::Control(service) => service.name(),
            Service::Website { .. } | Service::Unknown => return (request, None),
        };
        if !is_on {
            return (request, None);
        }
        let bucket = aws_host(host_of(&request)).map(|(bucket, _)| bucket.to_owned()).unwrap_or_default();
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let url = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let recorded = json!({
            "service": service, "bucket": bucket, "method": head.method.as_str(), "url": url,
            "headers": headers(&head.headers), "body": STANDARD.encode(&body),
        });
        (Request::from_parts(head, Body::from(body)), Some(RecordedRequest(recorded)))
    }

    /// Writes a request with its answer.
    pub(crate) async fn write(&self, request: RecordedRequest, answer: Response<Body>) -> Response<Body> {
        let (head, body) = answer.into_parts();
        let body: Bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let mut line = request.0;
        line["status"] = json!(head.status.as_u16());
        line["answer_headers"] = headers(&head.headers);
        line["answer"] = json!(STANDARD.encode(&body));
        if let Some(file) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A record that is incomplete is found when it is read.
            drop(writeln!(file, "{line}"));
        }
        Response::from_parts(head, Body::from(body))
    }
}

fn headers(headers: &HeaderMap) -> Value {
    // Credentials are not needed to judge a request.
    let secret = |name: &str| ["authorization", "x-amz-security-token"].contains(&name);
    let pairs = headers.iter().filter(|(name, _)| !secret(name.as_str()));
    let pairs = pairs.filter_map(|(name, value)| Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?))));
    Value::Object(pairs.collect())
}
