//! The choice of a certificate, its request and its deletion.

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use twinsite_cdn::{Conflict, plan_changes};
use twinsite_core::{Deferred, Mode, ValidationRecord};
use twinsite_local::Cloud;

use crate::{applied, apply_steps, cdn, cloud, desired, destroyed, ids, import_certificate, planned, session};

async fn zone(cloud: &Cloud) -> String {
    let route53 = session(cloud).await.route53();
    route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap().hosted_zone.unwrap().id
}

async fn put(cloud: &Cloud, zone: &str, name: &str, kind: RrType, value: &str) {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(300).resource_records(record).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let route53 = session(cloud).await.route53();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

/// Requests the certificate without waiting for it.
async fn requested(cloud: &Cloud) -> ValidationRecord {
    requested_for(cloud, &desired(Mode::Dns)).await
}

#[tokio::test]
async fn a_certificate_is_requested_validated_and_finally_deleted() {
    let (cloud, desired) = (cloud(), desired(Mode::Layered));
    let (cdn, zone) = (cdn(&cloud).await, zone(&cloud).await);
    let first = [
        "certificate/request",
        "certificate/issued",
        "cdn/store",
        "cdn/store-keys",
        "cdn/function",
        "cdn/distribution",
        "cdn/deployed",
    ];
    assert_eq!(ids(&cdn, &desired).await, first);
    let record = requested(&cloud).await;
    assert_eq!(ids(&cdn, &desired).await, first[1..]);
    put(&cloud, &zone, &record.name, RrType::Cname, &record.value).await;
    applied(&cdn, &desired).await.unwrap();
    assert_eq!(ids(&cdn, &desired).await, [""; 0]);
    assert!(
        matches!(planned(&cdn, &desired).await.validation_records, Some(Deferred::Known(_))),
        "renewal needs the record"
    );
    destroyed(&cdn, &desired).await;
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 0);
}

#[tokio::test]
async fn an_existing_certificate_that_covers_the_domain_is_used_and_kept() {
    let cloud = cloud();
    import_certificate(&cloud, &["example.com", "*.example.com"]);
    import_certificate(&cloud, &["other.example.net"]);
    let (cdn, desired) = (cdn(&cloud).await, desired(Mode::Dns));
    assert_eq!(ids(&cdn, &desired).await, ["cdn/distribution", "cdn/deployed"]);
    assert_eq!(planned(&cdn, &desired).await.validation_records, None, "its validation record is managed by its owner");
    applied(&cdn, &desired).await.unwrap();
    destroyed(&cdn, &desired).await;
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 2);
}

#[tokio::test]
async fn a_configured_certificate_must_exist_cover_the_domain_and_be_in_us_east_1() {
    let cloud = cloud();
    let (cdn, mut desired) = (cdn(&cloud).await, desired(Mode::Dns));
    let fits = import_certificate(&cloud, &["www.example.com"]);
    let other = import_certificate(&cloud, &["www.example.net"]);
    desired.certificate = Some(fits.parse().unwrap());
    assert_eq!(ids(&cdn, &desired).await, ["cdn/distribution", "cdn/deployed"]);
    for bad in [other.clone(), other.replace("certificate/", "certificate/9"), fits.replace("us-east-1", "eu-west-1")] {
        desired.certificate = Some(bad.parse().unwrap());
        let conflicts = plan_changes(&desired, &cdn.observe(&desired).await.unwrap()).unwrap_err().0;
        let fits = matches!(conflicts[0], Conflict::CertificateMismatch { .. } | Conflict::CertificateRegion { .. });
        assert!(fits && !conflicts[0].hint().is_empty(), "{bad}: {conflicts:?}");
    }
}

#[tokio::test]
async fn a_failed_request_is_explained_and_repeated() {
    let (cloud, desired) = (cloud(), desired(Mode::Dns));
    let (cdn, zone) = (cdn(&cloud).await, zone(&cloud).await);
    put(&cloud, &zone, "example.com", RrType::Caa, "0 issue \"letsencrypt.org\"").await;
    let record = requested(&cloud).await;
    put(&cloud, &zone, &record.name, RrType::Cname, &record.value).await;
    let wait = planned(&cdn, &desired).await.steps;
    let failed = match apply_steps(&cdn, wait).await {
        Ok(_) => String::new(),
        Err(halted) => halted.to_string(),
    };
    let again = planned(&cdn, &desired).await.steps;
    let reason = again[0].reason.to_string();
    assert!(failed.contains("amazon.com") || reason.contains("CAA_ERROR"), "{failed} {reason}");
    assert!(reason.contains("CAA_ERROR"), "{reason}");
    put(&cloud, &zone, "example.com", RrType::Caa, "0 issue \"amazon.com\"").await;
    applied(&cdn, &desired).await.unwrap();
    assert_eq!(cloud.world().account(|account, _| account.acm.all().count()), 1, "the failed one is deleted");
}

