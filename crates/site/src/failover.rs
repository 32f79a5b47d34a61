//! Failover and failback by hand, through the data plane of the backup region alone.

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws_session::Session;
use twinsite_core::{AccountId, Run, Side, Site, probe};
use twinsite_s3_site::S3Site;

use crate::active_side::{Leveled, level_primary};
use crate::config::Config;
use crate::context::{Environment, SESSION, SiteContext};
use crate::error::{Context, Error};
use crate::options::PublishOptions;
use crate::verify::{compare_buckets, objects_differ};

const FAILOVER: &str = "fail over to the backup";
const FAILBACK: &str = "fail back to the primary";

/// Whether a failback requires that the primary is healthy and in sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailbackChecks {
    /// It does.
    #[default]
    Require,
    /// The state of the primary is ignored.
    Skip,
}

/// Puts the failover switch object into the backup bucket. A health check polls it, so that DNS leads to the backup within
/// minutes. This is the only request: the account is not determined and no state is read, because the control planes and the
/// primary region may be unavailable.
///
/// Returns the address of the backup's website endpoint.
///
/// # Errors
/// Mode `origin`, which has no switch, and a bucket that cannot be written.
pub async fn failover(config: &Config, environment: &Environment) -> Result<String, Error> {
    if !config.mode.public_buckets() {
        let why = "in mode `origin` CloudFront fails over by itself, for each request; there is no switch";
        return Err(Error::usage(FAILOVER, why));
    }
    let session = Session::open(environment.access.clone()).await.context(SESSION)?;
    // In these modes the backup bucket is named after the domain, so the account is not needed for its name.
    let account: AccountId = "000000000000".parse::<AccountId>().context(FAILOVER)?;
    let site = Site::new(config.domain.clone(), config.mode, account, config.regions.clone()).context(FAILOVER)?;
    let clients = site.regions.as_ref().map(|region| session.s3(region));
    let s3 = S3Site::new(clients, session.s3control(&site.regions.primary), session.iam());
    s3.put_failover_switch(&site).await.context(FAILOVER)?;
    Ok(format!("http://{}/", site.website_host(Side::Backup)))
}

/// What a failback did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FailbackResult {
    /// What was copied to the primary, if the backup was the active side.
    pub leveled: Option<Leveled>,
    /// Whether visitors had been sent to the backup by hand.
    pub was_failed_over: bool,
}

/// Makes the primary the active side again, if the backup was, and leads visitors back to it. What was published while the backup was active
/// is copied to the primary first. DNS follows within minutes.
///
/// # Errors
/// The primary is unhealthy or out of sync, unless these checks are skipped; calls that failed. Repeating it finishes the rest.
pub async fn failback(site: &SiteContext, checks: FailbackChecks, run: &Run) -> Result<FailbackResult, Error> {
    let s3 = &site.services.s3;
    let rules = site.config.rules().context("use the configuration")?;
    let leveled = Box::pin(level_primary(&site.stores(), &rules, PublishOptions::default(), run)).await?;
    if !site.site.mode.public_buckets() {
        if leveled.is_some() {
            return Ok(FailbackResult { leveled, was_failed_over: false });
        }
        return Err(Error::usage(FAILBACK, "in mode `origin` CloudFront fails back by itself; there is no switch"));
    }
    let failed_over = s3.has_failover_switch(&site.site).await.context(FAILBACK)?;
    if failed_over && checks == FailbackChecks::Require {
        check_primary(site).await?;
    }
    if failed_over {
        s3.delete_failover_switch(&site.site).await.context(FAILBACK)?;
    }
    Ok(FailbackResult { leveled, was_failed_over: failed_over })
}

/// Fails if the primary is unhealthy or out of sync.
async fn check_primary(site: &SiteContext) -> Result<(), Error> {
    let force = "repair it first, or pass --force";
    let word = site.site.health_word();
    match Box::pin(site.get_website(Side::Primary, probe::HEALTH)).await {
        Ok(response) if response.status == 200 && String::from_utf8_lossy(&response.body).contains(&word) => {}
        Ok(response) => {
            let why = format!("the primary is unhealthy: HTTP status {}, or not this site's content", response.status);
            return Err(Error::refused(FAILBACK, why).hint(force));
        }
        Err(error) => {
            return Err(Error::refused(FAILBACK, format!("the primary does not respond: {error}")).hint(force));
        }
    }
    let compared = compare_buckets(&site.stores(), &Run::silent()).await.context(FAILBACK)?;
    // Objects that only the backup has may have been published while the primary was unavailable.
    let differences: Vec<_> = compared.differences.into_iter().chain(compared.foreign).collect();
    let Some(first) = differences.first() else { return Ok(()) };
    let count = differences.len();
    let why =
        format!("the buckets are out of sync: {}, first `{}` ({})", objects_differ(count), first.key, first.reason);
    Err(Error::refused(FAILBACK, why)
        .hint("list them with `twinsite verify`; deploy again with `twinsite deploy`, or pass --force"))
}
