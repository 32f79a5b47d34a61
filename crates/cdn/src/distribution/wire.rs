//! Between settings and the SDK's types. What is read of a configuration are exactly the words that settings say of
//! themselves, so a written configuration compares equal.

use std::collections::BTreeMap;

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    Aliases, AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods, CustomErrorResponse, CustomErrorResponses,
    CustomOriginConfig, DefaultCacheBehavior, DistributionConfig, EventType, FunctionAssociation, FunctionAssociations,
    HttpVersion, Method, MinimumProtocolVersion, Origin as SdkOrigin, OriginGroup, OriginGroupFailoverCriteria,
    OriginGroupMember, OriginGroupMembers, OriginGroups, OriginProtocolPolicy, OriginSslProtocols, Origins, PriceClass,
    S3OriginConfig, SslProtocol, SslSupportMethod, StatusCodes, ViewerCertificate, ViewerProtocolPolicy,
};
use twinsite_core::{Outputs, probe};

use super::settings::{ATTEMPTS, CACHING, CONNECT, ERROR_TTL, GROUP, NO_CACHING, READ, TLS};
use super::{Origin, OriginKind, Settings};

fn quantity<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}

/// What a configuration says about what is managed, in the words of [`Settings::words`].
pub(super) fn words(config: &DistributionConfig, alias: &str) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    let mut say = |name: String, value: String| drop(words.insert(name, value));
    if config.aliases().is_some_and(|aliases| aliases.items().iter().any(|there| there == alias)) {
        say(format!("Alias {alias}"), "present".to_owned());
    }
    say("Enabled".to_owned(), config.enabled().to_string());
    say("DefaultRootObject".to_owned(), config.default_root_object().unwrap_or_default().to_owned());
    say("IsIPV6Enabled".to_owned(), config.is_ipv6_enabled().unwrap_or_default().to_string());
    say("HttpVersion".to_owned(), config.http_version().map_or("http2", HttpVersion::as_str).to_ascii_lowercase());
    say("PriceClass".to_owned(), config.price_class().map_or("PriceClass_All", PriceClass::as_str).to_owned());
    say("ViewerCertificate".to_owned(), certificate_words(config.viewer_certificate()));
    for origin in config.origins().map(Origins::items).unwrap_or_default() {
        if ["primary", "backup"].contains(&origin.id()) {
            say(format!("Origin {}", origin.id()), origin_words(origin));
        }
    }
    for group in config.origin_groups().map(OriginGroups::items).unwrap_or_default() {
        if group.id() == GROUP {
            say(format!("OriginGroup {GROUP}"), group_words(group));
        }
    }
    if let Some(behavior) = config.default_cache_behavior() {
        say("DefaultCacheBehavior".to_owned(), behavior_words(behavior));
    }
    let behaviors = config.cache_behaviors().map(CacheBehaviors::items).unwrap_or_default();
    for (index, behavior) in behaviors.iter().enumerate().filter(|(_, behavior)| is_ours(behavior)) {
        let viewer = behavior.viewer_protocol_policy().as_str();
        let cache = behavior.cache_policy_id().unwrap_or_default();
        let said = format!("{}: {}, {viewer}, {cache}", index + 1, behavior.target_origin_id());
        say(format!("CacheBehavior {}", behavior.path_pattern()), said);
    }
    let errors = config.custom_error_responses().map(CustomErrorResponses::items).unwrap_or_default();
    for error in errors.iter().filter(|error| error.error_code() == 404) {
        let ttl = error.error_caching_min_ttl().unwrap_or_default();
        say(
            "CustomErrorResponse 404".to_owned(),
            format!(
                "{} as {}, {ttl} s",
                error.response_page_path().unwrap_or_default(),
                error.response_code().unwrap_or("404")
            ),
        );
    }
    words
}

fn is_ours(behavior: &CacheBehavior) -> bool {
    behavior.path_pattern().trim_start_matches('/').starts_with(probe::FOLDER)
}

fn certificate_words(certificate: Option<&ViewerCertificate>) -> String {
    let arn = certificate.and_then(ViewerCertificate::acm_certificate_arn).unwrap_or("none");
    let tls = certificate.and_then(ViewerCertificate::minimum_protocol_version).map_or("", |tls| tls.as_str());
    let how = certificate.and_then(ViewerCertificate::ssl_support_method).map_or("", |how| how.as_str());
    format!("{arn}, {tls}, {how}")
}

