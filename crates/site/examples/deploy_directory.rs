//! Deploys a directory safely: lock, ordered transfer, backup, invalidation, release record.
//!
//! `cargo run -p twinsite-site --example deploy_directory -- www.example.com us-east-1 us-west-2 ./public`

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::sync::Arc;

use twinsite_site::{
    BackupState, Config, DeployRequest, DeployResult, Environment, Event, Pair, Run, SiteContext, SourceDirectory,
    Watch, deploy,
};

/// Prints warnings; progress is ignored.
struct Warnings;

impl Watch for Warnings {
    fn event(&self, event: &Event) {
        if let Event::Warning { text, .. } = event {
            eprintln!("warning: {text}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [domain, primary, backup, dir] = args.as_slice() else {
        return Err("usage: deploy_directory DOMAIN PRIMARY-REGION BACKUP-REGION DIRECTORY".into());
    };
    let config = Config::new(domain.parse()?, Pair::new(primary.parse()?, backup.parse()?));
    let source = SourceDirectory::read(&config, dir, None, None).await?;
    let site = SiteContext::open(config, Environment::default()).await?;
    let result = deploy(&site, source, &DeployRequest::default(), &Run::new(Arc::new(Warnings))).await?;
    if let DeployResult::Published(published) = &result {
        println!("{} objects uploaded, {} unchanged", published.primary.put, published.primary.unchanged);
        if published.backup.state != BackupState::InSync {
            return Err("the primary is published, but the backup is out of sync".into());
        }
    }
    Ok(())
}
