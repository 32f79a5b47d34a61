//! Key value stores, which functions read at the edges.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions.html>

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{CloudFront, Element, check_etag};
use crate::context::{ACCOUNT, Now, ServiceError, Tags};

/// Quotas: the size of a store, of a key and of a value, in bytes, and the number of keys of one request.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-keyvaluestores>
const MAX_STORE: usize = 5 << 20;
const MAX_KEY: usize = 512;
const MAX_VALUE: usize = 1 << 10;
const MAX_KEYS_OF_REQUEST: usize = 50;

/// Keys with their values.
pub type Pairs = BTreeMap<String, String>;

/// A key value store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyValueStore {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its comment.
    pub comment: String,
    /// The `ETag` of the control plane.
    pub etag: String,
    /// When it was created.
    pub created: SystemTime,
    /// When its comment was last changed.
    pub modified: SystemTime,
    /// When it becomes `READY`.
    pub ready: SystemTime,
    /// Its tags.
    pub tags: Tags,
    /// The `ETag` of the data plane, new after every change of a key.
    pub keys_etag: String,
    /// When a key was last changed.
    pub keys_modified: SystemTime,
    /// Its contents, with the time from which on edges see them. The last one is current; earlier ones are what edges still see.
    contents: Vec<(SystemTime, Pairs)>,
}

impl KeyValueStore {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{ACCOUNT}:key-value-store/{}", self.id)
    }

    /// `PROVISIONING` until it can be used.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.ready { "PROVISIONING" } else { "READY" }
    }

    /// Its current keys.
    pub fn keys(&self) -> &Pairs {
        static NONE: Pairs = Pairs::new();
        self.contents.last().map_or(&NONE, |(_, pairs)| pairs)
    }

    /// Its keys as edges see them.
    pub(crate) fn keys_at_edges(&self, now: SystemTime) -> &Pairs {
        static NONE: Pairs = Pairs::new();
        let visible = self.contents.iter().rev().find(|(from, _)| *from <= now);
        visible.map_or(&NONE, |(_, pairs)| pairs)
    }

    /// The size of its keys and values.
    pub fn size(&self) -> usize {
        size_of(self.keys())
    }
}

fn size_of(pairs: &Pairs) -> usize {
    pairs.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// Changes of the keys of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyChanges {
    pub(crate) puts: Vec<(String, String)>,
    pub(crate) deletes: Vec<String>,
}

impl KeyChanges {
    fn check(&self) -> Result<(), ServiceError> {
        let invalid = |message: &str| Err(ServiceError::invalid("ValidationException", message));
        let keys = self.puts.iter().map(|(key, _)| key).chain(&self.deletes);
        if keys.clone().any(|key| key.is_empty() || key.len() > MAX_KEY) {
            return invalid("Key must have 1 to 512 bytes.");
        }
        if self.puts.iter().any(|(_, value)| value.len() > MAX_VALUE) {
            return invalid("Value must have at most 1024 bytes.");
        }
        let count = keys.clone().count();
        if count == 0 || count > MAX_KEYS_OF_REQUEST {
            return invalid("A request must change 1 to 50 keys.");
        }
        let distinct: std::collections::BTreeSet<&String> = keys.collect();
        if distinct.len() < count {
            return invalid("A key must not be named more than once.");
        }
        Ok(())
    }
}

/// A new store.
pub(crate) struct NewStore {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) tags: Tags,
}

impl CloudFront {
    /// A key value store by name.
    pub fn store(&self, name: &str) -> Result<&KeyValueStore, ServiceError> {
        self.stores.get(name).ok_or_else(no_store)
    }

    /// A key value store by ARN.
    pub fn store_by_arn(&self, arn: &str) -> Option<&KeyValueStore> {
        self.stores.values().find(|store| store.arn() == arn)
    }

