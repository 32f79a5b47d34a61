//! Publishing to one or two plain buckets, in S3 or in another store with its API: no CloudFront, DNS, replication, tags or account.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use twinsite_aws::{AwsError, Kind};
use twinsite_aws_session::{Access, Session};
use twinsite_cdn::{Cdn, FolderUrls};
use twinsite_core::{Event, Invalid, Pair, Region, ResourceId, Run, did_you_mean, nearest};
use twinsite_sync::{Deletes, Notes, Options, Prepared, Rules, S3Store, ScopedStore, SyncError, walk};
use url::form_urlencoded;

use crate::backfill::{BackfillTarget, backfill_of, plan_backfill_of};
use crate::config::{Config, PublishConfig, check_region};
use crate::context::PrimaryRegion;
use crate::context::{Environment, SESSION};
use crate::deploy::{ActivePlan, PublishRequest, check_first_publish, prepare, publish, take_prefix};
use crate::error::{Cause, Context, Error};
use crate::invalidation::{Changes, EdgeRules, Invalidator};
use crate::options::WaitForInvalidation;
use crate::options::{DeployRequest, OlderCommit};
use crate::publish_result::{DeployPlan, DeployPlanSummary, DeployResult};
use crate::pull::plan_pull_of;
use crate::releases::{compare_releases_of, release_of, releases_of};
use crate::rollback::{OnOutage, RollbackTarget, plan_rollback_of, rollback_of};
use crate::scoped_stores::BucketStore;
use crate::site_rules::tell_of_files;
use crate::source_directory::save_index;
use crate::source_directory::{SourceDirectory, SourceOptions, SourcePath};
use crate::source_notices;
use crate::verify::{VerifySource, verify_stores};
use crate::{
    BackfillPlan, BackfillRequest, BackfillResult, PullPlan, PullRequest, ReleaseDetails, ReleaseDifference, Releases,
    RollbackRequest, VerifyResult,
};

const OPEN: &str = "open the buckets";

/// Where a bucket is: `s3://NAME`, or `s3://NAME?region=REGION&endpoint=URL&profile=NAME`.
///
/// ```
/// use twinsite_site::BucketUrl;
///
/// let bucket: BucketUrl = "s3://backup?endpoint=https://storage.example.net&region=eu-1".parse()?;
/// assert_eq!((bucket.name.as_str(), bucket.region.as_deref()), ("backup", Some("eu-1")));
/// assert!("s3://backup/below/a/prefix".parse::<BucketUrl>().is_err());
/// # Ok::<(), twinsite_core::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    /// The name of the bucket.
    pub name: String,
    /// Its region; found out if `None`.
    pub region: Option<String>,
    /// The endpoint of its store; that of the environment or AWS if `None`.
    pub endpoint: Option<String>,
    /// The profile whose credentials are used; that of the environment if `None`.
    pub profile: Option<String>,
}

impl FromStr for BucketUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |rule: &str| Err(Invalid::new("bucket", text, rule));
        let Some(rest) = text.strip_prefix("s3://") else { return invalid("must be a URL of the form s3://NAME") };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        if !prefix.is_empty() {
            return invalid("names a prefix: publish below it with --prefix");
        }
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
            return invalid("has no valid bucket name: letters, digits, dots, hyphens and underscores");
        }
        let mut url = Self { name: name.to_owned(), region: None, endpoint: None, profile: None };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*key {
                "region" => &mut url.region,
                "endpoint" => &mut url.endpoint,
                "profile" => &mut url.profile,
                other => {
                    let meant = did_you_mean(nearest(other, ["region", "endpoint", "profile"]));
                    return invalid(&format!("has a parameter other than region, endpoint and profile{meant}"));
                }
            };
            if value.is_empty() || place.replace(value.into_owned()).is_some() {
                return invalid("has a parameter that is empty or given twice");
            }
        }
        Ok(url)
    }
}

