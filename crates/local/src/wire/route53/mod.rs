//! Route 53 on the wire (restXml).
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html>

mod checks;
mod protections;
mod tags;
mod zones;

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reply;
use crate::world::World;
use crate::world::route53::{Fault, Submitted};

const VERSION: &str = "/2013-04-01/";

/// What an operation answers: a body, and whether something was created.
struct Answer(StatusCode, String);

type Answered = Result<Answer, Fault>;

/// A request, taken apart.
struct Call<'a> {
    world: &'a World,
    path: Vec<String>,
    query: BTreeMap<String, String>,
    body: &'a [u8],
}

impl Call<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        quick_xml::de::from_reader(self.body).map_err(|error| Fault::InvalidInput(format!("Invalid XML; {error}")))
    }

    /// How many entries a page may have at the most.
    fn page(&self, most: usize) -> Result<usize, Fault> {
        match self.query("maxitems") {
            "" => Ok(most),
            text => text.parse().map(|n: usize| n.clamp(1, most)).map_err(|_| Fault::InvalidInput("maxitems".into())),
        }
    }
}

fn segments(path: &str) -> Vec<String> {
    let rest = path.strip_prefix(VERSION).unwrap_or_default();
    let parts = rest.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned())).collect()
}

/// The operation that a request asks for, by its AWS name.
pub(super) fn operation(request: &Request<Bytes>) -> String {
    let path = segments(request.uri().path());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    name(request.method(), &path).to_owned()
}

fn name(method: &Method, path: &[&str]) -> &'static str {
    match (method.as_str(), path) {
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzone"]) => "ListHostedZones",
        ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
        ("GET", ["hostedzone", _]) => "GetHostedZone",
        ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("GET", ["hostedzone", _, "rrsetprotection"]) => "ListResourceRecordSetProtections",
        ("POST", ["hostedzone", _, "rrsetprotection"]) => "CreateResourceRecordSetProtections",
        ("POST", ["hostedzone", _, "rrsetprotection", "delete"]) => "DeleteResourceRecordSetProtections",
        ("GET", ["change", _]) => "GetChange",
        ("POST", ["healthcheck"]) => "CreateHealthCheck",
        ("GET", ["healthcheck"]) => "ListHealthChecks",
        ("GET", ["healthcheck", _]) => "GetHealthCheck",
        ("GET", ["healthcheck", _, "status"]) => "GetHealthCheckStatus",
        ("POST", ["healthcheck", _]) => "UpdateHealthCheck",
        ("DELETE", ["healthcheck", _]) => "DeleteHealthCheck",
        ("POST", ["tags", _]) => "ListTagsForResources",
        ("GET", ["tags", _, _]) => "ListTagsForResource",
        ("POST", ["tags", _, _]) => "ChangeTagsForResource",
        _ => "Unknown",
    }
}

/// Answers a request.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    let path = segments(request.uri().path());
    let query = pairs(request.uri().query().unwrap_or_default());
    let call = Call { world, path, query, body: request.body() };
    match call.carry_out(request.method()) {
        Ok(Answer(status, text)) => reply::xml(status, text),
        Err(fault) => refusal(&fault),
    }
}

impl Call<'_> {
    fn carry_out(&self, method: &Method) -> Answered {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let id = path.get(1).copied().unwrap_or_default();
        match name(method, &path) {
            "CreateHostedZone" => self.create_zone(),
            "ListHostedZones" => self.list_zones(),
            "ListHostedZonesByName" => self.list_zones_by_name(),
            "GetHostedZone" => self.get_zone(id),
            "DeleteHostedZone" => self.delete_zone(id),
            "ChangeResourceRecordSets" => self.change_records(id),
            "ListResourceRecordSets" => self.list_records(id),
            "ListResourceRecordSetProtections" => self.list_protections(id),
            "CreateResourceRecordSetProtections" => self.create_protections(id),
            "DeleteResourceRecordSetProtections" => self.delete_protections(id),
            "GetChange" => self.get_change(id),
            "CreateHealthCheck" => self.create_check(),
            "ListHealthChecks" => self.list_checks(),
            "GetHealthCheck" => self.get_check(id),
            "GetHealthCheckStatus" => self.get_check_status(id),
            "UpdateHealthCheck" => self.update_check(id),
            "DeleteHealthCheck" => self.delete_check(id),
            "ListTagsForResources" => self.list_tags(id),
            "ListTagsForResource" => self.get_tags(id, path.get(2).copied().unwrap_or_default()),
            "ChangeTagsForResource" => self.change_tags(id, path.get(2).copied().unwrap_or_default()),
            _ => Err(Fault::InvalidInput("The operation is not emulated".to_owned())),
        }
    }
}

/// An answer whose root element is `root`.
fn ok<T: Serialize>(root: &str, body: &T) -> Answered {
    written(StatusCode::OK, root, body)
}

fn written<T: Serialize>(status: StatusCode, root: &str, body: &T) -> Answered {
    let text = quick_xml::se::to_string_with_root(root, body).map_err(|error| Fault::Disk(error.to_string()))?;
    Ok(Answer(status, text))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeInfo {
    id: String,
    status: &'static str,
    submitted_at: String,
}

impl ChangeInfo {
    fn of(submitted: &Submitted, now: SystemTime) -> Self {
        let id = format!("/change/{}", submitted.id);
        Self { id, status: submitted.status(now), submitted_at: reply::rfc3339(submitted.at) }
    }
}

fn refusal(fault: &Fault) -> Response<Body> {
    let (status, code) = match fault {
        Fault::NoSuchHostedZone(_) => (StatusCode::NOT_FOUND, "NoSuchHostedZone"),
        Fault::NoSuchHealthCheck(_) => (StatusCode::NOT_FOUND, "NoSuchHealthCheck"),
        Fault::NoSuchChange(_) => (StatusCode::NOT_FOUND, "NoSuchChange"),
        Fault::HostedZoneAlreadyExists => (StatusCode::CONFLICT, "HostedZoneAlreadyExists"),
        Fault::HostedZoneNotEmpty => (StatusCode::BAD_REQUEST, "HostedZoneNotEmpty"),
        Fault::HealthCheckAlreadyExists => (StatusCode::CONFLICT, "HealthCheckAlreadyExists"),
        Fault::HealthCheckVersionMismatch => (StatusCode::CONFLICT, "HealthCheckVersionMismatch"),
        Fault::ProtectionAlreadyExists(_) => (StatusCode::CONFLICT, "ProtectionAlreadyExists"),
        Fault::InvalidProtectionBatch(_) => (StatusCode::BAD_REQUEST, "InvalidResourceRecordSetProtectionBatch"),
        Fault::InvalidInput(_) => (StatusCode::BAD_REQUEST, "InvalidInput"),
        Fault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
        Fault::InvalidChangeBatch(_) => (StatusCode::BAD_REQUEST, "InvalidChangeBatch"),
    };
    reply::error(status, code, &fault.to_string())
}
