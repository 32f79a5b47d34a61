//! Distributions and what belongs to them in the types of the CloudFront SDK. [`properties`] of a configuration that was built
//! from settings equals [`DistributionSettings::to_properties`].

use std::time::Duration;

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods, CustomErrorResponse, CustomErrorResponses,
    CustomOriginConfig, DefaultCacheBehavior, Distribution, DistributionConfig, DistributionConfigWithTags,
    DistributionSummary as SdkSummary, EventType, FunctionAssociation, FunctionAssociations, FunctionConfig,
    FunctionRuntime, GeoRestriction, GeoRestrictionType, HttpVersion, InvalidationBatch, KeyValueStoreAssociation,
    KeyValueStoreAssociations, LambdaFunctionAssociations, LoggingConfig, Method, MinimumProtocolVersion,
    Origin as SdkOrigin, OriginAccessControlConfig, OriginAccessControlOriginTypes,
    OriginAccessControlSigningBehaviors, OriginAccessControlSigningProtocols, OriginAccessControlSummary, OriginGroup,
    OriginGroupFailoverCriteria, OriginGroupMember, OriginGroupMembers, OriginGroups, OriginProtocolPolicy,
    OriginShield, OriginSslProtocols, Origins, Paths, PriceClass, Restrictions, S3OriginConfig, SslProtocol,
    SslSupportMethod, StatusCodes, Tag, Tags as SdkTags, ViewerCertificate, ViewerProtocolPolicy,
};
use twinsite_aws::Tags;
use twinsite_core::{Arn, Domain, Host, Invalid, Output, Outputs, ResourceId, edge};

use crate::model::{
    AccessControl, CACHING_DISABLED_POLICY, CACHING_OPTIMIZED_POLICY, CONNECTION_ATTEMPTS, CONNECTION_TIMEOUT,
    CacheBypass, DistributionSettings, ERROR_CACHING_TTL, ErrorPage, InvalidationPaths, MinimumTls, ORIGIN_GROUP,
    Origin, OriginKind, OwnerSetting, OwnerSettings, READ_TIMEOUT, ShieldRegion,
};
use twinsite_aws::{RequestError, resolve};

pub(crate) use super::properties::properties;
use super::properties::{is_managed_behavior, is_managed_error, is_managed_origin};

/// The comment on resources other than the distribution.
pub(crate) const CREATED_BY: &str = "Made by twinsite.";

/// An entry of the list of distributions.
pub(crate) struct DistributionSummary {
    pub(crate) id: ResourceId,
    pub(crate) arn: Arn,
    pub(crate) host: Host,
    pub(crate) aliases: Vec<String>,
    pub(crate) comment: String,
    /// The hosts of its origins.
    pub(crate) origins: Vec<String>,
    pub(crate) deployed: bool,
    pub(crate) is_caching_known: bool,
    pub(crate) error_ttl: Duration,
    /// Whether a function is associated with responses to viewers.
    pub(crate) changes_headers: bool,
}

/// Whether every cache behavior caches by a policy that is known here, and no function at the edge changes what origins answer.
fn is_caching_known(from: &SdkSummary) -> bool {
    let known = |policy: Option<&str>| matches!(policy, Some(CACHING_OPTIMIZED_POLICY | CACHING_DISABLED_POLICY));
    let plain = |functions: Option<&LambdaFunctionAssociations>| functions.is_none_or(|all| all.quantity() == 0);
    let default = from.default_cache_behavior();
    let others = from.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    default.is_some_and(|one| known(one.cache_policy_id()) && plain(one.lambda_function_associations()))
        && others.iter().all(|one| known(one.cache_policy_id()) && plain(one.lambda_function_associations()))
}

fn changes_headers(from: &SdkSummary) -> bool {
    let functions = from.default_cache_behavior().and_then(|behavior| behavior.function_associations());
    let functions = functions.map(FunctionAssociations::items).unwrap_or_default();
    functions.iter().any(|function| *function.event_type() == EventType::ViewerResponse)
}

