//! CloudFront's control plane, through the SDK.

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::types::{
    Aliases, CustomOriginConfig, DefaultCacheBehavior, DistributionConfig, FunctionConfig, FunctionRuntime,
    InvalidationBatch, Origin, OriginAccessControlConfig, OriginAccessControlOriginTypes,
    OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols, OriginProtocolPolicy, Origins, Paths,
    S3OriginConfig, Tag, Tags, ViewerProtocolPolicy,
};
use twinsite_local::Cloud;

use crate::{code, session};

const CACHING: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

fn origin(id: &str) -> Origin {
    let custom = CustomOriginConfig::builder().http_port(80).https_port(443);
    let custom = custom.origin_protocol_policy(OriginProtocolPolicy::HttpOnly).build().unwrap();
    Origin::builder().id(id).domain_name("b.s3-website.test").custom_origin_config(custom).build().unwrap()
}

fn config(reference: &str) -> DistributionConfig {
    let origins = Origins::builder().quantity(1).items(origin("primary")).build().unwrap();
    let behavior = DefaultCacheBehavior::builder().target_origin_id("primary").cache_policy_id(CACHING);
    let behavior = behavior.viewer_protocol_policy(ViewerProtocolPolicy::AllowAll).build().unwrap();
    let config = DistributionConfig::builder().caller_reference(reference).comment("a & b").enabled(true);
    config.origins(origins).default_cache_behavior(behavior).build().unwrap()
}

async fn cloudfront(cloud: &Cloud) -> Client {
    session(cloud).await.cloudfront()
}

async fn create(client: &Client, config: DistributionConfig) -> (String, String) {
    let made = client.create_distribution().distribution_config(config).send().await.unwrap();
    (made.distribution.unwrap().id, made.e_tag.unwrap())
}

#[tokio::test]
async fn a_distribution_is_created_deployed_updated_disabled_and_deleted() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let (id, etag) = create(&client, config("r1")).await;
    let status = async || client.get_distribution().id(&id).send().await.unwrap().distribution.unwrap().status;
    assert_eq!(status().await, "InProgress");
    cloud.world().clock().advance(std::time::Duration::from_mins(5));
    assert_eq!(status().await, "Deployed");
    let read = client.get_distribution_config().id(&id).send().await.unwrap();
    assert_eq!(read.e_tag.as_deref(), Some(etag.as_str()));
    let mut changed = read.distribution_config.unwrap();
    assert_eq!((changed.comment.as_str(), changed.price_class.as_ref().unwrap().as_str()), ("a & b", "PriceClass_All"));
    changed.enabled = false;
    let update = client.update_distribution().id(&id).distribution_config(changed);
    assert_eq!(code(update.clone().send().await), "InvalidIfMatchVersion");
    assert_eq!(code(update.clone().if_match("stale").send().await), "PreconditionFailed");
    let delete = |etag: &str| client.delete_distribution().id(&id).if_match(etag).send();
    assert_eq!(code(delete(&etag).await), "DistributionNotDisabled");
    let etag = update.if_match(&etag).send().await.unwrap().e_tag.unwrap();
    assert_eq!(code(delete(&etag).await), "DistributionNotDisabled", "not deployed yet");
    cloud.world().clock().advance(std::time::Duration::from_mins(5));
    delete(&etag).await.unwrap();
    assert_eq!(code(client.get_distribution().id(&id).send().await), "NoSuchDistribution");
}

