//! What a deploy of a directory would change, with the changed lines of text files.

use bytes::Bytes;
use futures::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;
use similar::TextDiff;
use twinsite_core::Run;
use twinsite_sync::{Body, Guard, Key, Put, Reason, Store, StoreError, SyncError};

use crate::context::SiteContext;
use crate::deploy::plan_deploy;
use crate::error::{Context, Error};
use crate::options::DeployRequest;
use crate::publish_result::DeployPlan;
use crate::source_directory::SourceDirectory;

const OPERATION: &str = "compare the directory with the live release";

/// Files of more bytes are not compared line by line.
const MAX_TEXT: u64 = 1 << 20;

/// Objects that are read at once.
const CONCURRENCY: usize = 16;

/// Lines around a change.
const CONTEXT: usize = 3;

/// What a deploy would change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct SiteDifferences {
    /// The bucket that was compared: that of the active side.
    pub bucket: String,
    /// Files and objects that differ, by key.
    pub files: Vec<FileDifference>,
    /// The number of files that are live as they are.
    pub unchanged: usize,
}

/// A file that differs from its object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FileDifference {
    /// The key.
    pub key: String,
    /// `added`, `removed`, `content` or `headers`.
    pub kind: &'static str,
    /// The size of the file in bytes; of a removed one, that of the object.
    pub bytes: u64,
    /// The headers that differ.
    pub headers: Vec<&'static str>,
    /// Of text files, the changed lines in the unified format; `null` of others, and of those that are large.
    pub diff: Option<String>,
}

/// Compares a directory with what visitors get. Read-only.
///
/// # Errors
/// As [`plan_deploy`]; an object could not be read.
pub async fn diff(site: &SiteContext, mut source: SourceDirectory, run: &Run) -> Result<SiteDifferences, Error> {
    // The files of an archive are read after the plan was made.
    let unpacked = source.unpacked.take();
    // Nothing is deleted, so that the guard is off.
    let request = DeployRequest { guard: Some(Guard::OFF), ..DeployRequest::default() };
    let planned = Box::pin(plan_deploy(site, source, &request, run)).await?;
    let stores = site.stores();
    let active = if planned.bucket == stores.backup.bucket() { &stores.backup } else { &stores.primary };
    let found = diff_of(active, &planned, run).await;
    drop(unpacked);
    found
}

/// [`diff`] of a plan for any bucket.
pub(crate) async fn diff_of(store: &impl Store, planned: &DeployPlan, run: &Run) -> Result<SiteDifferences, Error> {
    let plan = &planned.prepared.plan;
    let visible = |key: &Key| !key.is_redirect_table();
    let puts = stream::iter(plan.puts().iter().filter(|put| visible(&put.object.key)).map(|put| async move {
        run.check()?;
        difference(store, put).await
    }));
    let mut puts = puts.buffer_unordered(CONCURRENCY);
    let mut files = Vec::new();
    while let Some(file) = puts.next().await {
        files.push(file.context(OPERATION)?);
    }
    files.extend(plan.rewrites().iter().filter(|one| visible(&one.object.key)).map(|rewrite| FileDifference {
        key: rewrite.object.key.to_string(),
        kind: "headers",
        bytes: rewrite.object.size,
        headers: headers(&rewrite.reason),
        diff: None,
    }));
    files.extend(plan.deletes().iter().filter(|delete| visible(&delete.key)).map(|delete| FileDifference {
        key: delete.key.to_string(),
        kind: "removed",
        bytes: delete.size,
        headers: Vec::new(),
        diff: None,
    }));
    files.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(SiteDifferences { bucket: planned.bucket.clone(), files, unchanged: plan.kept() })
}

fn headers(reason: &Reason) -> Vec<&'static str> {
    match reason {
        Reason::Metadata(names) => names.clone(),
        Reason::Absent | Reason::Size | Reason::Content | Reason::Forced => Vec::new(),
    }
}

/// How a file that would be uploaded differs from the object that it replaces.
async fn difference(store: &impl Store, put: &Put) -> Result<FileDifference, SyncError> {
    let Put { object, reason, .. } = put;
    let mut found = FileDifference {
        key: object.key.to_string(),
        kind: "content",
        bytes: object.size,
        headers: headers(reason),
        diff: None,
    };
    match reason {
        Reason::Absent => found.kind = "added",
        Reason::Metadata(_) => found.kind = "headers",
        Reason::Size | Reason::Content | Reason::Forced if object.size <= MAX_TEXT => {
            let before = match store.read_up_to(&object.key, MAX_TEXT).await {
                Err(StoreError::TooLarge { .. }) => None,
                read => read?.map(|object| object.bytes),
            };
            let after = match (&object.body, object.file()) {
                (Body::Memory(bytes), _) => Some(bytes.clone()),
                // A file that is gone by now is no file to show lines of.
                (_, Some((path, _))) => tokio::fs::read(path).await.ok().map(Bytes::from),
                (_, None) => None,
            };
            found.diff = before.zip(after).and_then(|(before, after)| unified(&found.key, &before, &after));
        }
        Reason::Size | Reason::Content | Reason::Forced => {}
    }
    Ok(found)
}

/// The changed lines of two texts; `None` if one of them is none.
fn unified(key: &str, before: &[u8], after: &[u8]) -> Option<String> {
    let (before, after) = (std::str::from_utf8(before).ok()?, std::str::from_utf8(after).ok()?);
    if before.contains('\0') || after.contains('\0') {
        return None;
    }
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(CONTEXT).header(&format!("a/{key}"), &format!("b/{key}")).to_string();
    Some(text)
}
