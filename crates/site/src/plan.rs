//! The whole site as one plan: the steps of every service, and the order between services in which visitors lose nothing.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws::Owner;
use twinsite_cdn as cdn;
use twinsite_core::{
    Action, Applied, Change as _, Event, Mode, Plan, Reason, Resource, Run, Side, Step, StepId, ValidationRecord,
};
use twinsite_dns_failover::{self as dns, alerts};
use twinsite_https_standby as https_standby;
use twinsite_rules::Table;
use twinsite_s3_site::{self as s3_site, step_ids};
use twinsite_sync::replicate::Filled;
use twinsite_sync::{Key, Store as _, SyncError, release};

use crate::backfill;
use crate::change::SiteChange;
use crate::context::{SiteContext, s3_conflicts};
use crate::error::{Cause, Context, Error};
use crate::estimate::Estimate;
use crate::standby::{PROOF, warn_of_unproven_standby};
use crate::state::SiteState;

/// A verified plan of a site. It is what is shown, and it is consumed by [`apply`].
#[derive(Debug)]
pub struct SitePlan(Plan<SiteChange>);

/// A plan as a result. Only [`SitePlan`] can be applied.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlanSummary {
    /// Equal fingerprints mean equal plans.
    pub fingerprint: String,
    /// The steps in the order in which they run.
    pub steps: Vec<PlannedStep>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The step's name, unique in the plan.
    pub step: String,
    /// `create`, `update`, `delete` or `wait`.
    pub action: &'static str,
    /// Why it is planned.
    pub reason: String,
    /// The number of its wave, from 0. The steps of a wave run concurrently.
    pub wave: usize,
    /// The resource that it creates, changes, deletes or waits for.
    pub resource: PlannedResource,
    /// The properties that it sets, changes or removes, and no others.
    pub changes: Vec<PropertyChange>,
    /// The usual duration of a step that takes minutes.
    pub usually: Option<&'static str>,
}

/// The resource of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlannedResource {
    /// The service: `S3`, `IAM`, `ACM`, `CloudFront`, `Route 53`, `API Gateway`, `SNS`, `CloudWatch`.
    pub service: String,
    /// What it is within the service: `bucket`, `distribution`, `health check`…
    pub kind: String,
    /// Its name, id or ARN. An id that AWS gives it on creation is `(known after STEP)`.
    pub name: String,
}

/// A property that a step sets, changes or removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PropertyChange {
    /// The property, as AWS names it.
    pub property: String,
    /// The value before; `null` if there is none.
    pub before: Option<String>,
    /// The value after; `null` if it is removed.
    pub after: Option<String>,
}

/// The result of [`apply`].
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ApplyResult {
    /// The number of completed steps.
    pub steps: usize,
    /// What was copied to the backup because it is older than the replication rule; `null` if the rule was not changed
    /// or nothing was missing.
    pub backfilled: Option<backfill::Copied>,
}

impl PropertyChange {
    /// A change of a property.
    pub fn new(property: impl Into<String>, before: Option<String>, after: Option<String>) -> Self {
        Self { property: property.into(), before, after }
    }
}

impl SitePlan {
    fn new(operation: &str, steps: Vec<Step<SiteChange>>) -> Result<Self, Error> {
        Plan::new(steps).map(Self).context(operation)
    }

    /// True if there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The steps in waves.
    pub fn waves(&self) -> &[Vec<Step<SiteChange>>] {
        self.0.waves()
    }

    /// Equal fingerprints mean equal plans.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    /// The plan as a result.
    pub fn summary(&self) -> PlanSummary {
        PlanSummary { fingerprint: self.0.fingerprint(), steps: planned_steps(&self.0) }
    }
}

/// The steps of a plan in the order in which they run.
pub(crate) fn planned_steps(plan: &Plan<SiteChange>) -> Vec<PlannedStep> {
    let waves = plan.waves().iter().enumerate();
    waves.flat_map(|(wave, steps)| steps.iter().map(move |step| planned_step(step, wave))).collect()
}