/// For how long a missing object is remembered as missing.
fn error_ttl(from: &SdkSummary) -> Duration {
    let configured = from.custom_error_responses().map(CustomErrorResponses::items).unwrap_or_default();
    let ttl = |code: i32| {
        let found =
            configured.iter().find(|one| one.error_code() == code).and_then(CustomErrorResponse::error_caching_min_ttl);
        found.and_then(|seconds| u64::try_from(seconds).ok()).map_or(edge::ERROR_TTL, Duration::from_secs)
    };
    ttl(403).max(ttl(404))
}

impl DistributionSummary {
    pub(crate) fn has_alias(&self, name: &Domain) -> bool {
        self.aliases.iter().any(|alias| alias == name.as_str())
    }

    pub(crate) fn from_sdk(from: &SdkSummary) -> Result<Self, Invalid> {
        Ok(Self {
            id: from.id().parse()?,
            arn: from.arn().parse()?,
            host: from.domain_name().parse()?,
            aliases: from.aliases().map(|aliases| aliases.items().to_vec()).unwrap_or_default(),
            comment: from.comment().to_owned(),
            origins: origin_hosts(from.origins()),
            deployed: from.status() == "Deployed",
            is_caching_known: is_caching_known(from),
            error_ttl: error_ttl(from),
            changes_headers: changes_headers(from),
        })
    }
}

fn origin_hosts(origins: Option<&Origins>) -> Vec<String> {
    let origins = origins.map(Origins::items).unwrap_or_default();
    origins.iter().map(|origin| origin.domain_name().to_owned()).collect()
}

/// The outputs of the creation of a distribution.
pub(crate) fn distribution_outputs(from: &Distribution) -> Result<Vec<Output>, Invalid> {
    Ok(vec![
        Output::Arn(from.arn().parse()?),
        Output::Host(from.domain_name().parse()?),
        Output::Id(from.id().parse()?),
    ])
}

pub(crate) fn access_control(from: &OriginAccessControlSummary) -> Result<AccessControl, Invalid> {
    let (protocol, behavior) = (from.signing_protocol().as_str(), from.signing_behavior().as_str());
    let signing = format!("{protocol} {behavior} {}", from.origin_access_control_origin_type().as_str());
    Ok(AccessControl { id: from.id().parse()?, signing })
}

pub(crate) fn access_control_config(name: &str) -> Result<OriginAccessControlConfig, BuildError> {
    OriginAccessControlConfig::builder()
        .name(name)
        .description(CREATED_BY)
        .signing_protocol(OriginAccessControlSigningProtocols::Sigv4)
        .signing_behavior(OriginAccessControlSigningBehaviors::Always)
        .origin_access_control_origin_type(OriginAccessControlOriginTypes::S3)
        .build()
}

/// The configuration of the viewer-request function, which reads a key value store.
pub(crate) fn function_config(store: Option<&Arn>) -> Result<FunctionConfig, BuildError> {
    let config = FunctionConfig::builder().comment(CREATED_BY).runtime(FunctionRuntime::CloudfrontJs20);
    let Some(store) = store else { return config.build() };
    let store = KeyValueStoreAssociation::builder().key_value_store_arn(store.as_str()).build()?;
    let stores = KeyValueStoreAssociations::builder().quantity(1).items(store).build()?;
    config.key_value_store_associations(stores).build()
}

/// The ARN of the key value store that a function is associated with.
pub(crate) fn associated_store(config: &FunctionConfig) -> Option<&str> {
    let stores = config.key_value_store_associations().map(KeyValueStoreAssociations::items).unwrap_or_default();
    stores.first().map(KeyValueStoreAssociation::key_value_store_arn)
}

