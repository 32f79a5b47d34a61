//! What is done to a site day by day, in every weather: each operation is one command, converges, and says what it waits for.

use std::path::Path;

use twinsite_core::Side;
use twinsite_local::{Weather, WeatherSettings};
use twinsite_s3_site::BucketOutage;
use twinsite_site::{
    BackfillRequest, BackupState, DeployRequest, DeployResult, RollbackRequest, SourceDirectory, backfill, deploy,
    drill, plan_backfill, rollback, verify,
};

use super::weather::{Waits, cloud_without_waiting, open_in_weather, run, seeds};
use super::*;

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A site in one weather, and what a run on it waits for.
struct Stormy {
    cloud: Cloud,
    stack: TestSite,
    run: Run,
    waits: Arc<Waits>,
    context: String,
}

impl Stormy {
    /// A site that is applied in the weather.
    async fn new(mode: Mode, settings: WeatherSettings) -> Self {
        let (cloud, waits) = (cloud_without_waiting(), Arc::<Waits>::default());
        let stack = open_in_weather(&cloud, &full(mode)).await;
        cloud.world().set_weather(settings).unwrap();
        let run = run(&cloud, &waits);
        let context = format!("{mode}, {} {}", settings.weather, settings.seed);
        let stormy = Self { cloud, stack, run, waits, context };
        stormy.apply(&stormy.stack).await;
        stormy
    }

    async fn apply(&self, stack: &TestSite) {
        let plan = site::plan(&stack.context, AdoptBuckets::Refuse, &self.run).await;
        let plan = plan.unwrap_or_else(|error| panic!("{}: plan: {error}", self.context));
        let applied = Box::pin(site::apply(&stack.context, plan, &self.run)).await;
        applied.unwrap_or_else(|error| panic!("{}: apply: {error}", self.context));
    }

    /// The result of one command, with both buckets in sync.
    fn published(&self, what: &str, result: Result<DeployResult, Error>) {
        match result {
            Ok(DeployResult::Published(result)) => {
                assert_eq!(result.backup.state, BackupState::InSync, "{}: {what}: {:?}", self.context, result.backup);
            }
            other => panic!("{}: {what}: {other:?}", self.context),
        }
    }

    async fn deploy(&self, stack: &TestSite, dir: &Path) {
        let source = SourceDirectory::read(stack.context.config(), dir, None, None).await.unwrap();
        let deployed = Box::pin(deploy(&stack.context, source, &DeployRequest::default(), &self.run)).await;
        self.published("deploy", deployed);
    }

    async fn verify(&self, stack: &TestSite, dir: &Path) {
        let verified = Box::pin(verify(&stack.context, Some(dir.to_owned()), &self.run)).await;
        let verified = verified.unwrap_or_else(|error| panic!("{}: verify: {error}", self.context));
        assert!(verified.differences.is_empty(), "{}: {:?}", self.context, verified.differences);
    }

    /// Deletes all versions of an object in the backup, which is not replicated.
    async fn lose(&self, key: &str) {
        let bucket = self.stack.site.buckets.get(Side::Backup).as_str();
        let s3 = self.stack.session.s3(self.stack.site.regions.get(Side::Backup));
        while let Ok(twinsite_local::s3::Current::Object(version)) = self.cloud.world().s3().current(bucket, key) {
            s3.delete_object().bucket(bucket).key(key).version_id(&version.id).send().await.unwrap();
        }
    }

    /// Breaks the primary as a drill does, and restores it as `drill --restore` does.
    async fn drill(&self, outage: BucketOutage) {
        let (s3, site) = (&self.stack.services.s3, &self.stack.site);
        let undo = s3.read_restore_action(site, outage).await.unwrap();
        let journal = serde_json::json!({"at": 1_700_000_000, "undo": undo}).to_string();
        s3.write_drill_journal(site, &journal).await.unwrap();
        let begin = || Box::pin(s3.break_primary(site, &undo));
        let broken = twinsite_aws::outlast_refusals(&self.run, "break the primary", begin).await;
        broken.unwrap_or_else(|error| panic!("{}: {outage}: {error}", self.context));
        let restored = drill::restore(&self.stack.context, &self.run).await;
        restored.unwrap_or_else(|error| panic!("{}: restore of {outage}: {error}", self.context));
        let again = site::plan(&self.stack.context, AdoptBuckets::Refuse, &self.run).await.unwrap();
        assert_eq!(ids(&again), [""; 0], "{}: after {outage}", self.context);
    }
}