    pub(crate) fn create_store(&mut self, new: NewStore, now: Now) -> Result<KeyValueStore, ServiceError> {
        let NewStore { name, comment, tags } = new;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_allowed) || comment.len() > 128 {
            return Err(ServiceError::invalid("InvalidArgument", "The name or the comment is invalid."));
        }
        if self.stores.contains_key(&name) {
            let message = "A key value store with this name exists already.";
            return Err(ServiceError::new("EntityAlreadyExists", 409, message));
        }
        let store = KeyValueStore {
            name,
            id: self.next_uuid(),
            comment,
            etag: format!("ETVPDK{}", self.next_id()),
            created: now.time,
            modified: now.time,
            ready: now.time + now.delays.store,
            tags,
            keys_etag: format!("KV{}", self.next_id()),
            keys_modified: now.time,
            contents: Vec::new(),
        };
        self.stores.insert(store.name.clone(), store.clone());
        Ok(store)
    }

    /// An id in the form of a UUID.
    fn next_uuid(&mut self) -> String {
        self.counter += 1;
        format!("{:08x}-5678-40ab-8def-{:012x}", self.counter, self.counter)
    }

    pub(crate) fn update_store(
        &mut self,
        name: &str,
        if_match: Option<&str>,
        comment: String,
        now: Now,
    ) -> Result<KeyValueStore, ServiceError> {
        check_etag(if_match, &self.store(name)?.etag)?;
        if comment.len() > 128 {
            return Err(ServiceError::invalid("InvalidArgument", "The comment is too long."));
        }
        let etag = format!("ETVPDK{}", self.next_id());
        let store = self.stores.get_mut(name).ok_or_else(no_store)?;
        (store.comment, store.etag, store.modified) = (comment, etag, now.time);
        Ok(store.clone())
    }

    /// Deletes a store that no function is associated with, in any stage.
    pub(crate) fn delete_store(&mut self, name: &str, if_match: Option<&str>) -> Result<(), ServiceError> {
        let store = self.store(name)?;
        check_etag(if_match, &store.etag)?;
        let arn = store.arn();
        if self.functions.values().any(|function| function.stores().contains(&arn)) {
            let message = "The key value store is associated with a function.";
            return Err(ServiceError::new("CannotDeleteEntityWhileInUse", 409, message));
        }
        self.stores.remove(name);
        Ok(())
    }

    /// Changes keys, on condition that nobody else has changed one since they were read.
    pub(crate) fn change_keys(
        &mut self,
        arn: &str,
        if_match: Option<&str>,
        changes: KeyChanges,
        now: Now,
    ) -> Result<KeyValueStore, ServiceError> {
        changes.check()?;
        let etag = format!("KV{}", self.next_id());
        let store = self.stores.values_mut().find(|store| store.arn() == arn).ok_or_else(no_resource)?;
        let matches = if_match.is_some_and(|etag| etag.trim_matches('"') == store.keys_etag);
        if !matches || now.time < store.ready {
            return Err(ServiceError::new("ConflictException", 409, "Resource is not in expected state."));
        }
        let mut pairs = store.keys().clone();
        let KeyChanges { puts, deletes } = changes;
        for key in deletes {
            pairs.remove(&key).ok_or_else(no_resource)?;
        }
        pairs.extend(puts);
        if size_of(&pairs) > MAX_STORE {
            return Err(ServiceError::new(
                "ServiceQuotaExceededException",
                402,
                "The key value store would be too large.",
            ));
        }
        // What edges do not see any more is not kept.
        let seen = store.contents.iter().rposition(|(from, _)| *from <= now.time).unwrap_or_default();
        store.contents.drain(..seen);
        store.contents.push((now.time + now.delays.store, pairs));
        (store.keys_etag, store.keys_modified) = (etag, now.time);
        Ok(store.clone())
    }

    /// Checks the stores that the configuration of a function names: at most one, which exists and is ready, and runtime 2.0.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-associate.html>
    pub(super) fn check_associations(&self, config: &Element, now: SystemTime) -> Result<(), ServiceError> {
        let associated = config.items("KeyValueStoreAssociations");
        if let Some(list) = config.inconsistent() {
            return Err(ServiceError::invalid(
                "InvalidArgument",
                format!("The quantity of {list} is not that of its items."),
            ));
        }
        if associated.len() > 1 {
            return Err(ServiceError::invalid("InvalidArgument", "A function has at most one key value store."));
        }
        let Some(store) = associated.first() else { return Ok(()) };
        if config.at("Runtime") != "cloudfront-js-2.0" {
            let message = "Key value stores need the runtime cloudfront-js-2.0.";
            return Err(ServiceError::invalid("InvalidArgument", message));
        }
        let found = self.store_by_arn(store.at("KeyValueStoreARN")).ok_or_else(no_store)?;
        if found.status(now) != "READY" {
            return Err(ServiceError::invalid("InvalidArgument", "The key value store is not ready."));
        }
        Ok(())
    }
}

pub(super) fn no_store() -> ServiceError {
    ServiceError::new("EntityNotFound", 404, "The key value store does not exist.")
}

/// The same in the data plane, also for keys.
pub(crate) fn no_resource() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", 404, "Resource was not found.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::context::Delays;

    fn put(key: &str, value: &str) -> KeyChanges {
        KeyChanges { puts: vec![(key.to_owned(), value.to_owned())], deletes: Vec::new() }
    }

    fn store(cloudfront: &mut CloudFront, now: Now) -> KeyValueStore {
        let new = NewStore { name: "s".to_owned(), comment: String::new(), tags: Tags::new() };
        cloudfront.create_store(new, now).unwrap()
    }

    #[test]
    fn edges_see_a_change_after_the_delay_and_until_then_what_was_before() {
        let (mut cloudfront, start) = (CloudFront::default(), SystemTime::UNIX_EPOCH);
        let at = |seconds| Now {
            time: start + Duration::from_secs(seconds),
            delays: Delays { store: Duration::from_secs(8), ..Delays::NONE },
        };
        let mut etag = store(&mut cloudfront, at(0)).keys_etag;
        let arn = cloudfront.store("s").unwrap().arn();
        for (seconds, value) in [(10, "a"), (20, "b"), (24, "c")] {
            etag = cloudfront.change_keys(&arn, Some(&etag), put("k", value), at(seconds)).unwrap().keys_etag;
        }
        let seen = |seconds| {
            let keys = cloudfront.store("s").unwrap().keys_at_edges(at(seconds).time);
            keys.get("k").cloned().unwrap_or_default()
        };
        assert_eq!([19, 27, 28, 31, 32].map(seen), ["a", "a", "b", "b", "c"]);
        assert_eq!(cloudfront.store("s").unwrap().keys()["k"], "c");
    }

    #[test]
    fn a_store_has_at_most_five_megabytes() {
        let (mut cloudfront, now) = (CloudFront::default(), Now { time: SystemTime::UNIX_EPOCH, delays: Delays::NONE });
        let mut etag = store(&mut cloudfront, now).keys_etag;
        let (arn, value) = (cloudfront.store("s").unwrap().arn(), "v".repeat(MAX_VALUE));
        for round in 0..200 {
            let puts = (0..50).map(|n| (format!("{round:03}-{n:02}"), value.clone())).collect();
            match cloudfront.change_keys(&arn, Some(&etag), KeyChanges { puts, deletes: Vec::new() }, now) {
                Ok(changed) => etag = changed.keys_etag,
                Err(error) => {
                    // Fifty keys of six bytes with values of one KiB.
                    assert_eq!((error.code, round), ("ServiceQuotaExceededException", MAX_STORE / (50 * 1030)));
                    return;
                }
            }
        }
        panic!("the store has no limit");
    }
}
