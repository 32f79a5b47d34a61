//! Records and health checks against the embedded cloud.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod checks;
mod interrupted;
mod moto;
mod notice;
mod records;

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Applied, Deferred, Halted, Host, Mode, Pair, Plan, Run, Site, Step, apply};
use twinsite_dns_failover::{Change, Desired, DnsFailover, Observed, destroy_steps, steps};
use twinsite_local::Cloud;
use twinsite_local::route53::RecordSet;
use twinsite_local::{ACCOUNT, Delays};

const BRIEF: PollPolicy =
    PollPolicy { first: Duration::from_millis(1), most: Duration::from_millis(20), total: Duration::from_secs(5) };

fn want(domain: &str, mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let site = Site::new(domain.parse().unwrap(), mode, ACCOUNT.parse().unwrap(), regions).unwrap();
    Desired::new(site, Deferred::Known(Host("d111.cloudfront.net".into())))
}

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await
}

/// A cloud with the zone `example.com`.
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

async fn observed(dns: &DnsFailover, want: &Desired) -> Observed {
    let zone = dns.zone(want).await.unwrap().unwrap();
    dns.observe(want, &zone).await.unwrap()
}

async fn planned(dns: &DnsFailover, want: &Desired) -> Vec<Step<Change>> {
    steps(want, &observed(dns, want).await).unwrap()
}

async fn ids(dns: &DnsFailover, want: &Desired) -> Vec<String> {
    planned(dns, want).await.iter().map(|step| step.id.to_string()).collect()
}

async fn carried_out(dns: &DnsFailover, steps: Vec<Step<Change>>) -> Result<Applied, Halted<AwsError>> {
    apply(Plan::new(steps).unwrap(), dns, &Run::silent()).await
}

async fn applied(dns: &DnsFailover, want: &Desired) -> Result<Applied, Halted<AwsError>> {
    carried_out(dns, planned(dns, want).await).await
}

async fn destroyed(dns: &DnsFailover, want: &Desired) {
    let have = observed(dns, want).await;
    carried_out(dns, destroy_steps(want, &have, false).unwrap()).await.unwrap();
}

/// What the zone says, but for what every zone says.
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
