//! One function for each Route 53 operation on health checks, by its AWS name.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{HealthCheck, Tag, TagResourceType};
use futures::future::try_join_all;
use twinsite_aws::{AwsError, Tags};
use twinsite_core::{Outputs, ResourceId};

use super::diff::prefix;
use super::verdict::Reports;
use super::{Check, Role, Spec, wire};
use crate::want::Desired;

/// References of deleted checks stay taken for days: so many are tried.
const REFERENCES: u32 = 40;

/// Route 53, through one client.
pub(crate) struct Calls<'a> {
    pub(crate) client: &'a Client,
}

impl Calls<'_> {
    /// The site's checks, known by their references.
    pub(crate) async fn observe(&self, want: &Desired) -> Result<Vec<Check>, AwsError> {
        let prefix = prefix(want);
        let mut checks = Vec::new();
        for check in self.list_health_checks().await? {
            let Some((role, kind)) = check.caller_reference().strip_prefix(&prefix).and_then(role_and_kind) else {
                continue;
            };
            let settings = check.health_check_config().map(wire::words).unwrap_or_default();
            checks.push(Check { id: ResourceId(check.id), role, kind, tags: Tags::new(), settings });
        }
        self.add_tags(&mut checks).await?;
        Ok(checks)
    }

    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHealthChecks.html>
    async fn list_health_checks(&self) -> Result<Vec<HealthCheck>, AwsError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let page = Box::pin(self.client.list_health_checks().set_marker(marker).send()).await;
            let page = page.map_err(|error| AwsError::new("ListHealthChecks", "Route 53", error))?;
            all.extend(page.health_checks);
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// What the checkers say of each endpoint.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHealthCheckStatus.html>
    pub(crate) async fn reports(&self, checks: &[Check]) -> Result<Reports, AwsError> {
        let endpoints = checks.iter().filter(|check| check.role != Role::Serving);
        let reads = endpoints.map(async |check| {
            let id = &check.id.0;
            let answer = Box::pin(self.client.get_health_check_status().health_check_id(id).send()).await;
            let answer = answer.map_err(|error| AwsError::new("GetHealthCheckStatus", id, error))?;
            let said = answer.health_check_observations.into_iter().filter_map(|one| one.status_report?.status);
            Ok::<_, AwsError>((id.clone(), said.collect()))
        });
        Ok(try_join_all(reads.map(Box::pin)).await?.into_iter().collect())
    }

    /// Ten at a time is what Route 53 takes.
    async fn add_tags(&self, checks: &mut [Check]) -> Result<(), AwsError> {
        for ten in checks.chunks_mut(10) {
            let ids = ten.iter().map(|check| check.id.0.clone()).collect();
            let request = self.client.list_tags_for_resources().resource_type(TagResourceType::Healthcheck);
            let answer = Box::pin(request.set_resource_ids(Some(ids)).send()).await;
            let answer = answer.map_err(|error| AwsError::new("ListTagsForResources", "health checks", error))?;
            for set in answer.resource_tag_sets {
                let id = set.resource_id.unwrap_or_default();
                let tags = set.tags.unwrap_or_default().into_iter();
                let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
                if let Some(check) = ten.iter_mut().find(|check| check.id.0 == id) {
                    check.tags = tags;
                }
            }
        }
        Ok(())
    }

    /// Creates a check, or finds the one that an earlier call with this reference created; then tags it.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html>
    pub(crate) async fn create_health_check(
        &self,
        spec: &Spec,
        reference: &str,
        tags: &Tags,
        outputs: &Outputs,
    ) -> Result<ResourceId, AwsError> {
        const OPERATION: &str = "CreateHealthCheck";
        let subject = format!("health check {}", spec.role);
        let unfit = |error| AwsError::unexpected(OPERATION, &subject, error);
        let unmade = || AwsError::unexpected(OPERATION, &subject, "what it watches was not made");
        let config = wire::configuration(spec, outputs).map_err(unfit)?.ok_or_else(unmade)?;
        let mut last = None;
        for number in 0..REFERENCES {
            let reference = if number == 0 { reference.to_owned() } else { format!("{reference}-{number}") };
            let request = self.client.create_health_check().caller_reference(reference);
            let answer = Box::pin(request.health_check_config(config.clone()).send()).await;
            match answer.map_err(|error| AwsError::new(OPERATION, &subject, error)) {
                Ok(answer) => {
                    let id = ResourceId(answer.health_check.map(|check| check.id).unwrap_or_default());
                    self.change_tags_for_resource(&id, tags).await?;
                    return Ok(id);
                }
                Err(error) if error.code.as_deref() == Some("HealthCheckAlreadyExists") => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(unmade))
    }

    async fn change_tags_for_resource(&self, id: &ResourceId, tags: &Tags) -> Result<(), AwsError> {
        let set = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let request = self.client.change_tags_for_resource().resource_type(TagResourceType::Healthcheck);
        let answer = Box::pin(request.resource_id(&id.0).set_add_tags(Some(set)).send()).await;
        answer.map(drop).map_err(|error| AwsError::new("ChangeTagsForResource", id, error))
    }

    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html>
    pub(crate) async fn update_health_check(
        &self,
        id: &ResourceId,
        spec: &Spec,
        tags: &Tags,
        outputs: &Outputs,
    ) -> Result<(), AwsError> {
        const OPERATION: &str = "UpdateHealthCheck";
        let unfit = |error| AwsError::unexpected(OPERATION, id, error);
        let unmade = || AwsError::unexpected(OPERATION, id, "what it watches was not made");
        let config = wire::configuration(spec, outputs).map_err(unfit)?.ok_or_else(unmade)?;
        let request = self
            .client
            .update_health_check()
            .health_check_id(&id.0)
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
        Box::pin(request.send()).await.map_err(|error| AwsError::new(OPERATION, id, error))?;
        self.change_tags_for_resource(id, tags).await
    }

    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHealthCheck.html>
    pub(crate) async fn delete_health_check(&self, id: &ResourceId) -> Result<(), AwsError> {
        let answer = Box::pin(self.client.delete_health_check().health_check_id(&id.0).send()).await;
        AwsError::absent(answer.map(drop).map_err(|error| AwsError::new("DeleteHealthCheck", id, error))).map(drop)
    }
}

/// Reads what follows the prefix: `edge:0a1b2c3d` or, later, `edge:0a1b2c3d-1`.
fn role_and_kind(rest: &str) -> Option<(Role, String)> {
    let (role, kind) = rest.split_once(':')?;
    let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
    let kind = kind.split_once('-').map_or(kind, |(kind, _)| kind);
    Some((role, kind.to_owned()))
}