/// How plain buckets are published to. The default is that of a site without configuration.
#[derive(Clone, Debug)]
pub struct BucketsConfig {
    /// The index document of every folder.
    pub index: String,
    /// The key of the error document; `None` if there is none.
    pub not_found: Option<String>,
    /// What is published with which headers.
    pub publish: PublishConfig,
    /// The id of a CloudFront distribution in which changed objects are invalidated.
    pub distribution: Option<String>,
    /// Regions of AWS that are newer than this release.
    pub new_regions: BTreeSet<Region>,
}

impl Default for BucketsConfig {
    fn default() -> Self {
        Self {
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            publish: PublishConfig::default(),
            distribution: None,
            new_regions: BTreeSet::new(),
        }
    }
}

impl From<Config> for BucketsConfig {
    fn from(config: Config) -> Self {
        let Config { index, not_found, publish, new_regions, .. } = config;
        Self { index, not_found, publish, distribution: None, new_regions }
    }
}

/// One or two open buckets.
#[derive(Debug)]
pub struct Buckets {
    /// Twice the same if there is no backup.
    stores: Pair<BucketStore>,
    has_backup: bool,
    config: BucketsConfig,
    rules: Rules,
    cdn: Option<(Cdn, ResourceId)>,
    /// The ARN of the caller, where known.
    caller: Option<String>,
}

impl Buckets {
    /// Opens the primary bucket and, if there is one, the backup, which holds a copy of it.
    ///
    /// # Errors
    /// A bucket that does not exist or cannot be listed, the same bucket twice, and invalid configuration.
    pub async fn open(
        primary: &BucketUrl,
        backup: Option<&BucketUrl>,
        config: BucketsConfig,
        environment: &Environment,
    ) -> Result<Self, Error> {
        if backup.is_some_and(|backup| (&backup.name, &backup.endpoint) == (&primary.name, &primary.endpoint)) {
            return Err(Error::usage(OPEN, format!("the bucket `{}` cannot be its own backup", primary.name)));
        }
        let rules =
            config.publish.rules(&config.index, config.not_found.as_deref()).context("use the configuration")?;
        let distribution = config.distribution.as_deref().map(str::parse::<ResourceId>).transpose();
        let distribution = distribution.context("use the distribution")?;
        let (session, store) = Box::pin(open_bucket(primary, &config.new_regions, environment)).await?;
        let second = match backup {
            Some(backup) => Some(Box::pin(open_bucket(backup, &config.new_regions, environment)).await?.1),
            None => None,
        };
        let cdn = distribution.map(|id| {
            let cdn =
                Cdn::new(session.acm(), session.cloudfront(), session.key_value_store()).polling(environment.polling);
            (cdn, id)
        });
        // Another store has no accounts, or other ones. It only says who has published, so that an error is of no interest.
        let is_aws = session.s3_endpoint().is_none() && session.is_aws_sts();
        let caller = if is_aws { session.caller().await.ok().map(|caller| caller.arn) } else { None };
        let has_backup = second.is_some();
        let stores = Pair::new(store.clone(), second.unwrap_or(store));
        let stores = stores.map(|store| ScopedStore::new(store, config.publish.prefix.clone()));
        Ok(Self { stores, has_backup, config, rules, cdn, caller: caller.filter(|arn| !arn.is_empty()) })
    }

    /// Reads a directory to be published.
    ///
    /// # Errors
    /// As [`SourceDirectory::read`].
    pub async fn read(&self, dir: impl Into<PathBuf>, options: SourceOptions<'_>) -> Result<SourceDirectory, Error> {
        let SourcePath { dir, unpacked, options } = SourcePath::open(dir.into(), options).await?;
        let read = SourceDirectory::read_by(self.rules.clone(), self.config.publish.checks, dir, options).await?;
        Ok(SourceDirectory { unpacked, ..read })
    }