fn planned_step(step: &Step<SiteChange>, wave: usize) -> PlannedStep {
    let changes = step.change.fields().into_iter().map(|field| {
        let twinsite_core::Field { name: property, actual: before, desired: after } = field;
        PropertyChange { property, before, after }
    });
    let Resource { service, kind, name } =
        step.change.resource().unwrap_or_else(|| Resource::new("", "", step.id.as_str()));
    PlannedStep {
        step: step.id.to_string(),
        action: step.action.as_str(),
        reason: step.reason.to_string(),
        wave,
        resource: PlannedResource { service: service.to_owned(), kind: kind.to_owned(), name },
        changes: changes.collect(),
        usually: step.change.usually(),
    }
}

/// Whether existing buckets that twinsite did not create may become part of the site.
pub use twinsite_s3_site::Adopt as AdoptBuckets;

/// Plans the changes that bring every service into its desired state. Read-only.
///
/// # Errors
/// Calls that failed, and every conflict with existing resources at once.
pub async fn plan(site: &SiteContext, adopt: AdoptBuckets, run: &Run) -> Result<SitePlan, Error> {
    const OPERATION: &str = "plan the site";
    site.check_log_bucket(OPERATION).await?;
    let state = site.observe(adopt, OPERATION).await?;
    let steps = state.steps();
    if steps.as_ref().is_ok_and(Vec::is_empty) {
        state.warn_of_former_buckets(run);
    }
    Box::pin(site.foreign_settings(&state, OPERATION)).await?.into_iter().for_each(|setting| setting.warn(run));
    state.warn_of_encryption(run);
    Box::pin(site.warn_of_encrypted_objects(run)).await;
    let steps = steps?;
    if steps.is_empty() {
        Box::pin(settle_redirect_table(site, false, run)).await?;
    }
    SitePlan::new(OPERATION, steps)
}

/// What the configured site costs and survives.
pub fn estimate(site: &SiteContext) -> Estimate {
    Estimate::of(&site.config)
}

/// Executes a plan. If it creates or changes the replication rule, objects older than the rule are then copied to the backup.
///
/// # Errors
/// The steps that failed. What is done stays done: planning and applying again finishes the rest.
pub async fn apply(site: &SiteContext, plan: SitePlan, run: &Run) -> Result<ApplyResult, Error> {
    let replicates = plan.0.steps().any(|step| step.id == step_ids::replication(Side::Primary));
    let standby_changes = plan.0.steps().any(|step| matches!(step.change, SiteChange::Standby(_)));
    let proves = plan.0.steps().any(|step| step.id == PROOF.into());
    let creates_store = plan.0.steps().any(|step| step.id == cdn::step_ids::STORE.into());
    let applied = execute(site, plan, "apply the plan", run).await?;
    Box::pin(settle_redirect_table(site, creates_store, run)).await?;
    if site.wants_https_standby() && standby_changes && !proves {
        warn_of_unproven_standby(run);
    }
    let backfilled = if replicates { Box::pin(backfill::backfill_older_than_rule(site, run)).await? } else { None };
    Ok(ApplyResult { steps: applied.done.len(), backfilled: backfilled.as_ref().map(copied) })
}

/// Puts the redirect table of the live release into a new key value store. A site that was published in another mode has no table that tells
/// CloudFront what paths mean, which is said; what cannot be read then is not. Read-only unless the store is new.
async fn settle_redirect_table(site: &SiteContext, is_new_store: bool, run: &Run) -> Result<(), Error> {
    const OPERATION: &str = "put the redirect table";
    if !is_new_store && site.site.mode != Mode::Origin {
        return Ok(());
    }
    let table = Box::pin(site.store(Side::Primary).get(&Key::redirect_table())).await;
    let table = match table.map_err(SyncError::from).context(OPERATION) {
        Err(error) if is_new_store => return Err(error),
        Err(_) => return Ok(()),
        Ok(table) => table,
    };
    if is_new_store && table.is_some() {
        Box::pin(site.put_redirects(table.as_deref(), run)).await.context(OPERATION)?;
    }
    warn_of_unlisted_paths(site, table.as_deref(), run).await;
    Ok(())
}

