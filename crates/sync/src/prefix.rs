//! Taking a prefix before its first publish, so that neither the main site nor another prefix has what is below it.
//!
//! A prefix is taken by a record below `.twinsite/prefixes/`. Publishes of the main site look for such records after they have taken the
//! lock, and leave alone what is below a prefix. Whoever takes a prefix writes its record first, and then waits for the publish of the main
//! site that holds the lock, which may not have seen it. So this needs no right to write the main site's lock.
//!
//! Two prefixes of which one is below the other cannot both be taken: each looks for others after its record is written, so that of two at
//! the same time at least one sees the other.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use twinsite_core::{Event, Pair, Run, Side, wait};

use crate::lock::{self, HeldLock, Lease, LockError, Owner, UnfinishedPublish};
use crate::manifest::{self, Entry};
use crate::model::layout::MANIFESTS;
use crate::model::prefix::PREFIXES;
use crate::model::time::{BootTime, now};
use crate::store::{Condition, ScopedStore, Store, VersionedStore, list_prefix};
use crate::{Headers, Key, Prefix, Prefixes, StoreError, SyncError};

/// The version of the record.
const VERSION: u32 = 1;

/// What the record of a prefix says. Its key says which prefix it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    version: u32,
    prefix: String,
    /// When it was taken, in seconds since the epoch, by the clock of who took it.
    since: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    who: Option<String>,
}

/// What to do if the main site has objects below a prefix that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MainObjects {
    /// Fail. What only older releases refer to is taken over all the same.
    #[default]
    Refuse,
    /// Take them over: they are the prefix's from then on, and deleted if its directory does not have them.
    TakeOver,
}

/// A prefix that is to be taken.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The prefix.
    pub prefix: &'a Prefix,
    /// Who takes it.
    pub who: Option<String>,
    /// What to do if the main site has objects below it.
    pub main: MainObjects,
    /// Whose lock publishes of the main site hold: that of the primary, or that of the backup while it is published to alone.
    pub side: Side,
    /// For how long a publish of the main site is waited for, and when its lock has expired.
    pub lease: Lease,
}

/// The prefixes of a bucket.
///
/// # Errors
/// [`StoreError`] if the bucket could not be read.
pub async fn list<S: Store>(store: &S) -> Result<Prefixes, StoreError> {
    Ok(Prefixes::of(&list_prefix(store, PREFIXES).await?))
}

/// The prefixes that at least one of two buckets has.
///
/// # Errors
/// As [`list`].
pub async fn list_both<S: Store>(stores: &Pair<S>) -> Result<Prefixes, StoreError> {
    let mut all = list(&stores.primary).await?;
    all.extend(list(&stores.backup).await?);
    Ok(all)
}

/// What of the main site is below a prefix that is to be taken; the stores are the whole buckets. Read-only.
///
/// # Errors
/// [`SyncError::PrefixOverlaps`], [`SyncError::PrefixOfMainSite`], and buckets that could not be read.
pub async fn check<S: Store>(stores: &Pair<S>, claim: &Claim<'_>) -> Result<BTreeSet<Key>, SyncError> {
    let others = list_both(stores).await?;
    if let Some(other) = others.iter().find(|other| *other != claim.prefix && other.overlaps(claim.prefix)) {
        return Err(SyncError::PrefixOverlaps { prefix: claim.prefix.clone(), other: other.clone() });
    }
    let store = &stores.primary;
    let manifests = list_prefix(store, MANIFESTS).await?;
    let (mut live, mut all) = (Vec::new(), BTreeSet::new());
    for (at, object) in manifest::listed(&manifests).into_iter().rev().enumerate() {
        let Some(entries) = manifest::read(store, &object.key).await? else {
            let text = format!(
                "the main site's manifest `{}` is damaged; the next deploy of the main site mends it",
                object.key
            );
            return Err(StoreError::Broken(text).into());
        };
        for (key, Entry { headers, .. }) in entries.into_iter().filter(|(key, _)| claim.prefix.contains(key)) {
            if at == 0 && headers.is_some() {
                live.push(key.clone());
            }
            all.insert(key);
        }
    }
    let mut unfinished = lock::read_unfinished(store).await?;
    if let Some(HeldLock { unfinished: holder, .. }) = lock::look(store, claim.side).await? {
        unfinished.join(holder);
    }
    if let Some(key) = unfinished.purge.iter().find(|key| key.starts_with(claim.prefix.as_str())) {
        let text = format!(
            "a purge of the main site's `{key}` is not complete: the next deploy of the main site completes it"
        );
        return Err(SyncError::Raced(text));
    }
    let created = unfinished.created.iter().filter_map(|key| key.parse::<Key>().ok());
    all.extend(created.filter(|key| claim.prefix.contains(key)));
    if !live.is_empty() && claim.main == MainObjects::Refuse {
        live.sort();
        return Err(SyncError::PrefixOfMainSite { prefix: claim.prefix.clone(), keys: live });
    }
    Ok(all)
}

