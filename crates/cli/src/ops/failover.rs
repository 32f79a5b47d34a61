//! `twinsite failover` and `failback`: by hand, through the data plane of the backup's region alone.

use twinsite_core::{AccountId, Run, Side, Site, probe};
use twinsite_s3_site::S3Site;

use super::{Outcome, verify};
use crate::args::{Failback, Global};
use crate::error::Failure;
use crate::stack::{Stack, config, open_session};

const OVER: &str = "send visitors to the backup";
const BACK: &str = "let visitors come back to the primary";

/// Puts the stop object. Nothing else is asked of AWS: not who we are, not what is there.
pub(crate) async fn failover(global: &Global) -> Result<Outcome, Failure> {
    let config = config(global)?;
    if !config.mode.public_buckets() {
        let why = "in mode `origin` CloudFront asks the backup by itself, request by request; there is no switch";
        return Err(Failure::usage(OVER, why));
    }
    let opened = open_session(global).await?;
    // The backup bears the domain, whoever owns it: the account is not needed for its name.
    let nobody: AccountId = "000000000000".parse().map_err(|invalid| Failure::usage(OVER, invalid))?;
    let site = Site::new(config.domain, config.mode, nobody, config.regions);
    let site = site.map_err(|invalid| Failure::usage(OVER, invalid))?;
    let clients = site.regions.as_ref().map(|region| opened.session.s3(region));
    let s3 = S3Site::new(clients, opened.session.s3control(&site.regions.primary), opened.session.iam());
    s3.stop(&site).await.map_err(|error| Failure::aws(OVER, &error))?;
    opened.keep()?;
    Ok(Outcome::FailedOver { backup: format!("http://{}/", site.website_host(Side::Backup)) })
}

/// Takes the stop object away, once the primary is well and level.
pub(crate) async fn failback(global: &Global, options: &Failback, run: &Run) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let (s3, site) = (&stack.services.s3, &stack.site);
    if !site.mode.public_buckets() {
        return Err(Failure::usage(BACK, "in mode `origin` they come back by themselves; there is no switch"));
    }
    let stopped = s3.is_stopped(site).await.map_err(|error| Failure::aws(BACK, &error))?;
    if stopped && !options.force {
        ready(&stack, global).await?;
    }
    if stopped {
        s3.resume(site).await.map_err(|error| Failure::aws(BACK, &error))?;
    }
    stack.keep()?;
    Ok(Outcome::FailedBack { was: stopped })
}

/// Fails while the primary is ill or behind.
async fn ready(stack: &Stack, global: &Global) -> Result<(), Failure> {
    let force = "mend it first, or say --force";
    let plane = stack.open_plane(global, 1).await?;
    let served = Box::pin(stack.visit(Side::Primary, probe::HEALTH)).await;
    if let Some(plane) = plane {
        plane.close().await;
    }
    let word = stack.site.health_word();
    match served {
        Ok(page) if page.status == 200 && String::from_utf8_lossy(&page.body).contains(&word) => {}
        Ok(page) => {
            let why = format!("the primary answers with HTTP status {}, and not with the site", page.status);
            return Err(Failure::new(BACK, why).hint(force));
        }
        Err(error) => return Err(Failure::new(BACK, format!("the primary does not answer: {error}")).hint(force)),
    }
    let differences = verify::with_each_other(&stack.stores(), &Run::silent()).await;
    let differences = differences.map_err(|error| Failure::sync(BACK, &error))?;
    // What is in the backup alone may have been published there while the primary was gone.
    let differences: Vec<_> = differences.differences.into_iter().chain(differences.foreign).collect();
    match differences.first() {
        None => Ok(()),
        Some(first) => {
            let why = format!(
                "the primary is not level with the backup: {} objects differ, first `{}` ({})",
                differences.len(),
                first.key,
                first.why
            );
            Err(Failure::new(BACK, why)
                .hint("see them all with `twinsite verify`; publish again with `twinsite deploy`, or say --force"))
        }
    }
}
