//! A pair of stores, and deploys and rollbacks between them through [`twinsite_site::publish`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_local::Cloud;
use twinsite_local::s3::Versioning;
use twinsite_site::{
    ActivePlan, Changes, DeployResult, Error, Guard, Invalidator, Pair, PublishOptions, PublishRequest,
    RetentionPolicy, RollbackSource, Run, TakeOver, WaitForInvalidation, prepare, publish, take_prefix,
};
use twinsite_sync::{
    HeaderRule, Headers, Index, Key, Notes, Options, Prefix, ReleaseId, Rules, S3Store, ScopedStore, Setting,
    VersionedStore, walk,
};

/// Two buckets that keep versions. The SDK attempts each request once, so that each fault counts.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) primary: S3Store,
    pub(crate) backup: S3Store,
}

const KEEP: RetentionPolicy = RetentionPolicy { releases: 20, days: 0 };

impl Stage {
    pub(crate) async fn new() -> Self {
        let cloud = Cloud::memory();
        let retry = Some(twinsite_aws::retries().with_max_attempts(1));
        let access = Access { embedded: Some(cloud.http_client()), retry, ..Access::default() };
        let session = Session::open(access).await.unwrap();
        let store = |name: &str, region: &str| {
            let s3 = cloud.world().s3();
            s3.create_bucket(name, region, twinsite_local::ACCOUNT).unwrap();
            s3.update_bucket(name, |settings| settings.versioning = Versioning::Enabled).unwrap();
            S3Store::new(session.s3(&region.parse().unwrap()), name)
        };
        let (primary, backup) = (store("primary", "us-east-1"), store("backup", "us-west-2"));
        Self { cloud, primary, backup }
    }

    pub(crate) async fn contents(&self, side: &S3Store) -> BTreeMap<Key, (Bytes, Headers)> {
        contents(side).await
    }
}

/// What visitors of a bucket get: bytes and headers.
pub(crate) async fn contents<S: VersionedStore>(store: &S) -> BTreeMap<Key, (Bytes, Headers)> {
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

/// A CDN that accepts every invalidation and remembers it.
#[derive(Debug, Default)]
struct RecordingCdn(Mutex<BTreeSet<String>>);

impl Invalidator for RecordingCdn {
    type Target = ();

    async fn prepare(&self) -> Result<Option<()>, AwsError> {
        Ok(Some(()))
    }

    async fn invalidate(
        &self,
        (): &(),
        changes: &Changes<'_>,
        _: WaitForInvalidation,
        _: &Run,
    ) -> Result<Option<usize>, AwsError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(changes.held.iter().cloned());
        Ok(Some(changes.held.len()).filter(|keys| *keys > 0))
    }
}

/// What a publish did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The keys that were invalidated; `*` stands for all.
    pub(crate) invalidated: BTreeSet<String>,
    pub(crate) release: Option<ReleaseId>,
}

impl Done {
    pub(crate) fn has_invalidated(&self, key: &str) -> bool {
        self.invalidated.contains(key) || self.invalidated.contains("*")
    }

    /// Counts as failed if the backup did not follow.
    fn of(result: Result<DeployResult, Error>, cdn: RecordingCdn) -> Result<Self, Failed> {
        let invalidated = cdn.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(DeployResult::Published(published)) => match published.backup.error {
                None => Ok(Self { invalidated, release: published.release.map(|release| ReleaseId(release.id)) }),
                Some(error) => Err(Failed { error: Error::refused("bring the backup in sync", error), invalidated }),
            },
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(Failed { error, invalidated }),
        }
    }
}

/// A publish that failed, and what it had invalidated before.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) invalidated: BTreeSet<String>,
}

/// Edges hold every object.
fn rules() -> Rules {
    let held = Setting::CacheControl(Some("public, max-age=600".to_owned()));
    Rules::web().header(HeaderRule::new("*", vec![held]).unwrap())
}

pub(crate) fn options() -> Options {
    Options { keep: KEEP, guard: Guard::OFF, ..Options::default() }
}

/// Stores without replication are copied to at once; a lock that is not renewed expires soon.
pub(crate) fn publish_options() -> PublishOptions {
    PublishOptions {
        parity_timeout: Duration::ZERO,
        lock_timeout: Duration::from_secs(20),
        lock_ttl: Duration::from_millis(800),
        ..PublishOptions::default()
    }
}

