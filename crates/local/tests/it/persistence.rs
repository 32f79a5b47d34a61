use std::time::Duration;

use twinsite_local::s3::{Condition, NewObject, Versioning};
use twinsite_local::{ACCOUNT, World, WorldError};
use twinsite_local::{Attached, Cloud, attach_or_open};

use crate::{get, put, s3, session, version};

#[tokio::test]
async fn state_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    {
        let cloud = Cloud::open(dir.path()).unwrap();
        let s3 = s3(&cloud, "us-east-1").await;
        s3.create_bucket().bucket("site").send().await.unwrap();
        version(&s3).await;
        put(&s3, "k", "1").await;
        put(&s3, "k", "2").await;
        s3.create_multipart_upload().bucket("site").key("up").send().await.unwrap();
        let route53 = session(&cloud).await.route53();
        route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap();
        cloud.world().flush().unwrap();
    }
    let cloud = Cloud::open(dir.path()).unwrap();
    let zones = session(&cloud).await.route53().list_hosted_zones().send().await.unwrap().hosted_zones;
    assert_eq!(zones[0].resource_record_set_count, Some(2));
    let s3 = s3(&cloud, "us-east-1").await;
    assert_eq!(get(&s3, "k").await, "2");
    assert_eq!(s3.list_object_versions().bucket("site").send().await.unwrap().versions().len(), 2);
    assert_eq!(s3.list_multipart_uploads().bucket("site").send().await.unwrap().uploads().len(), 1);
}

#[test]
fn blobs_that_nothing_names_are_swept() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path()).unwrap();
    world.s3().store_chunk(bytes::Bytes::from_static(b"left by a killed process")).unwrap();
    drop(world);
    let blobs = || std::fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(blobs(), 1);
    drop(World::open(dir.path()).unwrap());
    assert_eq!(blobs(), 0);
}

#[tokio::test]
async fn one_process_at_a_time_can_open_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = attach_or_open(dir.path()).unwrap();
    assert!(matches!(first, Attached::Own(_)));
    assert!(matches!(attach_or_open(dir.path()), Err(WorldError::InUse(_))));
    let listener = twinsite_local::listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    Cloud::announce(dir.path(), address).unwrap();
    assert!(matches!(attach_or_open(dir.path()), Ok(Attached::Remote(there)) if there == address));
    drop((listener, first));
    assert!(matches!(attach_or_open(dir.path()), Ok(Attached::Own(_))));
}

#[test]
fn time_does_not_go_back_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let put = |world: &World, key: &str| {
        let object = NewObject { key: key.into(), ..NewObject::default() };
        world.s3().put_object("site", object, &Condition::None).unwrap().modified
    };
    let world = World::open(dir.path()).unwrap();
    world.s3().create_bucket("site", "us-east-1", ACCOUNT).unwrap();
    world.clock().advance(Duration::from_hours(5));
    let ahead = put(&world, "a");
    drop(world);
    let world = World::open(dir.path()).unwrap();
    assert!(put(&world, "b") >= ahead, "a clock ahead of the machine's stays ahead");
}

/// S3 keeps whole seconds, and other services have states that begin at a point in time: a distribution that was listed stays listed.
#[tokio::test]
async fn time_does_not_go_back_behind_a_change_of_another_service() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = Cloud::open(dir.path()).unwrap();
    cloud.world().clock().advance(Duration::from_hours(5));
    let topic = session(&cloud).await.sns(&"us-east-1".parse().unwrap());
    topic.create_topic().name("alarms").send().await.unwrap();
    let ahead = cloud.world().clock().now();
    drop(topic);
    drop(cloud);
    let world = World::open(dir.path()).unwrap();
    assert!(world.clock().now() >= ahead, "five hours were lost");
    let changed = world.change_account(|account, now| {
        account.block = Some(twinsite_local::s3::PublicAccessBlock::default());
        Ok(now.time)
    });
    let changed = changed.unwrap();
    drop(world);
    let world = World::open(dir.path()).unwrap();
    assert!(world.clock().now() >= changed, "the clock is behind the last change");
}

#[test]
fn the_last_change_becomes_durable_without_closing() {
    let dir = tempfile::tempdir().unwrap();
    let (world, copy) = (World::open(dir.path()).unwrap(), tempfile::tempdir().unwrap());
    world.s3().create_bucket("site", "us-east-1", ACCOUNT).unwrap();
    world.s3().update_bucket("site", |settings| settings.versioning = Versioning::Enabled).unwrap();
    // Longer than the flush interval, without further writes.
    std::thread::sleep(Duration::from_millis(700));
    std::fs::copy(dir.path().join("world.redb"), copy.path().join("world.redb")).unwrap();
    let found = World::open(copy.path()).unwrap().s3().bucket("site").unwrap();
    assert_eq!(found.versioning, Versioning::Enabled, "the state that a killed process leaves");
}