/// In mode `origin`, warns if the table of a site that was published does not tell what paths mean.
async fn warn_of_unlisted_paths(site: &SiteContext, table: Option<&[u8]>, run: &Run) {
    let has_paths = |table: &[u8]| Table::from_text(table).is_ok_and(|table| table.has_paths());
    if site.site.mode != Mode::Origin || table.is_some_and(has_paths) {
        return;
    }
    if matches!(Box::pin(release::live(&site.store(Side::Primary))).await, Ok(Some(_))) {
        let text = "CloudFront does not know yet which paths of the site are folders: it was published in another mode"
            .to_owned();
        let hint = Some("publish it again: `twinsite deploy`".to_owned());
        run.emit(&Event::Warning { text, hint });
    }
}

fn copied(filled: &Filled) -> backfill::Copied {
    backfill::Copied { objects: filled.copied, bytes: filled.bytes }
}

/// Plans the deletion of everything that twinsite created for the site. Adopted resources are kept. Read-only.
///
/// # Errors
/// Calls that failed, and conflicts.
pub async fn plan_destroy(site: &SiteContext) -> Result<SitePlan, Error> {
    const OPERATION: &str = "plan the deletion of the site";
    let state = site.observe_to_destroy(OPERATION).await?;
    let contents =
        Box::pin(site.services.s3.count_contents(&state.s3.desired, &state.s3.actual)).await.context(OPERATION)?;
    let steps = state.destroy_steps(&contents).map_err(|conflicts| dns_conflicts(OPERATION, &conflicts))?;
    SitePlan::new(OPERATION, steps)
}

/// Plans the deletion of buckets that belonged to the site in another mode, and of nothing else. Read-only.
///
/// # Errors
/// Calls that failed, and a change of mode that is not applied yet: visitors may be served from those buckets then.
pub async fn plan_destroy_former(site: &SiteContext) -> Result<SitePlan, Error> {
    const OPERATION: &str = "look for buckets of another mode";
    let state = site.observe_to_destroy(OPERATION).await?;
    let s3 = &state.s3;
    let contents = Box::pin(site.services.s3.count_contents(&s3.desired, &s3.actual)).await.context(OPERATION)?;
    let steps = s3_site::plan_former_destruction(&contents).into_iter();
    let is_pending = || !state.steps().is_ok_and(|steps| steps.is_empty());
    if steps.len() > 0 && state.has_visitors(&contents) && is_pending() {
        let why =
            "the site differs from its configuration, so that visitors may be served from the buckets of another mode";
        let hint = "`twinsite apply` first; `twinsite destroy` deletes the whole site with them";
        return Err(Error::refused(OPERATION, why).hint(hint));
    }
    SitePlan::new(OPERATION, steps.map(|step| step.map(SiteChange::S3)).collect())
}

/// Executes a plan of [`plan_destroy`] or [`plan_destroy_former`]; returns the number of completed steps.
///
/// # Errors
/// The steps that failed. Planning and executing again finishes the rest.
pub async fn destroy(site: &SiteContext, plan: SitePlan, run: &Run) -> Result<usize, Error> {
    execute(site, plan, "destroy the site", run).await.map(|applied| applied.done.len())
}

async fn execute(site: &SiteContext, plan: SitePlan, operation: &str, run: &Run) -> Result<Applied, Error> {
    Box::pin(twinsite_core::apply(plan.0, &site.services, run)).await.context(operation)
}

impl SiteContext {
    /// CloudFront refuses to log to a bucket without ACLs, in the middle of an apply.
    async fn check_log_bucket(&self, operation: &str) -> Result<(), Error> {
        let Some(logging) = self.config.cdn.owner_settings.logging.value() else { return Ok(()) };
        let bucket = &logging.bucket;
        let conflict = match Box::pin(self.services.s3.log_bucket(bucket)).await.context(operation)? {
            s3_site::LogBucket::Absent => (
                format!("the bucket `{bucket}` for logs of CloudFront does not exist"),
                "create it with ACLs, or correct cdn.log_bucket".to_owned(),
            ),
            s3_site::LogBucket::AclsDisabled => (
                format!("the bucket `{bucket}` has no ACLs, by which CloudFront writes logs"),
                format!(
                    "enable them: `aws s3api put-bucket-ownership-controls --bucket {bucket} --ownership-controls \
                     'Rules=[{{ObjectOwnership=BucketOwnerPreferred}}]'`"
                ),
            ),
            _ => return Ok(()),
        };
        Err(Error::conflicts(operation, vec![conflict]))
    }
}