pub(crate) fn invalidation_batch(paths: &InvalidationPaths, reference: &str) -> Result<InvalidationBatch, BuildError> {
    let paths = paths.as_slice();
    let paths = Paths::builder().quantity(quantity(paths)).set_items(Some(paths.to_vec())).build()?;
    InvalidationBatch::builder().caller_reference(reference).paths(paths).build()
}

fn quantity<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}

/// A new configuration, or `existing` with the managed settings replaced.
pub(crate) fn distribution_config(
    settings: &DistributionSettings,
    outputs: &Outputs,
    existing: Option<DistributionConfig>,
) -> Result<DistributionConfig, RequestError> {
    let certificate = resolve(&settings.certificate, outputs)?;
    let mut origins = Vec::new();
    let present = existing.as_ref().and_then(DistributionConfig::origins).map(Origins::items).unwrap_or_default();
    for origin in &settings.origins {
        let present = present.iter().find(|one| one.id() == origin.id);
        let built = sdk_origin(origin, outputs)?;
        origins.push(with_owner_settings(built, present, &settings.owner_settings.origin_shield)?);
    }
    let config = existing.map_or_else(|| new_config(settings), Ok)?;
    Ok(with_managed_settings(settings, config, origins, certificate.as_str())?)
}

pub(crate) fn tagged_distribution_config(
    settings: &DistributionSettings,
    tags: &Tags,
    outputs: &Outputs,
) -> Result<DistributionConfigWithTags, RequestError> {
    let config = distribution_config(settings, outputs, None)?;
    Ok(DistributionConfigWithTags::builder().distribution_config(config).tags(sdk_tags(tags)?).build())
}

pub(crate) fn sdk_tags(tags: &Tags) -> Result<SdkTags, BuildError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(SdkTags::builder().set_items(Some(tags.collect::<Result<_, _>>()?)).build())
}

fn new_config(settings: &DistributionSettings) -> Result<DistributionConfig, BuildError> {
    DistributionConfig::builder()
        .caller_reference(&settings.caller_reference)
        .comment(&settings.comment)
        .enabled(true)
        .origins(Origins::builder().quantity(0).set_items(Some(Vec::new())).build()?)
        .default_cache_behavior(default_behavior(settings)?)
        .build()
}

/// Replaces the managed settings. Other settings and list entries are left as they are.
fn with_managed_settings(
    settings: &DistributionSettings,
    mut config: DistributionConfig,
    mut origins: Vec<SdkOrigin>,
    certificate: &str,
) -> Result<DistributionConfig, BuildError> {
    let mut aliases = config.aliases.take().and_then(|aliases| aliases.items).unwrap_or_default();
    aliases.retain(|alias| !settings.former_aliases.contains(alias));
    let missing: Vec<String> = settings.aliases.iter().filter(|alias| !aliases.contains(alias)).cloned().collect();
    aliases.extend(missing);
    config.aliases = Some(Aliases::builder().quantity(quantity(&aliases)).set_items(Some(aliases)).build()?);
    config.comment.clone_from(&settings.comment);
    config.enabled = true;
    config.default_root_object = Some(settings.root_object.clone());
    config.is_ipv6_enabled = Some(settings.ipv6);
    config.http_version = Some(HttpVersion::Http2and3);
    config.price_class = Some(PriceClass::from(settings.price_class));
    config.viewer_certificate = Some(viewer_certificate(certificate, settings.owner_settings.minimum_tls));
    set_owner_settings(&settings.owner_settings, &mut config)?;
    let existing = config.origins.take().map(|origins| origins.items).unwrap_or_default();
    origins.extend(existing.into_iter().filter(|origin| !is_managed_origin(origin)));
    config.origins = Some(Origins::builder().quantity(quantity(&origins)).set_items(Some(origins)).build()?);
    config.origin_groups = Some(origin_groups(settings, config.origin_groups.take())?);
    let default = config.default_cache_behavior.take();
    config.default_cache_behavior = Some(merged_behavior(default, default_behavior(settings)?));
    config.cache_behaviors = Some(cache_behaviors(settings, config.cache_behaviors.take())?);
    config.custom_error_responses = Some(error_responses(settings, config.custom_error_responses.take())?);
    Ok(config)
}