#[tokio::test]
async fn invalid_distributions_are_refused() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    create(&client, config("taken")).await;
    let refused = async |change: fn(&mut DistributionConfig)| {
        let mut config = config("new");
        change(&mut config);
        code(client.create_distribution().distribution_config(config).send().await)
    };
    assert_eq!(refused(|c| c.caller_reference = "taken".into()).await, "DistributionAlreadyExists");
    assert_eq!(refused(|c| c.origins.as_mut().unwrap().quantity = 2).await, "InconsistentQuantities");
    let alias = |c: &mut DistributionConfig| {
        c.aliases = Some(Aliases::builder().quantity(1).items("www.example.com").build().unwrap());
    };
    assert_eq!(refused(alias).await, "InvalidViewerCertificate");
    let stray =
        |c: &mut DistributionConfig| c.default_cache_behavior.as_mut().unwrap().target_origin_id = "gone".into();
    assert_eq!(refused(stray).await, "NoSuchOrigin");
    let policy = |c: &mut DistributionConfig| {
        c.default_cache_behavior.as_mut().unwrap().cache_policy_id = Some("none".into());
    };
    assert_eq!(refused(policy).await, "NoSuchCachePolicy");
    let both = |c: &mut DistributionConfig| {
        let s3 = S3OriginConfig::builder().origin_access_identity("").build();
        c.origins.as_mut().unwrap().items[0].s3_origin_config = Some(s3);
    };
    assert_eq!(refused(both).await, "InvalidArgument");
    let control = |c: &mut DistributionConfig| {
        c.origins.as_mut().unwrap().items[0].origin_access_control_id = Some("E0".into());
    };
    assert_eq!(refused(control).await, "NoSuchOriginAccessControl");
    assert_eq!(client.list_distributions().send().await.unwrap().distribution_list.unwrap().items().len(), 1);
}

#[tokio::test]
async fn functions_have_a_development_and_a_live_stage() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let settings = FunctionConfig::builder().comment("").runtime(FunctionRuntime::CloudfrontJs20).build().unwrap();
    let code_of = |text: &str| aws_sdk_cloudfront::primitives::Blob::new(text);
    let create = client.create_function().name("f").function_config(settings.clone()).function_code(code_of("1"));
    let etag = create.clone().send().await.unwrap().e_tag.unwrap();
    assert_eq!(code(create.send().await), "FunctionAlreadyExists");
    let live = aws_sdk_cloudfront::types::FunctionStage::Live;
    assert_eq!(code(client.describe_function().name("f").stage(live.clone()).send().await), "NoSuchFunctionExists");
    let update =
        client.update_function().name("f").if_match(etag).function_config(settings).function_code(code_of("2"));
    let etag = update.send().await.unwrap().e_tag.unwrap();
    let published = client.publish_function().name("f").if_match(&etag).send().await.unwrap().function_summary.unwrap();
    assert_eq!(published.function_metadata.unwrap().stage, Some(live.clone()));
    let code = client.get_function().name("f").stage(live).send().await.unwrap().function_code.unwrap();
    assert_eq!(code.into_inner(), b"2");
    client.delete_function().name("f").if_match(etag).send().await.unwrap();
}

#[tokio::test]
async fn access_controls_are_unique_and_not_deleted_while_in_use() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let settings = OriginAccessControlConfig::builder()
        .name("c")
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
        .unwrap();
    let create = || client.create_origin_access_control().origin_access_control_config(settings.clone()).send();
    let made = create().await.unwrap();
    assert_eq!(code(create().await), "OriginAccessControlAlreadyExists");
    let (id, etag) = (made.origin_access_control.unwrap().id, made.e_tag.unwrap());
    let mut config = config("r");
    let origin = &mut config.origins.as_mut().unwrap().items[0];
    origin.custom_origin_config = None;
    origin.s3_origin_config = Some(S3OriginConfig::builder().origin_access_identity("").build());
    origin.origin_access_control_id = Some(id.clone());
    let list = client.list_origin_access_controls().send().await.unwrap().origin_access_control_list.unwrap();
    assert_eq!(list.items()[0].name, "c");
    self::create(&client, config).await;
    let delete = client.delete_origin_access_control().id(id).if_match(etag).send().await;
    assert_eq!(code(delete), "OriginAccessControlInUse");
}

