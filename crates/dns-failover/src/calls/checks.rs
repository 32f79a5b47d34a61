//! Operations on health checks.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{Tag, TagResourceType};
use futures::future::try_join_all;
use twinsite_aws::{AwsError, Tags};
use twinsite_core::{Outputs, ResourceId};

use super::call;
use crate::model::{Check, CheckPurpose, CheckSettings, CheckerReports, ExistingCheck};
use crate::wire::checks as wire;

/// The highest number that is appended to a caller reference. Route 53 remembers the references of deleted checks for days.
const MAX_REFERENCE: u32 = 39;

/// The maximum number of resources in a `ListTagsForResources` request.
const TAGGED_RESOURCES: usize = 10;

/// The checks whose caller references have this prefix, with their tags.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHealthChecks.html>
pub(crate) async fn list_health_checks(client: &Client, reference_prefix: &str) -> Result<Vec<Check>, AwsError> {
    const OPERATION: &str = "ListHealthChecks";
    let (mut checks, mut marker) = (Vec::new(), None);
    loop {
        let page = call!(OPERATION, "Route 53", client.list_health_checks().set_marker(marker))?;
        for check in &page.health_checks {
            let parsed = wire::check(check, reference_prefix);
            checks.extend(parsed.map_err(|invalid| AwsError::unexpected(OPERATION, check.id(), invalid))?);
        }
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    for chunk in checks.chunks_mut(TAGGED_RESOURCES) {
        list_tags_for_resources(client, chunk).await?;
    }
    Ok(checks)
}

/// The endpoint checks of the account, whoever created them.
pub(crate) async fn list_existing_checks(client: &Client) -> Result<Vec<ExistingCheck>, AwsError> {
    let (mut checks, mut marker) = (Vec::new(), None);
    loop {
        let page = call!("ListHealthChecks", "Route 53", client.list_health_checks().set_marker(marker))?;
        checks.extend(page.health_checks.iter().filter_map(wire::existing_check));
        marker = page.next_marker;
        if marker.is_none() {
            return Ok(checks);
        }
    }
}

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html>
async fn list_tags_for_resources(client: &Client, checks: &mut [Check]) -> Result<(), AwsError> {
    let ids = checks.iter().map(|check| check.id.as_str().to_owned()).collect();
    let request = client.list_tags_for_resources().resource_type(TagResourceType::Healthcheck);
    let response = call!("ListTagsForResources", "health checks", request.set_resource_ids(Some(ids)))?;
    for set in response.resource_tag_sets {
        let id = set.resource_id.unwrap_or_default();
        let tags = set.tags.unwrap_or_default().into_iter();
        let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
        if let Some(check) = checks.iter_mut().find(|check| check.id.as_str() == id) {
            check.tags = tags;
        }
    }
    Ok(())
}

/// The checkers' status texts of all checks that monitor endpoints.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html>
pub(crate) async fn get_health_check_statuses(client: &Client, checks: &[Check]) -> Result<CheckerReports, AwsError> {
    // The operation is not available for calculated checks.
    let endpoints = checks.iter().filter(|check| check.purpose != CheckPurpose::Serving);
    let requests = endpoints.map(async |check| {
        let request = client.get_health_check_status().health_check_id(check.id.as_str());
        let response = call!("GetHealthCheckStatus", &check.id, request)?;
        let observations = response.health_check_observations.into_iter();
        let statuses = observations.filter_map(|observation| observation.status_report?.status).collect();
        Ok::<_, AwsError>((check.id.clone(), statuses))
    });
    Ok(try_join_all(requests.map(Box::pin)).await?.into_iter().collect())
}

/// Creates a check, or finds the one that an earlier call with this reference has created, and tags it.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html>
pub(crate) async fn create_health_check(
    client: &Client,
    settings: &CheckSettings,
    reference: &str,
    tags: &Tags,
    outputs: &Outputs,
) -> Result<ResourceId, AwsError> {
    const OPERATION: &str = "CreateHealthCheck";
    let subject = format!("health check {}", settings.purpose);
    let config = wire::check_config(settings, outputs).map_err(|error| error.into_aws(OPERATION, &subject))?;
    let mut number = 0;
    let created = loop {
        let reference = if number == 0 { reference.to_owned() } else { format!("{reference}-{number}") };
        let request = client.create_health_check().caller_reference(reference);
        match call!(OPERATION, &subject, request.health_check_config(config.clone())) {
            // The reference belongs to a deleted check, or to one with other settings.
            Err(error) if error.code.as_deref() == Some("HealthCheckAlreadyExists") && number < MAX_REFERENCE => {
                number += 1;
            }
            response => break response?,
        }
    };
    let id = created.health_check.map(|check| check.id).unwrap_or_default();
    let id: ResourceId = id.parse().map_err(|invalid| AwsError::unexpected(OPERATION, &subject, Box::new(invalid)))?;
    change_tags_for_resource(client, &id, tags).await?;
    Ok(id)
}

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>
async fn change_tags_for_resource(client: &Client, id: &ResourceId, tags: &Tags) -> Result<(), AwsError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let request = client.change_tags_for_resource().resource_type(TagResourceType::Healthcheck);
    call!("ChangeTagsForResource", id, request.resource_id(id.as_str()).set_add_tags(Some(tags))).map(drop)
}

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html>
pub(crate) async fn update_health_check(
    client: &Client,
    id: &ResourceId,
    settings: &CheckSettings,
    tags: &Tags,
    outputs: &Outputs,
) -> Result<(), AwsError> {
    const OPERATION: &str = "UpdateHealthCheck";
    let config = wire::check_config(settings, outputs).map_err(|error| error.into_aws(OPERATION, id))?;
    let request = client
        .update_health_check()
        .health_check_id(id.as_str())
        .set_fully_qualified_domain_name(config.fully_qualified_domain_name)
        .set_port(config.port)
        .set_resource_path(config.resource_path)
        .set_search_string(config.search_string)
        .set_failure_threshold(config.failure_threshold)
        .set_inverted(config.inverted)
        .set_disabled(config.disabled)
        .set_enable_sni(config.enable_sni)
        .set_child_health_checks(config.child_health_checks)
        .set_health_threshold(config.health_threshold);
    call!(OPERATION, id, request)?;
    change_tags_for_resource(client, id, tags).await
}

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHealthCheck.html>
pub(crate) async fn delete_health_check(client: &Client, id: &ResourceId) -> Result<(), AwsError> {
    let response = call!("DeleteHealthCheck", id, client.delete_health_check().health_check_id(id.as_str()));
    AwsError::absent(response.map(drop)).map(drop)
}
