//! The desired and the actual state of every service of a site.

use twinsite_cdn as cdn;
use twinsite_core::{Deferred, Event, Mode, Run};
use twinsite_dns_failover::{self as dns, alerts};
use twinsite_s3_site::{self as s3_site, Adopt, FormerBucket};

use crate::context::SiteContext;
use crate::error::{Context, Error};

/// Desired and actual state of one service.
#[derive(Debug)]
pub(crate) struct Compared<D, A> {
    pub(crate) desired: D,
    pub(crate) actual: A,
}

/// Whether the site's hosted zone has to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ZoneNeed {
    /// Without it, nothing can be planned.
    Required,
    /// Without it, there are no records.
    IfItExists,
}

/// Desired and actual state of every service.
#[derive(Debug)]
pub(crate) struct SiteState {
    pub(crate) s3: Compared<s3_site::Desired, s3_site::Actual>,
    pub(crate) cdn: Compared<cdn::Desired, cdn::Actual>,
    pub(crate) dns: Compared<dns::Desired, dns::Actual>,
    pub(crate) alerts: Compared<alerts::Desired, alerts::Actual>,
}

impl SiteContext {
    pub(crate) fn desired_cdn(&self, apex: bool) -> cdn::Desired {
        let config = &self.config;
        let mut desired = cdn::Desired::new(self.site.clone());
        desired.index.clone_from(&config.index);
        desired.not_found.clone_from(&config.not_found);
        desired.certificate.clone_from(&config.cdn.certificate);
        desired.price_class = config.cdn.price_class;
        desired.redirect_to_https = config.cdn.redirect_to_https.unwrap_or(desired.redirect_to_https);
        desired.security_headers = config.cdn.security_headers.unwrap_or(desired.security_headers);
        desired.accept_http_standby = config.cdn.accept_http_standby;
        desired.owner_settings.clone_from(&config.cdn.owner_settings);
        desired.apex = apex;
        desired.tags.clone_from(&config.tags);
        desired
    }

    /// The desired DNS records; the distribution may not exist yet.
    pub(crate) fn desired_dns(&self, planned: Option<&cdn::Planned>) -> dns::Desired {
        let host = planned.map_or_else(
            || Deferred::After(cdn::step_ids::DISTRIBUTION.into()),
            |planned| planned.distribution_host.clone(),
        );
        let mut desired = dns::Desired::new(self.site.clone(), host);
        desired.validation_record = planned.and_then(|planned| planned.validation_record.clone());
        desired.zone.clone_from(&self.config.dns.zone_id);
        desired.tags.clone_from(&self.config.tags);
        desired.timing = self.config.dns.health;
        desired.website_zones.clone_from(&self.config.dns.website_zones);
        desired
    }

    /// Reads the state of every service. Read-only.
    pub(crate) async fn observe(&self, adopt: Adopt, operation: &str) -> Result<SiteState, Error> {
        self.observe_services(adopt, ZoneNeed::Required, operation).await
    }

    /// The same, but a hosted zone that does not exist any more has no records to delete.
    pub(crate) async fn observe_to_destroy(&self, operation: &str) -> Result<SiteState, Error> {
        self.observe_services(Adopt::Refuse, ZoneNeed::IfItExists, operation).await
    }

