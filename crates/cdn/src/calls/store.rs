//! One function per operation on key value stores, named like it: the stores in CloudFront's API, and their keys in that of CloudFront
//! `KeyValueStore`, which is a data plane of its own.

use std::time::Duration;

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfrontkeyvaluestore::Client as KeysClient;
use aws_sdk_cloudfrontkeyvaluestore::types::{DeleteKeyRequestListItem, PutKeyRequestListItem};
use twinsite_aws::{AwsError, Tags, parse, unless_passing};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Arn, Run};
use twinsite_rules::{Protection, Table};

use super::cloudfront::{call, list_tags_for_resource};
use super::missing_field;
use crate::model::{ORIGIN_KEY, SITE_KEY, Store, StoreContents, StoreKeys};
use crate::wire::cloudfront::{self as wire, CREATED_BY};

/// A new store is ready within seconds.
const PROVISIONING: PollPolicy = PollPolicy { total: Duration::from_mins(5), ..PollPolicy::SECONDS };

/// A store as CloudFront's API describes it.
pub(crate) struct DescribedStore {
    pub(crate) arn: Arn,
    pub(crate) ready: bool,
    etag: String,
}

/// The store with this name; `None` if it does not exist.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DescribeKeyValueStore.html>
pub(crate) async fn describe_key_value_store(client: &Client, name: &str) -> Result<Option<DescribedStore>, AwsError> {
    const OPERATION: &str = "DescribeKeyValueStore";
    let response = AwsError::absent(call!(OPERATION, name, client.describe_key_value_store().name(name)))?;
    let Some(response) = response else { return Ok(None) };
    let etag = response.e_tag.unwrap_or_default();
    let store = response.key_value_store.ok_or_else(|| missing_field(OPERATION, name, "KeyValueStore"))?;
    let ready = store.status.as_deref() == Some("READY");
    Ok(Some(DescribedStore { arn: parse(OPERATION, name, &store.arn)?, ready, etag }))
}

/// The store with this name, with its tags and the keys that matter.
pub(crate) async fn find_store(client: &Client, keys: &KeysClient, name: &str) -> Result<Option<Store>, AwsError> {
    let Some(DescribedStore { arn, ready, etag: _ }) = describe_key_value_store(client, name).await? else {
        return Ok(None);
    };
    let tags = list_tags_for_resource(client, arn.as_str()).await?;
    let mut store = Store { arn, ready, tags, site: None, origin: None, users: None };
    if ready {
        store.site = get_key(keys, &store.arn, SITE_KEY).await?;
        store.origin = get_key(keys, &store.arn, ORIGIN_KEY).await?;
        store.users = get_key(keys, &store.arn, Protection::HEAD).await?;
    }
    Ok(Some(store))
}

/// Creates a store, or finds the one that an earlier call has created, and waits until it is ready.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateKeyValueStore.html>
pub(crate) async fn create_key_value_store(
    client: &Client,
    name: &str,
    tags: &Tags,
    run: &Run,
) -> Result<Arn, AwsError> {
    const OPERATION: &str = "CreateKeyValueStore";
    let tags = wire::sdk_tags(tags).map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
    let request = client.create_key_value_store().name(name).comment(CREATED_BY).tags(tags);
    match call!(OPERATION, name, request) {
        Ok(_) => {}
        // An earlier call has created it and its response was lost: it was absent when the plan was made.
        Err(error) if error.code.as_deref() == Some("EntityAlreadyExists") => {}
        Err(error) => return Err(error),
    }
    await_key_value_store(client, name, run).await
}