async fn days(mode: Mode, then: Mode, settings: WeatherSettings) {
    let stormy = Stormy::new(mode, settings).await;
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    for (place, text) in [(&first, "first"), (&second, "second")] {
        for page in 0..20 {
            write(place, &format!("pages/{page}.html"), &format!("{text} {page}"));
        }
        write(place, "index.html", text);
        write(place, "404.html", "lost");
        write(place, "assets/app.css", "body{}");
    }
    write(&second, "only-in-second.html", "second");
    stormy.deploy(&stormy.stack, &first).await;
    stormy.deploy(&stormy.stack, &second).await;
    stormy.verify(&stormy.stack, &second).await;
    let request = RollbackRequest {
        release: None,
        message: None,
        guard: Some(twinsite_site::Guard::OFF),
        options: twinsite_site::PublishOptions::default(),
    };
    let rolled_back = Box::pin(rollback(&stormy.stack.context, &request, &stormy.run)).await;
    stormy.published("rollback", rolled_back);
    stormy.verify(&stormy.stack, &first).await;

    stormy.lose("pages/3.html").await;
    let planned = Box::pin(plan_backfill(&stormy.stack.context, BackfillRequest::default(), &stormy.run)).await;
    let planned = planned.unwrap_or_else(|error| panic!("{}: plan of backfill: {error}", stormy.context));
    let filled = Box::pin(backfill(&stormy.stack.context, planned, &stormy.run)).await;
    let filled = filled.unwrap_or_else(|error| panic!("{}: backfill: {error}", stormy.context));
    assert_eq!((filled.copied, filled.missed.len()), (1, 0), "{}: {filled:?}", stormy.context);
    stormy.verify(&stormy.stack, &first).await;

    let outages = [BucketOutage::Website, BucketOutage::Policy, BucketOutage::Switch, BucketOutage::Replication];
    for outage in outages.into_iter().filter(|outage| outage.is_effective_in(mode)) {
        stormy.drill(outage).await;
    }

    let moved = open_in_weather(&stormy.cloud, &full(then)).await;
    stormy.apply(&moved).await;
    stormy.deploy(&moved, &second).await;
    stormy.verify(&moved, &second).await;
    let again = site::plan(&moved.context, AdoptBuckets::Refuse, &stormy.run).await.unwrap();
    assert_eq!(ids(&again), [""; 0], "{}: in mode {then}", stormy.context);
    let waits = stormy.waits.0.lock().unwrap();
    assert!(waits.keys().any(|what| what.contains("replicat") || what.contains("deployed")), "{waits:?}");
}

async fn all_days(mode: Mode, then: Mode) {
    for seed in seeds() {
        Box::pin(days(mode, then, WeatherSettings { weather: Weather::Storm, seed })).await;
    }
}

#[tokio::test]
async fn a_site_in_mode_dns_is_published_rolled_back_filled_drilled_and_moved_in_a_storm() {
    all_days(Mode::Dns, Mode::Layered).await;
}

#[tokio::test]
async fn a_site_in_mode_origin_is_published_rolled_back_filled_drilled_and_moved_in_a_storm() {
    all_days(Mode::Origin, Mode::Dns).await;
}

/// Fails with seed 0: after the rollback, pages of the release before are current in the primary again, in which replication back to the primary
/// (`replicate_back`) of objects that were copied late has probably a part.
#[tokio::test]
#[ignore = "not mended yet: a rollback in a storm, with replicate_back"]
async fn a_site_in_mode_layered_is_published_rolled_back_filled_drilled_and_moved_in_a_storm() {
    all_days(Mode::Layered, Mode::Origin).await;
}

/// A refusal for good is told at once, by everything that publishes.
#[tokio::test]
async fn a_publish_that_is_denied_for_good_is_told_at_once() {
    let stormy = Stormy::new(Mode::Layered, WeatherSettings { weather: Weather::Storm, seed: 5 }).await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "index.html", "first");
    write(dir.path(), "404.html", "lost");
    stormy.deploy(&stormy.stack, dir.path()).await;
    write(dir.path(), "index.html", "second");
    stormy.cloud.inject_faults(|seen| match seen.operation.as_str() {
        "PutObject" => InjectedFault::Error { status: 403, code: "AccessDenied" },
        _ => InjectedFault::None,
    });
    let clock = stormy.cloud.world().clock().clone();
    let started = clock.now();
    let source = SourceDirectory::read(stormy.stack.context.config(), dir.path(), None, None).await.unwrap();
    let denied = Box::pin(deploy(&stormy.stack.context, source, &DeployRequest::default(), &stormy.run)).await;
    assert!(denied.unwrap_err().to_string().contains("AccessDenied"));
    let took = clock.now().duration_since(started).unwrap();
    assert!(took < std::time::Duration::from_mins(1), "{took:?}");
}
