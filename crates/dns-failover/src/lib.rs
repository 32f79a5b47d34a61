//! DNS failover for a site: health checks, and the records that follow them; observed, planned and brought into the wanted
//! state. And how long a failover takes.
//!
//! ```
//! use twinsite_dns_failover::{HostedZone, choose_zone};
//!
//! let zone = HostedZone { id: "Z1".into(), name: "example.com.".into(), private: false };
//! let zones = [zone];
//! assert_eq!(choose_zone(&"www.example.com".parse()?, &zones)?.id, "Z1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```no_run
//! # async fn example(client: aws_sdk_route53::Client, site: twinsite_core::Site, host: twinsite_core::Host)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use twinsite_core::{Later, Plan, Run, apply};
//! use twinsite_dns_failover::{Desired, DnsFailover, steps};
//!
//! let (dns, want) = (DnsFailover::new(client), Desired::new(site, Later::Known(host)));
//! let zone = dns.zone(&want).await??;
//! let plan = Plan::new(steps(&want, &dns.observe(&want, &zone).await?)?)?;
//! apply(plan, &dns, &Run::silent()).await?;
//! # Ok(()) }
//! ```
//!
//! It never changes a record set that another routing policy made, nor a health check of another site. Plain records of the
//! name are replaced, which the plan says.

mod apply;
mod budget;
mod change;
mod choose;
mod health;
pub mod look;
pub mod notice;
mod problem;
mod records;
mod want;
mod zone;

pub use budget::{Budget, Settings, budget};
pub use change::{Change, Goner};
pub use choose::{HostedZone, NoZone, choose_zone};
pub use health::{Check, Role, Spec, Watched};
pub use problem::{Problem, Unfit};
pub use records::{Answer, Failover, PROOF, Protection, Routing, STEP, Set, Target, Wanted, Zone};
pub use want::Desired;
pub use zone::{CLOUDFRONT_ALIAS_ZONE, UnknownZone, website_alias_zone};

use std::collections::BTreeMap;

use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Deferred, ResourceId, Step};

/// Route 53, and how long to poll.
#[derive(Clone, Debug)]
pub struct DnsFailover {
    client: aws_sdk_route53::Client,
    polling: PollPolicy,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The hosted zone, and what it says about the name.
    pub zone: Zone,
    /// The site's health checks.
    pub checks: Vec<Check>,
}

impl DnsFailover {
    /// A client of Route 53.
    pub fn new(client: aws_sdk_route53::Client) -> Self {
        Self { client, polling: PollPolicy::MINUTES }
    }

    /// The same, with other polling intervals and deadlines.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }

    /// The hosted zone of the site: the one that was named, or the one with the longest name that holds the domain.
    ///
    /// # Errors
    /// [`AwsError`] when zones could not be listed; within, [`Problem`] when none or several fit.
    pub async fn zone(&self, want: &Desired) -> Result<Result<HostedZone, Problem>, AwsError> {
        let zones = records::Calls { client: &self.client }.list_hosted_zones().await?;
        let Some(id) = &want.zone else {
            return Ok(choose_zone(&want.site.domain, &zones).cloned().map_err(Problem::NoZone));
        };
        let named: Vec<HostedZone> = zones.into_iter().filter(|zone| zone.id == *id).collect();
        let wrong = |_| Problem::WrongZone { id: id.clone(), domain: want.site.domain.clone() };
        Ok(choose_zone(&want.site.domain, &named).cloned().map_err(wrong))
    }

    /// What is there.
    ///
    /// # Errors
    /// [`AwsError`] when something could not be looked at.
    pub async fn observe(&self, want: &Desired, zone: &HostedZone) -> Result<Observed, AwsError> {
        let (sets, checks) = (records::Calls { client: &self.client }, health::Calls { client: &self.client });
        let (zone, checks) = try_join!(Box::pin(sets.observe(want, zone)), Box::pin(checks.observe(want)))?;
        Ok(Observed { zone, checks })
    }
}

impl DnsFailover {
    /// Which of the site's checks are healthy, as the checkers see it now. Route 53 asks not to be asked often: five times a
    /// second, all callers of an account together.
    ///
    /// # Errors
    /// [`AwsError`] when it could not be looked at.
    pub async fn verdicts(&self, checks: &[Check]) -> Result<BTreeMap<Role, bool>, AwsError> {
        let reports = health::Calls { client: &self.client }.reports(checks).await?;
        Ok(health::verdicts(checks, &reports))
    }

    /// The names of the name servers of a hosted zone.
    ///
    /// # Errors
    /// [`AwsError`] when the zone could not be looked at.
    pub async fn name_servers(&self, zone: &str) -> Result<Vec<String>, AwsError> {
        records::Calls { client: &self.client }.name_servers(zone).await
    }
}

/// The steps that bring checks and records into the wanted state.
///
/// # Errors
/// [`Unfit`] with what stands in the way; nothing should be changed then.
pub fn steps(want: &Desired, have: &Observed) -> Result<Vec<Step<Change>>, Unfit> {
    let chosen = health::steps(want, &have.checks);
    let more = records::steps(want, &have.zone, |role| chosen.id(role)).map_err(|problem| Unfit(vec![problem]))?;
    let problems = records::hindrances(&have.zone, &more);
    if problems.is_empty() { Ok(chosen.steps.into_iter().chain(more).collect()) } else { Err(Unfit(problems)) }
}

/// The health checks that there are once the steps are done.
pub fn check_ids(want: &Desired, have: &Observed) -> Vec<(Role, Deferred<ResourceId>)> {
    let chosen = health::steps(want, &have.checks);
    Role::ALL.into_iter().filter_map(|role| Some((role, chosen.id(role)?))).collect()
}

/// The steps that take our records and checks away. `keep_proof` when another certificate needs the record that proves the name.
///
/// # Errors
/// [`Unfit`] when record sets are protected; nothing should be changed then.
pub fn destroy_steps(want: &Desired, have: &Observed, keep_proof: bool) -> Result<Vec<Step<Change>>, Unfit> {
    let mut steps = records::destroy(want, &have.zone, keep_proof);
    let problems = records::hindrances(&have.zone, &steps);
    if !problems.is_empty() {
        return Err(Unfit(problems));
    }
    steps.extend(health::destroy(&have.checks));
    Ok(steps)
}
