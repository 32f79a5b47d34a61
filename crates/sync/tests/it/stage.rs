//! Two buckets, and a publish of one directory to both as a program of its own would do it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use twinsite_aws_session::{Access, Session};
use twinsite_core::Run;
use twinsite_local::ACCOUNT;
use twinsite_local::Cloud;
use twinsite_local::s3::Versioning;
use twinsite_sync::lock::{self, Lease, Owed, Owner, take};
use twinsite_sync::release;
use twinsite_sync::{
    Guard, Headers, History, Index, Keep, Key, Notes, Options, Prepared, Publishing, ReleaseId, Rules, S3Store, Source,
    SyncError, prepare, publish, walk,
};

/// Two buckets that keep versions; the SDK tries each request once, so that each fault counts.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) primary: S3Store,
    pub(crate) backup: S3Store,
}

pub(crate) const KEEP: Keep = Keep { releases: 20, days: 0 };

impl Stage {
    pub(crate) async fn new() -> Self {
        let cloud = Cloud::memory();
        let access = Access {
            embedded: Some(cloud.http_client()),
            retry: Some(twinsite_aws::retries().with_max_attempts(1)),
            ..Access::default()
        };
        let session = Session::open(access).await;
        let store = |name: &str, region: &str| {
            cloud.world().s3().create_bucket(name, region, ACCOUNT).unwrap();
            cloud.world().s3().update_bucket(name, |settings| settings.versioning = Versioning::Enabled).unwrap();
            S3Store::new(session.s3(&region.parse().unwrap()), name)
        };
        let (primary, backup) = (store("primary", "us-east-1"), store("backup", "us-west-2"));
        Self { cloud, primary, backup }
    }

    /// What visitors of a bucket find: bytes and headers.
    pub(crate) async fn contents(&self, side: &S3Store) -> BTreeMap<Key, (Bytes, Headers)> {
        contents(side).await
    }
}

/// What visitors of a bucket find: bytes and headers.
pub(crate) async fn contents<S: History>(store: &S) -> BTreeMap<Key, (Bytes, Headers)> {
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.page(after.as_deref()).await.unwrap();
        for object in page.objects.iter().filter(|object| !object.key.is_reserved()) {
            let bytes = store.get(&object.key).await.unwrap().unwrap();
            let head = store.head(&object.key).await.unwrap().unwrap();
            all.insert(object.key.clone(), (bytes, head.headers));
        }
        after = page.objects.last().map(|last| last.key.as_str().to_owned());
        if !page.more {
            return all;
        }
    }
}

/// What was done, and what visitors must be told to forget.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) owed: Owed,
    pub(crate) release: Option<ReleaseId>,
}

/// Publishes a source to both buckets, as the command does.
pub(crate) async fn carry_out<S: History>(
    source: &Source,
    rules: &Rules,
    (primary, backup): (&S, &S),
    notes: Notes,
) -> Result<Done, SyncError> {
    let (index, run) = (Index::memory(), Run::silent());
    let options = Options { keep: KEEP, guard: Guard { count: 1000, percent: 100 }, ..Options::default() };
    let plan = async || -> Result<Prepared, SyncError> {
        let mut prepared = prepare(source, (primary, backup), &options, &index, &run).await?;
        release::find_versions(&mut prepared.plan, primary).await?;
        Ok(prepared)
    };
    let prepared = plan().await?;
    if prepared.is_empty() {
        return Ok(Done { owed: Owed::default(), release: None });
    }
    let noted = prepared.is_owed();
    let lease = Lease { ttl: Duration::from_millis(150), timeout: Duration::from_secs(20), probe: false };
    // As if each came from a machine of its own: only silence tells that one is dead.
    let owner = Owner { birth: None, ..Owner::here("test") };
    let mut lock = take(primary, owner, Owed { record: true, ..prepared.owed() }, lease, &run).await?;
    let prepared = if lock.was_waited_for() || !prepared.is_fresh(primary).await? { plan().await? } else { prepared };
    let mut owed = prepared.owed();
    let how = Publishing { source, rules, patience: Duration::ZERO, notes };
    let (published, lost) =
        lock.hold(&run, async |run| publish(prepared, (primary, backup), how, &index, &run).await).await;
    if let Some(lost) = lost {
        return Err(lost.into());
    }
    // A program that dies here leaves its lock behind, and in it what it owes.
    let published =
        published.map_err(|mut stopped| stopped.failed.pop().map_or(SyncError::Cancelled, |(_, error)| error))?;
    if let Some(trouble) = published.level.trouble {
        return Err(trouble);
    }
    owed.join(lock.owed().clone());
    if noted {
        owed.join(lock::read_owed(primary).await?);
        lock::clear_owed(primary).await?;
    }
    // The debt is paid. A lock that stays is succeeded, as that of any dead process.
    drop(lock.free().await);
    let release = published.release.map(|release| release.id);
    Ok(Done { owed, release })
}

pub(crate) async fn deploy<S: History>(dir: &Path, stores: (&S, &S)) -> Result<Done, SyncError> {
    let rules = Rules::web();
    carry_out(&walk(dir, &rules)?, &rules, stores, Notes::default()).await
}

pub(crate) async fn roll_back<S: History>(to: u64, stores: (&S, &S)) -> Result<Done, SyncError> {
    let rules = Rules::web();
    let release = release::read(stores.0, ReleaseId(to)).await?.unwrap();
    let notes = Notes { restores: Some(ReleaseId(to)), ..Notes::default() };
    carry_out(&release.source(&rules), &rules, stores, notes).await
}
