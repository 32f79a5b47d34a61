//! Key value stores: the stores in CloudFront's API, their keys in that of CloudFront `KeyValueStore`, through the SDKs.

use std::time::Duration;

use aws_sdk_cloudfront::primitives::Blob;
use aws_sdk_cloudfront::types::{
    FunctionConfig, FunctionRuntime, FunctionStage, KeyValueStoreAssociation, KeyValueStoreAssociations, Tag, Tags,
};
use aws_sdk_cloudfrontkeyvaluestore::types::{DeleteKeyRequestListItem, PutKeyRequestListItem};
use twinsite_local::{Cloud, Delays};

use crate::{code, session};

fn reading(runtime: FunctionRuntime, store: &str) -> FunctionConfig {
    let store = KeyValueStoreAssociation::builder().key_value_store_arn(store).build().unwrap();
    let stores = KeyValueStoreAssociations::builder().quantity(1).items(store).build().unwrap();
    let config = FunctionConfig::builder().comment("").runtime(runtime);
    config.key_value_store_associations(stores).build().unwrap()
}

/// A cloud in which a new store is ready after eight seconds.
fn cloud() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays { store: Duration::from_secs(8), ..Delays::NONE });
    cloud
}

#[tokio::test]
async fn a_store_is_provisioned_associated_and_deleted_when_nothing_uses_it() {
    let cloud = cloud();
    let client = session(&cloud).await.cloudfront();
    let tags = Tags::builder().items(Tag::builder().key("a").value("b").build().unwrap()).build();
    let made = client.create_key_value_store().name("s").comment("c").tags(tags).send().await.unwrap();
    let store = made.key_value_store.unwrap();
    assert_eq!((store.status.as_deref(), store.comment.as_str()), (Some("PROVISIONING"), "c"));
    assert_eq!(code(client.create_key_value_store().name("s").send().await), "EntityAlreadyExists");
    assert_eq!(code(client.create_key_value_store().name("a.b").send().await), "InvalidArgument");
    let create = |config: FunctionConfig| {
        client.create_function().name("f").function_config(config).function_code(Blob::new("x")).send()
    };
    assert_eq!(
        code(create(reading(FunctionRuntime::CloudfrontJs20, &store.arn)).await),
        "InvalidArgument",
        "not ready"
    );
    cloud.world().clock().advance(Duration::from_secs(9));
    let read = client.describe_key_value_store().name("s").send().await.unwrap();
    assert_eq!(read.key_value_store.unwrap().status.as_deref(), Some("READY"));
    let tags = client.list_tags_for_resource().resource(&store.arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.items()[0].value(), Some("b"));
    assert_eq!(code(create(reading(FunctionRuntime::CloudfrontJs10, &store.arn)).await), "InvalidArgument");
    let absent = store.arn.replace("key-value-store/0", "key-value-store/1");
    assert_eq!(code(create(reading(FunctionRuntime::CloudfrontJs20, &absent)).await), "EntityNotFound");
    let function = create(reading(FunctionRuntime::CloudfrontJs20, &store.arn)).await.unwrap();
    let described = client.describe_function().name("f").stage(FunctionStage::Development).send().await.unwrap();
    let config = described.function_summary.unwrap().function_config.unwrap();
    assert_eq!(config.key_value_store_associations.unwrap().items()[0].key_value_store_arn(), store.arn);
    let delete = |etag: &str| client.delete_key_value_store().name("s").if_match(etag).send();
    let etag = read.e_tag.unwrap();
    assert_eq!(code(delete("other").await), "PreconditionFailed");
    assert_eq!(code(delete(&etag).await), "CannotDeleteEntityWhileInUse");
    let update = client.update_key_value_store().name("s").comment("d").if_match(&etag).send().await.unwrap();
    client.delete_function().name("f").if_match(function.e_tag.unwrap()).send().await.unwrap();
    assert_eq!(client.list_key_value_stores().send().await.unwrap().key_value_store_list.unwrap().quantity, 1);
    delete(&update.e_tag.unwrap()).await.unwrap();
    assert_eq!(code(client.describe_key_value_store().name("s").send().await), "EntityNotFound");
}

#[tokio::test]
async fn keys_are_changed_on_condition_of_the_entity_tag_and_within_the_quotas() {
    let cloud = cloud();
    let session = session(&cloud).await;
    let (client, keys) = (session.cloudfront(), session.key_value_store());
    let arn = client.create_key_value_store().name("s").send().await.unwrap().key_value_store.unwrap().arn;
    let etag = async || keys.describe_key_value_store().kvs_arn(&arn).send().await.unwrap().e_tag;
    let put =
        |key: &str, value: &str, etag: &str| keys.put_key().kvs_arn(&arn).key(key).value(value).if_match(etag).send();
    assert_eq!(code(put("k", "v", &etag().await).await), "ConflictException", "not ready");
    cloud.world().clock().advance(Duration::from_secs(9));
    let first = etag().await;
    let made = put("k/ä %", "v", &first).await.unwrap();
    assert_eq!((made.item_count, made.total_size_in_bytes), (1, 7));
    assert_eq!(code(put("k", "v", &first).await), "ConflictException");
    let read = keys.get_key().kvs_arn(&arn).key("k/ä %").send().await.unwrap();
    assert_eq!(read.value, "v");
    assert_eq!(code(keys.get_key().kvs_arn(&arn).key("none").send().await), "ResourceNotFoundException");
    let other = arn.replace("key-value-store/0", "key-value-store/1");
    assert_eq!(code(keys.get_key().kvs_arn(other).key("k").send().await), "ResourceNotFoundException");
    assert_eq!(code(put(&"k".repeat(513), "v", &etag().await).await), "ValidationException");
    assert_eq!(code(put("k", &"v".repeat(1025), &etag().await).await), "ValidationException");
    let item = |key: &str| PutKeyRequestListItem::builder().key(key).value("1").build().unwrap();
    let delete = DeleteKeyRequestListItem::builder().key("k/ä %").build().unwrap();
    let update = keys.update_keys().kvs_arn(&arn).if_match(etag().await);
    let updated = update.puts(item("a")).puts(item("b")).deletes(delete).send().await.unwrap();
    assert_eq!(updated.item_count, 2);
    let page = keys.list_keys().kvs_arn(&arn).max_results(1).send().await.unwrap();
    assert_eq!((page.items()[0].key(), page.next_token()), ("a", Some("a")));
    keys.delete_key().kvs_arn(&arn).key("a").if_match(etag().await).send().await.unwrap();
}
