//! Copies to a backup bucket what it lacks, from bucket to bucket: `aws s3 sync s3://PRIMARY s3://BACKUP`, with metadata.
//!
//! ```console
//! cargo run --release --package twinsite-sync --example backfill -- primary us-east-1 backup us-west-2 [--dry-run]
//! ```
//!
//! Credentials and endpoints come from the SDK's default chain (`AWS_PROFILE`, `AWS_ENDPOINT_URL`, …).

use std::error::Error;

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Region, Run};
use twinsite_sync::{Rules, S3Store, replicate};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [primary, primary_region, backup, backup_region, rest @ ..] = args.as_slice() else {
        return Err("usage: backfill PRIMARY PRIMARY-REGION BACKUP BACKUP-REGION [--dry-run]".into());
    };
    let session = Session::open(Access::default()).await?;
    let store = |bucket: &str, region: &str| -> Result<S3Store, Box<dyn Error>> {
        Ok(S3Store::new(session.s3(&region.parse::<Region>()?), bucket))
    };
    let (primary, backup) = (store(primary, primary_region)?, store(backup, backup_region)?);

    let run = Run::silent();
    let compared = replicate::compare(&primary, &backup, &run).await?;
    for copy in &compared.copies {
        println!("{}: {}", copy.object.key, copy.cause);
    }
    if rest.iter().any(|arg| arg == "--dry-run") {
        return Ok(());
    }
    let filled = replicate::fill(compared, &primary, &backup, &Rules::web(), &run).await?;
    println!("{} objects copied, {} deleted", filled.copied, filled.deleted);
    Ok(())
}