fn dns_conflicts(operation: &str, conflicts: &dns::Conflicts) -> Error {
    let all = conflicts.0.iter().map(|conflict| (conflict.to_string(), conflict.hint().to_owned()));
    Error::conflicts(operation, all.collect())
}

/// Steps that run after each of `ids`, should the plan have them.
fn following<'a>(step: Step<SiteChange>, ids: impl IntoIterator<Item = &'a StepId>) -> Step<SiteChange> {
    ids.into_iter().fold(step, Step::follows)
}

impl SiteState {
    /// Whether anything of the site leads visitors to its buckets: a distribution, or records.
    fn has_visitors(&self, contents: &s3_site::Contents) -> bool {
        let leads = |change: &SiteChange| matches!(change, SiteChange::Cdn(_) | SiteChange::Dns(_));
        self.destroy_steps(contents).map_or(true, |steps| steps.iter().any(|step| leads(&step.change)))
    }

    /// The steps of all services. Conflicts of all services are reported together.
    pub(crate) fn steps(&self) -> Result<Vec<Step<SiteChange>>, Error> {
        const OPERATION: &str = "plan the site";
        let s3 = s3_site::plan_changes(&self.s3.desired, &self.s3.actual)
            .map_err(|conflicts| s3_conflicts(OPERATION, &conflicts));
        let cdn = cdn::plan_changes(&self.cdn.desired, &self.cdn.actual).map_err(|conflicts| {
            let all = conflicts.0.iter().map(|conflict| (conflict.to_string(), conflict.hint().to_owned()));
            Error::conflicts(OPERATION, all.collect())
        });
        let dns = dns::plan_changes(&self.dns.desired, &self.dns.actual)
            .map_err(|conflicts| dns_conflicts(OPERATION, &conflicts));
        let alerts = alerts::plan_changes(&self.alerts.desired, &self.alerts.actual).map_err(|conflicts| {
            let all = conflicts.0.iter().map(|conflict| (conflict.to_string(), conflict.hint().to_owned()));
            Error::conflicts(OPERATION, all.collect())
        });
        let standby = self
            .standby_steps()
            .map_err(|conflict| Error::conflicts(OPERATION, vec![(conflict.to_string(), conflict.hint().to_owned())]));
        let (s3, cdn, dns, alerts, standby) = match (s3, cdn, dns, alerts, standby) {
            (Ok(s3), Ok(cdn), Ok(dns), Ok(alerts), Ok(standby)) => (s3, cdn, dns, alerts, standby),
            (s3, cdn, dns, alerts, standby) => {
                let errors = [s3.err(), cdn.err(), dns.err(), alerts.err(), standby.err()];
                return Err(all_conflicts(OPERATION, errors.into_iter().flatten()));
            }
        };
        let mut steps: Vec<Step<SiteChange>> = s3.into_iter().map(|step| self.bucket_step(step)).collect();
        // What was made for former aliases, or for aliases in another mode, is deleted after the records.
        let removed = self.removed_redirects();
        let is_before = |step: &&Step<SiteChange>| {
            let is_reduced = step.id.as_str() == step_ids::ALIAS_RECORD_REDUCED;
            !is_reduced && !removed.contains(&step.id)
        };
        let buckets: Vec<StepId> = steps.iter().filter(is_before).map(|step| step.id.clone()).collect();
        steps.extend(cdn.steps.into_iter().map(|step| self.cdn_step(step)));
        // Records change last, so that they never lead to a distribution without working origins.
        let (alias_records, former_validation) = (self.alias_record_steps(), self.former_validation_steps());
        steps.extend(dns.into_iter().map(|step| {
            let step = step.map(SiteChange::Dns);
            if step.id.as_str() == dns::step_ids::RECORDS || alias_records.contains(&step.id) {
                following(step, &buckets).follows(cdn::step_ids::DISTRIBUTION_DEPLOYED).follows(PROOF)
            } else if former_validation.contains(&step.id) {
                step.follows(cdn::step_ids::DISTRIBUTION_DEPLOYED)
            } else {
                step
            }
        }));
        steps.extend(standby.into_iter().map(|step| {
            // What is proven is what buckets and website endpoints are after their changes.
            if step.id.as_str() == PROOF { following(step, &buckets) } else { step }
        }));
        // Alarms are created once the site serves; earlier they would fire during its creation.
        steps.extend(alerts.into_iter().map(|step| {
            let step = step.map(SiteChange::Alerts);
            if step.action == Action::Create { step.follows(dns::step_ids::RECORDS) } else { step }
        }));
        Ok(steps)
    }

