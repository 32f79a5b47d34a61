//! Whatever is deployed, an edge that caches by headers serves nothing older than the last deploy, once its invalidation has completed
//! and ten seconds are over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use proptest::prelude::*;
use twinsite_aws::AwsError;
use twinsite_cdn::FolderUrls;
use twinsite_core::edge::ERROR_TTL;
use twinsite_site::{Changes, DeployResult, EdgeRules, InvalidationResult, Invalidator, Pair, PublishRequest, Run};
use twinsite_site::{WaitForInvalidation, prepare, publish};
use twinsite_sync::{HeaderRule, Index, Key, MemoryStore, Notes, Rules, Setting, Store, walk};

use crate::{stage, write};

const INDEX: &str = "index.html";
/// `a` and `b` are files or folders; a directory cannot have both.
const KEYS: [&str; 8] = ["index.html", "404.html", "a/index.html", "a", "b/index.html", "b", "c.css", "d/e/f(1).js"];
const PATHS: [&str; 12] = [
    "/",
    "/index.html",
    "/404.html",
    "/a",
    "/a/",
    "/a/index.html",
    "/b",
    "/b/",
    "/b/index.html",
    "/c.css",
    "/d/e/f(1).js",
    "/none",
];
const CONTROLS: [(&str, u64); 5] = [
    ("max-age=0", 1),
    ("no-cache", 1),
    ("public, max-age=600", 600),
    ("s-maxage=40, max-age=0", 40),
    ("public", 86_400),
];

/// A file: its content, and its `Cache-Control`.
type File = (u8, usize);

/// What a website endpoint answers: the status, the content, and for how long edges hold it.
type Answer = (u16, String, u64);

/// An edge that visitors use all the time, in a time of its own.
struct ModelEdge<'a> {
    primary: &'a MemoryStore,
    /// The second member of an origin group that fails over for a missing page.
    second: Option<&'a MemoryStore>,
    now: Mutex<u64>,
    cache: Mutex<BTreeMap<&'static str, (Answer, u64)>>,
    /// Whether invalidations are accepted.
    accepts: bool,
    is_caching_known: bool,
    /// The paths that visitors ask for in the middle of a deploy.
    visited: Vec<usize>,
}

async fn object(store: &MemoryStore, key: &str) -> Option<(String, u64)> {
    let key: Key = key.parse().ok()?;
    let head = store.head(&key).await.unwrap()?;
    let body = String::from_utf8(store.get(&key).await.unwrap()?.to_vec()).unwrap();
    let control = head.headers.cache_control.unwrap();
    Some((body, CONTROLS.iter().find(|(text, _)| *text == control).unwrap().1))
}

/// Edges hold a redirect for a day, as it has no `Cache-Control`, and an error for ten seconds or as its document says.
async fn answer(stores: (&MemoryStore, Option<&MemoryStore>), path: &str) -> Answer {
    let first = website(stores.0, path).await;
    match stores.1 {
        Some(second) if first.0 == 404 => website(second, path).await,
        _ => first,
    }
}

async fn website(store: &MemoryStore, path: &str) -> Answer {
    let name = &path[1..];
    let key = if name.is_empty() || name.ends_with('/') { format!("{name}{INDEX}") } else { name.to_owned() };
    if let Some((body, ttl)) = object(store, &key).await {
        return (200, body, ttl);
    }
    if key == name && object(store, &format!("{name}/{INDEX}")).await.is_some() {
        return (302, String::new(), 86_400);
    }
    let (body, ttl) = object(store, "404.html").await.unwrap_or_default();
    (404, body, ttl.max(ERROR_TTL.as_secs()))
}

impl ModelEdge<'_> {
    async fn get(&self, path: &'static str) -> (u16, String) {
        let now = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = self.cache.lock().unwrap().get(path).filter(|(_, until)| now < *until).cloned();
        let answer = if let Some((answer, _)) = cached {
            answer
        } else {
            let answer = answer((self.primary, self.second), path).await;
            self.cache.lock().unwrap().insert(path, (answer.clone(), now + answer.2));
            answer
        };
        (answer.0, answer.1)
    }

    async fn visit(&self) {
        for at in &self.visited {
            self.get(PATHS[*at]).await;
        }
    }

    fn wait(&self, seconds: u64) {
        *self.now.lock().unwrap() += seconds;
    }
}

impl Invalidator for &ModelEdge<'_> {
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
        self.visit().await;
        let rules = EdgeRules {
            index: INDEX,
            not_found: Some("404.html"),
            folders: FolderUrls::Website,
            is_caching_known: self.is_caching_known,
            error_ttl: ERROR_TTL,
        };
        let paths = changes.paths(&rules);
        if !self.accepts && !paths.is_empty() {
            return Err(AwsError::refused("CreateInvalidation", "E1", "too many"));
        }
        self.cache.lock().unwrap().retain(|path, _| !paths.covers(path));
        self.visit().await;
        Ok(Some(paths.as_slice().len()).filter(|paths| *paths > 0))
    }
}

