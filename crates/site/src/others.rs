//! What others have set that keeps visitors from being served, or the site from failing over, although everything that twinsite manages is
//! as configured.

use twinsite_core::{Domain, Event, Run, Side};
use twinsite_dns_failover::{self as dns, ZoneRecords};
use twinsite_s3_site::{ActualBucket, ArchivedObject, BucketSettings, LifecycleEffect, denials};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::state::SiteState;

/// CloudFront's managed security headers policy, which sends `Strict-Transport-Security: max-age=31536000`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>
const SECURITY_HEADERS_POLICY: &str = "67f7725c-6f97-4210-82d7-5512b31e9d03";

/// A setting of others, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignSetting {
    /// Whether visitors are not served because of it, or would not be after a failover. Otherwise it is worth knowing.
    pub(crate) is_problem: bool,
    /// What is set, and what it does to visitors.
    pub(crate) text: String,
    /// A way out.
    pub(crate) next: String,
    /// What it is about.
    pub(crate) about: About,
}

/// What a setting of others is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The delegation of the hosted zone.
    Delegation,
    /// Who may issue certificates.
    Caa,
    /// Anything else: records, policies and rules of buckets, what browsers remember.
    Other,
}

impl ForeignSetting {
    pub(crate) fn problem(text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { is_problem: true, text: text.into(), next: next.into(), about: About::Other }
    }

    fn notice(text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { is_problem: false, ..Self::problem(text, next) }
    }

    pub(crate) fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    pub(crate) fn warn(self, run: &Run) {
        run.emit(&Event::Warning { text: self.text, hint: Some(self.next) });
    }
}

impl SiteContext {
    /// What others have set, judged. Read-only.
    pub(crate) async fn foreign_settings(
        &self,
        state: &SiteState,
        operation: &str,
    ) -> Result<Vec<ForeignSetting>, Error> {
        let mut found = state.judge_records();
        found.extend(state.judge_hsts());
        for (side, bucket) in state.s3.actual.buckets.iter() {
            if let ActualBucket::Present(settings) = bucket {
                found.extend(state.judge_bucket(side, settings));
                let archived = Box::pin(self.services.s3.archived_objects(&state.s3.desired, side)).await;
                found.extend(state.judge_archived(side, &archived.context(operation)?));
            }
        }
        found.extend(Box::pin(self.judge_delegation(state)).await);
        Ok(found)
    }
}

/// CAA records that do not allow Amazon to issue certificates.
pub(crate) fn judge_caa(zone: &ZoneRecords, has_certificate: bool) -> Option<ForeignSetting> {
    let caa = zone.caa.as_ref().filter(|caa| !caa.allow_amazon())?;
    let text = format!(
        "the CAA records of `{}` do not allow Amazon to issue certificates ({})",
        caa.name,
        caa.values.join(", ")
    );
    let next =
        "add `0 issue \"amazon.com\"` to them, or import a certificate of another authority: `twinsite cert import`";
    let found = if has_certificate {
        ForeignSetting::notice(format!("{text}: the certificate will not be renewed"), next)
    } else {
        ForeignSetting::problem(format!("{text}: ACM refuses the certificate with CAA_ERROR"), next)
    };
    Some(found.about(About::Caa))
}

impl SiteState {
    fn judge_records(&self) -> Vec<ForeignSetting> {
        let site = &self.s3.desired.site;
        let dns = &self.dns.actual;
        let mut found = self.judge_records_of(&site.domain, &dns.zone, &dns.other_zones);
        for dns::AliasRecords { name, zone, other_zones, .. } in &dns.aliases {
            if let (Ok(zone), true) = (zone, site.aliases.contains(name)) {
                found.extend(self.judge_records_of(name, zone, other_zones));
            }
        }
        // Names of one zone have the same CAA records.
        let mut told = Vec::new();
        found.retain(|setting| {
            let is_new = !told.contains(&setting.text);
            told.push(setting.text.clone());
            is_new
        });
        found
    }

