//! Invalidates paths of a distribution: `cargo run --example invalidate_paths -- E2EXAMPLE /index.html '/assets/*'`.

use anyhow::Context;
use twinsite_aws_session::{Access, Session};
use twinsite_cdn::{InvalidationPaths, invalidate};
use twinsite_core::Run;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let distribution = arguments.next().context("usage: invalidate_paths DISTRIBUTION PATH...")?.parse()?;
    let paths = InvalidationPaths::parse(arguments)?;
    let client = Session::open(Access::default()).await?.cloudfront();
    // Repeating the command with the same paths is the same invalidation.
    let reference = paths.as_slice().join(" ");
    match invalidate(&client, &distribution, &paths, &reference, &Run::silent()).await? {
        Some(created) => println!("invalidation {} of {} paths", created.id, created.paths),
        None => println!("no paths"),
    }
    Ok(())
}