fn origin_words(origin: &SdkOrigin) -> String {
    let (how, read) = match (origin.custom_origin_config(), origin.s3_origin_config()) {
        (Some(custom), _) => {
            let how = format!("website, {} {}", custom.origin_protocol_policy().as_str(), custom.http_port());
            (how, custom.origin_read_timeout())
        }
        (None, Some(s3)) => {
            (format!("private, {}", origin.origin_access_control_id().unwrap_or_default()), s3.origin_read_timeout())
        }
        (None, None) => ("nothing".to_owned(), None),
    };
    let attempts = origin.connection_attempts().unwrap_or(3);
    let (connect, read) = (origin.connection_timeout().unwrap_or(10), read.unwrap_or(30));
    format!(
        "{}{}, {how}, {attempts} attempts, {connect} s, {read} s",
        origin.domain_name(),
        origin.origin_path().unwrap_or_default()
    )
}

fn group_words(group: &OriginGroup) -> String {
    let members = group.members().map(OriginGroupMembers::items).unwrap_or_default();
    let members: Vec<&str> = members.iter().map(OriginGroupMember::origin_id).collect();
    let codes = group.failover_criteria().and_then(OriginGroupFailoverCriteria::status_codes);
    let mut codes: Vec<i32> = codes.map(StatusCodes::items).unwrap_or_default().to_vec();
    codes.sort_unstable();
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    format!("{} on {}", members.join(" then "), codes.join(", "))
}

fn behavior_words(behavior: &DefaultCacheBehavior) -> String {
    let methods = behavior.allowed_methods().map(AllowedMethods::items).unwrap_or_default();
    let mut methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    methods.sort_unstable();
    let mut words = vec![behavior.target_origin_id().to_owned(), behavior.viewer_protocol_policy().as_str().to_owned()];
    words.push(methods.join(" "));
    words.push(if behavior.compress().unwrap_or_default() { "compressed" } else { "not compressed" }.to_owned());
    words.push(behavior.cache_policy_id().unwrap_or_default().to_owned());
    words.extend(behavior.response_headers_policy_id().filter(|id| !id.is_empty()).map(str::to_owned));
    let functions = behavior.function_associations().map(FunctionAssociations::items).unwrap_or_default();
    words.extend(functions.iter().map(|one| format!("{} at {}", one.function_arn(), one.event_type().as_str())));
    words.join(", ")
}

/// A new configuration, or `before` with what is managed put right.
///
/// # Errors
/// `None` when a value that another step was to make is missing.
pub(super) fn configuration(
    settings: &Settings,
    outputs: &Outputs,
    before: Option<DistributionConfig>,
) -> Result<Option<DistributionConfig>, BuildError> {
    let Some(certificate) = settings.certificate.resolve(outputs) else { return Ok(None) };
    let mut origins = Vec::new();
    for origin in &settings.origins {
        let control = match &origin.kind {
            OriginKind::Website => None,
            OriginKind::Private(control) => match control.resolve(outputs) {
                Some(id) => Some(id.0),
                None => return Ok(None),
            },
        };
        origins.push(sdk_origin(origin, control)?);
    }
    let before = before.map_or_else(|| fresh(settings), Ok)?;
    with_settings(settings, before, origins, certificate.as_str()).map(Some)
}

fn fresh(settings: &Settings) -> Result<DistributionConfig, BuildError> {
    let nothing = Origins::builder().quantity(0).set_items(Some(Vec::new())).build()?;
    DistributionConfig::builder()
        .caller_reference(&settings.reference)
        .comment(&settings.comment)
        .enabled(true)
        .origins(nothing)
        .default_cache_behavior(default_behavior(settings)?)
        .build()
}

/// Fields and list entries that are not managed stay as they are.
fn with_settings(
    settings: &Settings,
    mut config: DistributionConfig,
    origins: Vec<SdkOrigin>,
    certificate: &str,
) -> Result<DistributionConfig, BuildError> {
    let mut aliases = config.aliases.take().and_then(|aliases| aliases.items).unwrap_or_default();
    if !aliases.contains(&settings.alias) {
        aliases.push(settings.alias.clone());
    }
    config.aliases = Some(Aliases::builder().quantity(quantity(&aliases)).set_items(Some(aliases)).build()?);
    config.enabled = true;
    config.default_root_object = Some(settings.root.clone());
    config.is_ipv6_enabled = Some(settings.ipv6);
    config.http_version = Some(HttpVersion::Http2and3);
    config.price_class = Some(PriceClass::from(settings.price_class));
    config.viewer_certificate = Some(viewer_certificate(certificate));
    let others = config.origins.take().map(|origins| origins.items).unwrap_or_default();
    let others = others.into_iter().filter(|origin| !["primary", "backup"].contains(&origin.id()));
    let origins: Vec<SdkOrigin> = origins.into_iter().chain(others).collect();
    config.origins = Some(Origins::builder().quantity(quantity(&origins)).set_items(Some(origins)).build()?);
    config.origin_groups = Some(groups(settings, config.origin_groups.take())?);
    let default = config.default_cache_behavior.take();
    config.default_cache_behavior = Some(merged(default, default_behavior(settings)?));
    config.cache_behaviors = Some(behaviors(settings, config.cache_behaviors.take())?);
    config.custom_error_responses = Some(error_pages(settings, config.custom_error_responses.take())?);
    Ok(config)
}

