//! One function per CloudFront operation, named like it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::primitives::Blob;
use aws_sdk_cloudfront::types::{DistributionConfig, FunctionStage};
use twinsite_aws::{AwsError, Tags, parse, unless_passing};
use twinsite_core::wait::{Poll, PollPolicy, WaitError, poll_until};
use twinsite_core::{Arn, Output, Outputs, ResourceId, Run};

use super::missing_field;
use crate::model::{AccessControl, DistributionSettings, ExistingDistribution, Function};
use crate::wire::cloudfront::{self as wire, DistributionSummary};
use crate::wire::existing::existing_distribution;

const SERVICE: &str = "CloudFront";

macro_rules! call {
    ($operation:expr, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| AwsError::new($operation, $subject, error))
    };
}
pub(super) use call;

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html>
pub(crate) async fn list_distributions(client: &Client) -> Result<Vec<DistributionSummary>, AwsError> {
    const OPERATION: &str = "ListDistributions";
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let page = call!(OPERATION, SERVICE, client.list_distributions().set_marker(marker))?;
        let Some(list) = page.distribution_list else { return Ok(all) };
        for item in list.items.unwrap_or_default() {
            let summary = DistributionSummary::from_sdk(&item);
            all.push(summary.map_err(|invalid| AwsError::unexpected(OPERATION, item.id(), invalid))?);
        }
        marker = list.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListTagsForResource.html>
pub(crate) async fn list_tags_for_resource(client: &Client, arn: &str) -> Result<Tags, AwsError> {
    let response = call!("ListTagsForResource", arn, client.list_tags_for_resource().resource(arn))?;
    let tags = response.tags.and_then(|tags| tags.items).unwrap_or_default();
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_TagResource.html>
pub(crate) async fn tag_resource(client: &Client, arn: &Arn, tags: &Tags) -> Result<(), AwsError> {
    const OPERATION: &str = "TagResource";
    let tags = wire::sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, arn, error))?;
    call!(OPERATION, arn, client.tag_resource().resource(arn.as_str()).tags(tags)).map(drop)
}

/// What a distribution's configuration says.
pub(crate) struct ReadConfig {
    /// The normalized properties.
    pub(crate) properties: BTreeMap<String, String>,
    /// The caller reference that it was created with.
    pub(crate) caller_reference: String,
}

/// The configuration of a distribution; `None` if it does not exist.
pub(crate) async fn read_config(
    client: &Client,
    id: &ResourceId,
    names: &[String],
) -> Result<Option<ReadConfig>, AwsError> {
    let current = get_distribution_config(client, id).await?;
    Ok(current.map(|current| ReadConfig {
        properties: wire::properties(&current.config, names),
        caller_reference: current.config.caller_reference().to_owned(),
    }))
}

struct VersionedConfig {
    config: DistributionConfig,
    etag: String,
}

/// A distribution as it is, with its tags; `None` if it does not exist.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistribution.html>
pub(crate) async fn get_existing_distribution(
    client: &Client,
    id: &ResourceId,
) -> Result<Option<ExistingDistribution>, AwsError> {
    const OPERATION: &str = "GetDistribution";
    let response = call!(OPERATION, id, client.get_distribution().id(id.as_str()));
    let Some(found) = AwsError::absent(response)?.and_then(|response| response.distribution) else { return Ok(None) };
    let Some(config) = found.distribution_config() else {
        return Err(missing_field(OPERATION, id.as_str(), "DistributionConfig"));
    };
    let tags = list_tags_for_resource(client, found.arn()).await?;
    let existing = existing_distribution(&found, config, tags);
    existing.map(Some).map_err(|invalid| AwsError::unexpected(OPERATION, id, invalid))
}

/// The configuration with its `ETag`; `None` if the distribution does not exist.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetDistributionConfig.html>
async fn get_distribution_config(client: &Client, id: &ResourceId) -> Result<Option<VersionedConfig>, AwsError> {
    let response = call!("GetDistributionConfig", id, client.get_distribution_config().id(id.as_str()));
    let Some(response) = AwsError::absent(response)? else { return Ok(None) };
    let etag = response.e_tag.unwrap_or_default();
    Ok(response.distribution_config.map(|config| VersionedConfig { config, etag }))
}

