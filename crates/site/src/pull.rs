//! Pull: the objects of a release, or of a bucket, are written into a directory.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Pair, Run};
use twinsite_sync::download::{DownloadPlan, download, plan_download};
use twinsite_sync::release::{self, Release};
use twinsite_sync::{Interrupted, ReleaseId, Report, S3Store, Store, StoredObject, SyncError};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::purge::leave_out_purged;
use crate::releases::{active_of, parse_id};
use crate::response_limit::in_time;
use crate::scoped_stores::BucketStore;

const OPERATION: &str = "pull the site";

/// What is pulled, and to where.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// The directory; it is created if it is missing.
    pub dir: PathBuf,
    /// The id of the release; the live one if `None` or, of a bucket without releases, its current objects.
    pub release: Option<String>,
    /// What becomes of files that exist and have other bytes.
    pub existing: ExistingFiles,
}

/// What becomes of files that exist and have other bytes than their objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingFiles {
    /// Nothing is pulled if there is one.
    #[default]
    Refuse,
    /// They are replaced.
    Replace,
}

/// A pull that was planned.
#[derive(Debug)]
pub struct PullPlan {
    dir: PathBuf,
    existing: ExistingFiles,
    release: Option<ReleaseId>,
    /// The stores that may have the objects, in the order in which they are asked.
    stores: Vec<S3Store>,
    redirects: usize,
    plan: DownloadPlan,
}

/// A planned pull as a result.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PullPlanSummary {
    /// The directory.
    pub directory: String,
    /// The release; `null` of a bucket without releases.
    pub release: Option<u64>,
    /// Keys of objects whose files do not exist.
    pub new: Vec<String>,
    /// Keys of objects whose files exist and have other bytes; replaced with `--force` only.
    pub replaced: Vec<String>,
    /// The number of files that have the bytes of their objects.
    pub unchanged: usize,
    /// Bytes to download.
    pub bytes: u64,
    /// Objects that cannot be files.
    pub left_out: Vec<LeftOutObject>,
    /// The number of redirect objects, which are no files.
    pub redirects: usize,
}

/// An object that cannot be a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct LeftOutObject {
    /// The key.
    pub key: String,
    /// Why.
    pub reason: String,
}

/// What a pull did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PullResult {
    /// The directory.
    pub directory: String,
    /// The release; `null` of a bucket without releases.
    pub release: Option<u64>,
    /// The number of files that were written.
    pub written: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of files that had the bytes of their objects.
    pub unchanged: usize,
    /// Objects that cannot be files.
    pub left_out: Vec<LeftOutObject>,
    /// The number of redirect objects, which are no files.
    pub redirects: usize,
    /// Keys of objects that no bucket has any more as the release names them.
    pub missing: Vec<String>,
}

/// Plans to write a release into a directory. Read-only.
///
/// # Errors
/// There is no such release; neither bucket, or the directory, could be read.
pub async fn plan_pull(site: &SiteContext, request: PullRequest, run: &Run) -> Result<PullPlan, Error> {
    Box::pin(plan_pull_of(&site.stores(), request, run)).await
}

