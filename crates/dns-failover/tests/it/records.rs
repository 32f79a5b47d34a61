//! The records of a site.

use twinsite_core::{Deferred, Mode, ValidationRecord, ValidationRecords};
use twinsite_dns_failover::{Conflict, FindZoneError, ValidationRecordUse, plan_changes, plan_destruction};
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::route53::{Change, ChangeAction, Protection, RecordSet, Value, Values};

use crate::{applied, checks, cloud, desired, destroyed, dns, ids, observed, planned, sets};

fn plain(name: &str, kind: &str, value: &str) -> RecordSet {
    let resource_record = vec![Value { value: value.to_owned() }];
    RecordSet {
        name: name.to_owned(),
        r#type: kind.to_owned(),
        ttl: Some(300),
        resource_records: Some(Values { resource_record }),
        ..RecordSet::default()
    }
}

fn put(cloud: &Cloud, set: RecordSet) {
    let done = cloud.world().change_account(|account, moment| {
        let zone = account.route53.zones().next().unwrap().id.clone();
        let change = Change { action: ChangeAction::Upsert, resource_record_set: set };
        account.route53.change_records(&zone, vec![change], moment)
    });
    done.unwrap();
}

#[tokio::test]
async fn below_the_apex_the_pair_consists_of_cname_records() {
    for mode in [Mode::Dns, Mode::Layered] {
        let (cloud, desired) = (cloud().await, desired("www.example.com", mode));
        let dns = dns(&cloud).await;
        applied(&dns, &desired).await.unwrap();
        let sets = sets(&cloud);
        let found: Vec<_> = sets.iter().map(|set| (set.r#type.as_str(), set.failover.as_deref(), set.ttl)).collect();
        assert_eq!(found, [("CNAME", Some("SECONDARY"), Some(60)), ("CNAME", Some("PRIMARY"), Some(60))]);
        let values: Vec<_> = sets.iter().flat_map(RecordSet::values).collect();
        assert_eq!(values, ["www.example.com.s3-website-us-west-2.amazonaws.com", "d111.cloudfront.net"]);
        assert!(sets.iter().all(|set| set.health_check_id.is_some()));
        assert_eq!(ids(&dns, &desired).await, [""; 0], "{mode}");
        destroyed(&dns, &desired).await;
        assert!(crate::sets(&cloud).is_empty() && checks(&cloud) == 0);
    }
}

#[tokio::test]
async fn at_the_apex_the_pair_consists_of_alias_records_of_type_a() {
    let (cloud, desired) = (cloud().await, desired("example.com", Mode::Layered));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    let sets = sets(&cloud);
    let targets: Vec<_> = sets.iter().map(|set| set.alias_target.as_ref().unwrap().dns_name.as_str()).collect();
    assert_eq!(targets, ["s3-website-us-west-2.amazonaws.com", "d111.cloudfront.net"]);
    assert!(sets.iter().all(|set| set.r#type == "A" && set.ttl.is_none()));
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    destroyed(&dns, &desired).await;
    assert!(crate::sets(&cloud).is_empty());
}

#[tokio::test]
async fn in_origin_mode_alias_records_of_both_types_point_to_the_distribution() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Origin));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    let kinds: Vec<_> = sets(&cloud).iter().map(|set| (set.r#type.clone(), set.failover.clone())).collect();
    assert_eq!(kinds, [("A".to_owned(), None), ("AAAA".to_owned(), None)]);
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    destroyed(&dns, &desired).await;
    assert!(sets(&cloud).is_empty());
}

#[tokio::test]
async fn simple_records_are_replaced_in_one_batch_and_the_plan_shows_it() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    put(&cloud, plain("www.example.com", "A", "192.0.2.1"));
    put(&cloud, plain("www.example.com", "AAAA", "2001:db8::1"));
    put(&cloud, plain("other.example.com", "A", "192.0.2.2"));
    let dns = dns(&cloud).await;
    let plan = planned(&dns, &desired).await;
    let records = plan.iter().find(|step| step.id.as_str() == "dns/records").unwrap();
    let fields: Vec<_> = twinsite_core::Change::fields(&records.change).iter().map(ToString::to_string).collect();
    assert!(fields.contains(&"A: 192.0.2.1, TTL 300 -> (none)".to_owned()), "{fields:?}");
    applied(&dns, &desired).await.unwrap();
    assert_eq!(sets(&cloud).len(), 3, "the record of the other name is kept");
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    // A change of mode leaves no record of the old mode behind.
    for mode in [Mode::Origin, Mode::Layered, Mode::Dns] {
        let desired = crate::desired("www.example.com", mode);
        applied(&dns, &desired).await.unwrap();
        assert_eq!((ids(&dns, &desired).await, sets(&cloud).len()), (vec![], 3), "{mode}");
    }
}

#[tokio::test]
async fn conflicts_are_reported_before_anything_is_changed() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    put(&cloud, plain("www.example.com", "TXT", "\"v=spf1 -all\""));
    let conflicts = plan_changes(&desired, &observed(&dns, &desired).await).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::BesideCname { r#type, .. }] if r#type == "TXT"), "{conflicts:?}");
    let elsewhere = crate::desired("www.example.org", Mode::Dns);
    let conflict = dns.find_zone(&elsewhere).await.unwrap_err();
    let FindZoneError::Conflict(conflict) = conflict else { panic!("{conflict}") };
    assert!(conflict.to_string().contains("no public hosted zone") && conflict.hint().contains("registrar"));
    let mut named = desired.clone();
    named.zone = Some("Z0".parse().unwrap());
    let wrong = dns.find_zone(&named).await.unwrap_err();
    assert!(matches!(wrong, FindZoneError::Conflict(Conflict::WrongZone { .. })));
    let mut new_region = crate::desired("example.com", Mode::Dns);
    new_region.site.regions.backup = "mx-central-1".parse().unwrap();
    let conflicts = plan_changes(&new_region, &observed(&dns, &new_region).await).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::UnknownWebsiteZone(_)]), "{conflicts:?}");
    new_region.website_zones.insert("mx-central-1".parse().unwrap(), "Z9".parse().unwrap());
    plan_changes(&new_region, &observed(&dns, &new_region).await).unwrap();
}

