//! ACM's certificates, through the SDK.

use std::time::Duration;

use aws_sdk_acm::Client;
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, KeyAlgorithm, Tag, ValidationMethod};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use twinsite_local::Cloud;
use twinsite_local::Delays;

use crate::{code, session};

async fn request(acm: &Client, names: &[&str]) -> String {
    let request = acm.request_certificate().domain_name(names[0]).validation_method(ValidationMethod::Dns);
    let others = (names.len() > 1).then(|| names[1..].iter().map(|name| (*name).to_owned()).collect());
    let request = request.set_subject_alternative_names(others).idempotency_token("t1");
    request.send().await.unwrap().certificate_arn.unwrap()
}

async fn describe(acm: &Client, arn: &str) -> CertificateDetail {
    acm.describe_certificate().certificate_arn(arn).send().await.unwrap().certificate.unwrap()
}

async fn put(cloud: &Cloud, zone: &str, name: &str, kind: RrType, value: &str) {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(300).resource_records(record).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let route53 = session(cloud).await.route53();
    route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

async fn zone(cloud: &Cloud) -> String {
    let route53 = session(cloud).await.route53();
    route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap().hosted_zone.unwrap().id
}

async fn cloud() -> (Cloud, Client) {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    let acm = session(&cloud).await.acm();
    (cloud, acm)
}

#[tokio::test]
async fn a_certificate_is_issued_once_every_name_is_validated() {
    let (cloud, acm) = cloud().await;
    let zone = zone(&cloud).await;
    let arn = request(&acm, &["example.com", "*.example.com", "www.example.com"]).await;
    assert_eq!(request(&acm, &["example.com", "*.example.com", "www.example.com"]).await, arn);
    let pending = describe(&acm, &arn).await;
    assert_eq!(pending.status, Some(CertificateStatus::PendingValidation));
    let records: Vec<_> = pending.domain_validation_options().iter().map(|o| o.resource_record().unwrap()).collect();
    assert_eq!(records[0].name, records[1].name, "a wildcard has the validation record of its parent name");
    put(&cloud, &zone, &records[0].name, RrType::Cname, &records[0].value).await;
    assert_eq!(describe(&acm, &arn).await.status, Some(CertificateStatus::PendingValidation));
    put(&cloud, &zone, &records[2].name, RrType::Cname, &records[2].value).await;
    let issued = describe(&acm, &arn).await;
    assert_eq!(issued.status, Some(CertificateStatus::Issued));
    assert!(issued.not_after().unwrap().secs() > issued.issued_at().unwrap().secs());
}

#[tokio::test]
async fn validation_times_out_without_records_and_fails_by_a_caa_record() {
    let (cloud, acm) = cloud().await;
    let zone = zone(&cloud).await;
    let late = request(&acm, &["late.example.com"]).await;
    cloud.world().clock().advance(Duration::from_hours(73));
    assert_eq!(describe(&acm, &late).await.status, Some(CertificateStatus::ValidationTimedOut));
    put(&cloud, &zone, "example.com", RrType::Caa, "0 issue \"letsencrypt.org\"").await;
    let arn = request(&acm, &["www.example.com"]).await;
    let detail = describe(&acm, &arn).await;
    let record = detail.domain_validation_options()[0].resource_record().unwrap();
    put(&cloud, &zone, &record.name, RrType::Cname, &record.value).await;
    let failed = describe(&acm, &arn).await;
    assert_eq!(
        (failed.status, failed.failure_reason.unwrap().as_str()),
        (Some(CertificateStatus::Failed), "CAA_ERROR")
    );
}

#[tokio::test]
async fn listings_contain_default_key_types_only_and_tags_are_stored() {
    let (_, acm) = cloud().await;
    let arn = request(&acm, &["a.example.com"]).await;
    let elliptic = acm.request_certificate().domain_name("b.example.com").validation_method(ValidationMethod::Dns);
    elliptic.key_algorithm(KeyAlgorithm::EcPrime256v1).send().await.unwrap();
    let listed = acm.list_certificates().send().await.unwrap();
    assert_eq!(listed.certificate_summary_list().len(), 1);
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    acm.add_tags_to_certificate().certificate_arn(&arn).tags(tag).send().await.unwrap();
    let tags = acm.list_tags_for_certificate().certificate_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags()[0].value(), Some("v"));
    acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
    assert_eq!(code(acm.describe_certificate().certificate_arn(&arn).send().await), "ResourceNotFoundException");
}

/// A certificate of its own authority, its key, and the authority.
fn certificate(name: &str) -> [String; 3] {
    let (authority_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
    let mut authority = rcgen::CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, format!("authority of {name}"));
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    [leaf.pem(), key.serialize_pem(), root]
}

#[tokio::test]
async fn imports_are_looked_at() {
    let (_cloud, acm) = cloud().await;
    let import = async |certificate: &str, key: &str, chain: Option<&str>| {
        let blob = |text: &str| aws_smithy_types::Blob::new(text);
        let import = acm.import_certificate().certificate(blob(certificate)).private_key(blob(key));
        import.set_certificate_chain(chain.map(blob)).send().await
    };
    let [leaf, key, root] = certificate("www.example.com");
    let [other, other_key, other_root] = certificate("www.example.org");
    let both = format!("{leaf}{root}");
    for (what, certificate, key, chain) in [
        ("no PEM", "leaf", key.as_str(), None),
        ("the chain too", &both, &key, None),
        ("another key", &leaf, &other_key, None),
        ("no key", &leaf, &leaf, None),
        ("another chain", &leaf, &key, Some(other_root.as_str())),
        ("itself as chain", &leaf, &key, Some(&other)),
        ("a chain without PEM", &leaf, &key, Some("root")),
    ] {
        assert_eq!(code(import(certificate, key, chain).await), "ValidationException", "{what}");
    }
    let arn = import(&leaf, &key, Some(&root)).await.unwrap().certificate_arn.unwrap();
    let detail = describe(&acm, &arn).await;
    assert_eq!(detail.domain_name(), Some("www.example.com"));
    assert_eq!(detail.key_algorithm(), Some(&KeyAlgorithm::EcPrime256v1));
}