    /// The steps that create or update the records of aliases.
    fn alias_record_steps(&self) -> Vec<StepId> {
        self.dns.desired.site.aliases.iter().map(dns::step_ids::alias_records).collect()
    }

    /// The steps that delete the records of former aliases.
    fn former_record_steps(&self) -> Vec<StepId> {
        self.dns.desired.former_aliases.iter().map(dns::step_ids::alias_records).collect()
    }

    /// The steps that delete the validation records of former aliases.
    fn former_validation_steps(&self) -> Vec<StepId> {
        self.dns.desired.former_aliases.iter().map(dns::step_ids::former_validation_record).collect()
    }

    /// The steps that delete redirect buckets, or give adopted ones back: of former aliases, and of all in a mode without DNS failover.
    fn removed_redirects(&self) -> Vec<StepId> {
        let former = self.dns.desired.former_aliases.iter();
        let unused = self.dns.desired.site.aliases.iter().filter(|_| self.is_private());
        former
            .chain(unused)
            .flat_map(|alias| [step_ids::redirect_bucket(alias), step_ids::redirect_tags(alias)])
            .collect()
    }

    /// The steps that create or repair the HTTPS standby, and prove it; or those that remove it, once DNS does not lead to it any more.
    fn standby_steps(&self) -> Result<Vec<Step<SiteChange>>, https_standby::Conflict> {
        let Some(standby) = &self.standby else { return Ok(Vec::new()) };
        if !standby.wanted {
            let removed = https_standby::plan_destruction(&standby.desired, &standby.actual, &Reason::Unwanted);
            let after_records = |step: Step<_>| step.map(SiteChange::Standby).follows(dns::step_ids::RECORDS);
            return Ok(removed.into_iter().map(after_records).collect());
        }
        let planned = https_standby::plan_changes(&standby.desired, &standby.actual)?;
        let mut steps: Vec<Step<SiteChange>> = Vec::new();
        for step in planned.steps {
            // After the records: what serves already does not wait for the standby, nor fail with it.
            let step = step.map(SiteChange::Standby).follows(dns::step_ids::RECORDS);
            let awaits = step.id.as_str() == https_standby::step_ids::CERTIFICATE_ISSUED;
            steps.push(if awaits { step.follows(dns::step_ids::VALIDATION_RECORD) } else { step });
        }
        if let Some(proof) = &standby.proof {
            let reason = Reason::Asked("is visited before DNS leads to it".to_owned());
            steps.push(Step::new(PROOF, Action::Wait, reason, SiteChange::Proof(proof.clone())));
        }
        Ok(steps)
    }

    /// A bucket becomes private only after the distribution signs its requests: until then it reads public objects.
    fn bucket_step(&self, step: Step<s3_site::Change>) -> Step<SiteChange> {
        let step = step.map(SiteChange::S3);
        let removed = self.removed_redirects();
        if removed.contains(&step.id) {
            return following(step, &[self.alias_record_steps(), self.former_record_steps()].concat());
        }
        if step.id.as_str() == step_ids::ALIAS_RECORD_REDUCED {
            let certificates: Vec<StepId> = self.superseded_certificates();
            let before = [self.former_record_steps(), self.former_validation_steps(), removed, certificates].concat();
            return following(step, &before).follows(cdn::step_ids::DISTRIBUTION_DEPLOYED);
        }
        let ids = Side::BOTH.map(|side| [step_ids::policy(side), step_ids::public_access_block(side)]);
        let restricts = ids.concat().contains(&step.id);
        if self.is_private() && restricts && step.reason == Reason::Drifted {
            return step.follows(cdn::step_ids::DISTRIBUTION_DEPLOYED);
        }
        step
    }

