//! Where the name leads.

use twinsite_core::{Deferred, Mode, ValidationRecord};
use twinsite_dns_failover::{Problem, steps};
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::route53::{Change, ChangeAction, Protection, RecordSet, Value, Values};

use crate::{applied, checks, cloud, destroyed, dns, ids, observed, planned, sets, want};

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
async fn below_the_apex_a_pair_of_cnames_fails_over() {
    for mode in [Mode::Dns, Mode::Layered] {
        let (cloud, want) = (cloud().await, want("www.example.com", mode));
        let dns = dns(&cloud).await;
        applied(&dns, &want).await.unwrap();
        let sets = sets(&cloud);
        let said: Vec<_> = sets.iter().map(|set| (set.r#type.as_str(), set.failover.as_deref(), set.ttl)).collect();
        assert_eq!(said, [("CNAME", Some("SECONDARY"), Some(60)), ("CNAME", Some("PRIMARY"), Some(60))]);
        let values: Vec<_> = sets.iter().flat_map(RecordSet::values).collect();
        assert_eq!(values, ["www.example.com.s3-website-us-west-2.amazonaws.com", "d111.cloudfront.net"]);
        assert!(sets.iter().all(|set| set.health_check_id.is_some()));
        assert_eq!(ids(&dns, &want).await, [""; 0], "{mode}");
        destroyed(&dns, &want).await;
        assert!(crate::sets(&cloud).is_empty() && checks(&cloud) == 0);
    }
}

#[tokio::test]
async fn at_the_apex_alias_records_do_and_of_type_a_only() {
    let (cloud, want) = (cloud().await, want("example.com", Mode::Layered));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    let sets = sets(&cloud);
    let targets: Vec<_> = sets.iter().map(|set| set.alias_target.as_ref().unwrap().dns_name.as_str()).collect();
    assert_eq!(targets, ["s3-website-us-west-2.amazonaws.com", "d111.cloudfront.net"]);
    assert!(sets.iter().all(|set| set.r#type == "A" && set.ttl.is_none()));
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    destroyed(&dns, &want).await;
    assert!(crate::sets(&cloud).is_empty());
}

#[tokio::test]
async fn where_cloudfront_fails_over_the_name_leads_there_by_ipv4_and_ipv6() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Origin));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    let kinds: Vec<_> = sets(&cloud).iter().map(|set| (set.r#type.clone(), set.failover.clone())).collect();
    assert_eq!(kinds, [("A".to_owned(), None), ("AAAA".to_owned(), None)]);
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    destroyed(&dns, &want).await;
    assert!(sets(&cloud).is_empty());
}

#[tokio::test]
async fn plain_records_of_the_name_give_way_in_one_batch_and_the_plan_says_so() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Dns));
    put(&cloud, plain("www.example.com", "A", "192.0.2.1"));
    put(&cloud, plain("www.example.com", "AAAA", "2001:db8::1"));
    put(&cloud, plain("other.example.com", "A", "192.0.2.2"));
    let dns = dns(&cloud).await;
    let plan = planned(&dns, &want).await;
    let records = plan.iter().find(|step| step.id.as_str() == "dns/records").unwrap();
    let fields: Vec<_> = twinsite_core::Change::fields(&records.change).iter().map(ToString::to_string).collect();
    assert!(fields.contains(&"A: 192.0.2.1, TTL 300 -> (none)".to_owned()), "{fields:?}");
    applied(&dns, &want).await.unwrap();
    assert_eq!(sets(&cloud).len(), 3, "the other name's record stays");
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    // From one mode to another and back, no record of the old one stays.
    for mode in [Mode::Origin, Mode::Layered, Mode::Dns] {
        let want = crate::want("www.example.com", mode);
        applied(&dns, &want).await.unwrap();
        assert_eq!((ids(&dns, &want).await, sets(&cloud).len()), (vec![], 3), "{mode}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_named_before_anything_is_changed() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    put(&cloud, plain("www.example.com", "TXT", "\"v=spf1 -all\""));
    let problems = steps(&want, &observed(&dns, &want).await).unwrap_err().0;
    assert!(matches!(&problems[..], [Problem::BesideCname { r#type, .. }] if r#type == "TXT"), "{problems:?}");
    let stranger = crate::want("www.example.org", Mode::Dns);
    let problem = dns.zone(&stranger).await.unwrap().unwrap_err();
    assert!(problem.to_string().contains("no public hosted zone") && problem.hint().contains("registrar"));
    let mut named = want.clone();
    named.zone = Some("Z0".into());
    assert!(matches!(dns.zone(&named).await.unwrap(), Err(Problem::WrongZone { .. })));
    let mut young = crate::want("example.com", Mode::Dns);
    young.site.regions.backup = "mx-central-1".parse().unwrap();
    let problems = steps(&young, &observed(&dns, &young).await).unwrap_err().0;
    assert!(matches!(&problems[..], [Problem::UnknownZone(_)]), "{problems:?}");
    young.website_zones.insert("mx-central-1".parse().unwrap(), "Z9".into());
    steps(&young, &observed(&dns, &young).await).unwrap();
}

#[tokio::test]
async fn records_that_others_route_are_left_alone() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Dns));
    let theirs = RecordSet {
        failover: Some("PRIMARY".into()),
        set_identifier: Some("theirs".into()),
        ..plain("www.example.com", "CNAME", "x.example.net")
    };
    put(&cloud, theirs);
    let dns = dns(&cloud).await;
    let problems = steps(&want, &observed(&dns, &want).await).unwrap_err().0;
    assert!(matches!(&problems[..], [Problem::OtherRouting { .. }]), "{problems:?}");
    destroyed(&dns, &want).await;
    assert_eq!(sets(&cloud).len(), 1);
}

#[tokio::test]
async fn drift_is_put_back_but_what_is_protected_is_named_before_anything_changes() {
    let (cloud, want) = (cloud().await, want("www.example.com", Mode::Dns));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    let mut set = sets(&cloud).remove(1);
    set.ttl = Some(3600);
    put(&cloud, set.clone());
    assert_eq!(ids(&dns, &want).await, ["dns/records"]);
    applied(&dns, &want).await.unwrap();
    assert_eq!(ids(&dns, &want).await, [""; 0]);
    put(&cloud, set);
    let protected: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let zone = account.route53.zones().next().unwrap().id.clone();
        let (record_name, record_type) = ("www.example.com".to_owned(), "CNAME".to_owned());
        account.route53.protect(&zone, vec![Protection { record_name, record_type, comment: Some("frozen".into()) }])
    });
    protected.unwrap();
    let have = observed(&dns, &want).await;
    let unfit = steps(&want, &have).unwrap_err();
    assert!(matches!(&unfit.0[..], [Problem::Protected { .. }]), "{unfit}");
    assert!(unfit.to_string().contains("CNAME record sets of `www.example.com` are protected"), "{unfit}");
    assert!(unfit.to_string().ends_with("frozen"), "{unfit}");
    assert_eq!(twinsite_dns_failover::destroy_steps(&want, &have, false).unwrap_err(), unfit);
}

#[tokio::test]
async fn the_record_that_proves_the_name_is_written_and_stays_while_another_needs_it() {
    let (cloud, mut want) = (cloud().await, want("www.example.com", Mode::Origin));
    let proof = ValidationRecord { name: "_x.www.example.com.".into(), value: "_y.acm-validations.aws.".into() };
    want.proof = Some(Deferred::Known(proof));
    let dns = dns(&cloud).await;
    applied(&dns, &want).await.unwrap();
    assert_eq!((sets(&cloud).len(), ids(&dns, &want).await), (3, vec![]));
    put(&cloud, plain("_x.www.example.com", "CNAME", "elsewhere."));
    assert_eq!(ids(&dns, &want).await, ["dns/certificate-record"]);
    applied(&dns, &want).await.unwrap();
    let have = observed(&dns, &want).await;
    let kept = twinsite_dns_failover::destroy_steps(&want, &have, true).unwrap();
    assert!(kept.iter().all(|step| step.id.as_str() != "dns/certificate-record"));
    destroyed(&dns, &want).await;
    assert!(sets(&cloud).is_empty());
    want.host = Deferred::After("cdn/distribution".into());
    assert_eq!(planned(&dns, &want).await.len(), 5);
}