/// The names of a certificate cannot be changed: another one is requested, and used once it is issued.
#[tokio::test]
async fn a_change_of_aliases_requests_another_certificate_and_the_old_one_is_used_until_it_is_issued() {
    let (cloud, mut desired) = (cloud(), desired(Mode::Origin));
    let (cdn, zone) = (cdn(&cloud).await, zone(&cloud).await);
    let record = requested_for(&cloud, &desired).await;
    put(&cloud, &zone, &record.name, RrType::Cname, &record.value).await;
    applied(&cdn, &desired).await.unwrap();
    let first = cdn.observe(&desired).await.unwrap().certificates.covering[0].arn.clone();
    desired.site = desired.site.with_aliases(vec!["example.com".parse().unwrap()]).unwrap();
    assert_eq!(
        ids(&cdn, &desired).await,
        [
            "certificate/request",
            "certificate/issued",
            "cdn/function",
            "cdn/distribution",
            "cdn/deployed",
            "certificate/0"
        ]
    );
    // While it is pending, the distribution has the old one, and no name that it does not cover.
    let request = planned(&cdn, &desired).await.steps.into_iter().take(1).collect();
    apply_steps(&cdn, request).await.unwrap();
    let actual = cdn.observe(&desired).await.unwrap();
    let certificate = |actual: &twinsite_cdn::Actual| {
        actual.distribution.as_ref().unwrap().properties["ViewerCertificate.ACMCertificateArn"].clone()
    };
    assert_eq!(certificate(&actual), first.as_str());
    let Some(Deferred::Known(records)) = planned(&cdn, &desired).await.validation_records else { panic!("pending") };
    assert_eq!(records.0.keys().collect::<Vec<_>>(), ["example.com", "www.example.com"]);
    for record in records.0.values() {
        put(&cloud, &zone, &record.name, RrType::Cname, &record.value).await;
    }
    applied(&cdn, &desired).await.unwrap();
    assert_eq!(ids(&cdn, &desired).await, [""; 0]);
    let actual = cdn.observe(&desired).await.unwrap();
    assert_ne!(certificate(&actual), first.as_str());
    assert_eq!(actual.certificates.covering.len(), 1, "the old one is deleted");
    assert_eq!(actual.certificates.covering[0].names, ["www.example.com", "example.com"]);
}

/// Requests the certificate of a site, and returns the record of its domain.
async fn requested_for(cloud: &Cloud, desired: &twinsite_cdn::Desired) -> ValidationRecord {
    let cdn = cdn(cloud).await;
    let steps = planned(&cdn, desired).await.steps.into_iter().take(1).collect();
    apply_steps(&cdn, steps).await.unwrap();
    match planned(&cdn, desired).await.validation_records {
        Some(Deferred::Known(records)) => records.get("www.example.com").unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_covers_only_some_of_the_names_is_not_used() {
    let cloud = cloud();
    import_certificate(&cloud, &["*.example.com"]);
    let (cdn, mut desired) = (cdn(&cloud).await, desired(Mode::Dns));
    desired.site = desired.site.with_aliases(vec!["example.com".parse().unwrap()]).unwrap();
    assert_eq!(ids(&cdn, &desired).await[..2], ["certificate/request", "certificate/issued"]);
    import_certificate(&cloud, &["*.example.com", "example.com"]);
    assert_eq!(ids(&cdn, &desired).await, ["cdn/function", "cdn/distribution", "cdn/deployed"]);
    let partial = import_certificate(&cloud, &["www.example.com"]);
    desired.certificate = Some(partial.parse().unwrap());
    let conflicts = plan_changes(&desired, &cdn.observe(&desired).await.unwrap()).unwrap_err().0;
    assert!(conflicts[0].to_string().contains("`www.example.com`, `example.com`"), "{conflicts:?}");
}
