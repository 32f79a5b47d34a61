//! `twinsite releases`: what has been published so far.

use twinsite_core::{Run, Side};
use twinsite_sync::release::{self, Release};
use twinsite_sync::{ReleaseId, S3Store, SyncError};

use super::Outcome;
use crate::args::{Global, Releases};
use crate::error::Failure;
use crate::stack::Stack;

const WHAT: &str = "read the releases";

pub(crate) async fn releases(global: &Global, options: &Releases, run: &Run) -> Result<Outcome, Failure> {
    let stack = Stack::open(global, run).await?;
    let stores = stack.stores();
    // While the primary is gone the backup has the same records.
    let (mut store, mut all) = (&stores.primary, Box::pin(release::list(&stores.primary)).await);
    if all.is_err() {
        (store, all) = (stores.get(Side::Backup), Box::pin(release::list(&stores.backup)).await);
    }
    let all = all.map_err(|error| Failure::sync(WHAT, &error))?;
    match (&options.id, &options.other) {
        (None, _) => Ok(Outcome::Releases(all)),
        (Some(id), None) => Ok(Outcome::Release(Box::new(read(store, id).await?))),
        (Some(id), Some(other)) => {
            let (before, after) = (read(store, id).await?, read(store, other).await?);
            Ok(Outcome::Compared(release::compare(&before, &after)))
        }
    }
}

async fn read(store: &S3Store, id: &str) -> Result<Release, Failure> {
    let id: ReleaseId = id.parse().map_err(|invalid| Failure::usage(WHAT, invalid))?;
    find(store, id).await
}

/// A release that there must be.
pub(super) async fn find(store: &S3Store, id: ReleaseId) -> Result<Release, Failure> {
    let found = Box::pin(release::read(store, id)).await.map_err(|error: SyncError| Failure::sync(WHAT, &error))?;
    let hint = "see which there are: `twinsite releases`; how many are kept: publish.keep_releases";
    found
        .ok_or_else(|| Failure::usage(WHAT, format!("there is no release {id}, or it is not kept any more")).hint(hint))
}
