//! The sections `[cdn]`, `[dns]` and `[alerts]`, and what `[site]` says about IAM and tags, checked.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use twinsite_cdn::{GeoRestrictionKind, Logging, OwnerSetting, OwnerSettings, PriceClass};
use twinsite_core::{Arn, Domain, Invalid, Mode};
use twinsite_dns_failover::FailoverTiming;
use twinsite_site::{CdnConfig, DnsConfig};

use super::file::{Alerts, Countries, Dns as DnsFile, Front, GeoRestriction, Place};

/// The ARN of a role or a policy.
pub(super) fn iam_arn(arn: Option<&Spanned<String>>, kind: &str, place: &Place<'_>) -> Result<Option<Arn>, String> {
    let Some(arn) = arn else { return Ok(None) };
    let parsed: Arn = place.check(arn)?;
    let parts: Vec<&str> = parsed.as_str().splitn(6, ':').collect();
    let is_kind =
        parts.get(2) == Some(&"iam") && parts.get(5).is_some_and(|rest| rest.starts_with(&format!("{kind}/")));
    if is_kind {
        Ok(Some(parsed))
    } else {
        Err(place.fault(arn, &format!("`{parsed}` is not the ARN of an IAM {kind}")))
    }
}

/// How many tags a site may have: Route 53 allows 10 for a health check, and twinsite needs three of them.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>
const MAX_TAGS: usize = 7;

pub(super) fn tags(
    tags: &BTreeMap<String, Spanned<String>>,
    place: &Place<'_>,
) -> Result<BTreeMap<String, String>, String> {
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
    for (index, (key, value)) in tags.iter().enumerate() {
        let lower = key.to_lowercase();
        if lower.starts_with("aws:") || lower.starts_with("twinsite:") || key == "Name" {
            return Err(place.fault(value, &format!("the tag `{key}` is reserved")));
        }
        if key.is_empty()
            || key.chars().count() > 128
            || value.get_ref().chars().count() > 256
            || !allowed(key)
            || !allowed(value.get_ref())
        {
            let rule = "a key has 1 to 128 and a value up to 256 letters, digits, spaces and _ . : / = + - @";
            return Err(place.fault(value, &format!("the tag `{key}` is not valid: {rule}")));
        }
        if index >= MAX_TAGS {
            return Err(
                place.fault(value, &format!("there are more than {MAX_TAGS} tags, which Route 53 does not allow"))
            );
        }
    }
    Ok(tags.iter().map(|(key, value)| (key.clone(), value.get_ref().clone())).collect())
}

pub(super) fn cdn(file: &Front, mode: Mode, place: &Place<'_>) -> Result<CdnConfig, String> {
    let price_class = match file.price_class.as_ref().map(|class| (class, class.get_ref().as_str())) {
        None | Some((_, "100")) => PriceClass::Class100,
        Some((_, "200")) => PriceClass::Class200,
        Some((_, "all")) => PriceClass::All,
        Some((class, other)) => {
            let fault = Invalid::unknown("price_class", other, &["100", "200", "all"]);
            return Err(place.fault(class, &fault.to_string()));
        }
    };
    let certificate = file.certificate_arn.as_ref().map(|arn| place.check(arn)).transpose()?;
    let (redirect_to_https, security_headers) = (file.redirect_to_https, file.security_headers);
    let accept_http_standby = file.accept_http_standby;
    let owner_settings = owner_settings(file, mode, place)?;
    Ok(CdnConfig { certificate, price_class, redirect_to_https, security_headers, accept_http_standby, owner_settings })
}