#[tokio::test]
async fn invalidations_are_idempotent_limited_and_complete_later() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let (id, _) = create(&client, config("r")).await;
    let invalidate = async |reference: &str, paths: Vec<String>| {
        let count = i32::try_from(paths.len()).unwrap();
        let paths = Paths::builder().quantity(count).set_items(Some(paths)).build().unwrap();
        let batch = InvalidationBatch::builder().caller_reference(reference).paths(paths).build().unwrap();
        client.create_invalidation().distribution_id(&id).invalidation_batch(batch).send().await
    };
    let first = invalidate("1", vec!["/a".into()]).await.unwrap().invalidation.unwrap();
    assert_eq!(invalidate("1", vec!["/a".into()]).await.unwrap().invalidation.unwrap().id, first.id);
    assert_eq!(code(invalidate("1", vec!["/b".into()]).await), "InvalidationBatchAlreadyExists");
    let wild = (0..16).map(|n| format!("/{n}/*")).collect();
    assert_eq!(code(invalidate("2", wild).await), "TooManyInvalidationsInProgress");
    cloud.world().clock().advance(std::time::Duration::from_mins(1));
    let done = client.get_invalidation().distribution_id(&id).id(first.id).send().await.unwrap().invalidation.unwrap();
    assert_eq!(done.status, "Completed");
}

#[tokio::test]
async fn tags_are_set_at_creation_and_changed_later() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let tag = |value: &str| Tags::builder().items(Tag::builder().key("k").value(value).build().unwrap()).build();
    let tagged = aws_sdk_cloudfront::types::DistributionConfigWithTags::builder();
    let tagged = tagged.distribution_config(config("r")).tags(tag("1")).build();
    let made = client.create_distribution_with_tags().distribution_config_with_tags(tagged).send().await.unwrap();
    let arn = made.distribution.unwrap().arn;
    let tags = async || client.list_tags_for_resource().resource(&arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags().await.items()[0].value(), Some("1"));
    client.tag_resource().resource(&arn).tags(tag("2")).send().await.unwrap();
    assert_eq!(tags().await.items()[0].value(), Some("2"));
    let keys = aws_sdk_cloudfront::types::TagKeys::builder().items("k").build();
    client.untag_resource().resource(&arn).tag_keys(keys).send().await.unwrap();
    assert!(tags().await.items().is_empty());
}

#[tokio::test]
async fn answers_have_the_defaults_that_requests_left_out() {
    let cloud = Cloud::memory();
    let client = cloudfront(&cloud).await;
    let (id, _) = create(&client, config("r1")).await;
    let read = client.get_distribution_config().id(&id).send().await.unwrap().distribution_config.unwrap();
    let behavior = read.default_cache_behavior.as_ref().unwrap();
    let methods = behavior.allowed_methods().unwrap();
    assert_eq!((methods.quantity(), methods.cached_methods().unwrap().quantity()), (2, 2));
    assert_eq!((behavior.compress(), behavior.smooth_streaming()), (Some(false), Some(false)));
    assert_eq!(
        (behavior.function_associations().unwrap().quantity(), behavior.field_level_encryption_id()),
        (0, Some(""))
    );
    assert!(!behavior.trusted_signers().unwrap().enabled() && !behavior.trusted_key_groups().unwrap().enabled());
    let origin = &read.origins().unwrap().items()[0];
    assert_eq!(
        (origin.connection_attempts(), origin.connection_timeout(), origin.origin_path()),
        (Some(3), Some(10), Some(""))
    );
    let custom = origin.custom_origin_config().unwrap();
    assert_eq!((custom.origin_read_timeout(), custom.origin_keepalive_timeout()), (Some(30), Some(5)));
    assert_eq!(origin.custom_headers().unwrap().quantity(), 0);
    assert!(!read.logging().unwrap().enabled());
    let again = client.update_distribution().id(&id).distribution_config(read.clone());
    let etag = client.get_distribution_config().id(&id).send().await.unwrap().e_tag.unwrap();
    let updated = again.if_match(etag).send().await.unwrap().distribution.unwrap();
    assert_eq!(updated.distribution_config.unwrap(), read, "what was read is written back unchanged");
}