/// How a distribution is configured.
#[derive(Clone, Copy, Debug)]
struct Cdn {
    is_caching_known: bool,
    has_origin_group: bool,
}

#[derive(Clone, Debug)]
struct Step {
    files: Vec<(usize, Option<File>)>,
    accepted: bool,
    visited: Vec<usize>,
    pause: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let file = proptest::option::weighted(0.8, (any::<u8>(), 0..CONTROLS.len()));
    let files = proptest::collection::vec((0..KEYS.len(), file), 1..5);
    let visited = proptest::collection::vec(0..PATHS.len(), 0..PATHS.len());
    (files, prop::bool::weighted(0.85), visited, 0u64..30).prop_map(|(files, accepted, visited, pause)| Step {
        files,
        accepted,
        visited,
        pause,
    })
}

async fn deployed(
    files: &BTreeMap<&str, File>,
    stores: &Pair<MemoryStore>,
    edge: &ModelEdge<'_>,
) -> InvalidationResult {
    let dir = tempfile::tempdir().unwrap();
    let mut rules = Rules::web();
    for (key, (text, control)) in files {
        write(dir.path(), key, &format!("{key} {text}"));
        let setting = Setting::CacheControl(Some(CONTROLS[*control].0.to_owned()));
        // A pattern of a file in the root would match in every folder.
        let pattern = key.replace('(', "[(]");
        rules = rules.header(HeaderRule::new(&format!("/{pattern}"), vec![setting]).unwrap());
    }
    publish_dir(dir.path(), &rules, stores, edge).await
}

async fn publish_dir(
    dir: &Path,
    rules: &Rules,
    stores: &Pair<MemoryStore>,
    edge: &ModelEdge<'_>,
) -> InvalidationResult {
    let (source, index) = (walk(dir, rules).unwrap(), Index::memory());
    let request = PublishRequest {
        source: &source,
        rules,
        plan: stage::options(),
        notes: Notes::default(),
        index: &index,
        command: "deploy",
        skip_older_in: None,
        options: stage::publish_options(),
        take_over: twinsite_site::TakeOver::Refuse,
        alone: None,
    };
    let prepared = prepare(stores, &request, &Run::silent()).await.unwrap();
    match Box::pin(publish(stores, &edge, request, prepared, &Run::silent())).await.unwrap() {
        DeployResult::Published(result) => result.invalidation,
        skipped => panic!("{skipped:?}"),
    }
}

async fn nothing_old_is_served(steps: Vec<Step>, cdn: Cdn) -> Result<(), TestCaseError> {
    let stores = Pair::new(MemoryStore::default(), MemoryStore::default());
    let (primary, backup) = (stores.primary.clone(), stores.backup.clone());
    let mut edge = ModelEdge {
        primary: &primary,
        second: cdn.has_origin_group.then_some(&backup),
        now: Mutex::new(0),
        cache: Mutex::default(),
        accepts: true,
        is_caching_known: cdn.is_caching_known,
        visited: Vec::new(),
    };
    let mut files = BTreeMap::from([("index.html", (0, 0))]);
    for Step { files: changed, accepted, visited, pause } in steps {
        for (key, file) in changed {
            let other = match KEYS[key] {
                "a" => "a/index.html",
                "a/index.html" => "a",
                "b" => "b/index.html",
                "b/index.html" => "b",
                _ => "",
            };
            files.remove(other);
            match file {
                Some(file) => drop(files.insert(KEYS[key], file)),
                None => drop(files.remove(KEYS[key])),
            }
        }
        if files.is_empty() {
            files.insert("c.css", (0, 0));
        }
        (edge.accepts, edge.visited) = (accepted, visited);
        edge.visit().await;
        let invalidation = deployed(&files, &stores, &edge).await;
        edge.visit().await;
        edge.wait(pause);
        if matches!(invalidation, InvalidationResult::Pending { .. }) {
            continue;
        }
        edge.wait(ERROR_TTL.as_secs());
        for path in PATHS.into_iter().collect::<BTreeSet<_>>() {
            let (status, body, _) = website(&primary, path).await;
            prop_assert_eq!(edge.get(path).await, (status, body), "{} of {:?}", path, files);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_page_whose_creation_was_not_invalidated_is_not_taken_for_a_replaced_one() {
    let step = |key, file, accepted| Step { files: vec![(key, Some(file))], accepted, visited: vec![], pause: 0 };
    let steps = vec![step(1, (0, 2), true), step(2, (0, 0), false), step(2, (0, 1), true)];
    nothing_old_is_served(steps, Cdn { is_caching_known: false, has_origin_group: false }).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if crate::is_exhaustive() { 400 } else { 60 }))]

    #[test]
    fn an_edge_serves_nothing_older_than_the_last_deploy(
        steps in proptest::collection::vec(step(), 1..10), is_caching_known in prop::bool::weighted(0.9),
        has_origin_group in any::<bool>(),
    ) {
        let cdn = Cdn { is_caching_known, has_origin_group };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(nothing_old_is_served(steps, cdn))?;
    }
}