/// Creates the distribution, or finds the one that an earlier call has created.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateDistributionWithTags.html>
pub(crate) async fn create_distribution(
    client: &Client,
    settings: &DistributionSettings,
    tags: &Tags,
    outputs: &Outputs,
    run: &Run,
) -> Result<Vec<Output>, AwsError> {
    const OPERATION: &str = "CreateDistributionWithTags";
    let mut settings = settings.clone();
    let (subject, reference) = (settings.name().to_owned(), settings.caller_reference.clone());
    for number in 0..=MAX_REFERENCE {
        if number > 0 {
            settings.caller_reference = format!("{reference}-{number}");
        }
        let config = wire::tagged_distribution_config(&settings, tags, outputs);
        let config = config.map_err(|error| error.into_aws(OPERATION, &subject))?;
        let request = client.create_distribution_with_tags().distribution_config_with_tags(config);
        let error = match call!(OPERATION, &subject, request) {
            Ok(response) => {
                let created =
                    response.distribution.ok_or_else(|| missing_field(OPERATION, &subject, "Distribution"))?;
                let outputs = wire::distribution_outputs(&created);
                return outputs.map_err(|invalid| AwsError::unexpected(OPERATION, &subject, invalid));
            }
            Err(error) => error,
        };
        match error.code.as_deref() {
            // The reference belongs to the distribution of an earlier call whose response was lost, or to a deleted one.
            Some("DistributionAlreadyExists") if number < MAX_REFERENCE => {
                if let Some(created) = created_distribution(client, &settings).await? {
                    return Ok(created);
                }
            }
            // That of an earlier call exists, and is not listed yet.
            Some("CNAMEAlreadyExists") if number > 0 => {
                let listed = poll_until(run, LISTED, "the new distribution to be listed", async || {
                    let created = created_distribution(client, &settings).await?;
                    Ok(created.map_or(Poll::NotYet, Poll::Ready))
                });
                return match listed.await {
                    Err(WaitError::TimedOut { .. }) => Err(error),
                    other => other.map_err(|error| AwsError::from_wait(OPERATION, &subject, error)),
                };
            }
            _ => return Err(error),
        }
    }
    Err(AwsError::refused(OPERATION, &subject, "every caller reference of this site was used before"))
}

/// The highest number that is appended to a caller reference.
const MAX_REFERENCE: u32 = 39;

/// A new distribution is listed within seconds.
const LISTED: PollPolicy = PollPolicy { total: Duration::from_mins(2), ..PollPolicy::SECONDS };

/// The distribution of the site, by its comment.
async fn created_distribution(
    client: &Client,
    settings: &DistributionSettings,
) -> Result<Option<Vec<Output>>, AwsError> {
    let mut all = list_distributions(client).await?.into_iter();
    let created = all.find(|summary| summary.comment == settings.comment);
    Ok(created.map(|created| vec![Output::Arn(created.arn), Output::Host(created.host), Output::Id(created.id)]))
}

/// Updates the managed settings and leaves all others as they are.
pub(crate) async fn update_distribution(
    client: &Client,
    id: &ResourceId,
    settings: &DistributionSettings,
    outputs: &Outputs,
) -> Result<(), AwsError> {
    change_distribution_config(client, id, |config| {
        let updated = wire::distribution_config(settings, outputs, Some(config));
        updated.map_err(|error| error.into_aws("UpdateDistribution", settings.name()))
    })
    .await
}

/// Disables a distribution.
pub(crate) async fn disable_distribution(client: &Client, id: &ResourceId) -> Result<(), AwsError> {
    change_distribution_config(client, id, |mut config| {
        config.enabled = false;
        Ok(config)
    })
    .await
}

/// Reads, changes and writes the configuration, on condition that nobody else has changed it in between.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html>
async fn change_distribution_config(
    client: &Client,
    id: &ResourceId,
    change: impl FnOnce(DistributionConfig) -> Result<DistributionConfig, AwsError>,
) -> Result<(), AwsError> {
    const OPERATION: &str = "UpdateDistribution";
    let Some(VersionedConfig { config, etag }) = get_distribution_config(client, id).await? else {
        return Err(AwsError::refused(OPERATION, id, "the distribution was deleted in the meantime"));
    };
    let changed = change(config.clone())?;
    if changed == config {
        return Ok(());
    }
    let request = client.update_distribution().id(id.as_str()).if_match(etag).distribution_config(changed);
    call!(OPERATION, id, request).map(drop)
}

