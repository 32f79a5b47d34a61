//! Which certificate is used, and how one is come by.

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use twinsite_cdn::{Problem, steps};
use twinsite_core::{Deferred, Mode, ValidationRecord};
use twinsite_local::Cloud;

use crate::{applied, carried_out, cdn, cloud, destroyed, ids, planned, session, want, with_certificate};

async fn zone(cloud: &Cloud) -> String {
    let route53 = session(cloud).await.route53();
    route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap().hosted_zone.unwrap().id
}

async fn put(cloud: &Cloud, zone: &str, (name, kind, value): (&str, RrType, &str)) {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(300).resource_records(record).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let route53 = session(cloud).await.route53();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

/// Requests, and stops before waiting.
async fn requested(cloud: &Cloud) -> ValidationRecord {
    let (cdn, want) = (cdn(cloud).await, want(Mode::Dns));
    let steps = planned(&cdn, &want).await.steps.into_iter().take(1).collect();
    carried_out(&cdn, steps).await.unwrap();
    match planned(&cdn, &want).await.proof {
        Some(Deferred::Known(proof)) => proof,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_is_requested_proven_waited_for_and_deleted_in_the_end() {
    let (cloud, want) = (cloud(), want(Mode::Layered));
    let (cdn, zone) = (cdn(&cloud).await, zone(&cloud).await);
    let first = ["certificate/request", "certificate/issued", "cdn/distribution", "cdn/deployed"];
    assert_eq!(ids(&cdn, &want).await, first);
    let proof = requested(&cloud).await;
    assert_eq!(ids(&cdn, &want).await, first[1..]);
    put(&cloud, &zone, (&proof.name, RrType::Cname, &proof.value)).await;
    applied(&cdn, &want).await.unwrap();
    assert_eq!(ids(&cdn, &want).await, [""; 0]);
    assert!(matches!(planned(&cdn, &want).await.proof, Some(Deferred::Known(_))), "renewal needs the record");
    destroyed(&cdn, &want).await;
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 0);
}

#[tokio::test]
async fn one_that_covers_the_name_is_used_and_stays() {
    let cloud = cloud();
    with_certificate(&cloud, &["example.com", "*.example.com"]);
    with_certificate(&cloud, &["other.example.net"]);
    let (cdn, want) = (cdn(&cloud).await, want(Mode::Dns));
    assert_eq!(ids(&cdn, &want).await, ["cdn/distribution", "cdn/deployed"]);
    assert_eq!(planned(&cdn, &want).await.proof, None, "its records are its owner's affair");
    applied(&cdn, &want).await.unwrap();
    destroyed(&cdn, &want).await;
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 2);
}

#[tokio::test]
async fn a_named_one_must_be_there_cover_the_name_and_be_in_us_east_1() {
    let cloud = cloud();
    let (cdn, mut want) = (cdn(&cloud).await, want(Mode::Dns));
    let fits = with_certificate(&cloud, &["www.example.com"]);
    let other = with_certificate(&cloud, &["www.example.net"]);
    want.certificate = Some(fits.parse().unwrap());
    assert_eq!(ids(&cdn, &want).await, ["cdn/distribution", "cdn/deployed"]);
    for bad in [other.clone(), other.replace("certificate/", "certificate/9"), fits.replace("us-east-1", "eu-west-1")] {
        want.certificate = Some(bad.parse().unwrap());
        let problems = steps(&want, &cdn.observe(&want).await.unwrap()).unwrap_err().0;
        let fits = matches!(problems[0], Problem::CertificateUnfit { .. } | Problem::CertificateRegion { .. });
        assert!(fits && !problems[0].hint().is_empty(), "{bad}: {problems:?}");
    }
}

#[tokio::test]
async fn a_failed_request_says_why_and_is_made_again_once_that_is_mended() {
    let (cloud, want) = (cloud(), want(Mode::Dns));
    let (cdn, zone) = (cdn(&cloud).await, zone(&cloud).await);
    put(&cloud, &zone, ("example.com", RrType::Caa, "0 issue \"letsencrypt.org\"")).await;
    let proof = requested(&cloud).await;
    put(&cloud, &zone, (&proof.name, RrType::Cname, &proof.value)).await;
    let wait = planned(&cdn, &want).await.steps;
    let failed = match carried_out(&cdn, wait).await {
        Ok(_) => String::new(),
        Err(halted) => halted.to_string(),
    };
    let again = planned(&cdn, &want).await.steps;
    let reason = again[0].reason.to_string();
    assert!(failed.contains("amazon.com") || reason.contains("CAA_ERROR"), "{failed} {reason}");
    assert!(reason.contains("CAA_ERROR"), "{reason}");
    put(&cloud, &zone, ("example.com", RrType::Caa, "0 issue \"amazon.com\"")).await;
    applied(&cdn, &want).await.unwrap();
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 1, "the failed one is gone");
}