    /// Plans a deploy. Read-only.
    ///
    /// # Errors
    /// Buckets that cannot be read, files that cannot be published, and guards.
    pub async fn prepare(
        &self,
        mut source: SourceDirectory,
        request: DeployRequest,
        run: &Run,
    ) -> Result<PreparedDeploy<'_>, Error> {
        if let Some(prehasher) = source.prehasher.take() {
            prehasher.end().await;
        }
        source_notices::tell(&source.source, None, run);
        tell_of_files(&source.source, run);
        let publish_request = self.publish_request(&source, &request);
        let prepared = prepare(&self.stores, &publish_request, run).await?;
        let planned = ActivePlan { stores: self.stores.clone(), prepared };
        check_first_publish(&planned, &publish_request).await?;
        let ActivePlan { prepared, .. } = planned;
        Ok(PreparedDeploy { buckets: self, source, request, prepared })
    }

    fn publish_request<'a>(&'a self, source: &'a SourceDirectory, request: &DeployRequest) -> PublishRequest<'a> {
        let config = &self.config.publish;
        let guard = request.guard.unwrap_or(config.guard);
        PublishRequest {
            source: &source.source,
            rules: &source.rules,
            plan: Options { deletes: request.deletes, keep: config.keep, guard, send: request.send, side: None },
            notes: Notes {
                message: request.message.clone(),
                commit: source.commit.clone(),
                who: self.caller.clone(),
                restores: None,
            },
            index: &source.index,
            command: "deploy",
            skip_older_in: (request.older == OlderCommit::Skip).then_some(source.dir.as_path()),
            options: request.options,
            take_over: request.take_over,
            alone: None,
        }
    }

    /// Compares the backup with the primary and, if a directory is given, the primary with the directory.
    ///
    /// # Errors
    /// The directory or a bucket cannot be read; there is nothing to compare a single bucket with.
    pub async fn verify(&self, dir: Option<PathBuf>, run: &Run) -> Result<VerifyResult, Error> {
        if dir.is_none() && !self.has_backup {
            return Err(Error::usage("compare the buckets", "there is nothing to compare a single bucket with")
                .hint("name a directory, or the backup with a second --bucket"));
        }
        let source = dir.map(|dir| walk(dir, &self.rules)).transpose().context("compare the buckets")?;
        let with = VerifySource { source, keep: self.config.publish.keep };
        verify_stores(&self.stores, with, run).await
    }

    /// Plans to copy to the backup what it lacks. Read-only.
    ///
    /// # Errors
    /// There is no backup, or a bucket cannot be read.
    pub async fn plan_backfill(&self, request: BackfillRequest, run: &Run) -> Result<BackfillPlan, Error> {
        if !self.has_backup {
            return Err(
                Error::usage("backfill the backup", "there is no backup bucket").hint("name it with a second --bucket")
            );
        }
        plan_backfill_of(&self.stores, request, run).await
    }

    /// Copies to the backup what it lacks, under the lock.
    ///
    /// # Errors
    /// What failed, and how much was done before. Another backfill finishes the rest.
    pub async fn backfill(&self, plan: BackfillPlan, run: &Run) -> Result<BackfillResult, Error> {
        let (who, rules) = (self.caller.clone(), &self.rules);
        backfill_of(BackfillTarget { stores: &self.stores, rules, who, batch: None }, plan, run).await
    }

    /// All releases, the oldest first.
    ///
    /// # Errors
    /// Neither bucket could be read.
    pub async fn releases(&self, run: &Run) -> Result<Releases, Error> {
        releases_of(self.stores.clone(), run).await
    }

    /// One release with its objects.
    ///
    /// # Errors
    /// There is no such release, or it could not be read.
    pub async fn release(&self, id: &str) -> Result<ReleaseDetails, Error> {
        release_of(self.stores.clone(), id).await
    }

    /// The differences between two releases.
    ///
    /// # Errors
    /// One of them does not exist, or could not be read.
    pub async fn compare_releases(&self, before: &str, after: &str) -> Result<Vec<ReleaseDifference>, Error> {
        compare_releases_of(self.stores.clone(), before, after).await
    }

    /// Plans to write a release, or the bucket's objects, into a directory. Read-only.
    ///
    /// # Errors
    /// As [`crate::plan_pull`].
    pub async fn plan_pull(&self, request: PullRequest, run: &Run) -> Result<PullPlan, Error> {
        Box::pin(plan_pull_of(&self.stores, request, run)).await
    }

    /// Plans a rollback. Read-only.
    ///
    /// # Errors
    /// As [`Self::rollback`].
    pub async fn plan_rollback(&self, request: &RollbackRequest, run: &Run) -> Result<DeployPlanSummary, Error> {
        let planned = Box::pin(plan_rollback_of(self.rollback_target(), request, run)).await;
        match planned {
            Ok(plan) => Ok(self.without_backup(plan).summary()),
            Err(error) => Err(self.explain_lost(error).await),
        }
    }

    /// Publishes an older release again, from the versions that the buckets keep.
    ///
    /// # Errors
    /// The buckets keep no versions; what failed, and how much was done before.
    pub async fn rollback(&self, request: &RollbackRequest, run: &Run) -> Result<DeployResult, Error> {
        match Box::pin(rollback_of(self.rollback_target(), self, request, run)).await {
            Ok(result) => Ok(self.result(result)),
            Err(error) => Err(self.explain_lost(error).await),
        }
    }

    fn rollback_target(&self) -> RollbackTarget<'_> {
        let (stores, rules) = (self.stores.clone(), self.rules.clone());
        RollbackTarget {
            site: None,
            stores,
            rules,
            config: &self.config.publish,
            caller: self.caller.as_deref(),
            outage: OnOutage::Fail,
            region: PrimaryRegion::Unknown,
        }
    }

    /// Objects of an older release are lost if the bucket has kept no versions.
    async fn explain_lost(&self, error: Error) -> Error {
        let is_lost = matches!(&*error.cause, Cause::Sync(SyncError::Lost(_)));
        if !is_lost || self.keeps_versions().await != Some(false) {
            return error;
        }
        Error { hints: vec![self.no_versions(), "deploy the directory of that release again".to_owned()], ..error }
    }

    fn no_versions(&self) -> String {
        let bucket = self.stores.primary.bucket();
        format!(
            "the bucket `{bucket}` keeps no versions; from the time versioning is enabled, releases can be brought back"
        )
    }

    /// Whether the primary keeps versions; `None` if that cannot be found out.
    async fn keeps_versions(&self) -> Option<bool> {
        self.stores.primary.keeps_versions().await.ok()
    }

    fn without_backup(&self, plan: DeployPlan) -> DeployPlan {
        DeployPlan { backup: plan.backup.filter(|_| self.has_backup), ..plan }
    }

    fn result(&self, result: DeployResult) -> DeployResult {
        match result {
            DeployResult::Published(mut result) => {
                result.has_distribution = None;
                let result = if self.has_backup { *result } else { result.without_backup() };
                DeployResult::Published(Box::new(result))
            }
            result => result,
        }
    }
}

