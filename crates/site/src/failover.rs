//! Failover and failback by hand. Under HTTPS, a value in a key value store says from which origin edges of CloudFront serve visitors
//! (`origin.rs`); where DNS leads, an object in the backup bucket says (the failover switch). Neither needs a control plane or the primary.

mod origin;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_aws_session::Session;
use twinsite_cdn::OriginChoice;
use twinsite_core::{AccountId, Event, Mode, Run, Side, Site, probe};
use twinsite_s3_site::S3Site;

use crate::active_side::{Leveled, level_primary};
use crate::config::Config;
use crate::context::{Environment, SESSION, SiteContext};
use crate::error::{Context, Error};
use crate::network::{ProbeRequest, Scheme};
use crate::options::PublishOptions;
use crate::unfinished::warn;
use crate::verify::compare_buckets;
use origin::SiteStore;

pub(crate) use origin::read_origin_choice;

const FAILOVER: &str = "fail over to the backup";
const FAILBACK: &str = "fail back to the primary";

/// By what visitors are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailoverBy {
    /// By what the mode has: the origin that CloudFront serves from in `origin` and `layered`, DNS in `dns`.
    #[default]
    Mode,
    /// By DNS, also in `layered`: for an outage of CloudFront itself.
    Dns,
}

/// Whether a failback requires that the primary is healthy and in sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailbackChecks {
    /// It does.
    #[default]
    Require,
    /// The state of the primary is ignored.
    Skip,
}

/// What [`failback`] is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailbackRequest {
    /// By what visitors are moved.
    pub by: FailoverBy,
    /// Whether the primary must be healthy and in sync.
    pub checks: FailbackChecks,
    /// How many of a hundred visitors the primary serves again; `None` for all.
    pub percent: Option<u8>,
}

/// By what visitors were moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MovedBy {
    /// By the key value store: edges of CloudFront serve from the other origin, within seconds, over HTTPS.
    KeyValueStore,
    /// By the failover switch: DNS leads to the other bucket, within minutes, over HTTP.
    SwitchObject,
}

/// The result of [`failover`] and [`failback`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Moved {
    /// By what visitors were moved.
    pub by: MovedBy,
    /// Whether anything was changed; false if it had been done before.
    pub changed: bool,
    /// How many of a hundred visitors the primary serves: 0 after a failover, 100 after a failback.
    pub primary_percent: u8,
    /// What was seen over HTTPS afterwards; `null` if the site was not requested.
    pub seen: Option<SeenOverHttps>,
    /// Whether edges were told to forget what they hold; `null` if visitors are moved by DNS, or nothing was changed.
    pub invalidation: Option<EdgeInvalidation>,
}

/// What an edge of CloudFront answered over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SeenOverHttps {
    /// From which origin it serves: `primary`, `backup` or a percentage such as `10% primary`.
    pub origin: String,
    /// The HTTP status of the front page; `null` without a response.
    pub page_status: Option<u16>,
    /// The seconds until the edge followed.
    pub seconds: u64,
}

/// Whether edges were told to forget what they hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EdgeInvalidation {
    /// CloudFront has accepted the invalidation.
    Accepted,
    /// It could not be asked for: what edges hold stays until its age.
    NotAccepted {
        /// Why.
        reason: String,
    },
}

impl Moved {
    fn by_dns(changed: bool, primary_percent: u8) -> Self {
        Self { by: MovedBy::SwitchObject, changed, primary_percent, seen: None, invalidation: None }
    }
}

/// The result of [`failover`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedOver {
    /// The address at which visitors are served by the backup.
    pub backup: String,
    /// How they were moved.
    #[serde(flatten)]
    pub moved: Moved,
}

