//! Prints the plan of a site as JSON, and what the site costs. Read-only.
//!
//! `cargo run -p twinsite-site --example plan_site -- www.example.com us-east-1 us-west-2`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;

use twinsite_site::{AdoptBuckets, Config, Environment, Pair, Run, SiteContext, estimate, plan};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [domain, primary, backup] = args.as_slice() else {
        return Err("usage: plan_site DOMAIN PRIMARY-REGION BACKUP-REGION".into());
    };
    let config = Config::new(domain.parse()?, Pair::new(primary.parse()?, backup.parse()?));
    let site = SiteContext::open(config, Environment::default()).await?;
    let planned = plan(&site, AdoptBuckets::Refuse, &Run::silent()).await?;
    println!("{}", serde_json::to_string_pretty(&planned.summary())?);
    eprintln!("about ${:.2} a month at list prices", estimate(&site).monthly_usd);
    Ok(())
}