    fn judge_records_of(&self, domain: &Domain, zone: &ZoneRecords, others: &[ZoneRecords]) -> Vec<ForeignSetting> {
        let mut found = Vec::new();
        for set in zone.sets.iter().filter(|set| ["HTTPS", "SVCB"].contains(&set.r#type.as_str())) {
            found.push(ForeignSetting::problem(
                format!(
                    "`{domain}` has a record of type {}, which twinsite does not manage: browsers that use it are led to its target and see \
                     no failover",
                    set.r#type
                ),
                "delete it, unless it leads to the distribution",
            ));
        }
        found.extend(judge_caa(zone, self.cdn.actual.certificates.is_issued(&self.cdn.desired.site)));
        for ZoneRecords { id, name, .. } in others {
            found.push(ForeignSetting::problem(
                format!(
                    "the hosted zone {id} (`{name}`) has twinsite's records of `{domain}`, too, and the zone in use is {} (`{}`): visitors \
                     follow the records of the zone that is delegated to, and changes are made in the other one only",
                    zone.id, zone.name
                ),
                format!(
                    "delegate `{}` to the zone in use (an NS record in `{name}`), then delete the old records there; or set dns.zone_id = \
                     \"{id}\"",
                    zone.name
                ),
            ));
        }
        found
    }

    fn judge_hsts(&self) -> Option<ForeignSetting> {
        let site = &self.s3.desired.site;
        let distribution = self.cdn.actual.distribution.as_ref();
        let headers =
            distribution.and_then(|found| found.properties.get("DefaultCacheBehavior.ResponseHeadersPolicyId"));
        let sends_hsts = headers.is_some_and(|policy| policy == SECURITY_HEADERS_POLICY);
        (site.mode.public_buckets() && sends_hsts && !self.cdn.desired.security_headers).then(|| {
            ForeignSetting::notice(
                format!(
                    "browsers that have visited `{}` insist on HTTPS for a year, and the standby serves HTTP only",
                    site.domain
                ),
                "for them a DNS failover is an outage until then: keep mode = \"origin\", or serve `Strict-Transport-Security: \
                 max-age=0` for a while before",
            )
        })
    }

    fn judge_bucket(&self, side: Side, settings: &BucketSettings) -> Vec<ForeignSetting> {
        let site = &self.s3.desired.site;
        let bucket = self.bucket(side);
        let mut found = Vec::new();
        for denial in settings.policy.iter().flat_map(|policy| denials(&self.s3.desired, side, policy)) {
            let way_out = if site.mode.public_buckets() && denial.requests.contains("TLS") {
                "website endpoints serve HTTP only: delete the statement, exempt the bucket, or set mode = \"origin\""
            } else {
                "delete the statement, or exempt reads of visitors from it"
            };
            let (statement, requests) = (&denial.statement, denial.requests);
            let text = format!("the policy of {bucket} denies {requests} ({statement}): visitors get 403");
            found.push(ForeignSetting::problem(text, way_out));
        }
        if site.mode.public_buckets() {
            if let Some(rule) = &settings.redirects_everything {
                found.push(ForeignSetting::problem(
                    format!("the website of {bucket} redirects every request: {rule}; its pages and health checks are never served"),
                    "delete the routing rule, or give it a condition",
                ));
            }
            if let Some(rule) = &settings.redirects_missing_probes {
                found.push(ForeignSetting::problem(
                    format!(
                        "the website of {bucket} redirects missing pages: {rule}; CloudFront gets a redirect where the other bucket would \
                         have been asked, and health checks of other tools count it as healthy"
                    ),
                    "delete the routing rule, or limit it to a prefix of pages: publish.not_found names the error document",
                ));
            }
        }
        for risk in &settings.lifecycle_risks {
            let text =
                format!("the lifecycle rule `{}` of {bucket} is about {} and {}", risk.rule, risk.scope, risk.effect);
            let next = format!(
                "limit the rule to a prefix that is not published, or delete it (`aws s3api get-bucket-lifecycle-configuration --bucket {}`)",
                site.buckets.get(side)
            );
            found.push(match &risk.effect {
                LifecycleEffect::Expires { .. } => {
                    ForeignSetting::problem(format!("{text}: pages disappear, also those that are up to date"), next)
                }
                LifecycleEffect::Archives { .. } => {
                    ForeignSetting::problem(format!("{text}: visitors get 403 until they are restored"), next)
                }
                LifecycleEffect::ExpiresVersions { .. } => {
                    ForeignSetting::notice(format!("{text}: older releases cannot be rolled back to"), next)
                }
                _ => ForeignSetting::notice(text, next),
            });
        }
        found
    }

    /// A bucket in words.
    fn bucket(&self, side: Side) -> String {
        format!("the {side} bucket `{}`", self.s3.desired.site.buckets.get(side))
    }

    fn judge_archived(&self, side: Side, archived: &[ArchivedObject]) -> Option<ForeignSetting> {
        let (first, rest) = archived.split_first()?;
        let others = if rest.is_empty() { String::new() } else { format!(" and {} others", rest.len()) };
        let (bucket, class) = (self.bucket(side), &first.class);
        Some(ForeignSetting::problem(
            format!(
                "`{}`{others} of {bucket} cannot be read, because the storage class is {class}: visitors get 403",
                first.key
            ),
            "upload them again: `twinsite deploy --force`; see its lifecycle rules, too",
        ))
    }
}
