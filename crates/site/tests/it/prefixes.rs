//! The main site and two prefixes in the same buckets: nobody changes what another one has published, whatever is stopped or lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use twinsite_site::{
    AdoptBuckets, BackupState, Cause, DeployRequest, DeployResult, Error, ErrorKind, Mode, PublishOptions, Run,
    TakeOver, deploy, plan, releases, verify,
};
use twinsite_sync::{
    Headers, Key, MemoryStore, Prefix, ReleaseId, RetentionPolicy, ScopedStore, Store, SyncError, VersionedStore, md5,
    prefix, release, replicate,
};

use crate::gated;
use crate::site::{OPTIONS, TestSite};
use crate::stage::{Done, Failed, contents, deploy_owner, roll_back_owner};
use crate::turns::Game;
use crate::write;

const NAMES: [&str; 5] = ["index.html", "a.css", "b/index.html", "b/c.js", "404.html"];

/// The main site, and two prefixes.
fn owners() -> [Option<Prefix>; 3] {
    [None, Some("docs".parse().unwrap()), Some("team/blog".parse().unwrap())]
}

/// The key of a file of an owner.
fn key_of(owner: Option<&Prefix>, name: &str) -> Key {
    format!("{}{name}", owner.map(ToString::to_string).unwrap_or_default()).parse().unwrap()
}

type Contents = BTreeMap<Key, (Bytes, Headers)>;