async fn open_bucket(
    url: &BucketUrl,
    new_regions: &BTreeSet<Region>,
    environment: &Environment,
) -> Result<(Session, S3Store), Error> {
    let BucketUrl { name, region, endpoint, profile } = url;
    let access = environment.access.clone();
    let access = Access {
        profile: profile.clone().or(access.profile),
        endpoint: endpoint.clone().or(access.endpoint),
        region: region.clone().or(access.region),
        ..access
    };
    let location = format!("{} {}", access.endpoint.as_deref().unwrap_or(""), access.profile.as_deref().unwrap_or(""));
    let session = Session::open(access).await.context(SESSION)?;
    // Other stores have regions of other names.
    if let (Some(region), None) = (region, session.s3_endpoint()) {
        let region: Region = region.parse().context(OPEN)?;
        check_region(&region, new_regions, &format!("of the bucket `{name}`"), "after --region or region=")?;
    }
    let found = Box::pin(session.bucket_region(name)).await.map_err(|error| {
        let is_absent = error.kind == Kind::Absent;
        let error = Error::new(format!("open the bucket `{name}`"), error);
        if is_absent { error.hint("create it first, with versioning if releases are to be rolled back") } else { error }
    })?;
    let client = session.s3_in(region.as_deref().or(found.as_deref()));
    Ok((session, S3Store::new(client, name.as_str()).in_location(&location)))
}

