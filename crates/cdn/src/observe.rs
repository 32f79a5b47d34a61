//! Reads the actual state.

use futures::future::try_join_all;
use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::ResourceId;

use crate::calls::{acm, cloudfront};
use crate::clients::Cdn;
use crate::model::{Actual, Certificates, Desired, Distribution, Edges, name_covers};
use crate::wire::cloudfront::DistributionSummary;

impl Cdn {
    /// Reads the actual state.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let name = desired.resource_name();
        let certificates = Box::pin(self.observe_certificates(desired));
        let (certificates, mut actual) = try_join!(certificates, Box::pin(self.observe_distribution(desired)))?;
        actual.certificates = certificates;
        actual.access_control = cloudfront::find_access_control(&self.cloudfront, &name).await?;
        actual.function = cloudfront::find_function(&self.cloudfront, &name).await?;
        Ok(actual)
    }

    /// The id of the site's distribution; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn find_distribution(&self, desired: &Desired) -> Result<Option<ResourceId>, AwsError> {
        Ok(self.find_edges(desired).await?.map(|edges| edges.distribution))
    }

    /// The site's distribution, and how its edges cache; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn find_edges(&self, desired: &Desired) -> Result<Option<Edges>, AwsError> {
        let owner = desired.owner();
        for summary in Box::pin(cloudfront::list_distributions(&self.cloudfront)).await? {
            if summary.comment == desired.comment() {
                let tags = cloudfront::list_tags_for_resource(&self.cloudfront, summary.arn.as_str());
                if owner.owns(&Box::pin(tags).await?) {
                    let DistributionSummary { id, is_caching_known, error_ttl, .. } = summary;
                    return Ok(Some(Edges { distribution: id, is_caching_known, error_ttl }));
                }
            }
        }
        Ok(None)
    }

    pub(crate) async fn observe_certificates(&self, desired: &Desired) -> Result<Certificates, AwsError> {
        let covers = |names: &[String]| names.iter().any(|name| name_covers(name, desired.site.domain.as_str()));
        if let Some(arn) = &desired.certificate {
            let configured = acm::describe_certificate(&self.acm, arn.as_str()).await?;
            let configured = configured.filter(|certificate| covers(&certificate.names));
            return Ok(Certificates { covering: Vec::new(), configured });
        }
        let summaries = acm::list_certificates(&self.acm).await?;
        let covering = summaries.into_iter().filter(|summary| covers(&summary.names));
        let described = covering.map(async |summary| acm::describe_certificate(&self.acm, &summary.arn).await);
        let described = try_join_all(described.map(Box::pin)).await?;
        Ok(Certificates { covering: described.into_iter().flatten().collect(), configured: None })
    }

    /// The site's distribution, recognised by alias or comment and confirmed by its tags, and a conflicting one.
    async fn observe_distribution(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let (client, alias, owner) = (&self.cloudfront, desired.site.domain.as_str(), desired.owner());
        let mut actual = Actual::default();
        for summary in cloudfront::list_distributions(client).await? {
            let has_alias = summary.aliases.iter().any(|other| other == alias);
            if !has_alias && summary.comment != desired.comment() {
                continue;
            }
            let tags = cloudfront::list_tags_for_resource(client, summary.arn.as_str()).await?;
            if owner.owns(&tags) {
                let properties = cloudfront::distribution_properties(client, &summary.id, alias).await?;
                actual.distribution = properties.map(|properties| Distribution {
                    id: summary.id,
                    arn: summary.arn,
                    host: summary.host,
                    tags,
                    deployed: summary.deployed,
                    enabled: properties.get("Enabled").is_some_and(|enabled| enabled == "true"),
                    properties,
                });
            } else if has_alias {
                actual.conflicting_distribution = Some(summary.id);
            }
        }
        Ok(actual)
    }
}