fn viewer_certificate(arn: &str) -> ViewerCertificate {
    ViewerCertificate::builder()
        .acm_certificate_arn(arn)
        .ssl_support_method(SslSupportMethod::SniOnly)
        .minimum_protocol_version(MinimumProtocolVersion::from(TLS))
        .cloud_front_default_certificate(false)
        .build()
}

fn sdk_origin(origin: &Origin, control: Option<String>) -> Result<SdkOrigin, BuildError> {
    let Origin { id, host, kind } = origin;
    let built = SdkOrigin::builder().id(id).domain_name(host).origin_path("");
    let built = built.connection_attempts(ATTEMPTS).connection_timeout(CONNECT);
    match kind {
        OriginKind::Website => {
            let protocols = OriginSslProtocols::builder().quantity(1).items(SslProtocol::TlSv12).build()?;
            let custom = CustomOriginConfig::builder()
                .http_port(80)
                .https_port(443)
                .origin_protocol_policy(OriginProtocolPolicy::HttpOnly)
                .origin_ssl_protocols(protocols)
                .origin_read_timeout(READ)
                .origin_keepalive_timeout(5);
            built.custom_origin_config(custom.build()?).build()
        }
        OriginKind::Private(_) => {
            let s3 = S3OriginConfig::builder().origin_access_identity("").origin_read_timeout(READ).build();
            built.s3_origin_config(s3).set_origin_access_control_id(control).build()
        }
    }
}

fn groups(settings: &Settings, before: Option<OriginGroups>) -> Result<OriginGroups, BuildError> {
    let others = before.and_then(|groups| groups.items).unwrap_or_default();
    let mut groups: Vec<OriginGroup> = others.into_iter().filter(|group| group.id() != GROUP).collect();
    if !settings.failover.is_empty() {
        let codes = settings.failover.to_vec();
        let codes = StatusCodes::builder().quantity(quantity(&codes)).set_items(Some(codes)).build()?;
        let members = settings.origins.iter().map(|origin| OriginGroupMember::builder().origin_id(&origin.id).build());
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let members = OriginGroupMembers::builder().quantity(quantity(&members)).set_items(Some(members)).build()?;
        let criteria = OriginGroupFailoverCriteria::builder().status_codes(codes).build();
        groups.push(OriginGroup::builder().id(GROUP).failover_criteria(criteria).members(members).build()?);
    }
    OriginGroups::builder().quantity(quantity(&groups)).set_items(Some(groups)).build()
}

fn default_behavior(settings: &Settings) -> Result<DefaultCacheBehavior, BuildError> {
    let functions = settings.function.iter().map(|arn| {
        FunctionAssociation::builder().function_arn(arn.as_str()).event_type(EventType::ViewerRequest).build()
    });
    let functions = functions.collect::<Result<Vec<_>, _>>()?;
    let functions =
        FunctionAssociations::builder().quantity(quantity(&functions)).set_items(Some(functions)).build()?;
    DefaultCacheBehavior::builder()
        .target_origin_id(settings.target())
        .viewer_protocol_policy(ViewerProtocolPolicy::from(settings.viewer))
        .allowed_methods(methods(&[Method::Get, Method::Head, Method::Options])?)
        .compress(true)
        .cache_policy_id(CACHING)
        .set_response_headers_policy_id(settings.headers.map(str::to_owned))
        .function_associations(functions)
        .build()
}