/// Sends visitors to the backup.
///
/// In `origin` and `layered`, it puts a value into the site's key value store, and waits until an edge follows. It needs the backup's
/// region and the store's data plane alone; an invalidation is asked for if CloudFront's control plane responds.
///
/// In `dns`, and with [`FailoverBy::Dns`], it puts the failover switch object into the backup bucket. A health check polls it, so that DNS
/// leads to the backup within minutes. This is the only request: the account is not determined and no state is read.
///
/// # Errors
/// [`FailoverBy::Dns`] in mode `origin`, which has no DNS failover; a store that is not found or is not this site's; calls that failed; an
/// edge that does not follow.
pub async fn failover(
    config: &Config,
    environment: Environment,
    by: FailoverBy,
    run: &Run,
) -> Result<FailedOver, Error> {
    match (config.mode, by) {
        (Mode::Origin, FailoverBy::Dns) => Err(no_dns(FAILOVER)),
        (Mode::Dns, _) | (Mode::Layered, FailoverBy::Dns) => put_switch_object(config, &environment).await,
        (Mode::Origin | Mode::Layered, FailoverBy::Mode) => {
            let site = Box::pin(SiteContext::open_without_primary(config.clone(), environment)).await?;
            let recorded = site.services.s3.recorded_store(&site.site).await;
            if let Err(error) = &recorded
                && error.is_unavailable()
            {
                let why = format!("the backup cannot be reached, so that visitors would get nothing: {error}");
                return Err(Error::refused(FAILOVER, why).hint("see what is up: `twinsite status`"));
            }
            let store = Box::pin(SiteStore::find_by(recorded, &site, FAILOVER, run)).await?;
            let moved = Box::pin(store.serve_from(OriginChoice::Backup, run)).await?;
            Ok(FailedOver { backup: site.url(), moved })
        }
    }
}

/// Has visitors served by the backup, also once the primary can be reached again: it lacks what was just published. `None` if they are
/// already.
///
/// # Errors
/// As [`failover`].
pub(crate) async fn keep_visitors_at_backup(site: &SiteContext, run: &Run) -> Result<Option<Moved>, Error> {
    if site.site.mode == Mode::Dns {
        let s3 = &site.services.s3;
        if s3.has_failover_switch(&site.site).await.context(FAILOVER)? {
            return Ok(None);
        }
        s3.put_failover_switch(&site.site).await.context(FAILOVER)?;
        return Ok(Some(Moved::by_dns(true, 0)));
    }
    let store = Box::pin(SiteStore::find(site, FAILOVER, run)).await?;
    if store.choice() == OriginChoice::Backup {
        return Ok(None);
    }
    Box::pin(store.serve_from(OriginChoice::Backup, run)).await.map(Some)
}

/// After a publish to the backup alone: the primary must not get the visitors back until it has the release.
pub(crate) async fn keep_visitors(site: &SiteContext, run: &Run) -> Option<Moved> {
    match Box::pin(keep_visitors_at_backup(site, run)).await {
        Ok(moved) => moved,
        Err(error) => {
            let text =
                format!("visitors get the older release of the primary as soon as it can be reached: {}", error.cause);
            warn(run, text, "send them to the backup: `twinsite failover`");
            None
        }
    }
}

fn no_dns(operation: &str) -> Error {
    Error::usage(
        operation,
        "in mode `origin` there is no DNS failover; without --dns, CloudFront serves from the backup",
    )
}

async fn put_switch_object(config: &Config, environment: &Environment) -> Result<FailedOver, Error> {
    let session = Session::open(environment.access.clone()).await.context(SESSION)?;
    // In these modes the backup bucket is named after the domain, so the account is not needed for its name.
    let account: AccountId = "000000000000".parse::<AccountId>().context(FAILOVER)?;
    let site = Site::new(config.domain.clone(), config.mode, account, config.regions.clone()).context(FAILOVER)?;
    let clients = site.regions.as_ref().map(|region| session.s3(region));
    let s3 = S3Site::new(clients, session.s3control(&site.regions.primary), session.iam());
    s3.put_failover_switch(&site).await.context(FAILOVER)?;
    Ok(FailedOver { backup: format!("http://{}/", site.website_host(Side::Backup)), moved: Moved::by_dns(true, 0) })
}

/// The result of [`failback`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedBack {
    /// Whether the site was failed over.
    pub was_failed_over: bool,
    /// What was copied to the primary, if the backup was the active side.
    pub leveled: Option<Leveled>,
    /// How visitors were moved.
    #[serde(flatten)]
    pub moved: Moved,
}