/// Deploys a directory.
pub(crate) async fn deploy<S: VersionedStore>(dir: &Path, stores: (&S, &S)) -> Result<Done, Failed> {
    deploy_watched(dir, stores, &Run::silent()).await
}

/// Deploys a directory, with somebody who receives the events.
pub(crate) async fn deploy_watched<S: VersionedStore>(dir: &Path, stores: (&S, &S), run: &Run) -> Result<Done, Failed> {
    let (rules, index, cdn) = (rules(), Index::memory(), RecordingCdn::default());
    let (stores, source) = (Pair::new(stores.0.clone(), stores.1.clone()), walk(dir, &rules).unwrap());
    let request = PublishRequest {
        source: &source,
        rules: &rules,
        plan: options(),
        notes: Notes::default(),
        index: &index,
        command: "deploy",
        skip_older_in: None,
        options: publish_options(),
        take_over: twinsite_site::TakeOver::Refuse,
        alone: None,
    };
    let deployed = async {
        let prepared = prepare(&stores, &request, run).await?;
        Box::pin(publish(&stores, &cdn, request, prepared, run)).await
    };
    let deployed = deployed.await;
    Done::of(deployed, cdn)
}

/// Deploys a directory below a prefix, or as the main site, as the command does.
pub(crate) async fn deploy_owner<S: VersionedStore>(
    dir: &Path,
    prefix: Option<&Prefix>,
    stores: (&S, &S),
    take_over: TakeOver,
) -> Result<Done, Failed> {
    let (rules, index, cdn) = (rules().below(prefix.cloned()), Index::memory(), RecordingCdn::default());
    let stores = Pair::new(stores.0.clone(), stores.1.clone());
    let stores = stores.map(|store| ScopedStore::new(store, prefix.cloned()));
    let (source, run) = (walk(dir, &rules).unwrap(), Run::silent());
    let request = PublishRequest {
        source: &source,
        rules: &rules,
        plan: options(),
        notes: Notes::default(),
        index: &index,
        command: "deploy",
        skip_older_in: None,
        options: publish_options(),
        take_over,
        alone: None,
    };
    let deployed = async {
        let prepared = prepare(&stores, &request, &run).await?;
        let planned = ActivePlan { stores, prepared };
        let ActivePlan { stores, prepared } = Box::pin(take_prefix(planned, &request, &run)).await?;
        Box::pin(publish(&stores, &cdn, request, prepared, &run)).await
    };
    let deployed = deployed.await;
    Done::of(deployed, cdn)
}

/// Rolls the main site or a prefix back to a release.
pub(crate) async fn roll_back_owner<S: VersionedStore>(
    to: u64,
    prefix: Option<&Prefix>,
    stores: (&S, &S),
) -> Result<Done, Failed> {
    let (rules, cdn) = (rules().below(prefix.cloned()), RecordingCdn::default());
    let stores = Pair::new(stores.0.clone(), stores.1.clone());
    let stores = stores.map(|store| ScopedStore::new(store, prefix.cloned()));
    let rolled_back = async {
        let source = RollbackSource::read(&stores.primary, ReleaseId(to), &rules, options(), None).await?;
        let source = source.with_options(publish_options());
        Box::pin(source.publish(&stores, &cdn, &rules, &Run::silent())).await
    };
    let rolled_back = rolled_back.await;
    Done::of(rolled_back, cdn)
}

/// Rolls back to a release.
pub(crate) async fn roll_back<S: VersionedStore>(to: u64, stores: (&S, &S)) -> Result<Done, Failed> {
    let (rules, cdn) = (rules(), RecordingCdn::default());
    let stores = Pair::new(stores.0.clone(), stores.1.clone());
    let rolled_back = async {
        let source = RollbackSource::read(&stores.primary, ReleaseId(to), &rules, options(), None).await?;
        let source = source.with_options(publish_options());
        Box::pin(source.publish(&stores, &cdn, &rules, &Run::silent())).await
    };
    let rolled_back = rolled_back.await;
    Done::of(rolled_back, cdn)
}
