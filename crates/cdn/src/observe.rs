//! Reads the actual state.

use futures::future::try_join_all;
use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::{Domain, ResourceId, Side};

use crate::calls::{acm, cloudfront, store};
use crate::clients::Cdn;
use crate::model::{
    Actual, Certificates, ConflictingDistribution, Desired, Distribution, Edges, ExistingDistribution,
    ListedDistribution, Proof,
};
use crate::wire::cloudfront::DistributionSummary;

impl Cdn {
    /// Reads the actual state.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let name = desired.resource_name();
        let certificates = Box::pin(self.observe_certificates(desired));
        let summaries = Box::pin(cloudfront::list_distributions(&self.cloudfront));
        let (mut certificates, summaries) = try_join!(certificates, summaries)?;
        // Certificates count as used for some time by distributions that are gone.
        let is_gone =
            |arn: &String| arn.contains(":distribution/") && !summaries.iter().any(|one| one.arn.as_str() == arn);
        certificates.covering.iter_mut().for_each(|certificate| certificate.used_by.retain(|arn| !is_gone(arn)));
        let mut actual = Box::pin(self.observe_distribution(desired, summaries)).await?;
        actual.certificates = certificates;
        actual.access_control = cloudfront::find_access_control(&self.cloudfront, &name).await?;
        actual.function = cloudfront::find_function(&self.cloudfront, &name).await?;
        actual.store = store::find_store(&self.cloudfront, &self.keys, &name).await?;
        Ok(actual)
    }

    /// The id of the site's distribution; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn find_distribution(&self, desired: &Desired) -> Result<Option<ResourceId>, AwsError> {
        Ok(self.find_edges(desired).await?.map(|edges| edges.distribution))
    }

    /// The site's distribution, and how its edges cache; `None` if it does not exist. It is recognised by two of its marks: its
    /// comment or its alias, confirmed by its tags or, if those were replaced, by an origin that is one of the site's buckets.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn find_edges(&self, desired: &Desired) -> Result<Option<Edges>, AwsError> {
        let owner = desired.owner();
        for summary in Box::pin(cloudfront::list_distributions(&self.cloudfront)).await? {
            let marks = Marks::of(&summary, desired);
            if !marks.any() {
                continue;
            }
            let tags = Box::pin(cloudfront::list_tags_for_resource(&self.cloudfront, summary.arn.as_str())).await?;
            let is_untagged = owner.other(&tags).is_none();
            if owner.owns(&tags) || (is_untagged && marks.origin && (marks.alias || marks.comment)) {
                let DistributionSummary { id, is_caching_known, error_ttl, changes_headers, .. } = summary;
                return Ok(Some(Edges { distribution: id, is_caching_known, error_ttl, changes_headers }));
            }
        }
        Ok(None)
    }

    pub(crate) async fn observe_certificates(&self, desired: &Desired) -> Result<Certificates, AwsError> {
        let covers =
            |names: &[String]| desired.all_names().any(|wanted| names.iter().any(|name| wanted.is_covered_by(name)));
        let mut configured = None;
        if let Some(arn) = &desired.certificate {
            configured = acm::describe_certificate(&self.acm, arn.as_str()).await?;
            configured = configured.filter(|certificate| certificate.covers_all(desired.site.names()));
        }
        let summaries = acm::list_certificates(&self.acm).await?;
        let covering = summaries.into_iter().filter(|summary| covers(&summary.names));
        let described = covering.map(async |summary| acm::describe_certificate(&self.acm, &summary.arn).await);
        let described = try_join_all(described.map(Box::pin)).await?;
        Ok(Certificates { covering: described.into_iter().flatten().collect(), configured })
    }

    /// The site's distribution, and a conflicting one. It is recognised by alias, comment or origin, and confirmed by its tags or its
    /// caller reference.
    async fn observe_distribution(
        &self,
        desired: &Desired,
        summaries: Vec<DistributionSummary>,
    ) -> Result<Actual, AwsError> {
        let (client, owner) = (&self.cloudfront, desired.owner());
        let names: Vec<String> = desired.all_names().map(ToString::to_string).collect();
        let mut actual = Actual::default();
        for summary in summaries {
            let marks = Marks::of(&summary, desired);
            let taken: Vec<Domain> = desired.site.names().filter(|name| summary.has_alias(name)).cloned().collect();
            if !marks.any() && taken.is_empty() {
                continue;
            }
            let tags = cloudfront::list_tags_for_resource(client, summary.arn.as_str()).await?;
            let config = match owner.other(&tags) {
                None if marks.any() => cloudfront::read_config(client, &summary.id, &names).await?,
                None | Some(_) => None,
            };
            let proof = if owner.owns(&tags) {
                Some(Proof::Tags)
            } else {
                let created = config.as_ref().is_some_and(|config| desired.has_created(&config.caller_reference));
                let adopted = config.is_some() && marks.alias && desired.adopt;
                if created { Some(Proof::CallerReference) } else { adopted.then_some(Proof::Adopted) }
            };
            match (proof, config) {
                (Some(proof), Some(config)) => {
                    actual.distribution = Some(Distribution {
                        id: summary.id,
                        arn: summary.arn,
                        host: summary.host,
                        tags,
                        proof,
                        deployed: summary.deployed,
                        enabled: config.properties.get("Enabled").is_some_and(|enabled| enabled == "true"),
                        properties: config.properties,
                    });
                }
                (None, _) => actual
                    .conflicting_distributions
                    .extend(taken.into_iter().map(|name| ConflictingDistribution { name, id: summary.id.clone() })),
                (Some(_), None) => {}
            }
        }
        Ok(actual)
    }
}

impl Cdn {
    /// The distributions of the account, whoever created them.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn list_existing_distributions(&self) -> Result<Vec<ListedDistribution>, AwsError> {
        let all = Box::pin(cloudfront::list_distributions(&self.cloudfront)).await?.into_iter();
        Ok(all
            .map(|DistributionSummary { id, aliases, origins, .. }| ListedDistribution { id, aliases, origins })
            .collect())
    }

    /// Reads a distribution as it is, whoever created it; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_existing_distribution(&self, id: &ResourceId) -> Result<Option<ExistingDistribution>, AwsError> {
        Box::pin(cloudfront::get_existing_distribution(&self.cloudfront, id)).await
    }

    /// Reads the certificates of the site alone, from ACM.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_certificates(&self, desired: &Desired) -> Result<Certificates, AwsError> {
        Box::pin(self.observe_certificates(desired)).await
    }

    /// Reads the distribution of the site alone, from CloudFront; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_distribution(&self, desired: &Desired) -> Result<Option<Distribution>, AwsError> {
        let summaries = Box::pin(cloudfront::list_distributions(&self.cloudfront)).await?;
        Ok(Box::pin(self.observe_distribution(desired, summaries)).await?.distribution)
    }
}

/// By what a distribution may be the site's.
struct Marks {
    alias: bool,
    comment: bool,
    origin: bool,
}

impl Marks {
    fn of(summary: &DistributionSummary, desired: &Desired) -> Self {
        let hosts = Side::BOTH.map(|side| [desired.bucket_host(side), desired.site.website_host(side)]).concat();
        Self {
            alias: summary.has_alias(&desired.site.domain),
            comment: summary.comment == desired.comment(),
            origin: summary.origins.iter().any(|origin| hosts.contains(origin)),
        }
    }

    fn any(&self) -> bool {
        self.alias || self.comment || self.origin
    }
}
