//! One function for each CloudFront operation, by its AWS name.

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::primitives::Blob;
use aws_sdk_cloudfront::types::{
    DistributionConfig, DistributionConfigWithTags, DistributionSummary, FunctionConfig, FunctionRuntime,
    FunctionStage, InvalidationBatch, OriginAccessControlConfig, OriginAccessControlOriginTypes,
    OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols, Paths, Tag, Tags as SdkTags,
};
use twinsite_aws::{AwsError, Tags};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Host, Output, Outputs, ResourceId, Run};

use super::{Control, Distribution, Front, LiveFunction, Settings, wire};
use crate::want::Desired;

/// CloudFront, through one client.
pub(crate) struct Calls<'a> {
    pub(crate) client: &'a Client,
}

macro_rules! call {
    ($operation:literal, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| AwsError::new($operation, $subject, error))
    };
}

impl Calls<'_> {
    /// What is there for a site.
    pub(crate) async fn observe(&self, want: &Desired) -> Result<Front, AwsError> {
        let mut front = Front::default();
        for summary in self.list_distributions().await? {
            let holds = summary.aliases().is_some_and(|all| all.items().iter().any(|a| a == want.site.domain.as_str()));
            if !holds && summary.comment() != want.comment() {
                continue;
            }
            let tags = self.list_tags_for_resource(summary.arn()).await?;
            if want.owner().owns(&tags) {
                front.distribution = self.distribution(want, &summary, tags).await?;
            } else if holds {
                front.rival = Some(summary.id().to_owned());
            }
        }
        front.control = self.control(&want.name()).await?;
        front.function = self.function(&want.name()).await?;
        Ok(front)
    }

    /// The site's distribution, when only its id is asked for.
    pub(super) async fn find(&self, want: &Desired) -> Result<Option<ResourceId>, AwsError> {
        for summary in self.list_distributions().await? {
            if summary.comment() == want.comment()
                && want.owner().owns(&self.list_tags_for_resource(summary.arn()).await?)
            {
                return Ok(Some(ResourceId(summary.id)));
            }
        }
        Ok(None)
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>
    pub(super) async fn create_invalidation(
        &self,
        id: &ResourceId,
        paths: &[String],
        reference: &str,
    ) -> Result<ResourceId, AwsError> {
        const OPERATION: &str = "CreateInvalidation";
        let unfit = |error| AwsError::unexpected(OPERATION, id, error);
        let quantity = i32::try_from(paths.len()).unwrap_or(i32::MAX);
        let paths = Paths::builder().quantity(quantity).set_items(Some(paths.to_vec())).build().map_err(unfit)?;
        let batch = InvalidationBatch::builder().caller_reference(reference).paths(paths).build().map_err(unfit)?;
        let request = self.client.create_invalidation().distribution_id(&id.0).invalidation_batch(batch);
        let answer = call!("CreateInvalidation", id, request)?;
        let odd = || AwsError::unexpected(OPERATION, id, "it has no id");
        answer.invalidation.map(|made| ResourceId(made.id)).ok_or_else(odd)
    }

    pub(super) async fn is_invalidated(&self, distribution: &ResourceId, id: &ResourceId) -> Result<bool, AwsError> {
        let request = self.client.get_invalidation().distribution_id(&distribution.0).id(&id.0);
        let answer = call!("GetInvalidation", id, request)?;
        Ok(answer.invalidation.is_some_and(|there| there.status == "Completed"))
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html>
    async fn list_distributions(&self) -> Result<Vec<DistributionSummary>, AwsError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let page = call!("ListDistributions", "CloudFront", self.client.list_distributions().set_marker(marker))?;
            let Some(list) = page.distribution_list else { return Ok(all) };
            all.extend(list.items.unwrap_or_default());
            marker = list.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    async fn list_tags_for_resource(&self, arn: &str) -> Result<Tags, AwsError> {
        let answer = call!("ListTagsForResource", arn, self.client.list_tags_for_resource().resource(arn))?;
        let tags = answer.tags.and_then(|tags| tags.items).unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
    }

    async fn distribution(
        &self,
        want: &Desired,
        summary: &DistributionSummary,
        tags: Tags,
    ) -> Result<Option<Distribution>, AwsError> {
        let id = ResourceId(summary.id().to_owned());
        let Some((config, _)) = self.get_distribution_config(&id).await? else { return Ok(None) };
        let arn = summary.arn().parse().map_err(|error| AwsError::unexpected("ListDistributions", &id, error))?;
        Ok(Some(Distribution {
            arn,
            host: Host(summary.domain_name().to_owned()),
            tags,
            deployed: summary.status() == "Deployed",
            enabled: config.enabled(),
            settings: wire::words(&config, want.site.domain.as_str()),
            id,
        }))
    }

    /// The configuration with its version; `None` when the distribution is gone.
    async fn get_distribution_config(&self, id: &ResourceId) -> Result<Option<(DistributionConfig, String)>, AwsError> {
        let answer = call!("GetDistributionConfig", id, self.client.get_distribution_config().id(&id.0));
        let answer = AwsError::absent(answer)?;
        Ok(answer.and_then(|answer| Some((answer.distribution_config?, answer.e_tag.unwrap_or_default()))))
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistributionWithTags.html>
    pub(crate) async fn create_distribution(
        &self,
        settings: &Settings,
        tags: &Tags,
        outputs: &Outputs,
    ) -> Result<Vec<Output>, AwsError> {
        const OPERATION: &str = "CreateDistributionWithTags";
        let subject = &settings.alias;
        let unfit = |error| AwsError::unexpected(OPERATION, subject, error);
        let unmade = || AwsError::unexpected(OPERATION, subject, "what it needs was not made");
        let config = wire::configuration(settings, outputs, None).map_err(unfit)?.ok_or_else(unmade)?;
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags = tags.iter().map(tag).collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        let tags = SdkTags::builder().set_items(Some(tags)).build();
        let tagged = DistributionConfigWithTags::builder().distribution_config(config).tags(tags).build();
        let request = self.client.create_distribution_with_tags().distribution_config_with_tags(tagged);
        let made = match call!("CreateDistributionWithTags", subject, request) {
            Ok(answer) => answer.distribution.map(|made| (made.arn, made.domain_name, made.id)).ok_or_else(unmade)?,
            // A lost reply: the call before has made it.
            Err(error) if error.code.as_deref() == Some("DistributionAlreadyExists") => {
                let there = self.list_distributions().await?;
                let there = there.into_iter().find(|there| there.comment() == settings.comment);
                there.map(|there| (there.arn, there.domain_name, there.id)).ok_or(error)?
            }
            Err(error) => return Err(error),
        };
        let arn = made.0.parse().map_err(|error| AwsError::unexpected(OPERATION, subject, error))?;
        Ok(vec![Output::Arn(arn), Output::Host(Host(made.1)), Output::Id(ResourceId(made.2))])
    }

    /// Reads, puts right what is managed, and writes: everything else stays.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html>
    pub(crate) async fn update_distribution(
        &self,
        id: &ResourceId,
        change: impl FnOnce(DistributionConfig) -> Result<DistributionConfig, AwsError>,
    ) -> Result<(), AwsError> {
        let gone = || AwsError::refused("UpdateDistribution", id, "the distribution was deleted meanwhile");
        let (before, etag) = self.get_distribution_config(id).await?.ok_or_else(gone)?;
        let after = change(before.clone())?;
        if after == before {
            return Ok(());
        }
        let request = self.client.update_distribution().id(&id.0).if_match(etag).distribution_config(after);
        call!("UpdateDistribution", id, request).map(drop)
    }

    /// What [`Calls::update_distribution`] does to put settings right.
    pub(crate) fn put_right(
        settings: &Settings,
        outputs: &Outputs,
        before: DistributionConfig,
    ) -> Result<DistributionConfig, AwsError> {
        let subject = &settings.alias;
        let unfit = |error| AwsError::unexpected("UpdateDistribution", subject, error);
        let unmade = || AwsError::unexpected("UpdateDistribution", subject, "what it needs was not made");
        wire::configuration(settings, outputs, Some(before)).map_err(unfit)?.ok_or_else(unmade)
    }

    /// Has a distribution answer no longer.
    pub(crate) async fn disable(&self, id: &ResourceId) -> Result<(), AwsError> {
        let disabled = |mut config: DistributionConfig| {
            config.enabled = false;
            Ok(config)
        };
        self.update_distribution(id, disabled).await
    }

    /// Waits until every edge has a distribution's last change.
    pub(crate) async fn await_distribution(
        &self,
        id: &ResourceId,
        polling: PollPolicy,
        run: &Run,
    ) -> Result<(), AwsError> {
        let deployed = poll_until(run, polling, "the distribution to reach every edge", async || {
            let answer = call!("GetDistribution", id, self.client.get_distribution().id(&id.0))?;
            let deployed = answer.distribution.is_some_and(|there| there.status == "Deployed");
            Ok(if deployed { Poll::Ready(()) } else { Poll::NotYet })
        });
        deployed.await.map_err(|error| AwsError::from_wait("GetDistribution", &id.0, error))
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteDistribution.html>
    pub(crate) async fn delete_distribution(&self, id: &ResourceId) -> Result<(), AwsError> {
        let Some((_, etag)) = self.get_distribution_config(id).await? else { return Ok(()) };
        let answer = call!("DeleteDistribution", id, self.client.delete_distribution().id(&id.0).if_match(etag));
        AwsError::absent(answer.map(drop)).map(drop)
    }

    async fn control(&self, name: &str) -> Result<Option<Control>, AwsError> {
        let mut marker = None;
        loop {
            let request = self.client.list_origin_access_controls().set_marker(marker);
            let page = call!("ListOriginAccessControls", "CloudFront", request)?;
            let Some(list) = page.origin_access_control_list else { return Ok(None) };
            let found = list.items.unwrap_or_default().into_iter().find(|control| control.name == name);
            if let Some(control) = found {
                let (protocol, behavior) = (control.signing_protocol.as_str(), control.signing_behavior.as_str());
                let how = format!("{protocol} {behavior} {}", control.origin_access_control_origin_type.as_str());
                return Ok(Some(Control { id: ResourceId(control.id), how }));
            }
            marker = list.next_marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(None);
            }
        }
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateOriginAccessControl.html>
    pub(crate) async fn create_control(&self, name: &str) -> Result<ResourceId, AwsError> {
        const OPERATION: &str = "CreateOriginAccessControl";
        let config = control_config(name).map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
        let request = self.client.create_origin_access_control().origin_access_control_config(config);
        let odd = || AwsError::unexpected(OPERATION, name, "it has no id");
        match call!("CreateOriginAccessControl", name, request) {
            Ok(answer) => answer.origin_access_control.map(|made| ResourceId(made.id)).ok_or_else(odd),
            // A lost reply: the call before has made it.
            Err(error) if error.code.as_deref() == Some("OriginAccessControlAlreadyExists") => {
                self.control(name).await?.map(|there| there.id).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateOriginAccessControl.html>
    pub(crate) async fn update_control(&self, id: &ResourceId, name: &str) -> Result<(), AwsError> {
        let there = call!("GetOriginAccessControl", id, self.client.get_origin_access_control().id(&id.0))?;
        let config =
            control_config(name).map_err(|error| AwsError::unexpected("UpdateOriginAccessControl", name, error))?;
        let request = self.client.update_origin_access_control().id(&id.0).set_if_match(there.e_tag);
        call!("UpdateOriginAccessControl", id, request.origin_access_control_config(config)).map(drop)
    }

    pub(crate) async fn delete_control(&self, id: &ResourceId) -> Result<(), AwsError> {
        let answer = call!("GetOriginAccessControl", id, self.client.get_origin_access_control().id(&id.0));
        let Some(there) = AwsError::absent(answer)? else { return Ok(()) };
        let etag = there.e_tag.unwrap_or_default();
        let request = self.client.delete_origin_access_control().id(&id.0).if_match(etag);
        AwsError::absent(call!("DeleteOriginAccessControl", id, request).map(drop)).map(drop)
    }

    async fn function(&self, name: &str) -> Result<Option<LiveFunction>, AwsError> {
        let live = self.client.get_function().name(name).stage(FunctionStage::Live);
        if let Some(answer) = AwsError::absent(call!("GetFunction", name, live))? {
            let code = answer.function_code.map(Blob::into_inner).unwrap_or_default();
            return Ok(Some(LiveFunction { live: Some(String::from_utf8_lossy(&code).into_owned()) }));
        }
        Ok(self.development(name).await?.map(|_| LiveFunction { live: None }))
    }

    /// The version of what is being worked on; `None` when there is no such function.
    async fn development(&self, name: &str) -> Result<Option<String>, AwsError> {
        let request = self.client.describe_function().name(name).stage(FunctionStage::Development);
        let answer = AwsError::absent(call!("DescribeFunction", name, request))?;
        Ok(answer.map(|answer| answer.e_tag.unwrap_or_default()))
    }

    /// Creates or changes a function, and publishes it.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_PublishFunction.html>
    pub(crate) async fn put_function(&self, name: &str, code: &str) -> Result<(), AwsError> {
        let config = FunctionConfig::builder().comment("Made by twinsite.").runtime(FunctionRuntime::CloudfrontJs20);
        let config = config.build().map_err(|error| AwsError::unexpected("CreateFunction", name, error))?;
        let code = Blob::new(code);
        let etag = match self.development(name).await? {
            None => {
                let create = self.client.create_function().name(name).function_config(config).function_code(code);
                call!("CreateFunction", name, create)?.e_tag
            }
            Some(etag) => {
                let update = self.client.update_function().name(name).if_match(etag);
                call!("UpdateFunction", name, update.function_config(config).function_code(code))?.e_tag
            }
        };
        let publish = self.client.publish_function().name(name).if_match(etag.unwrap_or_default());
        call!("PublishFunction", name, publish).map(drop)
    }

    pub(crate) async fn delete_function(&self, name: &str) -> Result<(), AwsError> {
        let Some(etag) = self.development(name).await? else { return Ok(()) };
        let answer = call!("DeleteFunction", name, self.client.delete_function().name(name).if_match(etag));
        AwsError::absent(answer.map(drop)).map(drop)
    }
}

fn control_config(name: &str) -> Result<OriginAccessControlConfig, BuildError> {
    OriginAccessControlConfig::builder()
        .name(name)
        .description("Made by twinsite.")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
}