/// Takes a prefix, which may be taken already but was never published; the stores are the whole buckets. If this fails, the prefix is
/// as free as before.
///
/// # Errors
/// As [`check`], and [`LockError::Held`] if a publish of the main site does not come to its end.
pub async fn claim<S: VersionedStore>(stores: &Pair<S>, claim: Claim<'_>, run: &Run) -> Result<(), SyncError> {
    let record = Record { version: VERSION, prefix: claim.prefix.to_string(), since: now(), who: claim.who.clone() };
    let bytes: bytes::Bytes =
        serde_json::to_vec(&record).map_err(|error| StoreError::Broken(error.to_string()))?.into();
    let write = async |store: &S| {
        let (digest, headers) = (crate::md5(&bytes), Headers::of_record("application/json"));
        let body = (bytes.clone().into(), digest);
        match store.put_if(&claim.prefix.record_key(), &headers, body, &Condition::Absent).await {
            Err(StoreError::Changed(_)) => Ok(false),
            written => written.map(|_| true),
        }
    };
    let is_new = write(&stores.primary).await?;
    let taking = async {
        wait_for_main_site(&stores.primary, &claim, run).await?;
        let objects = check(stores, &claim).await?;
        if !objects.is_empty() {
            // They count as created by a publish of the prefix that did not come to its end.
            let own = ScopedStore::new(stores.primary.clone(), Some(claim.prefix.clone()));
            let mut unfinished = lock::read_unfinished(&own).await?;
            let created = objects.iter().map(ToString::to_string).collect();
            unfinished.join(UnfinishedPublish { created, ..UnfinishedPublish::default() });
            lock::record_unfinished(&own, &unfinished).await?;
        }
        Ok::<(), SyncError>(())
    };
    if let Err(error) = Box::pin(taking).await {
        if is_new {
            // Should this fail, too, nobody has published the prefix: whoever takes it next goes on from here.
            drop(stores.primary.delete(&[claim.prefix.record_key()]).await);
        }
        return Err(error);
    }
    // A replica of the record comes here as well, where there is replication.
    drop(write(&stores.backup).await);
    Ok(())
}

/// Waits until the publish of the main site that holds the lock now has ended: others that follow see the record.
async fn wait_for_main_site<S: Store>(store: &S, claim: &Claim<'_>, run: &Run) -> Result<(), SyncError> {
    let started = BootTime::now();
    let mut first: Option<Option<Owner>> = None;
    loop {
        let Some(held) = lock::look(store, claim.side).await? else { return Ok(()) };
        let is_first = first.get_or_insert_with(|| held.owner.clone()) == &held.owner;
        if !is_first || held.is_abandoned(claim.lease.ttl) {
            return Ok(());
        }
        let since = started.elapsed();
        let Some(owner) = held.owner.filter(|_| since < claim.lease.timeout) else {
            return Err(match first.flatten() {
                Some(owner) => LockError::Held { owner: Box::new(owner), seconds: None }.into(),
                None => LockError::Damaged.into(),
            });
        };
        run.emit(&Event::Waiting { what: format!("{owner} to finish"), since, usually: None });
        let step = (claim.lease.ttl / 20).clamp(Duration::from_millis(20), Duration::from_secs(2));
        wait::pause(run, step.min(claim.lease.timeout.saturating_sub(since))).await;
        run.check()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_that_of_version_1() {
        let record =
            Record { version: VERSION, prefix: "docs/".into(), since: 5, who: Some("arn:aws:iam::1:role/docs".into()) };
        let stored = serde_json::to_string(&record).unwrap();
        assert_eq!(stored, r#"{"version":1,"prefix":"docs/","since":5,"who":"arn:aws:iam::1:role/docs"}"#);
        assert_eq!(serde_json::from_str::<Record>(&stored).unwrap(), record);
    }
}
