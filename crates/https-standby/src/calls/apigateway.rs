//! One function per API Gateway operation, named like it. Whatever is created is looked for when AWS says that it exists: the response to
//! an earlier call may have been lost.

use std::collections::HashMap;

use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::operation::get_domain_name::GetDomainNameOutput;
use aws_sdk_apigatewayv2::types::{
    Api, ApiMapping, ConnectionType, DomainNameStatus, Integration, IntegrationType, IpAddressType, ProtocolType,
    Route, Stage,
};
use twinsite_aws::{AwsError, Kind, Tags, parse};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Arn, Domain, ResourceId, Run};

use crate::model::{IP_ADDRESS_TYPE, REMOVE_COOKIE, Settings};
use crate::wire::apigateway as wire;

/// The key of the only route, and the name of the only stage.
pub(crate) const DEFAULT: &str = "$default";

/// All items of a paged list.
macro_rules! all_pages {
    ($operation:literal, $subject:expr, $request:expr) => {{
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let page = $request.set_next_token(token).send().await;
            let page = page.map_err(|error| AwsError::new($operation, $subject, error))?;
            all.extend(page.items.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break Ok(all);
            }
        }
    }};
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html>
pub(crate) async fn get_apis(client: &Client) -> Result<Vec<Api>, AwsError> {
    all_pages!("GetApis", "all", client.get_apis())
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html>
pub(crate) async fn get_integrations(client: &Client, api: &str) -> Result<Vec<Integration>, AwsError> {
    all_pages!("GetIntegrations", api, client.get_integrations().api_id(api))
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html>
pub(crate) async fn get_routes(client: &Client, api: &str) -> Result<Vec<Route>, AwsError> {
    all_pages!("GetRoutes", api, client.get_routes().api_id(api))
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html>
pub(crate) async fn get_stages(client: &Client, api: &str) -> Result<Vec<Stage>, AwsError> {
    all_pages!("GetStages", api, client.get_stages().api_id(api))
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings.html>
pub(crate) async fn get_api_mappings(client: &Client, domain: &Domain) -> Result<Vec<ApiMapping>, AwsError> {
    all_pages!("GetApiMappings", domain, client.get_api_mappings().domain_name(domain.as_str()))
}

/// The custom domain name; `None` if it does not exist.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html>
pub(crate) async fn get_domain_name(client: &Client, domain: &Domain) -> Result<Option<GetDomainNameOutput>, AwsError> {
    let response = client.get_domain_name().domain_name(domain.as_str()).send().await;
    AwsError::absent(response.map_err(|error| AwsError::new("GetDomainName", domain, error)))
}

/// Creates the API, or returns the one that an earlier call has created.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html#CreateApi>
pub(crate) async fn create_api(
    client: &Client,
    name: &str,
    settings: &Settings,
    tags: &Tags,
) -> Result<ResourceId, AwsError> {
    const OPERATION: &str = "CreateApi";
    let has_all = |api: &&Api| {
        let actual = wire::tags(api.tags());
        api.name() == Some(name) && tags.iter().all(|(key, value)| actual.get(key) == Some(value))
    };
    if let Some(id) = get_apis(client).await?.iter().find(has_all).and_then(Api::api_id) {
        return parse(OPERATION, name, id);
    }
    let tags: HashMap<String, String> = tags.clone().into_iter().collect();
    let request = client.create_api().name(name).protocol_type(ProtocolType::Http).set_tags(Some(tags));
    let request = request.ip_address_type(IpAddressType::from(setting(settings, IP_ADDRESS_TYPE)));
    let response = request.disable_execute_api_endpoint(false).send().await;
    let response = response.map_err(|error| AwsError::new(OPERATION, name, error))?;
    parse(OPERATION, name, response.api_id().unwrap_or_default())
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#UpdateApi>
pub(crate) async fn update_api(client: &Client, id: &ResourceId, settings: &Settings) -> Result<(), AwsError> {
    let request = client.update_api().api_id(id.as_str()).disable_execute_api_endpoint(false);
    let request = request.ip_address_type(IpAddressType::from(setting(settings, IP_ADDRESS_TYPE)));
    request.send().await.map(drop).map_err(|error| AwsError::new("UpdateApi", id, error))
}

fn setting<'a>(settings: &'a Settings, name: &str) -> &'a str {
    settings.get(name).map_or("", String::as_str)
}

/// The members of an integration, in the request that creates or updates it.
macro_rules! integration {
    ($request:expr, $settings:expr) => {
        $request
            .integration_type(IntegrationType::from(setting($settings, "IntegrationType")))
            .integration_method(setting($settings, "IntegrationMethod"))
            .integration_uri(setting($settings, "IntegrationUri"))
            .connection_type(ConnectionType::from(setting($settings, "ConnectionType")))
            .payload_format_version(setting($settings, "PayloadFormatVersion"))
            .timeout_in_millis(setting($settings, "TimeoutInMillis").parse().unwrap_or(10_000))
            .request_parameters(REMOVE_COOKIE, "''")
    };
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations.html#CreateIntegration>
pub(crate) async fn create_integration(
    client: &Client,
    api: &ResourceId,
    settings: &Settings,
) -> Result<ResourceId, AwsError> {
    const OPERATION: &str = "CreateIntegration";
    let response = integration!(client.create_integration().api_id(api.as_str()), settings).send().await;
    let response = response.map_err(|error| AwsError::new(OPERATION, api, error))?;
    parse(OPERATION, api, response.integration_id().unwrap_or_default())
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-integrations-integrationid.html#UpdateIntegration>
pub(crate) async fn update_integration(
    client: &Client,
    api: &ResourceId,
    id: &ResourceId,
    settings: &Settings,
) -> Result<(), AwsError> {
    let request = client.update_integration().api_id(api.as_str()).integration_id(id.as_str());
    let response = integration!(request, settings).send().await;
    response.map(drop).map_err(|error| AwsError::new("UpdateIntegration", id, error))
}

/// Creates the route `$default`, or updates it.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html#CreateRoute>
pub(crate) async fn put_route(client: &Client, api: &ResourceId, integration: &ResourceId) -> Result<(), AwsError> {
    let target = format!("integrations/{integration}");
    let routes = get_routes(client, api.as_str()).await?;
    let existing = routes.iter().find(|route| route.route_key() == Some(DEFAULT)).and_then(Route::route_id);
    if let Some(id) = existing {
        let update = client.update_route().api_id(api.as_str()).route_id(id).target(target).send().await;
        return update.map(drop).map_err(|error| AwsError::new("UpdateRoute", api, error));
    }
    let create = client.create_route().api_id(api.as_str()).route_key(DEFAULT).target(target).send().await;
    create.map(drop).map_err(|error| AwsError::new("CreateRoute", api, error))
}

/// Creates the stage `$default`, or turns on its automatic deployment.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html#CreateStage>
pub(crate) async fn put_stage(client: &Client, api: &ResourceId, tags: &Tags) -> Result<(), AwsError> {
    let stages = get_stages(client, api.as_str()).await?;
    if stages.iter().any(|stage| stage.stage_name() == Some(DEFAULT)) {
        let update = client.update_stage().api_id(api.as_str()).stage_name(DEFAULT).auto_deploy(true).send().await;
        return update.map(drop).map_err(|error| AwsError::new("UpdateStage", api, error));
    }
    let tags: HashMap<String, String> = tags.clone().into_iter().collect();
    let create = client.create_stage().api_id(api.as_str()).stage_name(DEFAULT).auto_deploy(true);
    let create = create.set_tags(Some(tags)).send().await;
    create.map(drop).map_err(|error| AwsError::new("CreateStage", api, error))
}

/// Creates the custom domain name. One that exists with the same certificate was created by an earlier call.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames.html#CreateDomainName>
pub(crate) async fn create_domain_name(
    client: &Client,
    domain: &Domain,
    certificate: &Arn,
    settings: &Settings,
    tags: &Tags,
) -> Result<(), AwsError> {
    let tags: HashMap<String, String> = tags.clone().into_iter().collect();
    let configuration = wire::domain_configuration(certificate.as_str(), settings);
    let create = client.create_domain_name().domain_name(domain.as_str()).domain_name_configurations(configuration);
    let created = create.set_tags(Some(tags)).send().await.map(drop);
    match created.map_err(|error| AwsError::new("CreateDomainName", domain, error)) {
        Err(error) if error.kind == Kind::Conflict => {
            let existing = get_domain_name(client, domain).await?;
            let existing = existing.map(|existing| wire::configuration(&existing));
            let is_same = existing.is_some_and(|one| one.certificate_arn() == Some(certificate.as_str()));
            if is_same { Ok(()) } else { Err(error) }
        }
        created => created,
    }
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html#UpdateDomainName>
pub(crate) async fn update_domain_name(
    client: &Client,
    domain: &Domain,
    certificate: &Arn,
    settings: &Settings,
) -> Result<(), AwsError> {
    let configuration = wire::domain_configuration(certificate.as_str(), settings);
    let update = client.update_domain_name().domain_name(domain.as_str()).domain_name_configurations(configuration);
    update.send().await.map(drop).map_err(|error| AwsError::new("UpdateDomainName", domain, error))
}

/// Waits until the custom domain name is available.
pub(crate) async fn await_domain_name(
    client: &Client,
    domain: &Domain,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    const OPERATION: &str = "GetDomainName";
    let available = poll_until(run, polling, "the custom domain name to be available", async || {
        let found = get_domain_name(client, domain).await?.map(|found| wire::configuration(&found));
        let Some(found) = found else {
            return Err(AwsError::refused(OPERATION, domain, "the custom domain name was deleted in the meantime"));
        };
        match found.domain_name_status() {
            Some(DomainNameStatus::Available) => Ok(Poll::Ready(())),
            Some(DomainNameStatus::Updating) | None => Ok(Poll::NotYet),
            Some(other) => {
                let message = found.domain_name_status_message().unwrap_or_default();
                Err(AwsError::refused(OPERATION, domain, format!("its status is {} {message}", other.as_str())))
            }
        }
    });
    available.await.map_err(|error| AwsError::from_wait(OPERATION, domain, error))
}

/// Maps the custom domain name to the stage `$default` of an API, if it is not.
/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings.html#CreateApiMapping>
pub(crate) async fn create_api_mapping(client: &Client, domain: &Domain, api: &ResourceId) -> Result<(), AwsError> {
    let create = client.create_api_mapping().domain_name(domain.as_str()).api_id(api.as_str()).stage(DEFAULT).send();
    match create.await.map(drop).map_err(|error| AwsError::new("CreateApiMapping", domain, error)) {
        Err(error) if error.kind == Kind::Conflict => {
            let existing = get_api_mappings(client, domain).await?;
            let is_same = existing.iter().any(|mapping| mapping.api_id() == Some(api.as_str()));
            if is_same { Ok(()) } else { Err(error) }
        }
        created => created,
    }
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname-apimappings-apimappingid.html>
pub(crate) async fn delete_api_mapping(client: &Client, domain: &Domain, id: &ResourceId) -> Result<(), AwsError> {
    let delete = client.delete_api_mapping().domain_name(domain.as_str()).api_mapping_id(id.as_str()).send().await;
    AwsError::absent(delete.map(drop).map_err(|error| AwsError::new("DeleteApiMapping", domain, error))).map(drop)
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/domainnames-domainname.html#DeleteDomainName>
pub(crate) async fn delete_domain_name(client: &Client, domain: &Domain) -> Result<(), AwsError> {
    let delete = client.delete_domain_name().domain_name(domain.as_str()).send().await;
    AwsError::absent(delete.map(drop).map_err(|error| AwsError::new("DeleteDomainName", domain, error))).map(drop)
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html#DeleteApi>
pub(crate) async fn delete_api(client: &Client, id: &ResourceId) -> Result<(), AwsError> {
    let delete = client.delete_api().api_id(id.as_str()).send().await;
    AwsError::absent(delete.map(drop).map_err(|error| AwsError::new("DeleteApi", id, error))).map(drop)
}

/// <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/tags-resource-arn.html#TagResource>
pub(crate) async fn tag_resource(client: &Client, arn: &Arn, tags: &Tags) -> Result<(), AwsError> {
    let tags: HashMap<String, String> = tags.clone().into_iter().collect();
    let tag = client.tag_resource().resource_arn(arn.as_str()).set_tags(Some(tags)).send().await;
    tag.map(drop).map_err(|error| AwsError::new("TagResource", arn, error))
}