    /// The steps for the validation records of aliases in hosted zones of their own.
    fn alias_validation_steps(&self) -> Vec<StepId> {
        let zones = self.dns.actual.aliases.iter().filter_map(|alias| alias.zone.as_ref().ok());
        zones.map(|zone| dns::step_ids::alias_validation_record(&zone.id)).collect()
    }

    /// The steps that delete certificates of other names than the site has now.
    fn superseded_certificates(&self) -> Vec<StepId> {
        (0..self.cdn.actual.certificates.covering.len()).map(cdn::step_ids::certificate_deletion).collect()
    }

    /// A distribution over website endpoints follows the policies that let it read them.
    fn cdn_step(&self, step: Step<cdn::Change>) -> Step<SiteChange> {
        let step = step.map(SiteChange::Cdn);
        if step.id.as_str() == cdn::step_ids::CERTIFICATE_ISSUED {
            return following(step.follows(dns::step_ids::VALIDATION_RECORD), &self.alias_validation_steps());
        }
        if self.superseded_certificates().contains(&step.id) {
            return following(step, &self.former_validation_steps());
        }
        // Records lead to a distribution that has the name, for as long as they exist.
        let step = if step.id.as_str() == cdn::step_ids::DISTRIBUTION {
            following(step.follows(step_ids::ALIAS_RECORD), &self.former_record_steps())
        } else {
            step
        };
        if self.is_private() || step.id.as_str() != cdn::step_ids::DISTRIBUTION {
            return step;
        }
        // What relies on the HTTPS standby, such as HSTS, is not set before its proof.
        let step = step.follows(PROOF);
        let opens = Side::BOTH.map(|side| [step_ids::policy(side), step_ids::website(side)]).concat();
        opens.into_iter().fold(step, Step::follows)
    }

