//! Random histories of outages, deploys, rollbacks and returns: what visitors get in the end is the newest release, nothing that was
//! published is lost, and no two releases have the same number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use twinsite_core::{Sleep, Timer};
use twinsite_site::{
    ActivePlan, DeployResult, Error, NoCdn, Pair, PrimaryRegion, PublishRequest, RollbackSource, Run, level_primary,
    prepare_active, publish,
};
use twinsite_sync::active_side::newest_change;
use twinsite_sync::{
    Index, Key, MemoryStore, Notes, Options, ReleaseId, RetentionPolicy, Rules, StoreError, release, replicate, walk,
};

use crate::gated::{Gate, Gated};
use crate::stage::{contents, options, publish_options};
use crate::write;

const NAMES: [&str; 5] = ["index.html", "a.css", "b/index.html", "b/c.js", "d e.png"];

/// A region that can be out, and that a command can lose after some requests.
#[derive(Debug, Default)]
struct Region {
    is_out: AtomicBool,
    /// The requests that are left until every one fails; `usize::MAX` if none does.
    left: AtomicUsize,
}

impl Gate for Region {
    async fn pass(&self) -> Result<(), StoreError> {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(usize::from(left != usize::MAX)), Ordering::Relaxed);
        if left == 0 || self.is_out.load(Ordering::Relaxed) {
            return Err(StoreError::Unreachable("the region is out".to_owned()));
        }
        Ok(())
    }
}

/// Time in which the pause before the second look at the primary is short.
#[derive(Debug)]
struct Fast(Instant);

const SPEED: u32 = 100;

impl Timer for Fast {
    fn now(&self) -> Duration {
        self.0.elapsed() * SPEED
    }

    #[expect(clippy::disallowed_methods, reason = "this is a timer")]
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration / SPEED))
    }
}

fn run() -> Run {
    Run::silent().with_timer(Arc::new(Fast(Instant::now())))
}

#[derive(Clone, Debug)]
enum Act {
    Deploy(BTreeMap<usize, u8>),
    RollBack(usize),
    PrimaryOut,
    PrimaryBack,
    /// While the primary is there: what is published then is not in the backup, as if it waited for replication.
    BackupOut,
    BackupBack,
    FailBack,
    /// The next command loses both regions after so many requests, as if it was killed.
    Kill(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let tree = prop::collection::btree_map(0..NAMES.len(), 0u8..3, 1..NAMES.len());
    prop_oneof![
        5 => tree.prop_map(Act::Deploy),
        2 => (0usize..4).prop_map(Act::RollBack),
        2 => Just(Act::PrimaryOut),
        2 => Just(Act::PrimaryBack),
        1 => Just(Act::BackupOut),
        2 => Just(Act::BackupBack),
        2 => Just(Act::FailBack),
        1 => (0usize..80).prop_map(Act::Kill),
    ]
}

type Site = BTreeMap<String, String>;

struct History {
    stores: Pair<Gated<Region>>,
    /// Every release whose publish succeeded.
    releases: BTreeMap<u64, Site>,
    /// What the last publish that succeeded made live.
    live: Site,
    keep: RetentionPolicy,
    /// Whether the last publish is not in the backup.
    is_behind: bool,
    /// Whether the last command failed: what is live is then either what it was, or what was being published.
    unsure: bool,
}

impl History {
    fn new() -> Self {
        let region = || {
            let gate = Region { left: AtomicUsize::new(usize::MAX), ..Region::default() };
            Gated { store: MemoryStore::default(), gate: Arc::new(gate), fence: None }
        };
        Self {
            stores: Pair::new(region(), region()),
            releases: BTreeMap::new(),
            live: Site::new(),
            keep: options().keep,
            is_behind: false,
            unsure: false,
        }
    }

    fn is_out(&self) -> bool {
        self.stores.primary.gate.is_out.load(Ordering::Relaxed)
    }

