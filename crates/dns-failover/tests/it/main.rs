//! Records and health checks against the embedded cloud.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod alerts;
mod checks;
mod interrupted;
mod moto;
mod pair;
mod records;

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Applied, Deferred, Halted, Mode, Pair, Plan, Run, Site, Step, apply};
use twinsite_dns_failover::{
    Actual, Change, Desired, DnsFailover, ValidationRecordUse, plan_changes, plan_destruction,
};
use twinsite_local::Cloud;
use twinsite_local::route53::RecordSet;
use twinsite_local::{ACCOUNT, Delays};

const BRIEF: PollPolicy =
    PollPolicy { first: Duration::from_millis(1), most: Duration::from_millis(20), total: Duration::from_secs(5) };

fn desired(domain: &str, mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let site = Site::new(domain.parse().unwrap(), mode, ACCOUNT.parse().unwrap(), regions).unwrap();
    Desired::new(site, Deferred::Known("d111.cloudfront.net".parse().unwrap()))
}

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await.unwrap()
}

/// An embedded cloud with the zone `example.com`.
async fn cloud() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    let route53 = session(&cloud).await.route53();
    route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap();
    cloud
}

async fn dns(cloud: &Cloud) -> DnsFailover {
    DnsFailover::new(session(cloud).await.route53()).polling(BRIEF)
}

async fn observed(dns: &DnsFailover, desired: &Desired) -> Actual {
    let zone = dns.find_zone(desired).await.unwrap();
    dns.observe(desired, &zone).await.unwrap()
}

async fn planned(dns: &DnsFailover, desired: &Desired) -> Vec<Step<Change>> {
    plan_changes(desired, &observed(dns, desired).await).unwrap()
}

async fn ids(dns: &DnsFailover, desired: &Desired) -> Vec<String> {
    planned(dns, desired).await.iter().map(|step| step.id.to_string()).collect()
}

async fn apply_steps(dns: &DnsFailover, steps: Vec<Step<Change>>) -> Result<Applied, Halted<AwsError>> {
    apply(Plan::new(steps).unwrap(), dns, &Run::silent()).await
}

async fn applied(dns: &DnsFailover, desired: &Desired) -> Result<Applied, Halted<AwsError>> {
    apply_steps(dns, planned(dns, desired).await).await
}

async fn destroyed(dns: &DnsFailover, desired: &Desired) {
    let actual = observed(dns, desired).await;
    apply_steps(dns, plan_destruction(desired, &actual, &ValidationRecordUse::Exclusive).unwrap()).await.unwrap();
}

/// The record sets of the zone, except NS and SOA.
fn sets(cloud: &Cloud) -> Vec<RecordSet> {
    cloud.world().account(|account, _| {
        let zone = account.route53.zones().next().unwrap();
        let sets = zone.records().filter(|set| !["NS", "SOA"].contains(&set.r#type.as_str()));
        sets.cloned().collect()
    })
}

fn checks(cloud: &Cloud) -> usize {
    cloud.world().account(|account, _| account.route53.checks().count())
}
