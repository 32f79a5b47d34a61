//! Releases: what was published, when, by whom and from which commit.

use std::collections::BTreeMap;

use futures::future::join3;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use twinsite_aws::Kind;
use twinsite_core::{Pair, Run, Side};
use twinsite_sync::active_side::newest_change;
use twinsite_sync::release::{self, Release, Summary};
use twinsite_sync::{ReleaseId, Store, StoreError, SyncError};

use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::response_limit::in_time;
use crate::scoped_stores::BucketStore;

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

/// The releases of a site.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Releases {
    /// All releases, the oldest first.
    pub releases: Vec<ListedRelease>,
    /// The prefix that these are the releases of; `null`: the main site.
    pub prefix: Option<String>,
    /// The newest release of the active side: what visitors get.
    pub live: Option<u64>,
    /// The bucket that is published to: `primary`, or `backup` while the primary is or was unreachable and `failback` has not been run.
    pub active: &'static str,
    /// Records that cannot be read. They count as no release.
    pub damaged: Vec<DamagedRelease>,
    /// Buckets that could not be read.
    pub unread: Vec<UnreadBucket>,
}

/// A release, and where it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ListedRelease {
    /// The release.
    #[serde(flatten)]
    pub release: ReleaseSummary,
    /// The buckets that have it: `primary`, `backup`.
    pub buckets: Vec<&'static str>,
}

/// A record of a release that cannot be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct DamagedRelease {
    /// The id in its key.
    pub id: u64,
    /// The bucket: `primary` or `backup`.
    pub bucket: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A bucket that could not be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnreadBucket {
    /// `primary` or `backup`.
    pub bucket: &'static str,
    /// Why.
    pub error: String,
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
    /// The version id in the bucket that it was published to.
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

/// All releases, the oldest first, and which bucket has them.
///
/// # Errors
/// Neither bucket could be read.
pub async fn releases(site: &SiteContext, run: &Run) -> Result<Releases, Error> {
    releases_of(site.stores(), run).await
}

pub(crate) async fn releases_of(stores: Pair<BucketStore>, run: &Run) -> Result<Releases, Error> {
    let is_one_bucket = stores.primary.bucket() == stores.backup.bucket();
    let (primary, backup, active) =
        join3(list_side(&stores.primary, run), list_side(&stores.backup, run), active_of(&stores, run)).await;
    run.check().context(OPERATION)?;
    let mut found = Releases {
        releases: Vec::new(),
        prefix: stores.primary.prefix().map(ToString::to_string),
        live: None,
        active: active.as_str(),
        damaged: Vec::new(),
        unread: Vec::new(),
    };
    let listed = Pair::new(primary, backup);
    if let (Err(_), Err(_)) = (&listed.primary, &listed.backup) {
        listed.primary.context(OPERATION)?;
        return Ok(found);
    }
    // Also if its record is damaged.
    found.live = listed.get(active).as_ref().ok().and_then(|ids| ids.last()).map(|id| id.0);
    let mut all: BTreeMap<ReleaseId, Vec<Side>> = BTreeMap::new();
    for (side, ids) in listed.iter().filter(|(side, _)| *side == Side::Primary || !is_one_bucket) {
        match ids {
            Ok(ids) => ids.iter().for_each(|id| all.entry(*id).or_default().push(side)),
            Err(SyncError::Cancelled) => return Err(Error::new(OPERATION, SyncError::Cancelled)),
            Err(SyncError::Store(StoreError::Aws(error))) if error.kind == Kind::Interrupted => {
                return Err(Error::new(OPERATION, SyncError::Cancelled));
            }
            Err(error) => found.unread.push(UnreadBucket { bucket: side.as_str(), error: error.to_string() }),
        }
    }
    // Of a record that both have, the active side's counts; if that is damaged, the other one's.
    for (id, mut sides) in all {
        sides.sort_by_key(|side| *side != active);
        let mut whole = None;
        for side in &sides {
            match Box::pin(release::summary(stores.get(*side), id)).await {
                Ok(summary) => whole = whole.or(summary),
                Err(SyncError::DamagedRecord { reason, .. }) => {
                    found.damaged.push(DamagedRelease { id: id.0, bucket: side.as_str(), reason });
                }
                Err(error) => return Err(Error::new(OPERATION, error)),
            }
            if whole.is_some() {
                break;
            }
        }
        let Some(summary) = whole else { continue };
        sides.sort_by_key(|side| *side != Side::Primary);
        let buckets = sides.into_iter().map(Side::as_str).collect();
        found.releases.push(ListedRelease { release: ReleaseSummary::from(&summary), buckets });
    }
    Ok(found)
}

/// The active side, as far as the backup can be read.
pub(crate) async fn active_of(stores: &Pair<BucketStore>, run: &Run) -> Side {
    let newest = in_time(run, newest_change(&stores.backup)).await;
    let newest = newest.ok().and_then(Result::ok).flatten();
    newest.map_or(Side::Primary, |change| change.side)
}

async fn list_side(store: &BucketStore, run: &Run) -> Result<Vec<ReleaseId>, SyncError> {
    in_time(run, release::list_ids(store)).await?
}

/// One release with its objects.
///
/// # Errors
/// There is no such release, or it could not be read.
pub async fn release(site: &SiteContext, id: &str) -> Result<ReleaseDetails, Error> {
    release_of(site.stores(), id).await
}

pub(crate) async fn release_of(stores: Pair<BucketStore>, id: &str) -> Result<ReleaseDetails, Error> {
    let found = find_in_either(&stores, parse_id(id)?).await?;
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
    stores: Pair<BucketStore>,
    before: &str,
    after: &str,
) -> Result<Vec<ReleaseDifference>, Error> {
    let before = find_in_either(&stores, parse_id(before)?).await?;
    let after = find_in_either(&stores, parse_id(after)?).await?;
    let differences = release::compare(&before, &after);
    Ok(differences.iter().map(|one| ReleaseDifference { key: one.key.to_string(), kind: one.kind.word() }).collect())
}

/// A release from the primary or, if that cannot be read, or lacks it, or has a damaged record of it, from the backup.
async fn find_in_either(stores: &Pair<BucketStore>, id: ReleaseId) -> Result<Release, Error> {
    let first = Box::pin(find_release(&stores.primary, id)).await;
    match first {
        Ok(found) => Ok(found),
        Err(error) => Box::pin(find_release(&stores.backup, id)).await.map_err(|_| error),
    }
}

pub(crate) fn parse_id(id: &str) -> Result<ReleaseId, Error> {
    id.parse::<ReleaseId>().context(OPERATION).map_err(|error| error.hint("list the releases: `twinsite releases`"))
}

/// A release that must exist.
pub(crate) async fn find_release<S: Store>(store: &S, id: ReleaseId) -> Result<Release, Error> {
    let found = Box::pin(release::read(store, id)).await.context(OPERATION)?;
    found.ok_or_else(|| {
        Error::usage(OPERATION, format!("release {id} does not exist, or is no longer kept"))
            .hint("list releases with `twinsite releases`; publish.keep_releases sets how many are kept")
    })
}
