//! Creates two replicated website buckets, or brings them into the desired state:
//! `cargo run --example create_pair -- www.example.com us-east-1 us-west-2`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Mode, Pair, Plan, Run, Site, apply};
use twinsite_s3_site::{Desired, S3Site, plan_changes};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [domain, primary, backup] = &arguments[..] else {
        anyhow::bail!("usage: create_pair DOMAIN PRIMARY_REGION BACKUP_REGION");
    };
    let session = Session::open(Access::default()).await?;
    let regions = Pair::new(primary.parse()?, backup.parse()?);
    let site = Site::new(domain.parse()?, Mode::Dns, session.caller().await?.account, regions)?;
    let s3 = site.regions.as_ref().map(|region| session.s3(region));
    let buckets = S3Site::new(s3, session.s3control(&site.regions.primary), session.iam());
    let desired = Desired::new(site);
    let plan = Plan::new(plan_changes(&desired, &buckets.observe(&desired).await?)?)?;
    for step in plan.steps() {
        println!("{} {}: {}", step.action.symbol(), step.id, step.reason);
    }
    let applied = apply(plan, &buckets, &Run::silent()).await?;
    println!("{} steps completed", applied.done.len());
    Ok(())
}
