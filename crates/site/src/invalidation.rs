//! What a publish invalidates, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use twinsite_aws::AwsError;
use twinsite_cdn::{ChangeKind, Edges, FolderUrls, InvalidationPaths};
use twinsite_core::{Event, Mode, Run, edge, wait};
use twinsite_rules::Table;
use twinsite_sync::lock::UnfinishedPublish;
use twinsite_sync::{Prepared, REDIRECT_TABLE, Source, SourceObject};

use crate::context::SiteContext;
use crate::options::WaitForInvalidation;

/// Invalidates changed objects in a CDN.
#[expect(async_fn_in_trait, reason = "futures need not be Send: they are awaited where they are made")]
pub trait Invalidator {
    /// Identifies the distribution.
    type Target;

    /// Looks the distribution up, while objects are transferred; `None` if there is none.
    ///
    /// # Errors
    /// [`AwsError`] if the lookup failed.
    async fn prepare(&self) -> Result<Option<Self::Target>, AwsError>;

    /// Invalidates what edges may still hold of changed objects. Returns the number of paths, or `None` if nothing had to be
    /// invalidated.
    ///
    /// # Errors
    /// [`AwsError`] if the invalidation was not accepted.
    async fn invalidate(
        &self,
        target: &Self::Target,
        changes: &Changes<'_>,
        wait: WaitForInvalidation,
        run: &Run,
    ) -> Result<Option<usize>, AwsError>;

    /// Has edges redirect by this redirect table, or by none. Whoever has no edges with rules has nothing to do.
    ///
    /// # Errors
    /// [`AwsError`] if the table could not be put.
    async fn put_redirects(&self, target: &Self::Target, table: Option<&[u8]>, run: &Run) -> Result<(), AwsError> {
        let _ = (target, table, run);
        Ok(())
    }
}

/// Changed objects, by what edges may hold in their place.
#[derive(Clone, Debug)]
pub struct Changes<'a> {
    /// Keys of older objects that edges may hold; `*` stands for all.
    pub held: BTreeSet<String>,
    /// Keys of older objects that edges ask for again within a second, so that they need not be invalidated.
    pub revalidated: BTreeSet<String>,
    /// Keys that were absent: edges may hold an error.
    pub created: BTreeSet<String>,
    /// Of all these, the keys of objects that were there before, and are there now: a redirect to their folder stays what it was. An
    /// object that an earlier publish created, and did not invalidate, is none of them: edges may hold the error of the time before.
    pub replaced: BTreeSet<String>,
    /// What the site consists of from now on.
    pub source: &'a Source,
}

impl<'a> Changes<'a> {
    /// What a publish uploads. `pending` is what this publish and earlier ones have to invalidate, `earlier` what is left of earlier ones.
    pub(crate) fn uploaded(
        prepared: &Prepared,
        source: &'a Source,
        pending: &UnfinishedPublish,
        earlier: &UnfinishedPublish,
    ) -> Self {
        let plan = &prepared.plan;
        let deleted: BTreeSet<String> = plan.deletes().iter().map(|delete| delete.key.to_string()).collect();
        let old = plan.puts().iter().filter(|put| put.replaces.is_some());
        let rewritten = plan.rewrites().iter().map(|rewrite| &rewrite.object.key);
        let replaced = old.map(|put| &put.object.key).chain(rewritten);
        Self {
            held: pending.keys.difference(&deleted).cloned().chain(pending.all.then(|| "*".to_owned())).collect(),
            revalidated: prepared.revalidated().difference(&deleted).cloned().collect(),
            created: pending.created.clone(),
            replaced: replaced.map(ToString::to_string).filter(|key| !earlier.keys.contains(key)).collect(),
            source,
        }
    }

    /// What a publish deletes after that. An edge may hold an object that an earlier publish had to invalidate, and did not.
    pub(crate) fn deleted(prepared: &Prepared, source: &'a Source, pending: &UnfinishedPublish) -> Self {
        let revalidated = prepared.revalidated();
        let is_pending = |key: &str| pending.all || pending.keys.contains(key);
        let keys = prepared.plan.deletes().iter().map(|delete| delete.key.to_string());
        let (revalidated, held) = keys.partition(|key| revalidated.contains(key) && !is_pending(key));
        Self { held, revalidated, created: BTreeSet::new(), replaced: BTreeSet::new(), source }
    }

    /// What is pending if nothing of this could be invalidated.
    pub(crate) fn pending(self) -> UnfinishedPublish {
        let Self { held, revalidated, created, replaced: _, source: _ } = self;
        let all = held.contains("*");
        UnfinishedPublish {
            all,
            ..UnfinishedPublish::new([held, revalidated, created].into_iter().flatten().collect())
        }
    }

