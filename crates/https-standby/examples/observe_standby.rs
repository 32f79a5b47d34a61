//! Prints what exists of a standby: `cargo run --example observe_standby -- www.example.com us-east-1 us-west-2`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Mode, Pair, Site};
use twinsite_https_standby::{Desired, HttpsStandby};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [domain, primary, backup] = &arguments[..] else {
        anyhow::bail!("usage: observe_standby DOMAIN PRIMARY_REGION BACKUP_REGION");
    };
    let session = Session::open(Access::default()).await?;
    let account = session.caller().await?.account;
    let site = Site::new(domain.parse()?, Mode::Layered, account, Pair::new(primary.parse()?, backup.parse()?))?;
    let region = &site.regions.backup;
    let standby = HttpsStandby::new(session.acm_in(region), session.api_gateway(region));
    println!("{:#?}", standby.observe(&Desired::new(site)).await?);
    Ok(())
}