/// Settings that are left as they are without their key, and removed by `"none"`.
fn owner_settings(file: &Front, mode: Mode, place: &Place<'_>) -> Result<OwnerSettings, String> {
    let minimum_tls = file.minimum_tls.as_ref().map(|policy| place.check(policy)).transpose()?.unwrap_or_default();
    let web_acl = owner_setting(file.web_acl_arn.as_ref(), place)?;
    let origin_shield = owner_setting(file.origin_shield_region.as_ref(), place)?;
    let geo_restriction = match &file.geo_restriction {
        None => OwnerSetting::AsItIs,
        Some(restriction) => match restriction.get_ref() {
            GeoRestriction::Word(word) if word == NONE => OwnerSetting::None,
            GeoRestriction::Countries(Countries { allow: Some(codes), deny: None }) => {
                OwnerSetting::Value(countries(GeoRestrictionKind::Allow, codes, restriction, place)?)
            }
            GeoRestriction::Countries(Countries { allow: None, deny: Some(codes) }) => {
                OwnerSetting::Value(countries(GeoRestrictionKind::Deny, codes, restriction, place)?)
            }
            GeoRestriction::Word(_) | GeoRestriction::Countries(_) => {
                let rule = "must be { allow = [\"DE\", …] }, { deny = [\"…\"] } or \"none\"";
                return Err(place.fault(restriction, &format!("`geo_restriction` {rule}")));
            }
        },
    };
    let logging = match (&file.log_bucket, &file.log_prefix) {
        (None, None) => OwnerSetting::AsItIs,
        (None, Some(prefix)) => return Err(place.fault(prefix, "`log_prefix` has no effect without `log_bucket`")),
        (Some(bucket), None) if bucket.get_ref() == NONE => OwnerSetting::None,
        (Some(bucket), Some(prefix)) if bucket.get_ref() == NONE => {
            return Err(place.fault(prefix, "`log_prefix` has no effect together with log_bucket = \"none\""));
        }
        (Some(bucket), prefix) => {
            let text = prefix.as_ref().map(|prefix| prefix.get_ref().clone()).unwrap_or_default();
            let logging = Logging::new(place.check(bucket)?, text);
            let place_of = prefix.as_ref().unwrap_or(bucket);
            OwnerSetting::Value(logging.map_err(|invalid| place.fault(place_of, &invalid.to_string()))?)
        }
    };
    let settings = OwnerSettings { minimum_tls, web_acl, geo_restriction, origin_shield, logging };
    settings.check(mode).map_err(|invalid| match (&file.minimum_tls, &file.geo_restriction) {
        (Some(policy), _) if policy.get_ref() == &invalid.value => place.fault(policy, &invalid.to_string()),
        (_, Some(restriction)) => place.fault(restriction, &invalid.to_string()),
        (_, None) => invalid.to_string(),
    })?;
    Ok(settings)
}

/// What removes a setting.
const NONE: &str = "none";

fn owner_setting<T>(value: Option<&Spanned<String>>, place: &Place<'_>) -> Result<OwnerSetting<T>, String>
where
    T: FromStr,
    T::Err: Display,
{
    match value {
        None => Ok(OwnerSetting::AsItIs),
        Some(word) if word.get_ref() == NONE => Ok(OwnerSetting::None),
        Some(value) => place.check(value).map(OwnerSetting::Value),
    }
}

fn countries(
    kind: GeoRestrictionKind,
    codes: &[String],
    restriction: &Spanned<GeoRestriction>,
    place: &Place<'_>,
) -> Result<twinsite_cdn::GeoRestriction, String> {
    let checked = twinsite_cdn::GeoRestriction::new(kind, codes.iter().cloned());
    checked.map_err(|invalid| place.fault(restriction, &invalid.to_string()))
}

pub(super) fn emails(file: &Alerts, place: &Place<'_>) -> Result<Vec<String>, String> {
    let mut emails = Vec::new();
    for email in &file.email {
        let text = email.get_ref();
        let plain = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if !plain || text.contains(char::is_whitespace) {
            return Err(place.fault(email, &format!("`{text}` is not an e-mail address")));
        }
        if !emails.contains(text) {
            emails.push(text.clone());
        }
    }
    Ok(emails)
}

pub(super) fn dns(file: &DnsFile, aliases: &[Domain], place: &Place<'_>) -> Result<DnsConfig, String> {
    let DnsFile { zone_id, alias_zones, health_interval, failure_threshold, ttl, website_zones } = file;
    let mut health = FailoverTiming::default();
    if let Some(interval) = health_interval {
        let rule = ([10, 30].contains(interval.get_ref()), "is neither 10 nor 30, which Route 53 knows");
        health.interval = Duration::from_secs(place.within(interval, rule)?);
    }
    if let Some(threshold) = failure_threshold {
        health.threshold = place.within(threshold, ((1..=10).contains(threshold.get_ref()), "is not 1 to 10"))?;
    }
    if let Some(ttl) = ttl {
        health.ttl = Duration::from_secs(place.within(ttl, ((1..=3600).contains(ttl.get_ref()), "is not 1 to 3600"))?);
    }
    let zone = |(region, id): (&String, &toml::Spanned<String>)| {
        let region = region.parse().map_err(|error: twinsite_core::Invalid| place.fault(id, &error.to_string()))?;
        Ok::<_, String>((region, place.check(id)?))
    };
    let website_zones = website_zones.iter().map(zone).collect::<Result<_, _>>()?;
    let zone_id = zone_id.as_ref().map(|id| place.check(id)).transpose()?;
    let mut checked = BTreeMap::new();
    for (name, id) in alias_zones {
        let name: Domain = name.parse().map_err(|error: Invalid| place.fault(id, &error.to_string()))?;
        if !aliases.contains(&name) {
            let fault = format!("`{name}` is no alias of the site; the zone of the domain itself is `zone_id`");
            return Err(place.fault(id, &fault));
        }
        checked.insert(name, place.check(id)?);
    }
    Ok(DnsConfig { zone_id, alias_zones: checked, health, website_zones })
}
