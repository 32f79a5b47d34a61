//! Releases: what was published, when, by whom and from which commit.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twinsite_core::Pair;
use twinsite_sync::release::{self, Release, Summary};
use twinsite_sync::{ReleaseId, S3Store, Store};

use crate::context::SiteContext;
use crate::error::{Context, Error};

const OPERATION: &str = "read the releases";

/// A release without its objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleaseSummary {
    /// Its id; later releases have higher ids.
    pub id: u64,
    /// When it was recorded, as RFC 3339.
    pub time: String,
    /// Its description.
    pub message: Option<String>,
    /// The id of the commit it was built from.
    pub commit: Option<String>,
    /// The ARN of the publisher.
    pub publisher: Option<String>,
    /// The older release that it brought back.
    pub restores: Option<u64>,
    /// The number of its objects.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of objects that differ from the release before it.
    pub changed: u64,
}

/// A release with its objects.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleaseDetails {
    /// The release.
    pub release: ReleaseSummary,
    /// Its objects by key.
    pub objects: Vec<ReleasedObject>,
}

/// An object of a release.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleasedObject {
    /// The key.
    pub key: String,
    /// The version id in the primary bucket.
    pub version: Option<String>,
    /// The entity tag.
    pub etag: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The headers it is served with.
    pub headers: Value,
}

/// A difference between two releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ReleaseDifference {
    /// The key.
    pub key: String,
    /// `added`, `removed`, `content` or `headers`.
    pub kind: &'static str,
}

impl From<&Summary> for ReleaseSummary {
    fn from(summary: &Summary) -> Self {
        let Summary { id, time, notes, objects, bytes, changed } = summary;
        Self {
            id: id.0,
            time: rfc3339(*time),
            message: notes.message.clone(),
            commit: notes.commit.as_ref().map(|commit| commit.id.clone()),
            publisher: notes.who.clone(),
            restores: notes.restores.map(|id| id.0),
            objects: u64::try_from(*objects).unwrap_or(u64::MAX),
            bytes: *bytes,
            changed: u64::try_from(*changed).unwrap_or(u64::MAX),
        }
    }
}

/// Seconds since the epoch as RFC 3339; out of its range, the number itself.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&Rfc3339).ok());
    time.unwrap_or_else(|| seconds.to_string())
}

/// All releases, the oldest first.
///
/// # Errors
/// Neither bucket could be read.
pub async fn releases(site: &SiteContext) -> Result<Vec<ReleaseSummary>, Error> {
    releases_of(site.stores()).await
}

pub(crate) async fn releases_of(stores: Pair<S3Store>) -> Result<Vec<ReleaseSummary>, Error> {
    let (_, all) = readable(stores).await?;
    Ok(all.iter().map(ReleaseSummary::from).collect())
}

/// One release with its objects.
///
/// # Errors
/// There is no such release, or it could not be read.
pub async fn release(site: &SiteContext, id: &str) -> Result<ReleaseDetails, Error> {
    release_of(site.stores(), id).await
}

pub(crate) async fn release_of(stores: Pair<S3Store>, id: &str) -> Result<ReleaseDetails, Error> {
    let (store, _) = readable(stores).await?;
    let found = find_release(&store, parse_id(id)?).await?;
    let objects = found.entries.iter().map(|entry| ReleasedObject {
        key: entry.key.to_string(),
        version: entry.version.clone(),
        etag: entry.etag.to_string(),
        bytes: entry.size,
        headers: serde_json::to_value(found.headers(entry)).unwrap_or_default(),
    });
    Ok(ReleaseDetails { release: ReleaseSummary::from(&found.summary), objects: objects.collect() })
}

/// The differences between two releases.
///
/// # Errors
/// One of them does not exist, or could not be read.
pub async fn compare_releases(site: &SiteContext, before: &str, after: &str) -> Result<Vec<ReleaseDifference>, Error> {
    compare_releases_of(site.stores(), before, after).await
}

pub(crate) async fn compare_releases_of(
    stores: Pair<S3Store>,
    before: &str,
    after: &str,
) -> Result<Vec<ReleaseDifference>, Error> {
    let (store, _) = readable(stores).await?;
    let before = find_release(&store, parse_id(before)?).await?;
    let after = find_release(&store, parse_id(after)?).await?;
    let differences = release::compare(&before, &after);
    Ok(differences.iter().map(|one| ReleaseDifference { key: one.key.to_string(), kind: one.kind.word() }).collect())
}

/// The primary with its releases or, if it cannot be read, the backup, which has the same records.
async fn readable(stores: Pair<S3Store>) -> Result<(S3Store, Vec<Summary>), Error> {
    let Pair { primary, backup } = stores;
    if let Ok(all) = Box::pin(release::list(&primary)).await {
        return Ok((primary, all));
    }
    let all = Box::pin(release::list(&backup)).await.context(OPERATION)?;
    Ok((backup, all))
}

pub(crate) fn parse_id(id: &str) -> Result<ReleaseId, Error> {
    id.parse::<ReleaseId>().context(OPERATION)
}

/// A release that must exist.
pub(crate) async fn find_release<S: Store>(store: &S, id: ReleaseId) -> Result<Release, Error> {
    let found = Box::pin(release::read(store, id)).await.context(OPERATION)?;
    found.ok_or_else(|| {
        Error::usage(OPERATION, format!("release {id} does not exist, or is no longer kept"))
            .hint("list releases with `twinsite releases`; publish.keep_releases sets how many are kept")
    })
}
