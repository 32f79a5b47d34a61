//! The sections `[cdn]`, `[dns]` and `[alerts]`, checked.

use std::time::Duration;

use twinsite_cdn::PriceClass;
use twinsite_dns_failover::FailoverTiming;
use twinsite_site::{CdnConfig, DnsConfig};

use super::file::{Alerts, Dns as DnsFile, Front, Place};

pub(super) fn cdn(file: &Front, place: &Place<'_>) -> Result<CdnConfig, String> {
    let Front { certificate_arn, price_class, redirect_to_https, security_headers, accept_http_standby } = file;
    let price_class = match price_class.as_ref().map(|class| (class, class.get_ref().as_str())) {
        None | Some((_, "100")) => PriceClass::Class100,
        Some((_, "200")) => PriceClass::Class200,
        Some((_, "all")) => PriceClass::All,
        Some((class, other)) => return Err(place.fault(class, &format!("`{other}` is not one of `100`, `200`, `all`"))),
    };
    let certificate = certificate_arn.as_ref().map(|arn| place.check(arn)).transpose()?;
    let (redirect_to_https, security_headers) = (*redirect_to_https, *security_headers);
    let accept_http_standby = *accept_http_standby;
    Ok(CdnConfig { certificate, price_class, redirect_to_https, security_headers, accept_http_standby })
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

pub(super) fn dns(file: &DnsFile, place: &Place<'_>) -> Result<DnsConfig, String> {
    let DnsFile { zone_id, health_interval, failure_threshold, ttl, website_zones } = file;
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
    Ok(DnsConfig { zone_id, health, website_zones })
}