/// What a bucket has of everybody but this owner.
fn of_others(all: &Contents, owner: Option<&Prefix>) -> Contents {
    let prefixes: Vec<Prefix> = owners().into_iter().flatten().collect();
    let owner_of = |key: &Key| prefixes.iter().find(|prefix| prefix.contains(key));
    all.iter().filter(|(key, _)| owner_of(key) != owner).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Every version of what a bucket has of everybody but this owner, and their records.
async fn versions_of_others(store: &MemoryStore, owner: Option<&Prefix>) -> Vec<(Key, String)> {
    let mut found = Vec::new();
    let mut behind = None;
    let is_below = |key: &Key, prefix: &Prefix| prefix.contains(key) || key.as_str().starts_with(&prefix.records());
    let is_own = |key: &Key| {
        owner.map_or_else(
            || !owners().into_iter().flatten().any(|prefix| is_below(key, &prefix)),
            |prefix| is_below(key, prefix),
        )
    };
    loop {
        let page = store.versions("", behind.as_ref()).await.unwrap();
        found.extend(page.past.into_iter().filter(|past| !is_own(&past.key)).map(|past| (past.key, past.version)));
        behind = page.next;
        if behind.is_none() {
            return found;
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Deploy(usize, BTreeMap<usize, u8>, Fault),
    RollBack(usize, usize, Fault),
    Collect(usize, usize),
}

/// An attempt that fails at some request comes first, or none does.
type Fault = Option<(usize, bool)>;

fn act() -> impl Strategy<Value = Act> {
    let fault = || prop::option::weighted(0.4, (0_usize..60, any::<bool>()));
    let tree = prop::collection::btree_map(0..NAMES.len(), 0u8..3, 1..NAMES.len());
    prop_oneof![
        5 => (0_usize..3, tree, fault()).prop_map(|(owner, tree, fault)| Act::Deploy(owner, tree, fault)),
        2 => (0_usize..3, 0_usize..4, fault()).prop_map(|(owner, back, fault)| Act::RollBack(owner, back, fault)),
        1 => (0_usize..3, 1_usize..3).prop_map(|(owner, keep)| Act::Collect(owner, keep)),
    ]
}

/// What an owner has published: its releases, by the texts of their files.
#[derive(Default)]
struct History {
    releases: BTreeMap<u64, BTreeMap<Key, String>>,
}

struct Model {
    stores: [MemoryStore; 2],
    histories: [History; 3],
}

impl Model {
    /// Publishes, at first with a fault if there is one, and checks what each owner has afterwards.
    async fn publish(
        &mut self,
        owner: usize,
        now: BTreeMap<Key, String>,
        fault: Fault,
        publish: impl AsyncFn(Option<&Prefix>, (usize, bool)) -> Result<Done, Failed>,
        without_fault: impl AsyncFn(Option<&Prefix>) -> Result<Done, Failed>,
    ) {
        let prefix = owners()[owner].clone();
        let prefix = prefix.as_ref();
        let mut others = Vec::new();
        for store in &self.stores {
            others.push((of_others(&contents(store).await, prefix), versions_of_others(store, prefix).await));
        }
        if let Some(fault) = fault {
            drop(publish(prefix, fault).await);
        }
        without_fault(prefix).await.unwrap();
        for (store, (before, versions)) in self.stores.iter().zip(others) {
            let all = contents(store).await;
            assert_eq!(of_others(&all, prefix), before, "{prefix:?} has changed what others published");
            assert_eq!(versions_of_others(store, prefix).await, versions, "{prefix:?} has written what is not its own");
            for (key, text) in &now {
                assert_eq!(all[key].0, text.as_bytes(), "{key}");
            }
            let own = all.len() - before.len();
            let pages = |key: &&Key| key.extension() == "html";
            assert!(own >= now.len(), "{own}");
            assert_eq!(
                all.keys().filter(|key| !before.contains_key(*key)).filter(pages).count(),
                now.keys().filter(pages).count(),
                "pages that the source lost are gone"
            );
        }
        let own = ScopedStore::new(self.stores[0].clone(), prefix.cloned());
        let history = &mut self.histories[owner];
        let known = history.releases.keys().next_back().copied().unwrap_or_default();
        for made in release::list(&own).await.unwrap().into_iter().filter(|made| made.id.0 > known) {
            history.releases.insert(made.id.0, now.clone());
        }
    }

    async fn deploy(&mut self, owner: usize, tree: &BTreeMap<usize, u8>, fault: Fault) {
        let dir = tempfile::tempdir().unwrap();
        let prefix = owners()[owner].clone();
        let text = |version: &u8| ["aa", "bb", "ccc"][usize::from(*version)].to_owned();
        let mut now = BTreeMap::new();
        for (name, version) in tree {
            write(dir.path(), NAMES[*name], &text(version));
            now.insert(key_of(prefix.as_ref(), NAMES[*name]), text(version));
        }
        let [primary, backup] = self.stores.clone();
        let faulty = async |prefix: Option<&Prefix>, (at, lost): (usize, bool)| {
            let faulty = gated::Fault::both(at, lost, [&primary, &backup]);
            deploy_owner(dir.path(), prefix, (&faulty[0], &faulty[1]), TakeOver::Refuse).await
        };
        let clean = async |prefix: Option<&Prefix>| {
            deploy_owner(dir.path(), prefix, (&primary, &backup), TakeOver::Refuse).await
        };
        Box::pin(self.publish(owner, now, fault, faulty, clean)).await;
    }

    async fn roll_back(&mut self, owner: usize, id: u64, fault: Fault) {
        let now = self.histories[owner].releases[&id].clone();
        let [primary, backup] = self.stores.clone();
        let faulty = async |prefix: Option<&Prefix>, (at, lost): (usize, bool)| {
            let faulty = gated::Fault::both(at, lost, [&primary, &backup]);
            roll_back_owner(id, prefix, (&faulty[0], &faulty[1])).await
        };
        let clean = async |prefix: Option<&Prefix>| roll_back_owner(id, prefix, (&primary, &backup)).await;
        Box::pin(self.publish(owner, now, fault, faulty, clean)).await;
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Deploy(owner, tree, fault) => self.deploy(*owner, tree, *fault).await,
            Act::RollBack(owner, back, fault) => {
                let Some(id) = self.histories[*owner].releases.keys().rev().nth(*back).copied() else { return };
                self.roll_back(*owner, id, *fault).await;
            }
            Act::Collect(owner, keep) => {
                let prefix = owners()[*owner].clone();
                let keep = RetentionPolicy { releases: *keep, days: 0 };
                for store in &self.stores {
                    let before = versions_of_others(store, prefix.as_ref()).await;
                    let own = ScopedStore::new(store.clone(), prefix.clone());
                    let gone = release::collect(&own, &keep).await.unwrap().releases;
                    assert_eq!(versions_of_others(store, prefix.as_ref()).await, before);
                    self.histories[*owner].releases.retain(|id, _| !gone.contains(&ReleaseId(*id)));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_an_owner_does_others_keep_what_they_have_published(acts in prop::collection::vec(act(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut model = Model { stores: Default::default(), histories: Default::default() };
            for act in &acts {
                model.act(act).await;
            }
            // Every kept release of everybody can be brought back.
            for owner in 0..3 {
                let ids: Vec<u64> = model.histories[owner].releases.keys().copied().collect();
                for id in ids {
                    model.roll_back(owner, id, None).await;
                }
            }
            let [primary, backup] = &model.stores;
            let compared = replicate::compare_everything(primary, backup, &Run::silent()).await.unwrap();
            assert!(compared.is_in_sync() && compared.foreign.is_empty(), "{compared:?}");
        });
    }
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(dir.path(), name, text);
    }
    dir
}

fn text(store: &MemoryStore, key: &str) -> Option<String> {
    let all = store.contents();
    all.get(&key.parse().unwrap()).map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned())
}

/// In whatever order their requests arrive, the main site and a prefix that is published for the first time do not disturb one another.
#[tokio::test]
async fn the_main_site_and_a_new_prefix_are_published_at_the_same_time() {
    let docs: Prefix = "docs".parse().unwrap();
    let (main, own) = (directory(&[("index.html", "main"), ("a.css", "1")]), directory(&[("index.html", "docs")]));
    let (step, offset) = if crate::is_exhaustive() { (1, 0) } else { (5, std::process::id() as usize) };
    for i in 0..30 {
        for j in ((i + offset) % step..30).step_by(step) {
            let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
            let game = Game::new(4);
            let name = format!("{i} requests of the main site, then {j} of the prefix");
            let deployer = |who: usize, dir: &Path, prefix: Option<Prefix>| {
                let stores = (game.store(who, &primary), game.store(who, &backup));
                let (dir, game, name) = (dir.to_owned(), &game, name.clone());
                game.play(who, async move {
                    let deployed = deploy_owner(&dir, prefix.as_ref(), (&stores.0, &stores.1), TakeOver::Refuse).await;
                    deployed.unwrap_or_else(|error| panic!("{name}: deployer {who}: {error:?}"))
                })
            };
            let turn = |[first, second]: [usize; 2]| if first < i { 0 } else { usize::from(second < j) };
            let players = (deployer(0, main.path(), None), deployer(1, own.path(), Some(docs.clone())));
            tokio::join!(players.0, players.1, game.referee(turn, || {}, &name));
            for store in [&primary, &backup] {
                let found = ["index.html", "a.css", "docs/index.html"].map(|key| text(store, key).unwrap_or_default());
                assert_eq!(found, ["main", "1", "docs"], "{name}");
            }
        }
    }
}

/// If both have a file at the same place, one of them is refused, and what is there is the other one's.
#[tokio::test]
async fn of_the_main_site_and_a_new_prefix_that_want_the_same_key_at_most_one_gets_it() {
    let docs: Prefix = "docs".parse().unwrap();
    let main = directory(&[("index.html", "main"), ("docs/index.html", "main"), ("docs/b.html", "main")]);
    let own = directory(&[("index.html", "docs"), ("b.html", "docs"), ("c.html", "docs")]);
    let (step, offset) = if crate::is_exhaustive() { (1, 0) } else { (5, std::process::id() as usize) };
    let (mut refused_main, mut refused_prefix) = (0, 0);
    for i in 0..30 {
        for j in ((i + offset) % step..30).step_by(step) {
            let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
            let game = Game::new(4);
            let name = format!("{i} requests of the main site, then {j} of the prefix");
            let deployer = |who: usize, dir: &Path, prefix: Option<Prefix>| {
                let stores = (game.store(who, &primary), game.store(who, &backup));
                let (dir, game) = (dir.to_owned(), &game);
                game.play(who, async move {
                    deploy_owner(&dir, prefix.as_ref(), (&stores.0, &stores.1), TakeOver::Refuse).await
                })
            };
            let turn = |[first, second]: [usize; 2]| if first < i { 0 } else { usize::from(second < j) };
            let players = (deployer(0, main.path(), None), deployer(1, own.path(), Some(docs.clone())));
            let (first, second, ()) = tokio::join!(players.0, players.1, game.referee(turn, || {}, &name));
            let found = ["docs/index.html", "docs/b.html"].map(|key| text(&primary, key));
            match (&first, &second) {
                (Ok(_), Err(failed)) => {
                    assert!(
                        matches!(&*failed.error.cause, Cause::Sync(SyncError::PrefixOfMainSite { .. })),
                        "{name}: {failed:?}"
                    );
                    assert_eq!(found, [Some("main".to_owned()), Some("main".to_owned())], "{name}");
                    assert!(prefix::list(&primary).await.unwrap().is_empty(), "{name}: the prefix is free");
                    refused_prefix += 1;
                }
                (Err(failed), Ok(_)) => {
                    assert!(
                        matches!(&*failed.error.cause, Cause::Sync(SyncError::BelowPrefix { .. })),
                        "{name}: {failed:?}"
                    );
                    assert_eq!(found, [Some("docs".to_owned()), Some("docs".to_owned())], "{name}");
                    refused_main += 1;
                }
                (Err(_), Err(_)) => {}
                (Ok(_), Ok(_)) => panic!("{name}: both were published: {found:?}"),
            }
        }
    }
    assert!(refused_main > 0 && refused_prefix > 0, "{refused_main} {refused_prefix}");
}

#[tokio::test]
async fn a_prefix_takes_over_what_the_main_site_has_there_only_if_it_is_told_to() {
    let docs: Prefix = "docs".parse().unwrap();
    let stores = (MemoryStore::default(), MemoryStore::default());
    let stores = (&stores.0, &stores.1);
    let main = directory(&[
        ("index.html", "main"),
        ("docs/index.html", "old"),
        ("docs/gone.html", "old"),
        ("docs/x.css", "x"),
    ]);
    deploy_owner(main.path(), None, stores, TakeOver::Refuse).await.unwrap();
    let own = directory(&[("index.html", "new"), ("x.css", "x")]);
    let refused = deploy_owner(own.path(), Some(&docs), stores, TakeOver::Refuse).await.unwrap_err();
    assert_eq!(refused.error.kind(), ErrorKind::Usage);
    assert!(refused.error.hints.iter().any(|hint| hint.contains("--take-over")), "{:?}", refused.error.hints);
    assert_eq!(text(stores.0, "docs/index.html").as_deref(), Some("old"));
    assert!(prefix::list(stores.0).await.unwrap().is_empty());
    deploy_owner(own.path(), Some(&docs), stores, TakeOver::MainSite).await.unwrap();
    for store in [stores.0, stores.1] {
        let found = ["docs/index.html", "docs/gone.html", "docs/x.css", "index.html"].map(|key| text(store, key));
        assert_eq!(found.each_ref().map(Option::as_deref), [Some("new"), None, Some("x"), Some("main")]);
    }
    // The main site is refused until it has nothing there, and then deletes nothing; its older release leaves the prefix alone.
    let refused = deploy_owner(main.path(), None, stores, TakeOver::Refuse).await.unwrap_err();
    assert!(refused.error.to_string().contains("below the prefix `docs/`"), "{}", refused.error);
    let main = directory(&[("index.html", "main 2")]);
    deploy_owner(main.path(), None, stores, TakeOver::Refuse).await.unwrap();
    roll_back_owner(1, None, stores).await.unwrap();
    for store in [stores.0, stores.1] {
        assert_eq!(["docs/index.html", "index.html"].map(|key| text(store, key).unwrap()), ["new", "main"]);
    }
    // Versions that its expired releases share with the prefix stay.
    let own = directory(&[("index.html", "newer"), ("y.css", "y")]);
    deploy_owner(own.path(), Some(&docs), stores, TakeOver::Refuse).await.unwrap();
    stores.0.delete(&["docs/x.css".parse().unwrap()]).await.unwrap();
    stores.1.delete(&["docs/x.css".parse().unwrap()]).await.unwrap();
    for store in [stores.0, stores.1] {
        release::collect(store, &RetentionPolicy { releases: 1, days: 0 }).await.unwrap();
    }
    roll_back_owner(1, Some(&docs), stores).await.unwrap();
    assert_eq!(text(stores.0, "docs/x.css").as_deref(), Some("x"));
}

#[tokio::test]
async fn prefixes_below_one_another_are_refused() {
    let stores = (MemoryStore::default(), MemoryStore::default());
    let stores = (&stores.0, &stores.1);
    let dir = directory(&[("index.html", "x")]);
    deploy_owner(dir.path(), Some(&"a/b".parse().unwrap()), stores, TakeOver::Refuse).await.unwrap();
    for other in ["a", "a/b/c"] {
        let refused = deploy_owner(dir.path(), Some(&other.parse().unwrap()), stores, TakeOver::MainSite).await;
        let refused = refused.unwrap_err();
        assert!(matches!(&*refused.error.cause, Cause::Sync(SyncError::PrefixOverlaps { .. })), "{refused:?}");
    }
    deploy_owner(dir.path(), Some(&"a/bc".parse().unwrap()), stores, TakeOver::Refuse).await.unwrap();
    assert_eq!(prefix::list(stores.0).await.unwrap().iter().count(), 2);
}

/// A site of which a part is published: the same cloud, another configuration.
async fn part(site: &TestSite, mode: Mode, name: &str) -> TestSite {
    TestSite::open(site.cloud.clone(), |config| {
        config.mode = mode;
        config.publish.prefix = Some(name.parse().unwrap());
    })
    .await
}

async fn publish(site: &TestSite, dir: &Path) -> Result<DeployResult, Error> {
    // No lock expires, however slow this machine is.
    site.deploy_with(dir, PublishOptions { lock_ttl: Duration::from_mins(1), ..OPTIONS }).await
}

#[tokio::test]
async fn in_every_mode_a_prefix_of_a_site_is_published_invalidated_and_rolled_back_on_its_own() {
    for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
        let site = TestSite::applied_with(|config| config.mode = mode).await;
        let main = directory(&[("index.html", "main"), ("about.html", "about")]);
        publish(&site, main.path()).await.unwrap();
        let docs = part(&site, mode, "docs").await;
        let own = directory(&[
            ("index.html", "1"),
            ("a.svg", "1"),
            ("_redirects", "/x /y\n"),
            ("_headers", "/*\n  X-Frame-Options: DENY\n"),
        ]);
        let DeployResult::Published(done) = publish(&docs, own.path()).await.unwrap() else { panic!("{mode}") };
        assert_eq!(done.backup.state, BackupState::InSync, "{mode}: {:?}", done.backup);
        assert_eq!(done.url.as_deref(), Some("https://www.example.com/docs/"), "{mode}");
        assert_eq!(done.prefix.as_deref(), Some("docs/"));
        let unhonored: Vec<&str> = done.rules.not_honored.iter().map(|rule| rule.rule.as_str()).collect();
        assert!(unhonored.iter().any(|rule| rule.contains("/x")), "{mode}: {unhonored:?}");
        assert!(unhonored.iter().any(|rule| rule.contains("X-Frame-Options")), "{mode}: {unhonored:?}");
        write(own.path(), "index.html", "2");
        write(own.path(), "a.svg", "2");
        publish(&docs, own.path()).await.unwrap();
        if mode != Mode::Dns {
            assert!(docs.has_invalidated("/docs/a.svg"), "{mode}");
        }
        assert!(!docs.has_invalidated("/about.html"), "{mode}: what others published is invalidated");
        docs.roll_back("1").await.unwrap();
        let of_docs = releases(&docs.context, &Run::silent()).await.unwrap();
        assert_eq!((of_docs.releases.len(), of_docs.prefix.as_deref()), (3, Some("docs/")), "{mode}");
        let of_main = releases(&site.context, &Run::silent()).await.unwrap();
        assert_eq!((of_main.releases.len(), of_main.prefix), (1, None), "{mode}");
        // The main site goes on.
        write(main.path(), "about.html", "about us");
        publish(&site, main.path()).await.unwrap();
        for context in [&site.context, &docs.context] {
            let found = verify(context, None, &Run::silent()).await.unwrap();
            assert!(found.differences.is_empty() && found.foreign.is_empty(), "{mode}: {found:?}");
        }
        for (_, store) in site.context.stores().iter() {
            let all = contents(store.whole()).await;
            let texts = ["index.html", "about.html", "docs/index.html"].map(|key| all[&key.parse().unwrap()].0.clone());
            assert_eq!(texts, ["main", "about us", "1"], "{mode}");
        }
        let planned = plan(&site.context, AdoptBuckets::Refuse, &Run::silent()).await.unwrap();
        assert!(planned.is_empty(), "{mode}: {:?}", planned.summary());
        // What is lost in the backup of either is copied.
        let backup = site.context.stores().backup;
        for key in ["about.html", "docs/a.svg"] {
            backup.whole().delete(&[key.parse().unwrap()]).await.unwrap();
        }
        assert_eq!(site.backfill().await.unwrap().copied, 2, "{mode}");
    }
}

#[tokio::test]
async fn a_directory_with_files_below_a_prefix_is_refused_before_anything_is_changed() {
    let site = TestSite::applied().await;
    let docs = part(&site, Mode::Layered, "docs").await;
    publish(&docs, directory(&[("index.html", "docs")]).path()).await.unwrap();
    let main = directory(&[("index.html", "main"), ("docs/index.html", "main")]);
    let refused = publish(&site, main.path()).await.unwrap_err();
    assert!(refused.hints.iter().any(|hint| hint.contains("--prefix docs/")), "{:?}", refused.hints);
    let all = contents(site.context.stores().primary.whole()).await;
    assert_eq!(all.keys().map(Key::as_str).collect::<Vec<_>>(), ["docs/index.html"]);
    // The same for a dry run of either.
    let source = twinsite_site::SourceDirectory::read(site.context.config(), main.path(), None, None).await.unwrap();
    let request = DeployRequest { options: OPTIONS, ..DeployRequest::default() };
    assert!(twinsite_site::plan_deploy(&site.context, source, &request, &Run::silent()).await.is_err());
    let below = part(&site, Mode::Layered, "docs/v2").await;
    let source = twinsite_site::SourceDirectory::read(below.context.config(), main.path(), None, None).await.unwrap();
    assert!(twinsite_site::plan_deploy(&below.context, source, &request, &Run::silent()).await.is_err());
    let source = twinsite_site::SourceDirectory::read(below.context.config(), main.path(), None, None).await.unwrap();
    assert!(Box::pin(deploy(&below.context, source, &request, &Run::silent())).await.is_err());
}

/// Objects that nobody has published are left alone by everybody.
#[tokio::test]
async fn foreign_objects_below_a_prefix_stay() {
    let stores = (MemoryStore::default(), MemoryStore::default());
    for store in [&stores.0, &stores.1] {
        store.put(&"docs/theirs".parse().unwrap(), &Headers::default(), ("x".into(), md5(b"x"))).await.unwrap();
    }
    let dir = directory(&[("index.html", "docs")]);
    deploy_owner(dir.path(), Some(&"docs".parse().unwrap()), (&stores.0, &stores.1), TakeOver::MainSite).await.unwrap();
    deploy_owner(dir.path(), None, (&stores.0, &stores.1), TakeOver::Refuse).await.unwrap();
    assert_eq!(text(&stores.0, "docs/theirs").as_deref(), Some("x"));
}