/// [`plan_pull`] for any pair of buckets.
pub(crate) async fn plan_pull_of(
    stores: &Pair<BucketStore>,
    request: PullRequest,
    run: &Run,
) -> Result<PullPlan, Error> {
    let PullRequest { dir, release, existing } = request;
    let wanted = release.as_deref().map(parse_id).transpose()?;
    let active = active_of(stores, run).await;
    let mut order = vec![stores.get(active).clone()];
    if stores.primary.bucket() != stores.backup.bucket() {
        order.push(stores.get(active.other()).clone());
    }
    let (mut found, mut failed) = (None, None);
    for store in &order {
        match in_time(run, Box::pin(find_release(store, wanted))).await.map_err(SyncError::from).and_then(|read| read) {
            Ok(Some(release)) => {
                found = Some(release);
                break;
            }
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
        run.check().context(OPERATION)?;
    }
    let (release, objects, redirects) = match (found, failed, wanted) {
        (Some(release), ..) => {
            let count = release.entries.len();
            let objects = objects_of(&release);
            let redirects = count - objects.len();
            (Some(release.summary.id), objects, redirects)
        }
        (None, Some(error), _) => return Err(Error::new(OPERATION, error)),
        (None, None, Some(id)) => {
            return Err(Error::usage(OPERATION, format!("release {id} does not exist, or is no longer kept"))
                .hint("list the releases: `twinsite releases`"));
        }
        (None, None, None) => (None, Box::pin(current_objects(stores.get(active), run)).await.context(OPERATION)?, 0),
    };
    let (into, prefix) = (dir.clone(), stores.primary.prefix().cloned());
    let plan = tokio::task::spawn_blocking(move || plan_download(objects, &into, prefix)).await;
    let plan = plan.map_err(std::io::Error::from).context(OPERATION)?.context(OPERATION)?;
    let stores = order.iter().map(|store| store.whole().clone()).collect();
    Ok(PullPlan { dir, existing, release, stores, redirects, plan })
}

impl PullPlan {
    /// The plan as a result.
    pub fn summary(&self) -> PullPlanSummary {
        let keys = |objects: &[StoredObject]| objects.iter().map(|object| object.key.to_string()).collect();
        let DownloadPlan { new, replaced, unchanged, .. } = &self.plan;
        PullPlanSummary {
            directory: self.dir.display().to_string(),
            release: self.release.map(|id| id.0),
            new: keys(new),
            replaced: keys(replaced),
            unchanged: *unchanged,
            bytes: new.iter().chain(replaced).map(|object| object.size).sum(),
            left_out: self.left_out(),
            redirects: self.redirects,
        }
    }

    fn left_out(&self) -> Vec<LeftOutObject> {
        let left_out = self.plan.left_out.iter();
        left_out.map(|one| LeftOutObject { key: one.key.to_string(), reason: one.reason.clone() }).collect()
    }
}

/// Writes a release into a directory. Files that have the bytes of their objects are left as they are.
///
/// # Errors
/// Files exist and have other bytes, and are not to be replaced; what failed, and how much was done before. Pulling again finishes the rest.
pub async fn pull(plan: PullPlan, run: &Run) -> Result<PullResult, Error> {
    if let Some(first) = plan.plan.replaced.first().filter(|_| plan.existing == ExistingFiles::Refuse) {
        let why = match plan.plan.replaced.len() {
            1 => format!("the file `{}` exists and has other content; nothing was written", first.key),
            count => {
                format!("{count} files exist and have other content, among them `{}`; nothing was written", first.key)
            }
        };
        return Err(Error::refused(OPERATION, why).hint("choose an empty directory, or replace them with --force"));
    }
    let left_out = plan.left_out();
    let PullPlan { dir, release, stores, redirects, plan, .. } = plan;
    let unchanged = plan.unchanged;
    let report = Box::pin(download(plan, &stores, &dir, run)).await.context(OPERATION)?;
    if !report.failed.is_empty() {
        let done = Report { put: report.written, bytes: report.bytes, ..Report::default() };
        return Err(Error::new(OPERATION, Interrupted { report: done, failed: report.failed, left: 0 }));
    }
    Ok(PullResult {
        directory: dir.display().to_string(),
        release: release.map(|id| id.0),
        written: report.written,
        bytes: report.bytes,
        unchanged,
        left_out,
        redirects,
        missing: report.gone.iter().map(ToString::to_string).collect(),
    })
}

/// A release without what was purged since; the newest unless one is named.
async fn find_release(store: &BucketStore, wanted: Option<ReleaseId>) -> Result<Option<Release>, SyncError> {
    let id = match wanted {
        Some(id) => Some(id),
        None => release::list_ids(store).await?.last().copied(),
    };
    let Some(id) = id else { return Ok(None) };
    let Some(mut release) = Box::pin(release::read(store, id)).await? else { return Ok(None) };
    leave_out_purged(store, &mut release).await?;
    Ok(Some(release))
}

/// The objects of a release that have bytes of their own.
fn objects_of(release: &Release) -> Vec<StoredObject> {
    let files = release
        .entries
        .iter()
        .filter(|entry| !entry.key.is_redirect_table() && release.headers(entry).website_redirect.is_none());
    let object = |entry: &release::Entry| StoredObject {
        key: entry.key.clone(),
        version: entry.version.clone(),
        etag: entry.etag.clone(),
        size: entry.size,
    };
    files.map(object).collect()
}

/// The current objects of a bucket, without what twinsite keeps in it.
async fn current_objects(store: &BucketStore, run: &Run) -> Result<Vec<StoredObject>, SyncError> {
    let mut objects = Vec::new();
    let mut after: Option<String> = None;
    loop {
        run.check()?;
        let page = store.page(after.as_deref()).await?;
        after = page.objects.last().map(|object| object.key.as_str().to_owned());
        let visible = page.objects.into_iter().filter(|object| !object.key.is_reserved());
        objects.extend(visible.map(|object| StoredObject {
            key: object.key,
            version: None,
            etag: object.etag,
            size: object.size,
        }));
        if !page.more || after.is_none() {
            return Ok(objects);
        }
    }
}