/// Waits until a store is ready.
pub(crate) async fn await_key_value_store(client: &Client, name: &str, run: &Run) -> Result<Arn, AwsError> {
    let ready = poll_until(run, PROVISIONING, "the key value store to be ready", async || {
        let found = describe_key_value_store(client, name).await;
        unless_passing(found.map(|found| match found {
            Some(store) if store.ready => Poll::Ready(store.arn),
            Some(_) | None => Poll::NotYet,
        }))
    });
    ready.await.map_err(|error| AwsError::from_wait("DescribeKeyValueStore", name, error))
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteKeyValueStore.html>
pub(crate) async fn delete_key_value_store(client: &Client, name: &str) -> Result<(), AwsError> {
    let Some(DescribedStore { etag, .. }) = describe_key_value_store(client, name).await? else { return Ok(()) };
    let response = call!("DeleteKeyValueStore", name, client.delete_key_value_store().name(name).if_match(etag));
    AwsError::absent(response.map(drop)).map(drop)
}

/// The value of a key; `None` if it does not exist.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-kvp.html>
pub(crate) async fn get_key(keys: &KeysClient, store: &Arn, key: &str) -> Result<Option<String>, AwsError> {
    let response = call!("GetKey", key, keys.get_key().kvs_arn(store.as_str()).key(key));
    Ok(AwsError::absent(response)?.map(|found| found.value))
}

/// The entity tag of the keys of a store.
async fn describe_keys(keys: &KeysClient, store: &Arn) -> Result<String, AwsError> {
    call!("DescribeKeyValueStore", store, keys.describe_key_value_store().kvs_arn(store.as_str()))
        .map(|found| found.e_tag)
}

/// What is in a store. The entity tag is read first, so that a change on condition of it overwrites nothing that was put in between.
pub(crate) async fn read_store(keys: &KeysClient, store: &Arn) -> Result<StoreContents, AwsError> {
    let etag = describe_keys(keys, store).await?;
    let site = get_key(keys, store, SITE_KEY).await?;
    let origin = get_key(keys, store, ORIGIN_KEY).await?;
    Ok(StoreContents { etag, site, origin })
}

/// Puts a key, on condition that no key has changed since the entity tag was read.
pub(crate) async fn put_key(
    keys: &KeysClient,
    store: &Arn,
    key: &str,
    value: &str,
    etag: &str,
) -> Result<(), AwsError> {
    let request = keys.put_key().kvs_arn(store.as_str()).key(key).value(value).if_match(etag);
    call!("PutKey", key, request).map(drop)
}

/// Puts keys, whatever they were.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions-kvp.html>
pub(crate) async fn update_keys(keys: &KeysClient, store: &Arn, puts: &StoreKeys) -> Result<(), AwsError> {
    const OPERATION: &str = "UpdateKeys";
    let etag = describe_keys(keys, store).await?;
    let items = puts.iter().map(|(key, value)| PutKeyRequestListItem::builder().key(key).value(value).build());
    let items = items.collect::<Result<Vec<_>, _>>();
    let items = items.map_err(|error| AwsError::unexpected(OPERATION, store, error))?;
    let request = keys.update_keys().kvs_arn(store.as_str()).if_match(etag).set_puts(Some(items));
    call!(OPERATION, store, request).map(drop)
}

/// Keys of a store, with their values.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_kvs_ListKeys.html>
async fn list_keys(keys: &KeysClient, store: &Arn) -> Result<StoreKeys, AwsError> {
    /// The most that a page may have.
    const PAGE: i32 = 50;
    let (mut all, mut next) = (StoreKeys::new(), None);
    loop {
        let request = keys.list_keys().kvs_arn(store.as_str()).max_results(PAGE).set_next_token(next);
        let page = call!("ListKeys", store, request)?;
        all.extend(page.items.unwrap_or_default().into_iter().map(|item| (item.key, item.value)));
        next = page.next_token;
        if next.is_none() {
            return Ok(all);
        }
    }
}

/// How many keys one request may change. <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MOST_CHANGES: usize = 50;

/// Brings the redirect table in a store into the desired state; returns the number of keys that were changed. The other keys of the store
/// stay as they are.
///
/// The head of the table is changed last, so that one that is there already says that all of its keys are. Every request is made on
/// condition that nobody else has changed a key since the keys were listed.
pub(crate) async fn put_redirects(keys: &KeysClient, store: &Arn, table: &Table) -> Result<usize, AwsError> {
    let etag = describe_keys(keys, store).await?;
    let head = get_key(keys, store, Table::HEAD).await?;
    if head.as_ref() == table.keys().get(Table::HEAD) {
        return Ok(0);
    }
    let mut actual = list_keys(keys, store).await?;
    actual.retain(|key, _| Table::owns(key));
    let unequal = table.keys().iter().filter(|(key, value)| actual.get(*key) != Some(value));
    let puts = unequal.map(|(key, value)| (key, Some(value)));
    let deletes = actual.keys().filter(|key| !table.keys().contains_key(*key)).map(|key| (key, None));
    let mut changes: Vec<(&String, Option<&String>)> = puts.chain(deletes).collect();
    changes.sort_by_key(|(key, value)| match value {
        _ if *key == Table::HEAD => 1,
        // The former head names the parts of its header rules.
        None if key.starts_with("h:") => 2,
        Some(_) | None => 0,
    });
    update_in_batches(keys, store, etag, &changes).await?;
    Ok(changes.len())
}

/// Brings the users of protected paths in a store into the desired state. Those who may no longer see a path are removed first, and the head
/// is put last, so that one that is there says that all are.
pub(crate) async fn put_users(keys: &KeysClient, store: &Arn, protection: &Protection) -> Result<(), AwsError> {
    let etag = describe_keys(keys, store).await?;
    let (mut actual, desired) = (list_keys(keys, store).await?, protection.keys());
    actual.retain(|key, _| Protection::owns(key));
    let deletes = actual.keys().filter(|key| !desired.contains_key(*key)).map(|key| (key, None));
    let unequal = desired.iter().filter(|(key, value)| actual.get(*key) != Some(value));
    let puts = unequal.map(|(key, value)| (key, Some(value)));
    let mut changes: Vec<(&String, Option<&String>)> = deletes.chain(puts).collect();
    changes.sort_by_key(|(key, value)| (*key == Protection::HEAD, value.is_some()));
    update_in_batches(keys, store, etag, &changes).await
}

/// Changes keys in their order, with so many requests as are needed. Each is made on condition that nobody else has changed a key since.
async fn update_in_batches(
    keys: &KeysClient,
    store: &Arn,
    mut etag: String,
    changes: &[(&String, Option<&String>)],
) -> Result<(), AwsError> {
    const OPERATION: &str = "UpdateKeys";
    for batch in changes.chunks(MOST_CHANGES) {
        let mut request = keys.update_keys().kvs_arn(store.as_str()).if_match(etag);
        for (key, value) in batch {
            let unexpected = |error| AwsError::unexpected(OPERATION, store, error);
            request = match value {
                Some(value) => {
                    let put = PutKeyRequestListItem::builder().key(*key).value(*value).build();
                    request.puts(put.map_err(unexpected)?)
                }
                None => request.deletes(DeleteKeyRequestListItem::builder().key(*key).build().map_err(unexpected)?),
            };
        }
        etag = call!(OPERATION, store, request)?.e_tag;
    }
    Ok(())
}