    async fn publish(&self, source: &twinsite_sync::Source, notes: Notes) -> Result<DeployResult, Error> {
        let (rules, index, run) = (Rules::web(), Index::memory(), run());
        let mut request = PublishRequest {
            source,
            rules: &rules,
            plan: Options { keep: self.keep, ..options() },
            notes,
            index: &index,
            command: "deploy",
            skip_older_in: None,
            options: publish_options(),
            take_over: twinsite_site::TakeOver::Refuse,
            alone: None,
        };
        let planned = Box::pin(prepare_active(&self.stores, &mut request, PrimaryRegion::Unknown, &run)).await;
        let ActivePlan { stores, prepared } = planned?;
        Box::pin(publish(&stores, &NoCdn, request, prepared, &run)).await
    }

    async fn deploy(&mut self, tree: &BTreeMap<usize, u8>) {
        let dir = tempfile::tempdir().unwrap();
        let site: Site = tree.iter().map(|(name, content)| (NAMES[*name].to_owned(), format!("{content}"))).collect();
        for (name, content) in &site {
            write(dir.path(), name, content);
        }
        let source = walk(dir.path(), &Rules::web()).unwrap();
        let done = self.publish(&source, Notes::default()).await;
        self.settle(done, site);
    }

    async fn roll_back(&mut self, back: usize) {
        let Some((id, site)) = self.releases.iter().rev().nth(back).map(|(id, site)| (*id, site.clone())) else {
            return;
        };
        let backup_is_active = self.backup_is_active().await;
        let from = if self.is_out() || backup_is_active { &self.stores.backup } else { &self.stores.primary };
        let (id, rules) = (ReleaseId(id), Rules::web());
        // A release that was not replicated before the outage is not there to be brought back.
        let Ok(release) = RollbackSource::read(from, id, &rules, options(), None).await else { return };
        drop(release);
        let Ok(Some(found)) = release::read(from, id).await else { return };
        let done = self.publish(&found.source(&rules), Notes { restores: Some(id), ..Notes::default() }).await;
        self.settle(done, site);
    }

    async fn backup_is_active(&self) -> bool {
        let newest = newest_change(&self.stores.backup.store).await.unwrap();
        newest.is_some_and(|change| change.side.as_str() == "backup")
    }