/// Makes the primary the active side again, if the backup was, and sends visitors back to it: all of them, or a share. What was published
/// while the backup was active is copied to the primary first. In `layered`, all of them means by both ways of failing over.
///
/// # Errors
/// The primary is unhealthy or out of sync, unless these checks are skipped; a percentage that is none, or where DNS moves visitors; calls
/// that failed; an edge that does not follow.
pub async fn failback(site: &SiteContext, request: FailbackRequest, run: &Run) -> Result<FailedBack, Error> {
    let FailbackRequest { by, checks, percent } = request;
    let mode = site.site.mode;
    if mode == Mode::Origin && by == FailoverBy::Dns {
        return Err(no_dns(FAILBACK));
    }
    let is_by_dns = mode == Mode::Dns || by == FailoverBy::Dns;
    if is_by_dns && percent.is_some() {
        return Err(Error::usage(FAILBACK, "--percent is for CloudFront: DNS leads every visitor to the same side"));
    }
    let choice = match percent {
        None => OriginChoice::Primary,
        Some(percent) => OriginChoice::of_percent(percent)
            .filter(|choice| *choice != OriginChoice::Backup)
            .ok_or_else(|| Error::usage(FAILBACK, format!("--percent {percent} is not between 1 and 100")))?,
    };
    let rules = site.config.rules().context("use the configuration")?;
    let leveled = match Box::pin(level_primary(&site.stores(), &rules, PublishOptions::default(), run)).await {
        Err(error) if checks == FailbackChecks::Skip && error.is_unreachable() => {
            let text =
                format!("what was published to the backup alone, if anything was, is not copied: {}", error.cause);
            let hint = Some("repeat `twinsite failback` once both buckets can be reached".to_owned());
            run.emit(&Event::Warning { text, hint });
            None
        }
        leveled => leveled?,
    };
    let s3 = &site.services.s3;
    let has_switch = if mode.public_buckets() {
        match s3.has_failover_switch(&site.site).await {
            Err(error) if checks == FailbackChecks::Skip && error.is_unavailable() => false,
            has_switch => has_switch.context(FAILBACK)?,
        }
    } else {
        false
    };
    if has_switch && percent.is_some() {
        let why = "DNS leads all visitors to the backup, past CloudFront";
        return Err(Error::refused(FAILBACK, why).hint("fail back by DNS first: `twinsite failback --dns`"));
    }
    let store = if is_by_dns { None } else { Some(Box::pin(SiteStore::find(site, FAILBACK, run)).await?) };
    let is_away = store.as_ref().is_some_and(|store| store.choice() != OriginChoice::Primary);
    let was_failed_over = has_switch || is_away;
    if was_failed_over && checks == FailbackChecks::Require {
        check_primary(site, run).await?;
    }
    if has_switch {
        s3.delete_failover_switch(&site.site).await.context(FAILBACK)?;
    }
    let moved = match store {
        // A share of visitors would be led away from a primary that serves all of them.
        Some(store) if is_away => Box::pin(store.serve_from(choice, run)).await?,
        Some(_) if !has_switch => Moved { by: MovedBy::KeyValueStore, ..Moved::by_dns(false, 100) },
        Some(_) | None => Moved::by_dns(has_switch, 100),
    };
    Ok(FailedBack { was_failed_over, leveled, moved })
}

/// A health check of Route 53 counts a later answer as none.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
const TIMELY: Duration = Duration::from_secs(4);

/// Fails if the primary is unhealthy, slow or out of sync.
async fn check_primary(site: &SiteContext, run: &Run) -> Result<(), Error> {
    let force = "repair it first, or pass --force";
    let word = site.site.health_word();
    let started = run.timer.now();
    let response = match site.site.mode {
        Mode::Dns | Mode::Layered => Box::pin(site.get_website(Side::Primary, probe::HEALTH)).await,
        Mode::Origin => {
            let (host, path) = (site.site.domain.as_str(), format!("/{}", probe::key_of(Side::Primary)));
            Box::pin(site.get_from_host(ProbeRequest { host, path: &path, scheme: Scheme::Https })).await
        }
    };
    let took = run.timer.now().saturating_sub(started);
    match response {
        Ok(response) if response.status == 200 && String::from_utf8_lossy(&response.body).contains(&word) => {
            if took > TIMELY {
                let why = format!("the primary is slow: it answered after {} s", took.as_secs());
                return Err(Error::refused(FAILBACK, why).hint(force));
            }
        }
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
    let differences = compared.differences.into_iter().chain(compared.foreign);
    // Records of twinsite's own are no matter of visitors.
    let differences: Vec<_> = differences.filter(|one| !one.key.starts_with(twinsite_sync::PRIVATE)).collect();
    let Some(first) = differences.first() else { return Ok(()) };
    let count = differences.len();
    let why = format!(
        "the buckets are out of sync: {}, first `{}` ({})",
        twinsite_sync::objects_differ(count),
        first.key,
        first.reason
    );
    Err(Error::refused(FAILBACK, why)
        .hint("list them with `twinsite verify`; deploy again with `twinsite deploy`, or pass --force"))
}
