//! Publishes a directory to one bucket, or to two: no CloudFront, DNS or configuration file.
//!
//! `cargo run -p twinsite-site --example deploy_to_bucket -- ./public s3://site 's3://backup?region=us-west-2'`

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::env;
use std::error::Error;

use twinsite_site::{Buckets, BucketsConfig, DeployRequest, DeployResult, Environment, Run, SourceOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [dir, primary, rest @ ..] = args.as_slice() else {
        return Err("usage: deploy_to_bucket DIRECTORY s3://PRIMARY [s3://BACKUP]".into());
    };
    let backup = rest.first().map(|url| url.parse()).transpose()?;
    let (config, run) = (BucketsConfig::default(), Run::silent());
    let buckets = Buckets::open(&primary.parse()?, backup.as_ref(), config, &Environment::default()).await?;
    let source = buckets.read(dir, SourceOptions::default()).await?;
    let prepared = buckets.prepare(source, DeployRequest::default(), &run).await?;
    if prepared.foreign_changes() > 0 {
        return Err("the bucket has objects of the same names that something else has published".into());
    }
    if let DeployResult::Published(published) = prepared.publish(&run).await? {
        println!("{} objects uploaded, {} unchanged", published.primary.put, published.primary.unchanged);
    }
    Ok(())
}
