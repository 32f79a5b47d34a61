//! API Gateway v2: HTTP APIs with a proxy of one HTTP endpoint behind the route `$default`, and custom domain names.
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html>

mod check;
mod permissions;
mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::acm::{Acm, CertificateStatus};
use crate::context::{Now, ServiceError, Tags, execute_api_host};
use check::{check_api, check_domain, check_integration, check_route, check_stage};

pub(crate) use permissions::permissions;
pub(crate) use wire::{answer, error_response, operation, subject};

/// The members of a resource, as the API has them.
pub type Members = Map<String, Value>;

fn bad_request(message: impl Into<String>) -> ServiceError {
    ServiceError::new("BadRequestException", 400, message)
}

fn conflict(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ConflictException", 409, message)
}

fn not_found(what: &str) -> ServiceError {
    ServiceError::new("NotFoundException", 404, format!("Invalid {what} identifier specified"))
}

/// An HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Api {
    /// Its id.
    pub id: String,
    /// Its region.
    pub region: String,
    /// When it was created.
    pub created: SystemTime,
    /// Its members.
    pub members: Members,
    /// Its tags.
    pub tags: Tags,
    /// Its integrations by id.
    pub integrations: BTreeMap<String, Members>,
    /// Its routes by id.
    pub routes: BTreeMap<String, Members>,
    /// Its stages by name.
    pub stages: BTreeMap<String, Stage>,
}

/// A stage of an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// Its members.
    pub members: Members,
    /// Its tags.
    pub tags: Tags,
}

/// A custom domain name in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DomainName {
    /// The name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its only configuration.
    pub configuration: Members,
    /// The name that alias records lead to.
    pub target: String,
    /// From when on it is `AVAILABLE`.
    pub available: SystemTime,
    /// Its tags.
    pub tags: Tags,
    /// Its API mappings by id.
    pub mappings: BTreeMap<String, Members>,
}

impl DomainName {
    /// The ARN of its certificate.
    pub fn certificate(&self) -> &str {
        text(&self.configuration, "certificateArn")
    }
}

/// What a request to the data plane leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The URI of the integration.
    pub(crate) uri: String,
    /// The headers that are removed, in lower case.
    pub(crate) removed_headers: Vec<String>,
    /// How long the integration may take.
    pub(crate) timeout: Duration,
}

/// Why a request to the data plane leads to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// No API has this host name.
    Forbidden,
    /// The API has no route for it, or its own endpoint is disabled.
    NotFound,
}

/// The state of API Gateway in all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiGateway {
    apis: BTreeMap<String, Api>,
    /// By region and name.
    domains: BTreeMap<String, DomainName>,
    counter: u64,
}