fn viewer_certificate(arn: &str, minimum_tls: MinimumTls) -> ViewerCertificate {
    ViewerCertificate::builder()
        .acm_certificate_arn(arn)
        .ssl_support_method(SslSupportMethod::SniOnly)
        .minimum_protocol_version(MinimumProtocolVersion::from(minimum_tls.as_str()))
        .cloud_front_default_certificate(false)
        .build()
}

/// Sets what is configured, removes what is configured as none, and leaves the rest as it is.
fn set_owner_settings(settings: &OwnerSettings, config: &mut DistributionConfig) -> Result<(), BuildError> {
    let OwnerSettings { minimum_tls: _, web_acl, geo_restriction, origin_shield: _, logging } = settings;
    if !web_acl.is_as_it_is() {
        config.web_acl_id = Some(web_acl.value().map_or_else(String::new, |arn| arn.as_str().to_owned()));
    }
    if !geo_restriction.is_as_it_is() {
        let restriction = match geo_restriction.value() {
            None => GeoRestriction::builder().restriction_type(GeoRestrictionType::None).quantity(0),
            Some(restriction) => {
                let codes: Vec<String> = restriction.codes().map(str::to_owned).collect();
                let kind = GeoRestrictionType::from(restriction.kind.as_str());
                GeoRestriction::builder().restriction_type(kind).quantity(quantity(&codes)).set_items(Some(codes))
            }
        };
        config.restrictions = Some(Restrictions::builder().geo_restriction(restriction.build()?).build());
    }
    if !logging.is_as_it_is() {
        let (bucket, prefix) = logging.value().map(|one| (one.host(), one.prefix.clone())).unwrap_or_default();
        let built = LoggingConfig::builder().enabled(logging.value().is_some()).include_cookies(false);
        config.logging = Some(built.bucket(bucket).prefix(prefix).build());
    }
    Ok(())
}

/// An origin with what owners have set for the present one: Origin Shield, unless it is configured, and custom headers.
fn with_owner_settings(
    mut built: SdkOrigin,
    present: Option<&SdkOrigin>,
    origin_shield: &OwnerSetting<ShieldRegion>,
) -> Result<SdkOrigin, BuildError> {
    if let Some(present) = present {
        built.custom_headers.clone_from(&present.custom_headers);
        built.origin_shield.clone_from(&present.origin_shield);
    }
    if !origin_shield.is_as_it_is() {
        let region = origin_shield.value().map(|region| region.region().to_string());
        let shield = OriginShield::builder().enabled(region.is_some()).set_origin_shield_region(region);
        built.origin_shield = Some(shield.build()?);
    }
    Ok(built)
}

fn sdk_origin(origin: &Origin, outputs: &Outputs) -> Result<SdkOrigin, RequestError> {
    let Origin { id, host, kind } = origin;
    let built = SdkOrigin::builder().id(id).domain_name(host).origin_path("");
    let built = built.connection_attempts(CONNECTION_ATTEMPTS).connection_timeout(CONNECTION_TIMEOUT);
    let origin = match kind {
        OriginKind::Website => {
            let protocols = OriginSslProtocols::builder().quantity(1).items(SslProtocol::TlSv12).build()?;
            let custom = CustomOriginConfig::builder()
                .http_port(80)
                .https_port(443)
                .origin_protocol_policy(OriginProtocolPolicy::HttpOnly)
                .origin_ssl_protocols(protocols)
                .origin_read_timeout(READ_TIMEOUT)
                .origin_keepalive_timeout(5);
            built.custom_origin_config(custom.build()?)
        }
        OriginKind::Private(access_control) => {
            let id = resolve(access_control, outputs)?;
            let s3 = S3OriginConfig::builder().origin_access_identity("").origin_read_timeout(READ_TIMEOUT).build();
            built.s3_origin_config(s3).origin_access_control_id(id.as_str())
        }
    };
    Ok(origin.build()?)
}

