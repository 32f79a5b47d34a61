//! Reads the actual state.

use futures::future::try_join_all;
use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::{Arn, Invalid, ResourceId, Side};

use crate::calls::{acm, apigateway as calls};
use crate::clients::HttpsStandby;
use crate::model::{Actual, Api, Certificate, Desired, DomainName, Integration, Mapping, Route, Stage};
use crate::wire::apigateway as wire;

impl HttpsStandby {
    /// Reads the actual state.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let certificates = Box::pin(self.observe_certificates(desired));
        let apis = Box::pin(self.observe_apis(desired));
        let domain_name = Box::pin(self.observe_domain_name(desired));
        let (certificates, mut apis, domain_name) = try_join!(certificates, apis, domain_name)?;
        // The one that visitors reach, if several were created.
        let is_mapped = |api: &Api| {
            let mappings = domain_name.iter().flat_map(|domain: &DomainName| &domain.mappings);
            mappings.into_iter().any(|mapping| mapping.api == api.id.as_str())
        };
        apis.sort_by_key(|api| (!is_mapped(api), api.route.is_none(), api.id.clone()));
        let mut apis = apis.into_iter();
        let api = apis.next();
        Ok(Actual { certificates, api, surplus_apis: apis.map(|api| api.id).collect(), domain_name })
    }

    async fn observe_certificates(&self, desired: &Desired) -> Result<Vec<Certificate>, AwsError> {
        if desired.certificate.is_some() {
            return Ok(Vec::new());
        }
        let arns = acm::list_certificates(&self.acm, &desired.site.domain).await?;
        let described = arns.iter().map(|arn| Box::pin(acm::describe_certificate(&self.acm, arn)));
        Ok(try_join_all(described).await?.into_iter().flatten().collect())
    }

    /// The APIs of the site: by their tags or, if those were replaced, by their name and their integration.
    async fn observe_apis(&self, desired: &Desired) -> Result<Vec<Api>, AwsError> {
        let (owner, name, uri) = (desired.owner(), desired.api_name(), desired.integration_uri());
        let mut found = Vec::new();
        for api in calls::get_apis(&self.gateway).await? {
            let tags = wire::tags(api.tags());
            let is_named = api.name() == Some(&name) && owner.other(&tags).is_none();
            let Some(id) = api.api_id().filter(|_| owner.owns(&tags) || is_named) else { continue };
            let (integrations, routes, stages) = try_join!(
                calls::get_integrations(&self.gateway, id),
                calls::get_routes(&self.gateway, id),
                calls::get_stages(&self.gateway, id)
            )?;
            let leads_to_site = integrations.iter().any(|one| one.integration_uri() == Some(&uri));
            if !owner.owns(&tags) && !leads_to_site {
                continue;
            }
            let route = routes.iter().find(|route| route.route_key() == Some(calls::DEFAULT));
            let target = route.and_then(|route| route.target()).unwrap_or_default();
            let is_target = |id: Option<&str>| id.is_some() && target.strip_prefix("integrations/") == id;
            let integration = integrations.iter().find(|one| is_target(one.integration_id())).or(integrations.first());
            let others = routes.iter().filter_map(|route| route.route_key()).filter(|key| *key != calls::DEFAULT);
            let stage = stages.iter().find(|stage| stage.stage_name() == Some(calls::DEFAULT));
            found.push(Api {
                id: parsed("GetApis", id)?,
                arn: arn(desired, &format!("apis/{id}"))?,
                tags,
                settings: wire::api_settings(&api),
                integration: integration.and_then(|one| {
                    let id = one.integration_id()?.parse().ok()?;
                    Some(Integration { id, settings: wire::integration_settings(one) })
                }),
                route: route
                    .and_then(|route| Some(Route { id: route.route_id()?.parse().ok()?, target: target.to_owned() })),
                other_routes: others.map(str::to_owned).collect(),
                stage: stage.map(|stage| Stage { auto_deploy: stage.auto_deploy().unwrap_or_default() }),
            });
        }
        Ok(found)
    }

    async fn observe_domain_name(&self, desired: &Desired) -> Result<Option<DomainName>, AwsError> {
        let domain = &desired.site.domain;
        let Some(found) = calls::get_domain_name(&self.gateway, domain).await? else { return Ok(None) };
        let configuration = wire::configuration(&found);
        let mappings = calls::get_api_mappings(&self.gateway, domain).await?;
        let mut mappings: Vec<Mapping> = mappings
            .iter()
            .filter_map(|mapping| {
                let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
                Some(Mapping {
                    id: mapping.api_mapping_id()?.parse().ok()?,
                    api: text(mapping.api_id()),
                    stage: text(mapping.stage()),
                    key: text(mapping.api_mapping_key()),
                })
            })
            .collect();
        mappings.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(Some(DomainName {
            arn: arn(desired, &format!("domainnames/{domain}"))?,
            tags: wire::tags(found.tags()),
            certificate: configuration.certificate_arn().unwrap_or_default().to_owned(),
            settings: wire::domain_settings(&configuration),
            status: configuration.domain_name_status().map_or("UNKNOWN", |status| status.as_str()).to_owned(),
            endpoint: wire::endpoint(&configuration),
            mappings,
        }))
    }
}

/// The ARN of a resource of API Gateway, which names no account.
fn arn(desired: &Desired, resource: &str) -> Result<Arn, AwsError> {
    let region = desired.site.regions.get(Side::Backup);
    let arn = format!("arn:{}:apigateway:{region}::/{resource}", region.partition());
    arn.parse().map_err(|invalid: Invalid| AwsError::unexpected("GetTags", resource, invalid))
}

fn parsed(operation: &'static str, id: &str) -> Result<ResourceId, AwsError> {
    id.parse().map_err(|invalid: Invalid| AwsError::unexpected(operation, id, invalid))
}
