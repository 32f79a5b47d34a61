//! Publishes a directory to one bucket, with nothing around the engine: no backup, no releases, no lock.
//!
//! ```console
//! cargo run --release --package twinsite-sync --example publish -- ./public my-bucket us-east-1
//! ```
//!
//! Credentials come from where the SDK looks for them, and so does the address of a server that is not AWS
//! (`AWS_ENDPOINT_URL`). A file named at the end keeps digests, so that what was hashed once is not hashed again.

use std::error::Error;

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Region, Run};
use twinsite_sync::{Index, Options, Rules, S3Store, plan, transfer, walk};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what a program has to say")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(dir), Some(bucket), Some(region)) = (args.next(), args.next(), args.next()) else {
        return Err("usage: publish DIRECTORY BUCKET REGION [INDEX]".into());
    };
    let region: Region = region.parse()?;
    let session = Session::open(Access::default()).await?;
    let store = S3Store::new(session.s3(&region), bucket);
    let index = args.next().map_or_else(Index::memory, |file| Index::open(file.as_ref()));

    let (source, run) = (walk(dir, &Rules::web())?, Run::silent());
    let plan = plan(&source, &store, &Options::default(), &index, &run).await?;
    let report = transfer(plan, &store, &index, &run).await?;
    index.save()?;
    println!("{} put, {} rewritten, {} deleted, {} kept", report.put, report.rewritten, report.deleted, report.kept);
    Ok(())
}
