//! Random histories: deploys, rollbacks, meddling with the backup, and letting go of old releases, in any order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use twinsite_site::Run;
use twinsite_sync::{Headers, Key, MemoryStore, ReleaseId, Store, md5, replicate};
use twinsite_sync::{RetentionPolicy, release};

use crate::gated::{self, Gated};
use crate::stage::{Done, Failed, contents, deploy, roll_back};
use crate::write;

const NAMES: [&str; 6] = ["index.html", "a.css", "b/index.html", "b/c.js", "d e.png", "feed.xml"];

#[derive(Clone, Debug)]
enum Act {
    Deploy(BTreeMap<usize, u8>, Fault),
    RollBack(usize, Fault),
    Meddle(usize, bool),
    Collect(usize),
}

/// An attempt that fails at some request comes first, or none does.
type Fault = Option<(usize, bool)>;

fn fault() -> impl Strategy<Value = Fault> {
    prop::option::weighted(0.2, (0_usize..60, any::<bool>()))
}

fn act() -> impl Strategy<Value = Act> {
    let tree = prop::collection::btree_map(0..NAMES.len(), 0u8..3, 1..NAMES.len());
    prop_oneof![
        4 => (tree, fault()).prop_map(|(tree, fault)| Act::Deploy(tree, fault)),
        3 => (0usize..6, fault()).prop_map(|(back, fault)| Act::RollBack(back, fault)),
        1 => (0..NAMES.len(), any::<bool>()).prop_map(|(name, there)| Act::Meddle(name, there)),
        1 => (1usize..5).prop_map(Act::Collect),
    ]
}

/// An attempt whose requests fail, and what it did all the same.
async fn failed(
    fault: Fault,
    stores: (&MemoryStore, &MemoryStore),
    publish: impl AsyncFn((&Gated<gated::Fault>, &Gated<gated::Fault>)) -> Result<Done, Failed>,
) -> Option<Done> {
    let (at, lost) = fault?;
    let faulty = gated::Fault::both(at, lost, [stores.0, stores.1]);
    Some(match publish((&faulty[0], &faulty[1])).await {
        Ok(done) => done,
        Err(failed) => Done { invalidated: failed.invalidated, release: None },
    })
}

/// What the model remembers.
#[derive(Default)]
struct Model {
    live: BTreeMap<String, String>,
    releases: BTreeMap<u64, BTreeMap<String, String>>,
    foreign: BTreeSet<String>,
}

impl Model {
    /// What an attempt and the publish after it did together. An attempt may have got as far as a record.
    async fn either(
        &mut self,
        first: Option<Done>,
        mut second: Done,
        now: &BTreeMap<String, String>,
        primary: &MemoryStore,
    ) -> Done {
        let known = self.releases.keys().next_back().copied().unwrap_or_default();
        for release in release::list(primary).await.unwrap().into_iter().filter(|release| release.id.0 > known) {
            self.releases.insert(release.id.0, now.clone());
            second.release = second.release.max(Some(release.id));
        }
        second.invalidated.extend(first.map(|done| done.invalidated).unwrap_or_default());
        second
    }

    /// After a publish: what visitors find, what was owed to them, and that the backup has it too.
    async fn published(&mut self, done: &Done, now: BTreeMap<String, String>, stores: (&MemoryStore, &MemoryStore)) {
        let changed = self.live.iter().filter(|(key, text)| now.get(*key) != Some(*text));
        // Assets that stay for earlier releases have not changed for anybody.
        let pages = changed.filter(|(key, _)| now.contains_key(*key) || key.contains(".html") || key.contains("feed"));
        for (key, _) in pages {
            assert!(done.has_invalidated(key), "`{key}` changed and was not invalidated: {done:?}");
        }
        if let Some(release) = done.release {
            self.releases.insert(release.0, now.clone());
        } else {
            assert_eq!(self.live, now, "something changed without a release");
        }
        self.live = now;
        let there = contents(stores.0).await;
        for (key, text) in &self.live {
            assert_eq!(there[&key.parse::<Key>().unwrap()].0, text.as_bytes(), "{key}");
        }
        let compared = replicate::compare(stores.0, stores.1, &Run::silent()).await.unwrap();
        assert!(compared.is_in_sync(), "{compared:?}");
        let left: BTreeSet<String> = compared.foreign.iter().map(ToString::to_string).collect();
        assert!(left.is_subset(&self.foreign), "{left:?} of {:?}", self.foreign);
    }

    async fn act(&mut self, act: &Act, stores: (&MemoryStore, &MemoryStore)) {
        match act {
            Act::Deploy(tree, fault) => {
                let dir = tempfile::tempdir().unwrap();
                let text = |version: &u8| ["aa", "bb", "ccc"][usize::from(*version)].to_owned();
                let now: BTreeMap<_, _> = tree.iter().map(|(n, v)| (NAMES[*n].to_owned(), text(v))).collect();
                for (name, text) in &now {
                    write(dir.path(), name, text);
                }
                let failed = failed(*fault, stores, async |stores| deploy(dir.path(), stores).await).await;
                let done = deploy(dir.path(), stores).await.unwrap();
                let done = self.either(failed, done, &now, stores.0).await;
                self.published(&done, now, stores).await;
            }
            Act::RollBack(back, fault) => {
                let Some((id, then)) = self.releases.iter().rev().nth(*back) else { return };
                let (id, then) = (*id, then.clone());
                let failed = failed(*fault, stores, async |stores| roll_back(id, stores).await).await;
                let done = roll_back(id, stores).await.unwrap();
                let done = self.either(failed, done, &then, stores.0).await;
                self.published(&done, then, stores).await;
            }
            Act::Meddle(name, there) => {
                let key: Key = NAMES[*name].parse().unwrap();
                if *there {
                    stores.1.put(&key, &Headers::default(), ("theirs".into(), md5(b"theirs"))).await.unwrap();
                    self.foreign.insert(key.to_string());
                } else {
                    stores.1.delete(&[key]).await.unwrap();
                }
            }
            Act::Collect(keep) => {
                let keep = RetentionPolicy { releases: *keep, days: 0 };
                let gone = release::collect(stores.0, &keep).await.unwrap().releases;
                assert_eq!(release::collect(stores.1, &keep).await.unwrap().releases, gone);
                self.releases.retain(|id, _| !gone.contains(&ReleaseId(*id)));
                assert_eq!(
                    self.releases.len(),
                    self.releases.len().min(keep.releases),
                    "no more are kept than asked for"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_happens_the_buckets_are_level_and_every_kept_release_can_be_brought_back(
        acts in prop::collection::vec(act(), 1..14),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (primary, backup) = (MemoryStore::default(), MemoryStore::default());
            let mut model = Model::default();
            for act in &acts {
                model.act(act, (&primary, &backup)).await;
            }
            for (id, then) in model.releases.clone() {
                let done = roll_back(id, (&primary, &backup)).await.unwrap();
                model.published(&done, then, (&primary, &backup)).await;
                assert!(release::read(&primary, ReleaseId(id)).await.unwrap().is_some());
            }
        });
    }
}
