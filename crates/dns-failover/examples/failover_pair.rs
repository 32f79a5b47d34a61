//! Creates a failover pair of CNAME records for an existing health check:
//! `cargo run --example failover_pair -- www.example.com primary.example.net backup.example.org HEALTH_CHECK_ID`.

use std::time::Duration;

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Deferred, Pair, Plan, Run, apply};
use twinsite_dns_failover::{DnsFailover, FailoverPair, FailoverTargets, choose_hosted_zone};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, primary, backup, check] = &arguments[..] else {
        anyhow::bail!("usage: failover_pair NAME PRIMARY_HOST BACKUP_HOST HEALTH_CHECK_ID");
    };
    let hosts = Pair::new(primary.parse()?, backup.parse()?).map(Deferred::Known);
    let pair = FailoverPair {
        name: name.parse()?,
        targets: FailoverTargets::Cname { hosts, ttl: Duration::from_mins(1) },
        checks: Pair::new(Some(Deferred::Known(check.parse()?)), None),
    };
    let dns = DnsFailover::new(Session::open(Access::default()).await?.route53());
    let zones = dns.list_hosted_zones().await?;
    let zone = choose_hosted_zone(&name.parse()?, &zones)?;
    let plan = Plan::new(pair.plan_changes(&dns.observe_records(zone, &pair.name).await?)?)?;
    if plan.is_empty() {
        println!("nothing to do");
    }
    for step in plan.steps() {
        println!("{} {}: {}", step.action.symbol(), step.id, step.reason);
    }
    apply(plan, &dns, &Run::silent()).await?;
    Ok(())
}