    async fn observe_services(&self, adopt: Adopt, need: ZoneNeed, operation: &str) -> Result<SiteState, Error> {
        let mut desired_dns = self.desired_dns(None);
        let zone = match self.services.dns.find_zone(&desired_dns).await {
            Ok(zone) => Some(zone),
            Err(dns::FindZoneError::Conflict(
                dns::Conflict::ZoneChoice(dns::ZoneChoiceError::NotFound(_)) | dns::Conflict::WrongZone { .. },
            )) if need == ZoneNeed::IfItExists => None,
            Err(dns::FindZoneError::Aws(error)) => return Err(Error::new(operation, error)),
            Err(dns::FindZoneError::Conflict(conflict)) => {
                let conflict = (conflict.to_string(), conflict.hint().to_owned());
                return Err(Error::conflicts(operation, vec![conflict]));
            }
        };
        let apex = zone.as_ref().is_some_and(|zone| zone.name.trim_end_matches('.') == self.site.domain.as_str());
        let mut desired_cdn = self.desired_cdn(apex);
        desired_cdn.adopt = adopt == Adopt::Adopt;
        let actual_cdn = Box::pin(self.services.cdn.observe(&desired_cdn)).await.context(operation)?;
        // Conflicts of the distribution are reported when it is planned; here only its outputs matter.
        let mut certificate = Deferred::After(cdn::step_ids::CERTIFICATE_ISSUED.into());
        let mut key_value_store = None;
        if let Ok(planned) = cdn::plan_changes(&desired_cdn, &actual_cdn) {
            desired_dns = self.desired_dns(Some(&planned));
            certificate = planned.certificate;
            key_value_store = planned.store_arn;
        }
        let mut desired_s3 = self.desired_buckets(adopt);
        desired_s3.key_value_store = key_value_store;
        if self.site.mode == Mode::Origin {
            let distribution = actual_cdn.distribution.as_ref();
            desired_s3.distribution_arn = Some(distribution.map_or_else(
                || Deferred::After(cdn::step_ids::DISTRIBUTION.into()),
                |distribution| Deferred::Known(distribution.arn.clone()),
            ));
        }
        let actual_dns = if let Some(zone) = &zone {
            Box::pin(self.services.dns.observe(&desired_dns, zone)).await
        } else {
            // An id that no zone has; nothing is sent with it.
            let id = self.config.dns.zone_id.clone().or_else(|| "NONE".parse().ok());
            let Some(id) = id else { return Err(Error::refused(operation, "no hosted zone")) };
            Box::pin(self.services.dns.observe_without_zone(&desired_dns, id)).await
        };
        let actual_dns = actual_dns.context(operation)?;
        let actual_s3 = Box::pin(self.services.s3.observe(&desired_s3)).await.context(operation)?;
        let desired_alerts = alerts::Desired {
            site: self.site.clone(),
            emails: self.config.emails.clone(),
            checks: dns::planned_checks(&desired_dns, &actual_dns),
            certificate,
            tags: self.config.tags.clone(),
        };
        let actual_alerts = Box::pin(self.services.alerts.observe(&desired_alerts)).await.context(operation)?;
        Ok(SiteState {
            s3: Compared { desired: desired_s3, actual: actual_s3 },
            cdn: Compared { desired: desired_cdn, actual: actual_cdn },
            dns: Compared { desired: desired_dns, actual: actual_dns },
            alerts: Compared { desired: desired_alerts, actual: actual_alerts },
        })
    }
}

impl SiteState {
    pub(crate) fn is_private(&self) -> bool {
        self.s3.desired.site.mode == Mode::Origin
    }

    /// Warns of encryption that keeps visitors from reading, or replication from copying.
    pub(crate) fn warn_of_encryption(&self, run: &Run) {
        let warn = |text: String, hint: &str| run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
        let desired = &self.s3.desired;
        for (side, bucket) in self.s3.actual.buckets.iter() {
            let s3_site::ActualBucket::Present(settings) = bucket else { continue };
            if !matches!(settings.encryption, s3_site::DefaultEncryption::Kms { .. }) {
                continue;
            }
            let name = desired.site.buckets.get(side);
            if desired.site.mode.public_buckets() {
                let text = format!(
                    "the {side} bucket `{name}` encrypts with a key of KMS by default: website endpoints, which the mode `{}` uses, answer \
                     visitors with an error for such objects",
                    desired.site.mode
                );
                warn(
                    text,
                    "apply sets the default to AES256; objects that are there stay encrypted until `deploy --force`",
                );
            } else if desired.kms_keys.is_none() {
                let text = format!(
                    "the {side} bucket `{name}` encrypts with a key of KMS by default, and publish.encryption is not set: such objects \
                     are not replicated, so that every deploy copies them, and `iam-policy` prints no permissions for the key"
                );
                warn(text, "set publish.encryption to \"aws:kms\", and kms_key in [primary] and [backup]");
            }
        }
        if desired.kms_keys.is_some() {
            let text = "CloudFront can read the objects only if the policies of both keys of KMS allow it".to_owned();
            let hint = concat!(
                "allow kms:Decrypt for the service cloudfront.amazonaws.com with aws:SourceArn of the distribution; the statement is in ",
                env!("CARGO_PKG_REPOSITORY"),
                "/blob/main/docs/src/publishing.md#encryption"
            );
            warn(text, hint);
        }
    }

    /// Warns of buckets that belonged to the site in another mode, for a site without pending steps: until a change of mode is applied, they
    /// serve visitors.
    pub(crate) fn warn_of_former_buckets(&self, run: &Run) {
        for FormerBucket { side, bucket } in &self.s3.actual.former {
            let region = self.s3.desired.site.regions.get(*side);
            let text = format!("the bucket `{bucket}` in {region} belonged to this site in another mode and is unused");
            let hint = Some("`twinsite destroy --former` deletes it with its contents, and nothing else".to_owned());
            run.emit(&Event::Warning { text, hint });
        }
    }
}