    /// True if no object is changed.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.revalidated.is_empty() && self.created.is_empty()
    }

    /// Whether the redirect table is among what changed, or may be.
    pub(crate) fn has_redirect_table(&self) -> bool {
        let sets = [&self.held, &self.revalidated, &self.created];
        sets.iter().any(|keys| keys.contains(REDIRECT_TABLE)) || self.held.contains("*") && self.has(REDIRECT_TABLE)
    }

    /// The paths to invalidate in edges that cache by these rules.
    pub fn paths(&self, rules: &EdgeRules<'_>) -> InvalidationPaths {
        let website = rules.folders == FolderUrls::Website;
        let is_invalidated =
            |key: &str| self.held.contains(key) || !rules.is_caching_known && self.revalidated.contains(key);
        // A website endpoint answers for every missing page with the error document and its headers.
        if is_invalidated("*") || rules.not_found.is_some_and(|key| website && is_invalidated(key)) {
            return match self.source.prefix() {
                None => InvalidationPaths::everything(),
                Some(prefix) => InvalidationPaths::folder(prefix.as_str()),
            };
        }
        let mut keys: BTreeMap<&str, ChangeKind> = BTreeMap::new();
        let kind = |key: &str| if self.replaced.contains(key) { ChangeKind::Replaced } else { ChangeKind::Other };
        keys.extend(self.held.iter().map(|key| (key.as_str(), kind(key))));
        if !rules.is_caching_known {
            keys.extend(self.revalidated.iter().map(|key| (key.as_str(), kind(key))));
        }
        if rules.holds_errors(self.source) {
            keys.extend(self.created.iter().map(|key| (key.as_str(), ChangeKind::Other)));
        }
        if website {
            keys.extend(self.former_redirects(rules.index).map(|key| (key, ChangeKind::Replaced)));
        }
        // Edges have the redirect table from the key value store, and visitors cannot request it.
        keys.remove(REDIRECT_TABLE);
        let paths = InvalidationPaths::for_changes(keys, rules.index, rules.folders);
        match self.source.prefix() {
            Some(prefix) if paths == InvalidationPaths::everything() => InvalidationPaths::folder(prefix.as_str()),
            _ => paths,
        }
    }

    /// Names at which a website endpoint has redirected to the folder of the same name, and does not any more: edges hold that for a
    /// day. Either the name is that of an object now, or the folder has lost its index document.
    fn former_redirects<'s>(&'s self, index: &'s str) -> impl Iterator<Item = &'s str> {
        let is_folder = move |name: &&String| self.has(&format!("{name}/{index}"));
        let objects = self.created.iter().filter(is_folder).map(String::as_str);
        let gone = self.revalidated.iter().filter(|key| !self.replaced.contains(*key));
        objects.chain(gone.filter_map(move |key| key.strip_suffix(index)?.strip_suffix('/')))
    }

    fn has(&self, key: &str) -> bool {
        object(self.source, key).is_some()
    }
}

/// How the edges of a site cache.
#[derive(Clone, Copy, Debug)]
pub struct EdgeRules<'a> {
    /// The index document of folders.
    pub index: &'a str,
    /// The error document.
    pub not_found: Option<&'a str>,
    /// How folders are served.
    pub folders: FolderUrls,
    /// Whether `Cache-Control` decides what edges hold.
    pub is_caching_known: bool,
    /// For how long at least an edge holds an error.
    pub error_ttl: Duration,
}

impl EdgeRules<'_> {
    /// Whether edges hold an error of a missing page for longer than is worth waiting for.
    fn holds_errors(&self, source: &Source) -> bool {
        let document = self.not_found.filter(|_| self.folders == FolderUrls::Website);
        let document = document.and_then(|key| object(source, key));
        let document = document.map(|object| edge::ttl(object.headers.cache_control.as_deref()));
        self.error_ttl.max(document.unwrap_or_default()) > edge::ERROR_TTL || !self.is_caching_known
    }
}

/// The object of the site with this key.
fn object<'a>(source: &'a Source, key: &str) -> Option<&'a SourceObject> {
    source.get(&key.parse().ok()?)
}

/// What was invalidated.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum InvalidationResult {
    /// Nothing had to be invalidated, because edges hold none of the older objects, or there is no distribution.
    None,
    /// CloudFront accepted the invalidation.
    Accepted {
        /// The number of paths, each of which is an object or a whole folder.
        paths: usize,
        /// What they cost in US dollars unless they are among the first 1,000 of the account in a month, which are free.
        usd: f64,
    },
    /// CloudFront did not accept it, or the redirect table could not be put. That is recorded, and the next deploy does it again.
    Pending {
        /// Why.
        error: String,
    },
}

impl InvalidationResult {
    #[expect(clippy::cast_precision_loss, reason = "the number of paths is small")]
    pub(crate) fn accepted(paths: usize) -> Self {
        Self::Accepted { paths, usd: paths as f64 * twinsite_cdn::InvalidationPaths::USD_PER_PATH }
    }
}

/// No CDN: nothing is invalidated.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCdn;