    /// Records are deleted first, so that they lead nowhere rather than to something deleted; buckets last, because their
    /// names can then be taken by others.
    fn destroy_steps(&self, contents: &s3_site::Contents) -> Result<Vec<Step<SiteChange>>, dns::Conflicts> {
        let dns = dns::plan_destruction(&self.dns.desired, &self.dns.actual, &self.validation_record_use())?;
        let cdn = cdn::plan_destruction(&self.cdn.desired, &self.cdn.actual);
        let s3 = s3_site::plan_destruction(&self.s3.desired, &self.s3.actual, contents);
        let alerts = alerts::plan_destruction(&self.alerts.desired, &self.alerts.actual);
        // Alarms are deleted before anything that they watch.
        let alarms: Vec<StepId> = alerts.iter().map(|step| step.id.clone()).collect();
        let reason = Reason::Asked("destroy".to_owned());
        let standby = self
            .standby
            .iter()
            .flat_map(|standby| https_standby::plan_destruction(&standby.desired, &standby.actual, &reason));
        let standby: Vec<Step<SiteChange>> =
            standby.map(|step| step.map(SiteChange::Standby).follows(dns::step_ids::RECORDS)).collect();
        let standby_ids: Vec<StepId> = standby.iter().map(|step| step.id.clone()).collect();
        // CloudFront may check the validation record while it uses a certificate.
        let deletes_certificate =
            |step: &&Step<cdn::Change>| matches!(step.change, cdn::Change::DeleteCertificate { .. });
        let certificates: Vec<StepId> = cdn.iter().filter(deletes_certificate).map(|step| step.id.clone()).collect();
        let standby_certificates: Vec<StepId> =
            standby_ids.iter().filter(|id| id.as_str().starts_with("standby/certificate/")).cloned().collect();
        let validation = self.alias_validation_steps();
        let records = dns.into_iter().map(|step| {
            let step = step.map(SiteChange::Dns);
            let is_validation = step.id.as_str() == dns::step_ids::VALIDATION_RECORD || validation.contains(&step.id);
            if is_validation { following(following(step, &certificates), &standby_certificates) } else { step }
        });
        let alias_records = [self.alias_record_steps(), self.former_record_steps()].concat();
        let cdn = cdn.into_iter().map(|step| {
            let step = step.map(SiteChange::Cdn);
            let disables = step.id.as_str() == cdn::step_ids::DISTRIBUTION_DISABLED;
            if disables { following(step.follows(dns::step_ids::RECORDS), &alias_records) } else { step }
        });
        let mut other_records: Vec<StepId> =
            self.dns.actual.other_zones.iter().map(|zone| dns::step_ids::other_records(&zone.id)).collect();
        for alias in &self.dns.actual.aliases {
            let other = |zone: &dns::ZoneRecords| dns::step_ids::other_alias_records(&alias.name, &zone.id);
            other_records.extend(alias.other_zones.iter().map(other));
        }
        let records_and_cdn = records.chain(cdn.map(|step| following(step, &other_records)));
        let mut steps: Vec<Step<SiteChange>> = records_and_cdn.map(|step| following(step, &alarms)).collect();
        steps.extend(alerts.into_iter().map(|step| step.map(SiteChange::Alerts)));
        steps.extend(standby);
        let last =
            Side::BOTH.map(|side| [step_ids::bucket(side), step_ids::release(side), step_ids::former_bucket(side)]);
        let last = last.concat();
        let redirects: Vec<StepId> = self
            .s3
            .actual
            .redirects
            .iter()
            .flat_map(|one| [step_ids::redirect_bucket(&one.alias), step_ids::redirect_tags(&one.alias)])
            .collect();
        // The backup bucket has the record of the aliases: it goes after everything that was made for them.
        let keeps_record = [step_ids::bucket(Side::Backup), step_ids::release(Side::Backup)];
        steps.extend(s3.into_iter().map(|step| {
            let step = step.map(SiteChange::S3);
            let is_redirect = redirects.contains(&step.id);
            let step = if is_redirect { following(following(step, &alias_records), &other_records) } else { step };
            let keeps = keeps_record.contains(&step.id);
            let step = if keeps {
                following(following(following(step, &redirects), &alias_records), &validation)
            } else {
                step
            };
            let is_last = last.contains(&step.id);
            // An API that is left would lead to a bucket whose name somebody else may take.
            let step = if is_last { following(following(step, &other_records), &standby_ids) } else { step };
            if is_last { step.follows(dns::step_ids::RECORDS).follows(cdn::step_ids::DISTRIBUTION) } else { step }
        }));
        Ok(steps)
    }

    /// The validation records by which certificates are renewed that are kept.
    fn validation_record_use(&self) -> dns::ValidationRecordUse {
        let owner = Owner::new(self.cdn.desired.site.domain.clone());
        let kept = self.cdn.actual.certificates.covering.iter().filter(|one| !owner.created_by(&one.tags));
        let of_standby = self.standby.iter().flat_map(|standby| &standby.actual.certificates);
        let of_standby = of_standby.filter(|one| !owner.created_by(&one.tags));
        let records: Vec<ValidationRecord> = kept
            .flat_map(|certificate| certificate.validation_records.0.values().cloned())
            .chain(of_standby.filter_map(|certificate| certificate.validation_record.clone()))
            .collect();
        if records.is_empty() { dns::ValidationRecordUse::Exclusive } else { dns::ValidationRecordUse::Shared(records) }
    }
}

/// Conflicts of several services in one error. Other causes do not occur here.
fn all_conflicts(operation: &str, errors: impl Iterator<Item = Error>) -> Error {
    let (mut reasons, mut hints) = (Vec::new(), Vec::new());
    for error in errors {
        reasons.push(error.cause.to_string());
        hints.extend(error.hints);
    }
    Error { hints, ..Error::new(operation, Cause::Conflicts(reasons.join("\n"))) }
}