/// Waits until the last change of a distribution is deployed to all edge locations.
pub(crate) async fn await_distribution(
    client: &Client,
    id: &ResourceId,
    polling: PollPolicy,
    run: &Run,
) -> Result<(), AwsError> {
    const OPERATION: &str = "GetDistribution";
    let deployed = poll_until(run, polling, "the distribution to be deployed", async || {
        let response = call!(OPERATION, id, client.get_distribution().id(id.as_str()));
        unless_passing(response.map(|response| {
            let deployed = response.distribution.is_some_and(|distribution| distribution.status == "Deployed");
            if deployed { Poll::Ready(()) } else { Poll::NotYet }
        }))
    });
    deployed.await.map_err(|error| AwsError::from_wait(OPERATION, id, error))
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteDistribution.html>
pub(crate) async fn delete_distribution(client: &Client, id: &ResourceId) -> Result<(), AwsError> {
    let Some(VersionedConfig { etag, .. }) = get_distribution_config(client, id).await? else { return Ok(()) };
    let response = call!("DeleteDistribution", id, client.delete_distribution().id(id.as_str()).if_match(etag));
    AwsError::absent(response.map(drop)).map(drop)
}

/// The origin access control with this name.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListOriginAccessControls.html>
pub(crate) async fn find_access_control(client: &Client, name: &str) -> Result<Option<AccessControl>, AwsError> {
    const OPERATION: &str = "ListOriginAccessControls";
    let mut marker = None;
    loop {
        let page = call!(OPERATION, SERVICE, client.list_origin_access_controls().set_marker(marker))?;
        let Some(list) = page.origin_access_control_list else { return Ok(None) };
        let found = list.items.unwrap_or_default().into_iter().find(|summary| summary.name == name);
        if let Some(found) = found {
            let found = wire::access_control(&found);
            return found.map(Some).map_err(|invalid| AwsError::unexpected(OPERATION, name, invalid));
        }
        marker = list.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(None);
        }
    }
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateOriginAccessControl.html>
pub(crate) async fn create_access_control(client: &Client, name: &str) -> Result<ResourceId, AwsError> {
    const OPERATION: &str = "CreateOriginAccessControl";
    let config = wire::access_control_config(name).map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
    match call!(OPERATION, name, client.create_origin_access_control().origin_access_control_config(config)) {
        Ok(response) => {
            let created = response.origin_access_control;
            let created = created.ok_or_else(|| missing_field(OPERATION, name, "OriginAccessControl"))?;
            parse(OPERATION, name, created.id())
        }
        // An earlier call has created it and its response was lost.
        Err(error) if error.code.as_deref() == Some("OriginAccessControlAlreadyExists") => {
            find_access_control(client, name).await?.map(|found| found.id).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateOriginAccessControl.html>
pub(crate) async fn update_access_control(client: &Client, id: &ResourceId, name: &str) -> Result<(), AwsError> {
    const OPERATION: &str = "UpdateOriginAccessControl";
    let current = client.get_origin_access_control().id(id.as_str());
    let etag = call!("GetOriginAccessControl", id, current)?.e_tag;
    let config = wire::access_control_config(name).map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
    let request = client.update_origin_access_control().id(id.as_str()).set_if_match(etag);
    call!(OPERATION, id, request.origin_access_control_config(config)).map(drop)
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteOriginAccessControl.html>
pub(crate) async fn delete_access_control(client: &Client, id: &ResourceId) -> Result<(), AwsError> {
    let current = call!("GetOriginAccessControl", id, client.get_origin_access_control().id(id.as_str()));
    let Some(current) = AwsError::absent(current)? else { return Ok(()) };
    let etag = current.e_tag.unwrap_or_default();
    let request = client.delete_origin_access_control().id(id.as_str()).if_match(etag);
    AwsError::absent(call!("DeleteOriginAccessControl", id, request).map(drop)).map(drop)
}

/// The function with this name.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_GetFunction.html>
pub(crate) async fn find_function(client: &Client, name: &str) -> Result<Option<Function>, AwsError> {
    let live = client.get_function().name(name).stage(FunctionStage::Live);
    if let Some(response) = AwsError::absent(call!("GetFunction", name, live))? {
        let code = response.function_code.map(Blob::into_inner).unwrap_or_default();
        let live_store = live_store(client, name).await?;
        return Ok(Some(Function { live_code: Some(String::from_utf8_lossy(&code).into_owned()), live_store }));
    }
    let exists = describe_function(client, name).await?.is_some();
    Ok(exists.then_some(Function { live_code: None, live_store: None }))
}

/// The key value store that the LIVE stage is associated with.
async fn live_store(client: &Client, name: &str) -> Result<Option<Arn>, AwsError> {
    const OPERATION: &str = "DescribeFunction";
    let request = client.describe_function().name(name).stage(FunctionStage::Live);
    let response = AwsError::absent(call!(OPERATION, name, request))?;
    let config = response.and_then(|response| response.function_summary?.function_config);
    let associated = config.as_ref().and_then(wire::associated_store);
    associated.map(|arn| parse(OPERATION, name, arn)).transpose()
}

/// The `ETag` of the DEVELOPMENT stage; `None` if the function does not exist.
async fn describe_function(client: &Client, name: &str) -> Result<Option<String>, AwsError> {
    let request = client.describe_function().name(name).stage(FunctionStage::Development);
    let response = AwsError::absent(call!("DescribeFunction", name, request))?;
    Ok(response.map(|response| response.e_tag.unwrap_or_default()))
}

/// Creates or updates a function, and publishes it.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_PublishFunction.html>
pub(crate) async fn put_function(client: &Client, name: &str, code: &str, store: Option<&Arn>) -> Result<(), AwsError> {
    let config = wire::function_config(store);
    let config = config.map_err(|error| AwsError::unexpected("CreateFunction", name, error))?;
    let code = Blob::new(code);
    let etag = match describe_function(client, name).await? {
        None => {
            let create = client.create_function().name(name).function_config(config).function_code(code);
            call!("CreateFunction", name, create)?.e_tag
        }
        Some(etag) => {
            let update = client.update_function().name(name).if_match(etag);
            call!("UpdateFunction", name, update.function_config(config).function_code(code))?.e_tag
        }
    };
    let publish = client.publish_function().name(name).if_match(etag.unwrap_or_default());
    call!("PublishFunction", name, publish).map(drop)
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteFunction.html>
pub(crate) async fn delete_function(client: &Client, name: &str) -> Result<(), AwsError> {
    let Some(etag) = describe_function(client, name).await? else { return Ok(()) };
    let response = call!("DeleteFunction", name, client.delete_function().name(name).if_match(etag));
    AwsError::absent(response.map(drop)).map(drop)
}