#[tokio::test]
async fn records_with_another_routing_policy_are_kept() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    let theirs = RecordSet {
        failover: Some("PRIMARY".into()),
        set_identifier: Some("theirs".into()),
        ..plain("www.example.com", "CNAME", "x.example.net")
    };
    put(&cloud, theirs);
    let dns = dns(&cloud).await;
    let conflicts = plan_changes(&desired, &observed(&dns, &desired).await).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::OtherRouting { .. }]), "{conflicts:?}");
    destroyed(&dns, &desired).await;
    assert_eq!(sets(&cloud).len(), 1);
}

#[tokio::test]
async fn drift_is_corrected_but_protected_records_are_conflicts() {
    let (cloud, desired) = (cloud().await, desired("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    let mut set = sets(&cloud).remove(1);
    set.ttl = Some(3600);
    put(&cloud, set.clone());
    assert_eq!(ids(&dns, &desired).await, ["dns/records"]);
    applied(&dns, &desired).await.unwrap();
    assert_eq!(ids(&dns, &desired).await, [""; 0]);
    put(&cloud, set);
    let protected: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let zone = account.route53.zones().next().unwrap().id.clone();
        let (record_name, record_type) = ("www.example.com".to_owned(), "CNAME".to_owned());
        account.route53.protect(&zone, vec![Protection { record_name, record_type, comment: Some("frozen".into()) }])
    });
    protected.unwrap();
    let actual = observed(&dns, &desired).await;
    let error = plan_changes(&desired, &actual).unwrap_err();
    assert!(matches!(&error.0[..], [Conflict::Protected { .. }]), "{error}");
    assert!(error.to_string().contains("CNAME record sets of `www.example.com` are protected"), "{error}");
    assert!(error.to_string().ends_with("frozen"), "{error}");
    assert_eq!(plan_destruction(&desired, &actual, &ValidationRecordUse::Exclusive).unwrap_err(), error);
}

#[tokio::test]
async fn the_validation_record_is_written_and_kept_while_it_is_shared() {
    let (cloud, mut desired) = (cloud().await, desired("www.example.com", Mode::Origin));
    let record = ValidationRecord { name: "_x.www.example.com.".into(), value: "_y.acm-validations.aws.".into() };
    let records = [("www.example.com".to_owned(), record.clone())].into();
    desired.validation_records = Some(Deferred::Known(ValidationRecords(records)));
    let dns = dns(&cloud).await;
    applied(&dns, &desired).await.unwrap();
    assert_eq!((sets(&cloud).len(), ids(&dns, &desired).await), (3, vec![]));
    put(&cloud, plain("_x.www.example.com", "CNAME", "elsewhere."));
    assert_eq!(ids(&dns, &desired).await, ["dns/certificate-record"]);
    applied(&dns, &desired).await.unwrap();
    let actual = observed(&dns, &desired).await;
    let kept = plan_destruction(&desired, &actual, &ValidationRecordUse::Shared(vec![record])).unwrap();
    assert!(kept.iter().all(|step| step.id.as_str() != "dns/certificate-record"));
    destroyed(&dns, &desired).await;
    assert!(sets(&cloud).is_empty());
    desired.distribution_host = Deferred::After("cdn/distribution".into());
    assert_eq!(planned(&dns, &desired).await.len(), 5);
}