/// The text of a member; empty if it has none.
pub(crate) fn text<'a>(members: &'a Members, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl ApiGateway {
    /// All APIs, ordered by id.
    pub fn apis(&self) -> impl Iterator<Item = &Api> {
        self.apis.values()
    }

    /// All custom domain names.
    pub fn domains(&self) -> impl Iterator<Item = &DomainName> {
        self.domains.values()
    }

    /// The ARNs of what uses a certificate: load balancers in an account of AWS.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains-prerequisites.html>
    pub fn using_certificate(&self, certificate: &str) -> Vec<String> {
        let users = self.domains.values().filter(|domain| domain.certificate() == certificate);
        users.map(|domain| load_balancer(&domain.region, &domain.target)).collect()
    }

    fn next_id(&mut self, what: &str) -> String {
        self.counter += 1;
        let digest = Sha256::digest(format!("{what}/{}", self.counter));
        hex::encode(&digest[..5])
    }

    fn api(&self, region: &str, id: &str) -> Result<&Api, ServiceError> {
        self.apis.get(id).filter(|api| api.region == region).ok_or_else(|| not_found("API"))
    }

    fn api_mut(&mut self, region: &str, id: &str) -> Result<&mut Api, ServiceError> {
        self.apis.get_mut(id).filter(|api| api.region == region).ok_or_else(|| not_found("API"))
    }

    fn domain(&self, region: &str, name: &str) -> Result<&DomainName, ServiceError> {
        self.domains.get(&domain_key(region, name)).ok_or_else(|| not_found("domain name"))
    }

    fn domain_mut(&mut self, region: &str, name: &str) -> Result<&mut DomainName, ServiceError> {
        self.domains.get_mut(&domain_key(region, name)).ok_or_else(|| not_found("domain name"))
    }

    fn create_api(&mut self, region: &str, members: Members, tags: Tags, now: Now) -> Result<&Api, ServiceError> {
        let members = check_api(members)?;
        let (id, region) = (self.next_id("api"), region.to_owned());
        let api = Api {
            id: id.clone(),
            region,
            created: now.time,
            members,
            tags,
            integrations: BTreeMap::new(),
            routes: BTreeMap::new(),
            stages: BTreeMap::new(),
        };
        Ok(self.apis.entry(id).or_insert(api))
    }

    fn update_api(&mut self, region: &str, id: &str, changes: Members) -> Result<&Api, ServiceError> {
        let api = self.api_mut(region, id)?;
        api.members = check_api(merged(&api.members, changes))?;
        Ok(api)
    }

    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html>
    fn delete_api(&mut self, region: &str, id: &str) -> Result<(), ServiceError> {
        self.api(region, id)?;
        let mut mappings = self.domains.values().flat_map(|domain| domain.mappings.values());
        if mappings.any(|mapping| text(mapping, "apiId") == id) {
            return Err(bad_request(format!(
                "Deleting API {id} failed. Please remove all API mappings related to the API and try again."
            )));
        }
        self.apis.remove(id);
        Ok(())
    }

    fn create_integration(&mut self, region: &str, api: &str, members: Members) -> Result<String, ServiceError> {
        let id = self.next_id("integration");
        let members = check_integration(members)?;
        self.api_mut(region, api)?.integrations.insert(id.clone(), members);
        Ok(id)
    }

    fn update_integration(&mut self, region: &str, api: &str, id: &str, changes: Members) -> Result<(), ServiceError> {
        let existing = self.api_mut(region, api)?.integrations.get_mut(id);
        let existing = existing.ok_or_else(|| not_found("Integration"))?;
        *existing = check_integration(merged(existing, changes))?;
        Ok(())
    }

    fn delete_integration(&mut self, region: &str, api: &str, id: &str) -> Result<(), ServiceError> {
        let api = self.api_mut(region, api)?;
        let target = format!("integrations/{id}");
        let routes: Vec<&str> =
            api.routes.iter().filter(|(_, route)| text(route, "target") == target).map(|(id, _)| id.as_str()).collect();
        if !routes.is_empty() {
            let routes = routes.join(", ");
            return Err(conflict(format!(
                "Cannot delete Integration '{id}' due to being referenced by route(s): {routes}"
            )));
        }
        api.integrations.remove(id).map(drop).ok_or_else(|| not_found("Integration"))
    }

    fn put_route(
        &mut self,
        region: &str,
        api: &str,
        id: Option<&str>,
        members: Members,
    ) -> Result<String, ServiceError> {
        let new = self.next_id("route");
        let api = self.api_mut(region, api)?;
        let members = match id {
            None => members,
            Some(id) => merged(api.routes.get(id).ok_or_else(|| not_found("Route"))?, members),
        };
        let members = check_route(members, api)?;
        let key = text(&members, "routeKey").to_owned();
        let is_taken =
            |(other, route): (&String, &Members)| Some(other.as_str()) != id && text(route, "routeKey") == key;
        if api.routes.iter().any(is_taken) {
            return Err(conflict(format!("Route with key {key} already exists for this API")));
        }
        let id = id.map_or(new, str::to_owned);
        api.routes.insert(id.clone(), members);
        Ok(id)
    }

    fn create_stage(&mut self, region: &str, api: &str, members: Members, tags: Tags) -> Result<String, ServiceError> {
        let api = self.api_mut(region, api)?;
        let members = check_stage(members)?;
        let name = text(&members, "stageName").to_owned();
        if api.stages.contains_key(&name) {
            return Err(conflict("Stage already exists"));
        }
        api.stages.insert(name.clone(), Stage { members, tags });
        Ok(name)
    }

    fn update_stage(&mut self, region: &str, api: &str, name: &str, changes: Members) -> Result<(), ServiceError> {
        let stage = self.api_mut(region, api)?.stages.get_mut(name).ok_or_else(|| not_found("stage"))?;
        stage.members = check_stage(merged(&stage.members, changes))?;
        Ok(())
    }

    fn create_domain(
        &mut self,
        region: &str,
        input: &Members,
        tags: Tags,
        acm: &Acm,
        now: Now,
    ) -> Result<&DomainName, ServiceError> {
        let name = text(input, "domainName").to_owned();
        let configuration = check_domain(&name, region, input, acm)?;
        if self.domains.contains_key(&domain_key(region, &name)) {
            return Err(conflict("The domain name you provided already exists."));
        }
        let target = format!("d-{}.execute-api.{region}.amazonaws.com", self.next_id("domain"));
        let domain = DomainName {
            name: name.clone(),
            region: region.to_owned(),
            configuration,
            target,
            available: now.time + now.delays.domain_name,
            tags,
            mappings: BTreeMap::new(),
        };
        Ok(self.domains.entry(domain_key(region, &name)).or_insert(domain))
    }

    fn update_domain(
        &mut self,
        region: &str,
        name: &str,
        input: &Members,
        acm: &Acm,
        now: Now,
    ) -> Result<(), ServiceError> {
        let configuration = check_domain(name, region, input, acm)?;
        let domain = self.domain_mut(region, name)?;
        domain.configuration = merged(&domain.configuration, configuration);
        domain.available = now.time + now.delays.domain_name;
        Ok(())
    }

    fn delete_domain(&mut self, region: &str, name: &str) -> Result<(), ServiceError> {
        self.domains.remove(&domain_key(region, name)).map(drop).ok_or_else(|| not_found("domain name"))
    }

    fn create_mapping(&mut self, region: &str, name: &str, input: &Members) -> Result<String, ServiceError> {
        let id = self.next_id("mapping");
        let key = text(input, "apiMappingKey").trim_matches('/').to_owned();
        if !key.is_empty() {
            return Err(ServiceError::not_implemented("API mappings with a key"));
        }
        let (api, stage) = (text(input, "apiId"), text(input, "stage"));
        if !self.api(region, api)?.stages.contains_key(stage) {
            return Err(bad_request(format!("Invalid stage identifier specified: {stage}")));
        }
        let domain = self.domain_mut(region, name)?;
        if !domain.mappings.is_empty() {
            return Err(conflict("ApiMapping key already exists for this domain name"));
        }
        let mapping = json!({"apiId": api, "stage": stage, "apiMappingKey": ""});
        let Value::Object(mapping) = mapping else { unreachable!("an object was written") };
        domain.mappings.insert(id.clone(), mapping);
        Ok(id)
    }

    /// The tags of the resource with an ARN.
    fn tags_mut(&mut self, region: &str, arn: &str) -> Result<&mut Tags, ServiceError> {
        let path = arn.strip_prefix(&format!("arn:aws:apigateway:{region}::/")).unwrap_or_default();
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["apis", id] => Ok(&mut self.api_mut(region, id)?.tags),
            ["apis", id, "stages", name] => {
                let stage = self.api_mut(region, id)?.stages.get_mut(*name);
                Ok(&mut stage.ok_or_else(|| not_found("stage"))?.tags)
            }
            ["domainnames", name] => Ok(&mut self.domain_mut(region, name)?.tags),
            _ => Err(bad_request(format!("Invalid ARN specified in the request: {arn}"))),
        }
    }

    /// The name of the certificate with which a TLS handshake in a region is answered: the one that was asked for, or that of the endpoints
    /// of the region.
    pub(crate) fn certificate_name(&self, region: &str, asked: Option<&str>, now: SystemTime) -> String {
        let is_custom = |name: &&str| self.domain(region, name).is_ok_and(|domain| domain.available <= now);
        let is_own = |name: &&str| execute_api_host(name).is_some_and(|(_, of)| of == region);
        match asked.filter(|name| is_custom(name) || is_own(name)) {
            Some(name) => name.to_owned(),
            None => format!("endpoint.execute-api.{region}.amazonaws.com"),
        }
    }

    /// Where a request to a host is sent.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
    pub(crate) fn target(&self, region: &str, host: &str, now: SystemTime) -> Result<Target, NoTarget> {
        let (api, stage) = if let Some((id, _)) = execute_api_host(host) {
            let api = self.api(region, id).map_err(|_| NoTarget::Forbidden)?;
            if api.members.get("disableExecuteApiEndpoint") == Some(&Value::Bool(true)) {
                return Err(NoTarget::NotFound);
            }
            (api, "$default")
        } else {
            let domain = self.domain(region, host).ok().filter(|domain| domain.available <= now);
            let mapping = domain.and_then(|domain| domain.mappings.values().next()).ok_or(NoTarget::Forbidden)?;
            let api = self.api(region, text(mapping, "apiId")).map_err(|_| NoTarget::Forbidden)?;
            (api, text(mapping, "stage"))
        };
        // Without automatic deployment, nothing is deployed: deployments are not emulated.
        let is_deployed = |stage: &Stage| stage.members.get("autoDeploy") == Some(&Value::Bool(true));
        if !api.stages.get(stage).is_some_and(is_deployed) {
            return Err(NoTarget::NotFound);
        }
        let route =
            api.routes.values().find(|route| text(route, "routeKey") == "$default").ok_or(NoTarget::NotFound)?;
        let integration = text(route, "target").strip_prefix("integrations/").and_then(|id| api.integrations.get(id));
        let integration = integration.ok_or(NoTarget::NotFound)?;
        let parameters = integration.get("requestParameters").and_then(Value::as_object);
        let removed =
            parameters.into_iter().flat_map(Members::keys).filter_map(|key| key.strip_prefix("remove:header."));
        let timeout = integration.get("timeoutInMillis").and_then(Value::as_u64).unwrap_or(30_000);
        Ok(Target {
            uri: text(integration, "integrationUri").to_owned(),
            removed_headers: removed.map(str::to_ascii_lowercase).collect(),
            timeout: Duration::from_millis(timeout),
        })
    }
}

/// The ARN of the load balancer behind a Regional endpoint, which belongs to AWS.
pub(crate) fn load_balancer(region: &str, target: &str) -> String {
    let name = target.split('.').next().unwrap_or_default();
    format!("arn:aws:elasticloadbalancing:{region}:999999999999:loadbalancer/net/prod-{name}/50dc6c495c0c9188")
}

fn domain_key(region: &str, name: &str) -> String {
    format!("{region}/{}", name.to_ascii_lowercase())
}

fn merged(existing: &Members, changes: Members) -> Members {
    let mut merged = existing.clone();
    merged.extend(changes);
    merged
}

/// Whether ACM has issued a certificate.
fn is_issued(status: &CertificateStatus) -> bool {
    matches!(status, CertificateStatus::Issued { .. })
}