fn origin_groups(settings: &DistributionSettings, existing: Option<OriginGroups>) -> Result<OriginGroups, BuildError> {
    let others = existing.and_then(|groups| groups.items).unwrap_or_default();
    let mut groups: Vec<OriginGroup> = others.into_iter().filter(|group| group.id() != ORIGIN_GROUP).collect();
    if !settings.failover_codes.is_empty() {
        let codes = settings.failover_codes.to_vec();
        let codes = StatusCodes::builder().quantity(quantity(&codes)).set_items(Some(codes)).build()?;
        let members = settings.origins.iter().map(|origin| OriginGroupMember::builder().origin_id(&origin.id).build());
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let members = OriginGroupMembers::builder().quantity(quantity(&members)).set_items(Some(members)).build()?;
        let criteria = OriginGroupFailoverCriteria::builder().status_codes(codes).build();
        groups.push(OriginGroup::builder().id(ORIGIN_GROUP).failover_criteria(criteria).members(members).build()?);
    }
    OriginGroups::builder().quantity(quantity(&groups)).set_items(Some(groups)).build()
}

fn function_associations(function: Option<&Arn>, events: &[EventType]) -> Result<FunctionAssociations, BuildError> {
    let associated = |arn: &Arn, event: &EventType| {
        FunctionAssociation::builder().function_arn(arn.as_str()).event_type(event.clone()).build()
    };
    let functions = function.into_iter().flat_map(|arn| events.iter().map(move |event| associated(arn, event)));
    let functions = functions.collect::<Result<Vec<_>, _>>()?;
    FunctionAssociations::builder().quantity(quantity(&functions)).set_items(Some(functions)).build()
}

fn default_behavior(settings: &DistributionSettings) -> Result<DefaultCacheBehavior, BuildError> {
    let events = if settings.has_response_function { 2 } else { 1 };
    let functions = function_associations(
        settings.function.as_ref(),
        &[EventType::ViewerRequest, EventType::ViewerResponse][..events],
    )?;
    DefaultCacheBehavior::builder()
        .target_origin_id(settings.target())
        .viewer_protocol_policy(ViewerProtocolPolicy::from(settings.viewer_protocol_policy))
        .allowed_methods(methods(&[Method::Get, Method::Head, Method::Options])?)
        .compress(true)
        .cache_policy_id(CACHING_OPTIMIZED_POLICY)
        .set_response_headers_policy_id(settings.response_headers_policy.map(str::to_owned))
        .function_associations(functions)
        .build()
}

/// Leaves what is not managed as it is: key groups, logging, Lambda@Edge.
fn merged_behavior(existing: Option<DefaultCacheBehavior>, desired: DefaultCacheBehavior) -> DefaultCacheBehavior {
    let Some(mut behavior) = existing else { return desired };
    behavior.target_origin_id = desired.target_origin_id;
    behavior.viewer_protocol_policy = desired.viewer_protocol_policy;
    behavior.allowed_methods = desired.allowed_methods;
    behavior.compress = desired.compress;
    behavior.cache_policy_id = desired.cache_policy_id;
    // A behavior has either a cache policy or these, which distributions of before 2020 have.
    #[expect(deprecated, reason = "CloudFront refuses them beside a cache policy")]
    {
        (behavior.forwarded_values, behavior.min_ttl, behavior.default_ttl, behavior.max_ttl) =
            (None, None, None, None);
    }
    behavior.response_headers_policy_id = desired.response_headers_policy_id;
    behavior.function_associations = desired.function_associations;
    behavior
}

fn methods(allowed: &[Method]) -> Result<AllowedMethods, BuildError> {
    let cached = CachedMethods::builder().quantity(2).items(Method::Get).items(Method::Head).build()?;
    AllowedMethods::builder()
        .quantity(quantity(allowed))
        .set_items(Some(allowed.to_vec()))
        .cached_methods(cached)
        .build()
}

