//! The HTTPS standby of a site: when it exists, when DNS may lead to it, and what it cannot serve.

use twinsite_core::{Deferred, Event, Run, Side, url_path};
use twinsite_dns_failover::{self as dns, AliasTarget};
use twinsite_https_standby::{self as https_standby, UNREACHABLE_SIZE, is_reachable};
use twinsite_sync::{RemoteObject, Source, Store as _, SyncError, release};

use crate::config::Standby;
use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::standby_proof::StandbyProof;

/// The step that visits the standby.
pub(crate) const PROOF: &str = "standby/proof";

/// Desired and actual state of the standby.
#[derive(Debug)]
pub(crate) struct SiteStandby {
    pub(crate) desired: https_standby::Desired,
    pub(crate) actual: https_standby::Actual,
    /// Whether the configuration wants it. If not, it is removed.
    pub(crate) wanted: bool,
    /// Where DNS leads now, or after the proof.
    pub(crate) target: Option<AliasTarget>,
    /// What has to be proven before.
    pub(crate) proof: Option<StandbyProof>,
}

/// A path that no site has.
const MISSING: &str = "/.well-known/twinsite/no-such-page";

impl SiteContext {
    /// Whether the configuration wants an HTTPS standby.
    pub(crate) fn wants_https_standby(&self) -> bool {
        self.config.standby == Some(Standby::Https)
    }

    /// The desired state of the standby. In us-east-1, the certificate of the distribution is that of the standby, too.
    pub(crate) fn desired_standby(&self, certificate: &Deferred<twinsite_core::Arn>) -> https_standby::Desired {
        let mut desired = https_standby::Desired::new(self.site.clone());
        desired.tags.clone_from(&self.config.tags);
        if self.site.regions.backup.as_str() == "us-east-1" {
            desired.certificate = Some(certificate.clone());
        }
        desired
    }

    /// Reads the state of the standby, if the configuration names one or DNS leads to one.
    pub(crate) async fn observe_standby(
        &self,
        desired: https_standby::Desired,
        operation: &str,
    ) -> Result<SiteStandby, Error> {
        let actual = Box::pin(self.services.standby.observe(&desired)).await.context(operation)?;
        let wanted = self.wants_https_standby();
        Ok(SiteStandby { desired, actual, wanted, target: None, proof: None })
    }

    /// Decides where DNS may lead: to the standby if it leads there already or, once it is complete and the site is published, after a
    /// proof.
    pub(crate) async fn choose_standby(
        &self,
        standby: &mut SiteStandby,
        zone: &dns::ZoneRecords,
        operation: &str,
    ) -> Result<(), Error> {
        let endpoint = standby.actual.domain_name.as_ref().and_then(|domain| domain.endpoint.as_ref());
        let Some(endpoint) = endpoint.filter(|_| standby.wanted) else { return Ok(()) };
        let Ok(hosted_zone) = endpoint.hosted_zone.parse() else { return Ok(()) };
        let target = AliasTarget::new(Deferred::Known(endpoint.host.clone()), hosted_zone);
        if leads_to(zone, Some(endpoint.host.as_str())) {
            standby.target = Some(target);
            return Ok(());
        }
        let is_complete = https_standby::plan_changes(&standby.desired, &standby.actual)
            .is_ok_and(|planned| planned.endpoint.is_some());
        let has_pair = zone.sets.iter().any(|set| set.identifier.as_deref() == Some(backup_identifier()));
        if !is_complete || !has_pair {
            return Ok(());
        }
        let store = self.store(Side::Backup);
        if Box::pin(release::live(&store)).await.context(operation)?.is_none() {
            return Ok(());
        }
        let first = Box::pin(store.page(None)).await.map_err(SyncError::from).context(operation)?;
        standby.proof = Some(StandbyProof {
            domain: self.site.domain.clone(),
            host: endpoint.host.clone(),
            website: self.site.website_host(Side::Backup),
            paths: paths_to_visit(&first.objects, &self.config.index),
        });
        standby.target = Some(target);
        Ok(())
    }

    /// Warns of what the HTTPS standby cannot serve.
    pub(crate) fn warn_of_unreachable(&self, source: &Source, run: &Run) {
        if !self.wants_https_standby() {
            return;
        }
        let large = |size: u64| size > UNREACHABLE_SIZE;
        let objects = || source.objects().iter().map(|object| (object.key.as_str(), object.size));
        let large: Vec<&str> = objects().filter(|(_, size)| large(*size)).map(|(key, _)| key).collect();
        if !large.is_empty() {
            let text = format!("larger than 10 MB, which the HTTPS standby cannot serve: {}", named(&large));
            let hint = "they fail while CloudFront is out: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html";
            run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
        }
        let lost: Vec<&str> = objects().map(|(key, _)| key).filter(|key| !is_reachable(key)).collect();
        if !lost.is_empty() {
            let text = format!(
                "names that do not reach the HTTPS standby, because API Gateway decodes paths: {}",
                named(&lost)
            );
            let hint = "names without + % ? and double slashes are served while CloudFront is out, too";
            run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
        }
    }
}

/// Says after an apply that DNS does not lead to the standby yet.
pub(crate) fn warn_of_unproven_standby(run: &Run) {
    let text =
        "the HTTPS standby is there, and DNS does not lead to it yet: it still leads to the HTTP standby".to_owned();
    let hint =
        "publish the site, if it is not; then `twinsite apply` visits the standby and, if it answers, changes DNS";
    run.emit(&Event::Warning { text, hint: Some(hint.to_owned()) });
}

fn named(keys: &[&str]) -> String {
    /// How many names a warning has.
    const SHOWN: usize = 5;
    let shown = keys.iter().take(SHOWN).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN { format!("{shown}, and {} more", keys.len() - SHOWN) } else { shown }
}

fn backup_identifier() -> &'static str {
    dns::FailoverRole::Secondary.set_identifier()
}

/// Whether the records of the backup lead to a host of API Gateway; to this one, if it is given.
pub(crate) fn leads_to(zone: &dns::ZoneRecords, host: Option<&str>) -> bool {
    let of_backup = zone.sets.iter().filter(|set| set.identifier.as_deref() == Some(backup_identifier()));
    of_backup.filter_map(|set| set.alias_host.as_deref()).any(|alias| match host {
        Some(host) => alias == host,
        None => alias.contains(".execute-api."),
    })
}

/// The paths that prove a standby: the root, a folder's page, a name with odd characters, a missing page, and the largest object that API
/// Gateway passes on, if it is a large one.
fn paths_to_visit(objects: &[RemoteObject], index: &str) -> Vec<String> {
    let reachable = || {
        objects
            .iter()
            .filter(|object| !object.key.is_reserved() && is_reachable(object.key.as_str()))
            .filter(|object| object.size <= UNREACHABLE_SIZE)
    };
    let keys = || reachable().map(|object| object.key.as_str());
    let folder = keys().find_map(|key| key.strip_suffix(index).filter(|folder| folder.ends_with('/')));
    let is_plain = |key: &&str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    let odd = keys().find(|key| !is_plain(key));
    let large = reachable().max_by_key(|object| object.size).filter(|object| object.size > (1 << 20));
    let mut paths = vec!["/".to_owned()];
    paths.extend(folder.map(url_path));
    paths.extend(odd.map(url_path));
    paths.push(MISSING.to_owned());
    paths.extend(large.map(|object| url_path(object.key.as_str())));
    paths.dedup();
    paths
}
