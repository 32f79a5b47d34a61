//! Route 53 on the wire (restXml).
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html>

mod checks;
mod protections;
mod tags;
mod zones;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::Body;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Health, Route53, SubmittedChange, invalid_input, normalize};
use crate::context::{Now, ServiceError};
use crate::protocol::reply;
use crate::protocol::request::{parameters, segments};

pub(super) const VERSION: &str = "/2013-04-01/";

type Reply = Result<Response<Body>, ServiceError>;

/// A request and the state that it applies to.
struct Call<'a> {
    route53: &'a mut Route53,
    health: &'a Health,
    now: Now,
    query: BTreeMap<String, String>,
    body: &'a [u8],
}

impl Call<'_> {
    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        quick_xml::de::from_reader(self.body).map_err(|error| invalid_input(format!("Invalid XML; {error}")))
    }

    /// The page size: `maxitems`, at most `limit`.
    fn page_size(&self, limit: usize) -> Result<usize, ServiceError> {
        match self.query("maxitems") {
            "" => Ok(limit),
            text => text.parse().map(|n: usize| n.clamp(1, limit)).map_err(|_| invalid_input("maxitems")),
        }
    }

    fn change_info(&self, change: &SubmittedChange) -> Value {
        json!({
            "Id": format!("/change/{}", change.id),
            "Status": change.status(self.now.time),
            "SubmittedAt": reply::rfc3339(change.at),
        })
    }
}

/// What a request changes about record sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChangedRecords {
    /// The names as condition keys have them.
    pub(super) names: Vec<String>,
    pub(super) types: Vec<String>,
    pub(super) actions: Vec<String>,
}

/// What a `ChangeResourceRecordSets` request changes.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html>
pub(super) fn changed_records(request: &Request<Bytes>) -> ChangedRecords {
    let mut changed = ChangedRecords::default();
    for change in zones::changes_in(request.body()) {
        changed.names.push(normalized_name(&change.resource_record_set.name));
        changed.types.push(change.resource_record_set.r#type);
        changed.actions.push(change.action.as_str().to_owned());
    }
    changed
}

/// In lower case, without a dot at the end, with octal escapes for unusual characters.
fn normalized_name(name: &str) -> String {
    let name = normalize(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.\\".contains(&byte);
    let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("\\{byte:03o}") };
    name.trim_end_matches('.').bytes().map(escaped).collect()
}

/// The AWS name of the operation that a request is for.
pub(crate) fn operation(request: &Request<Bytes>) -> &'static str {
    let path = segments(request.uri().path(), VERSION);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    operation_at(request.method(), &path)
}

fn operation_at(method: &Method, path: &[&str]) -> &'static str {
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

/// Answers a request to Route 53.
pub(crate) fn answer(route53: &mut Route53, health: &Health, request: &Request<Bytes>, now: Now) -> Reply {
    let path = segments(request.uri().path(), VERSION);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (id, second) = (path.get(1).copied().unwrap_or_default(), path.get(2).copied().unwrap_or_default());
    let mut call = Call { route53, health, now, query: parameters(request), body: request.body() };
    match operation_at(request.method(), &path) {
        "CreateHostedZone" => call.create_zone(),
        "ListHostedZones" => call.list_zones(),
        "ListHostedZonesByName" => call.list_zones_by_name(),
        "GetHostedZone" => call.get_zone(id),
        "DeleteHostedZone" => call.delete_zone(id),
        "ChangeResourceRecordSets" => call.change_records(id),
        "ListResourceRecordSets" => call.list_records(id),
        "ListResourceRecordSetProtections" => call.list_protections(id),
        "CreateResourceRecordSetProtections" => call.create_protections(id),
        "DeleteResourceRecordSetProtections" => call.delete_protections(id),
        "GetChange" => call.get_change(id),
        "CreateHealthCheck" => call.create_check(),
        "ListHealthChecks" => call.list_checks(),
        "GetHealthCheck" => call.get_check(id),
        "GetHealthCheckStatus" => call.get_check_status(id),
        "UpdateHealthCheck" => call.update_check(id),
        "DeleteHealthCheck" => call.delete_check(id),
        "ListTagsForResources" => call.list_tags(id),
        "ListTagsForResource" => call.get_tags(id, second),
        "ChangeTagsForResource" => call.change_tags(id, second),
        _ => Err(ServiceError::not_implemented(&format!("Route 53 {} {}", request.method(), request.uri().path()))),
    }
}

fn ok(root: &str, body: Value) -> Reply {
    respond(StatusCode::OK, root, body)
}

/// A response whose root element is `root`.
/// A response to a creation, with the address of what was created.
fn created(path: &str, root: &str, body: Value) -> Reply {
    let mut response = respond(StatusCode::CREATED, root, body)?;
    let location = HeaderValue::try_from(format!("https://route53.amazonaws.com{VERSION}{path}"));
    response.headers_mut().insert(header::LOCATION, location.map_err(ServiceError::internal)?);
    Ok(response)
}

fn respond(status: StatusCode, root: &str, body: Value) -> Reply {
    Ok(reply::xml(status, reply::to_xml(root, body)?))
}