/// The managed behaviors come first, as the first match applies and those of others may match health checks too.
fn cache_behaviors(
    settings: &DistributionSettings,
    existing: Option<CacheBehaviors>,
) -> Result<CacheBehaviors, BuildError> {
    let others = existing.and_then(|behaviors| behaviors.items).unwrap_or_default();
    let others = others.into_iter().filter(|behavior| !is_managed_behavior(behavior)).map(Ok);
    let managed = settings.cache_bypasses.iter().map(|CacheBypass { path_pattern, target, function }| {
        CacheBehavior::builder()
            .path_pattern(path_pattern)
            .target_origin_id(target)
            .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
            .allowed_methods(methods(&[Method::Get, Method::Head])?)
            .compress(false)
            .cache_policy_id(CACHING_DISABLED_POLICY)
            .function_associations(function_associations(function.as_ref(), &[EventType::ViewerRequest])?)
            .build()
    });
    let all = managed.chain(others).collect::<Result<Vec<_>, _>>()?;
    CacheBehaviors::builder().quantity(quantity(&all)).set_items(Some(all)).build()
}

fn error_responses(
    settings: &DistributionSettings,
    existing: Option<CustomErrorResponses>,
) -> Result<CustomErrorResponses, BuildError> {
    let others = existing.and_then(|pages| pages.items).unwrap_or_default();
    let desired = settings.error_page.iter().flat_map(|page| page.statuses);
    let is_replaced = |page: &CustomErrorResponse| {
        is_managed_error(page, &others) || desired.clone().any(|status| *status == page.error_code())
    };
    let mut pages: Vec<_> = others.iter().filter(|page| !is_replaced(page)).cloned().collect();
    if let Some(ErrorPage { path, statuses }) = &settings.error_page {
        for status in *statuses {
            let page = CustomErrorResponse::builder().error_code(*status).response_code("404").response_page_path(path);
            pages.push(page.error_caching_min_ttl(ERROR_CACHING_TTL).build()?);
        }
    }
    CustomErrorResponses::builder().quantity(quantity(&pages)).set_items(Some(pages)).build()
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Deferred, Mode, Pair, Site};

    use super::*;
    use crate::model::Desired;

    fn settings(mode: Mode, change: impl FnOnce(&mut Desired)) -> DistributionSettings {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        let mut desired = Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap());
        change(&mut desired);
        let certificate = "arn:aws:acm:us-east-1:111122223333:certificate/c".parse().unwrap();
        DistributionSettings::new(&desired, Deferred::Known(certificate), &Deferred::Known("E1".parse().unwrap()))
    }

    fn written(settings: &DistributionSettings, existing: Option<DistributionConfig>) -> DistributionConfig {
        distribution_config(settings, &Outputs::default(), existing).unwrap()
    }

    #[test]
    fn what_is_written_reads_as_the_settings_say() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            for apex in [false, true] {
                let settings = settings(mode, |desired| desired.apex = apex);
                let config = written(&settings, None);
                assert_eq!(properties(&config, &["www.example.com".to_owned()]), settings.to_properties(), "{mode}");
                assert_eq!(written(&settings, Some(config.clone())), config, "{mode}: written again");
            }
        }
    }

    fn owner_settings() -> OwnerSettings {
        let allow = crate::model::GeoRestrictionKind::Allow;
        let codes = ["US".to_owned(), "DE".to_owned()];
        OwnerSettings {
            minimum_tls: MinimumTls::Tls12V2025,
            web_acl: OwnerSetting::Value("arn:aws:wafv2:us-east-1:111122223333:global/webacl/w/1".parse().unwrap()),
            geo_restriction: OwnerSetting::Value(crate::model::GeoRestriction::new(allow, codes).unwrap()),
            origin_shield: OwnerSetting::Value("us-east-2".parse().unwrap()),
            logging: OwnerSetting::Value(
                crate::model::Logging::new("logs.example".parse().unwrap(), "cdn/".to_owned()).unwrap(),
            ),
        }
    }

    #[test]
    fn settings_of_the_owner_are_set_left_as_they_are_or_removed() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            let set = settings(mode, |desired| desired.owner_settings = owner_settings());
            let config = written(&set, None);
            assert_eq!(properties(&config, &["www.example.com".to_owned()]), set.to_properties(), "{mode}");
            let unset = settings(mode, |_| {});
            let kept = written(&unset, Some(config.clone()));
            let left = |name: &str| set.to_properties().contains_key(name) && unset.is_left_as_it_is(name);
            for name in ["WebACLId", "Restrictions.GeoRestriction", "Logging", "Origin primary.OriginShield"] {
                assert!(left(name), "{name}");
                assert_eq!(
                    properties(&kept, &["www.example.com".to_owned()]).get(name),
                    set.to_properties().get(name),
                    "{name}"
                );
            }
            let none = settings(mode, |desired| {
                desired.owner_settings = OwnerSettings {
                    minimum_tls: MinimumTls::default(),
                    web_acl: OwnerSetting::None,
                    geo_restriction: OwnerSetting::None,
                    origin_shield: OwnerSetting::None,
                    logging: OwnerSetting::None,
                };
            });
            let removed = written(&none, Some(config));
            assert_eq!(properties(&removed, &["www.example.com".to_owned()]), none.to_properties(), "{mode}");
        }
    }

    #[test]
    fn from_any_mode_to_any_other_nothing_of_the_old_one_stays() {
        for from in [Mode::Dns, Mode::Origin, Mode::Layered] {
            for to in [Mode::Dns, Mode::Origin, Mode::Layered] {
                let after = settings(to, |_| {});
                let config = written(&after, Some(written(&settings(from, |_| {}), None)));
                assert_eq!(
                    properties(&config, &["www.example.com".to_owned()]),
                    after.to_properties(),
                    "{from} to {to}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_managed_stays() {
        let mut config = written(&settings(Mode::Origin, |_| {}), None);
        config.aliases.as_mut().unwrap().items.as_mut().unwrap().push("other.example.com".into());
        config.web_acl_id = Some("acl".into());
        config.default_cache_behavior.as_mut().unwrap().smooth_streaming = Some(true);
        let theirs = CacheBehavior::builder()
            .path_pattern("/api/*")
            .target_origin_id("api")
            .cache_policy_id(CACHING_OPTIMIZED_POLICY);
        let theirs = theirs.viewer_protocol_policy(ViewerProtocolPolicy::AllowAll).build().unwrap();
        config.cache_behaviors.as_mut().unwrap().items.as_mut().unwrap().push(theirs);
        let after = written(&settings(Mode::Layered, |_| {}), Some(config));
        assert_eq!(after.aliases().unwrap().items().len(), 2);
        assert_eq!(after.web_acl_id(), Some("acl"));
        assert_eq!(after.default_cache_behavior().unwrap().smooth_streaming(), Some(true));
        let patterns: Vec<_> =
            after.cache_behaviors().unwrap().items().iter().map(CacheBehavior::path_pattern).collect();
        let probes = ["edge.txt", "origin.txt", "*"].map(|name| format!("/.well-known/twinsite/{name}"));
        assert_eq!((&patterns[..3], patterns[3]), (&probes.each_ref().map(String::as_str)[..], "/api/*"));
        assert_eq!(after.cache_behaviors().unwrap().quantity(), 4);
    }

    #[test]
    fn nothing_is_written_before_what_it_needs_is_made() {
        let mut settings = settings(Mode::Dns, |_| {});
        settings.certificate = Deferred::After("certificate/issued".into());
        let built = distribution_config(&settings, &Outputs::default(), None);
        assert!(matches!(built, Err(RequestError::MissingOutput(_))));
    }
}