/// Parts of a behavior that are not managed stay: key groups, logging, Lambda@Edge.
fn merged(before: Option<DefaultCacheBehavior>, want: DefaultCacheBehavior) -> DefaultCacheBehavior {
    let Some(mut behavior) = before else { return want };
    behavior.target_origin_id = want.target_origin_id;
    behavior.viewer_protocol_policy = want.viewer_protocol_policy;
    behavior.allowed_methods = want.allowed_methods;
    behavior.compress = want.compress;
    behavior.cache_policy_id = want.cache_policy_id;
    behavior.response_headers_policy_id = want.response_headers_policy_id;
    behavior.function_associations = want.function_associations;
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

/// Ours come first: what is more specific must be asked before what others have put there.
fn behaviors(settings: &Settings, before: Option<CacheBehaviors>) -> Result<CacheBehaviors, BuildError> {
    let others = before.and_then(|behaviors| behaviors.items).unwrap_or_default();
    let others = others.into_iter().filter(|behavior| !is_ours(behavior)).map(Ok);
    let ours = settings.probes.iter().map(|(pattern, target)| {
        CacheBehavior::builder()
            .path_pattern(pattern)
            .target_origin_id(target)
            .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
            .allowed_methods(methods(&[Method::Get, Method::Head])?)
            .compress(false)
            .cache_policy_id(NO_CACHING)
            .build()
    });
    let all = ours.chain(others).collect::<Result<Vec<_>, _>>()?;
    CacheBehaviors::builder().quantity(quantity(&all)).set_items(Some(all)).build()
}

fn error_pages(settings: &Settings, before: Option<CustomErrorResponses>) -> Result<CustomErrorResponses, BuildError> {
    let others = before.and_then(|pages| pages.items).unwrap_or_default();
    let mut pages: Vec<_> = others.into_iter().filter(|page| page.error_code() != 404).collect();
    if let Some(page) = &settings.error_page {
        let page = CustomErrorResponse::builder().error_code(404).response_code("404").response_page_path(page);
        pages.push(page.error_caching_min_ttl(ERROR_TTL).build()?);
    }
    CustomErrorResponses::builder().quantity(quantity(&pages)).set_items(Some(pages)).build()
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Arn, Deferred, Mode, Pair, ResourceId, Site};

    use super::*;
    use crate::want::Desired;

    fn settings(mode: Mode, change: impl FnOnce(&mut Desired)) -> Settings {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        let mut want = Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap());
        change(&mut want);
        let certificate = "arn:aws:acm:us-east-1:111122223333:certificate/c".parse().unwrap();
        let function = Arn::cloudfront_function(&want.site.account, "f");
        Settings::new(&want, Deferred::Known(certificate), &Deferred::Known(ResourceId("E1".into())), function)
    }

    fn written(settings: &Settings, before: Option<DistributionConfig>) -> DistributionConfig {
        configuration(settings, &Outputs::default(), before).unwrap().unwrap()
    }

    #[test]
    fn what_is_written_reads_as_the_settings_say() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            for apex in [false, true] {
                let settings = settings(mode, |want| want.apex = apex);
                let config = written(&settings, None);
                assert_eq!(words(&config, "www.example.com"), settings.words(), "{mode}");
                assert_eq!(written(&settings, Some(config.clone())), config, "{mode}: written again");
            }
        }
    }

    #[test]
    fn from_any_mode_to_any_other_nothing_of_the_old_one_stays() {
        for from in [Mode::Dns, Mode::Origin, Mode::Layered] {
            for to in [Mode::Dns, Mode::Origin, Mode::Layered] {
                let after = settings(to, |_| {});
                let config = written(&after, Some(written(&settings(from, |_| {}), None)));
                assert_eq!(words(&config, "www.example.com"), after.words(), "{from} to {to}");
            }
        }
    }

    #[test]
    fn what_is_not_managed_stays() {
        let mut config = written(&settings(Mode::Origin, |_| {}), None);
        config.aliases.as_mut().unwrap().items.as_mut().unwrap().push("other.example.com".into());
        config.web_acl_id = Some("acl".into());
        config.default_cache_behavior.as_mut().unwrap().smooth_streaming = Some(true);
        let theirs = CacheBehavior::builder().path_pattern("/api/*").target_origin_id("api").cache_policy_id(CACHING);
        let theirs = theirs.viewer_protocol_policy(ViewerProtocolPolicy::AllowAll).build().unwrap();
        config.cache_behaviors.as_mut().unwrap().items.as_mut().unwrap().push(theirs);
        let after = written(&settings(Mode::Layered, |_| {}), Some(config));
        assert_eq!(after.aliases().unwrap().items().len(), 2);
        assert_eq!(after.web_acl_id(), Some("acl"));
        assert_eq!(after.default_cache_behavior().unwrap().smooth_streaming(), Some(true));
        let patterns: Vec<_> =
            after.cache_behaviors().unwrap().items().iter().map(CacheBehavior::path_pattern).collect();
        assert_eq!(patterns, ["/.well-known/twinsite/*", "/api/*"]);
        assert_eq!(after.cache_behaviors().unwrap().quantity(), 2);
    }

    #[test]
    fn nothing_is_written_before_what_it_needs_is_made() {
        let mut settings = settings(Mode::Dns, |_| {});
        settings.certificate = Deferred::After("certificate/issued".into());
        assert_eq!(configuration(&settings, &Outputs::default(), None).unwrap(), None);
    }
}
