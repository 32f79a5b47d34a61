//! Prints the settings of a site's buckets that differ from the desired ones. Changes nothing:
//! `cargo run --example check_drift -- www.example.com us-east-1 us-west-2`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Change, Mode, Pair, Site};
use twinsite_s3_site::{Desired, S3Site, plan_changes};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [domain, primary, backup] = &arguments[..] else {
        anyhow::bail!("usage: check_drift DOMAIN PRIMARY_REGION BACKUP_REGION");
    };
    let session = Session::open(Access::default()).await?;
    let regions = Pair::new(primary.parse()?, backup.parse()?);
    let site = Site::new(domain.parse()?, Mode::Dns, session.caller().await?.account, regions)?;
    let s3 = site.regions.as_ref().map(|region| session.s3(region));
    let buckets = S3Site::new(s3, session.s3control(&site.regions.primary), session.iam());
    let desired = Desired::new(site);
    for step in plan_changes(&desired, &buckets.observe(&desired).await?)? {
        println!("{}: {}", step.id, step.reason);
        for field in step.change.fields() {
            println!("    {field}");
        }
    }
    Ok(())
}