    fn settle(&mut self, done: Result<DeployResult, Error>, site: Site) {
        match done {
            Ok(DeployResult::Published(published)) => {
                if let Some(release) = &published.release {
                    let taken = self.releases.insert(release.id, site.clone());
                    assert!(taken.is_none(), "release {} was made twice", release.id);
                }
                self.live = site;
                self.is_behind = published.backup.error.is_some();
                self.unsure = false;
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => self.unsure = true,
        }
    }

    async fn fail_back(&mut self) -> Result<(), Error> {
        level_primary(&self.stores, &Rules::web(), publish_options(), &run()).await.map(drop)
    }

    /// The region of visitors: the backup while it is the active side or the primary is out.
    async fn visitors_get(&self) -> Site {
        let active = self.backup_is_active().await;
        let side = if active || self.is_out() { &self.stores.backup.store } else { &self.stores.primary.store };
        site_of(side).await
    }

    fn heal(&self) {
        for (_, store) in self.stores.iter() {
            store.gate.left.store(usize::MAX, Ordering::Relaxed);
        }
    }
}

async fn site_of(store: &MemoryStore) -> Site {
    let text =
        |(key, (bytes, _)): (Key, (bytes::Bytes, _))| (key.to_string(), String::from_utf8(bytes.to_vec()).unwrap());
    contents(store).await.into_iter().map(text).collect()
}

async fn run_history(acts: Vec<Act>) {
    let mut history = History::new();
    history.deploy(&BTreeMap::from([(0, 0)])).await;
    let mut killed = false;
    for act in acts {
        match act {
            Act::Deploy(mut tree) => {
                tree.entry(0).or_insert(0);
                history.deploy(&tree).await;
            }
            Act::RollBack(back) => history.roll_back(back).await,
            Act::PrimaryOut => {
                history.stores.primary.gate.is_out.store(true, Ordering::Relaxed);
                history.stores.backup.gate.is_out.store(false, Ordering::Relaxed);
            }
            Act::BackupOut if history.is_out() || history.backup_is_active().await => {}
            Act::BackupOut => history.stores.backup.gate.is_out.store(true, Ordering::Relaxed),
            Act::BackupBack => history.stores.backup.gate.is_out.store(false, Ordering::Relaxed),
            Act::PrimaryBack => history.stores.primary.gate.is_out.store(false, Ordering::Relaxed),
            Act::FailBack => drop(history.fail_back().await),
            Act::Kill(at) => {
                for (_, store) in history.stores.iter() {
                    store.gate.left.store(at, Ordering::Relaxed);
                }
                killed = true;
                continue;
            }
        }
        if std::mem::take(&mut killed) {
            history.heal();
        }
        // What was not replicated before an outage is not there during it.
        let unknown = history.is_behind && history.is_out() && !history.backup_is_active().await;
        if !history.unsure && !unknown {
            let assets =
                |site: Site| site.into_iter().filter(|(name, _)| history.live.contains_key(name)).collect::<Site>();
            assert_eq!(assets(history.visitors_get().await), history.live);
        }
    }
    // In the end the primary returns, the command that failed is repeated, and the primary is made active again.
    history.stores.primary.gate.is_out.store(false, Ordering::Relaxed);
    history.stores.backup.gate.is_out.store(false, Ordering::Relaxed);
    history.heal();
    if history.unsure {
        history.deploy(&BTreeMap::from([(0, 9)])).await;
    }
    history.fail_back().await.unwrap();
    let both = Pair::new(&history.stores.primary.store, &history.stores.backup.store);
    // What was not replicated arrives: by replication, or by `backfill`.
    let late = replicate::compare(both.primary, both.backup, &run()).await.unwrap();
    replicate::fill(late, both.primary, both.backup, &Rules::web(), &run()).await.unwrap();
    for (_, store) in both.iter() {
        let site = site_of(store).await;
        let published: Site = site.into_iter().filter(|(name, _)| history.live.contains_key(name)).collect();
        assert_eq!(published, history.live, "visitors do not get the newest release");
    }
    let compared = replicate::compare(both.primary, both.backup, &run()).await.unwrap();
    assert!(compared.copies.iter().all(|copy| copy.object.key.is_reserved()), "{:?}", compared.copies);
    // Every release is still recorded in one of the buckets.
    let mut known = BTreeSet::new();
    for (_, store) in both.iter() {
        known.extend(release::list_ids(*store).await.unwrap().into_iter().map(|id| id.0));
    }
    let kept = history.releases.keys().rev().take(10);
    for id in kept {
        assert!(known.contains(id), "release {id} is lost: {known:?}");
    }
    // A deploy that keeps no older release finds nothing left over that belongs to nobody.
    history.keep = RetentionPolicy { releases: 1, days: 0 };
    history.deploy(&BTreeMap::from([(0, 7)])).await;
    assert_eq!(history.visitors_get().await, history.live);
}

fn cases() -> u32 {
    if crate::is_exhaustive() { 500 } else { 100 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_visitors_end_on_the_newest_release(acts in prop::collection::vec(act(), 1..14)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run_history(acts));
    }
}

/// Among them the requests after the release is recorded, when only the lock is left to be given back.
#[tokio::test]
async fn a_deploy_in_an_outage_may_die_at_any_request() {
    for at in 0..60 {
        run_history(vec![Act::PrimaryOut, Act::Kill(at), Act::Deploy(BTreeMap::from([(0, 1), (1, 2)]))]).await;
    }
}