/// A deploy to plain buckets that was planned, and nothing changed yet.
#[derive(Debug)]
pub struct PreparedDeploy<'a> {
    buckets: &'a Buckets,
    source: SourceDirectory,
    request: DeployRequest,
    prepared: Prepared,
}

impl PreparedDeploy<'_> {
    /// The plan as a result.
    pub fn summary(self) -> DeployPlanSummary {
        let Self { buckets, prepared, .. } = self;
        buckets.without_backup(DeployPlan::new(prepared, &buckets.stores)).summary()
    }

    /// The number of objects that this deploy would replace or delete although twinsite has not published them: the bucket was filled by
    /// something else so far.
    pub fn foreign_changes(&self) -> usize {
        let plan = &self.prepared.plan;
        if !plan.is_first() {
            return 0;
        }
        let replaced = plan.puts().iter().filter(|put| put.replaces.is_some()).count();
        let deleted = if self.request.deletes == Deletes::All { plan.deletes().len() } else { 0 };
        replaced + plan.rewrites().len() + deleted
    }

    /// Publishes what was planned.
    ///
    /// # Errors
    /// What failed, and how much was done before. Deploying again finishes the rest.
    pub async fn publish(self, run: &Run) -> Result<DeployResult, Error> {
        let Self { buckets, source, request, prepared } = self;
        if prepared.plan.is_first() && buckets.keeps_versions().await == Some(false) {
            let hint = "enable versioning to be able to roll back: `aws s3api put-bucket-versioning`".to_owned();
            run.emit(&Event::Warning { text: buckets.no_versions(), hint: Some(hint) });
        }
        let publish_request = buckets.publish_request(&source, &request);
        let planned = ActivePlan { stores: buckets.stores.clone(), prepared };
        let ActivePlan { stores, prepared } = Box::pin(take_prefix(planned, &publish_request, run)).await?;
        let result = Box::pin(publish(&stores, buckets, publish_request, prepared, run)).await;
        save_index(&source.index, run);
        Ok(buckets.result(result?))
    }
}

/// The distribution that was named, if one was. What its edges do with headers is unknown, so every changed object is invalidated.
impl Invalidator for Buckets {
    type Target = ();

    async fn prepare(&self) -> Result<Option<()>, AwsError> {
        Ok(self.cdn.as_ref().map(|_| ()))
    }

    #[expect(clippy::disallowed_methods, reason = "two publishes of the same keys are two invalidations")]
    async fn invalidate(
        &self,
        (): &(),
        changes: &Changes<'_>,
        wait: WaitForInvalidation,
        run: &Run,
    ) -> Result<Option<usize>, AwsError> {
        let Some((cdn, distribution)) = &self.cdn else { return Ok(None) };
        let rules = EdgeRules {
            index: &self.config.index,
            not_found: self.config.not_found.as_deref(),
            folders: FolderUrls::Website,
            is_caching_known: false,
            error_ttl: twinsite_core::edge::ERROR_TTL,
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reference = format!("twinsite-{}-{:08x}", now.as_millis(), fastrand::u32(..));
        let paths = changes.paths(&rules);
        let accepted = Box::pin(cdn.invalidate(distribution, &paths, &reference, run)).await?;
        if let (WaitForInvalidation::Completed, Some(accepted)) = (wait, &accepted) {
            cdn.await_invalidation(accepted, run).await?;
        }
        Ok(accepted.map(|accepted| accepted.paths))
    }
}