impl Invalidator for NoCdn {
    type Target = ();

    async fn prepare(&self) -> Result<Option<()>, AwsError> {
        Ok(None)
    }

    async fn invalidate(
        &self,
        (): &(),
        _: &Changes<'_>,
        _: WaitForInvalidation,
        _: &Run,
    ) -> Result<Option<usize>, AwsError> {
        Ok(None)
    }
}

/// The site's CloudFront distribution.
#[derive(Clone, Copy, Debug)]
pub struct CloudFront<'a>(&'a SiteContext);

impl SiteContext {
    /// Invalidates in the site's distribution.
    pub fn invalidator(&self) -> CloudFront<'_> {
        CloudFront(self)
    }
}

impl SiteContext {
    /// Has edges redirect by this redirect table, or by none.
    pub(crate) async fn put_redirects(&self, table: Option<&[u8]>, run: &Run) -> Result<(), AwsError> {
        match self.edge_table(table)? {
            Some(table) => self.put_edge_table(&table, run).await,
            None => Ok(()),
        }
    }

    /// A redirect table as edges are to have it; `None` in mode `dns`, in which CloudFront has no function that could read it.
    fn edge_table(&self, text: Option<&[u8]>) -> Result<Option<Table>, AwsError> {
        if self.site.mode == Mode::Dns {
            return Ok(None);
        }
        let table = text.map(Table::from_text).transpose();
        let table = table.map_err(|error| AwsError::unexpected("UpdateKeys", REDIRECT_TABLE, error))?;
        Ok(Some(table.unwrap_or_default()))
    }

    async fn put_edge_table(&self, table: &Table, run: &Run) -> Result<(), AwsError> {
        let desired = self.desired_cdn(false);
        Box::pin(self.services.cdn.put_redirects(&desired, table, run)).await.map(drop)
    }
}

impl CloudFront<'_> {
    fn rules(&self, edges: &Edges) -> EdgeRules<'_> {
        let public = self.0.site.mode.public_buckets();
        EdgeRules {
            index: &self.0.config.index,
            not_found: self.0.config.not_found.as_deref(),
            folders: if public { FolderUrls::Website } else { FolderUrls::Function },
            is_caching_known: edges.is_caching_known,
            error_ttl: edges.error_ttl,
        }
    }
}

impl Invalidator for CloudFront<'_> {
    type Target = Edges;

    async fn prepare(&self) -> Result<Option<Edges>, AwsError> {
        Box::pin(self.0.services.cdn.find_edges(&self.0.desired_cdn(false))).await
    }

    async fn put_redirects(&self, edges: &Edges, table: Option<&[u8]>, run: &Run) -> Result<(), AwsError> {
        let Some(table) = self.0.edge_table(table)? else { return Ok(()) };
        if !edges.changes_headers && table.has_headers() {
            let text =
                "header rules of `_headers` are not honoured yet: the distribution has no function for responses"
                    .to_owned();
            let hint = Some("add it with `twinsite apply`; nothing has to be deployed again".to_owned());
            run.emit(&Event::Warning { text, hint });
        }
        self.0.put_edge_table(&table, run).await
    }

    #[expect(clippy::disallowed_methods, reason = "two publishes of the same keys are two invalidations")]
    async fn invalidate(
        &self,
        edges: &Edges,
        changes: &Changes<'_>,
        wait: WaitForInvalidation,
        run: &Run,
    ) -> Result<Option<usize>, AwsError> {
        let started = run.timer.now();
        let paths = changes.paths(&self.rules(edges));
        let digest = hex::encode(&Sha256::digest(paths.as_slice().join(" "))[..8]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let reference = format!("twinsite-{}-{digest}", now.as_millis());
        let cdn = &self.0.services.cdn;
        let accepted = Box::pin(cdn.invalidate(&edges.distribution, &paths, &reference, run)).await?;
        if wait == WaitForInvalidation::Completed {
            if let Some(accepted) = &accepted {
                cdn.await_invalidation(accepted, run).await?;
            }
            if self.0.is_internet() {
                outwait(changes, started, run).await;
            }
        }
        Ok(accepted.map(|accepted| accepted.paths))
    }
}

/// Waits until edges have forgotten what was not worth an invalidation: pages that they hold for a second, errors for ten.
async fn outwait(changes: &Changes<'_>, started: Duration, run: &Run) {
    let since = run.timer.now().saturating_sub(started);
    let errors = if changes.created.is_empty() { Duration::ZERO } else { edge::ERROR_TTL };
    let pages = if changes.revalidated.is_empty() { Duration::ZERO } else { edge::MIN_TTL };
    let rest = errors.max(pages).saturating_sub(since);
    if !rest.is_zero() {
        let (what, usually) = ("what edges hold for seconds to expire".to_owned(), Some("seconds"));
        run.emit(&Event::Waiting { what, since, usually });
        wait::pause(run, rest).await;
    }
}
