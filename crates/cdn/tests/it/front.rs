//! The distribution and what belongs to it.

use std::collections::BTreeMap;

use twinsite_cdn::{Desired, PriceClass, Problem, steps};
use twinsite_core::{Deferred, Mode, Run};
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::cloudfront::Element;

use crate::{applied, cdn, cloud, destroyed, ids, planned, want, with_certificate};

const ALL: [Mode; 3] = [Mode::Dns, Mode::Origin, Mode::Layered];

/// Changes the distribution's configuration behind our back.
fn change(cloud: &Cloud, change: impl Fn(&mut Element)) {
    let changed: Result<(), ServiceError> = cloud.world().change_account(|account, moment| {
        let there = account.cloudfront.distributions().next().unwrap().clone();
        let mut config = there.config;
        change(&mut config);
        let acm = account.acm.clone();
        account.cloudfront.update(&there.id, Some(&there.etag), config, &acm, moment).map(drop)
    });
    changed.unwrap();
}

fn set(config: &mut Element, path: &[&str], text: &str) {
    let mut at = config;
    for name in path {
        at = at.children.iter_mut().find(|child| child.name == *name).unwrap();
    }
    text.clone_into(&mut at.text);
}

#[tokio::test]
async fn a_second_plan_is_empty_in_every_mode_and_destroy_leaves_what_was_there_before() {
    for mode in ALL {
        let (cloud, want) = (cloud(), want(mode));
        with_certificate(&cloud, &["www.example.com"]);
        let cdn = cdn(&cloud).await;
        let before = cloud.world().account(|account, _| account.acm.clone());
        applied(&cdn, &want).await.unwrap();
        assert_eq!(ids(&cdn, &want).await, [""; 0], "{mode}");
        assert!(matches!(planned(&cdn, &want).await.host, Deferred::Known(_)));
        destroyed(&cdn, &want).await;
        cloud.world().account(|account, _| {
            assert_eq!(account.acm, before, "{mode}: a certificate that we did not request stays");
            let front = &account.cloudfront;
            assert!(front.distributions().next().is_none() && front.controls.is_empty() && front.functions.is_empty());
        });
    }
}

type Wish = (&'static str, fn(&mut Desired));

#[tokio::test]
async fn each_wish_changes_exactly_what_it_says_and_modes_can_be_changed() {
    let cloud = cloud();
    with_certificate(&cloud, &["*.example.com"]);
    let cdn = cdn(&cloud).await;
    let mut want = want(Mode::Origin);
    applied(&cdn, &want).await.unwrap();
    let wishes: [Wish; 4] = [
        ("PriceClass", |want| want.price_class = PriceClass::All),
        ("DefaultCacheBehavior", |want| want.redirect_to_https = false),
        ("DefaultCacheBehavior", |want| want.security_headers = false),
        ("CustomErrorResponse 404", |want| want.not_found = None),
    ];
    for (field, wish) in wishes {
        wish(&mut want);
        let plan = planned(&cdn, &want).await.steps;
        let fields = twinsite_core::Change::fields(&plan[0].change);
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["Distribution", field]);
        applied(&cdn, &want).await.unwrap();
        assert_eq!(ids(&cdn, &want).await, [""; 0], "{field}");
    }
    want.index = "start.html".into();
    assert_eq!(ids(&cdn, &want).await, ["cdn/function", "cdn/distribution", "cdn/deployed"]);
    applied(&cdn, &want).await.unwrap();
    for mode in [Mode::Layered, Mode::Dns, Mode::Origin] {
        let want = crate::want(mode);
        applied(&cdn, &want).await.unwrap();
        assert_eq!(ids(&cdn, &want).await, [""; 0], "{mode}");
    }
}

#[tokio::test]
async fn drift_is_put_back_and_what_is_not_managed_stays() {
    let (cloud, want) = (cloud(), want(Mode::Layered));
    with_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    applied(&cdn, &want).await.unwrap();
    let drifts: [&dyn Fn(&mut Element); 6] = [
        &|config| set(config, &["Enabled"], "false"),
        &|config| set(config, &["PriceClass"], "PriceClass_All"),
        &|config| set(config, &["HttpVersion"], "http2"),
        &|config| set(config, &["DefaultCacheBehavior", "Compress"], "false"),
        &|config| set(config, &["ViewerCertificate", "MinimumProtocolVersion"], "TLSv1"),
        &|config| {
            let lists = ["CacheBehaviors", "CustomErrorResponses"];
            config.children.retain(|child| !lists.contains(&child.name.as_str()));
        },
    ];
    for drift in drifts {
        change(&cloud, |config| {
            drift(config);
            set(config, &["WebACLId"], "arn:aws:wafv2:us-east-1:000000000000:global/webacl/w");
        });
        assert_eq!(ids(&cdn, &want).await, ["cdn/distribution", "cdn/deployed"]);
        applied(&cdn, &want).await.unwrap();
        assert_eq!(ids(&cdn, &want).await, [""; 0]);
        let acl = cloud
            .world()
            .account(|account, _| account.cloudfront.distributions().next().unwrap().config.at("WebACLId").to_owned());
        assert!(acl.ends_with("webacl/w"), "not ours to change: {acl}");
    }
}

#[tokio::test]
async fn a_name_that_another_distribution_holds_stands_in_the_way() {
    let (cloud, want) = (cloud(), want(Mode::Dns));
    with_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    applied(&cdn, &want).await.unwrap();
    let untagged: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let arn = account.cloudfront.distributions().next().unwrap().arn();
        account.cloudfront.distribution_by_arn(&arn)?.tags = BTreeMap::new();
        Ok(())
    });
    untagged.unwrap();
    let problems = steps(&want, &cdn.observe(&want).await.unwrap()).unwrap_err().0;
    assert!(matches!(&problems[..], [Problem::AliasTaken { .. }]), "{problems:?}");
    destroyed(&cdn, &want).await;
    assert_eq!(cloud.world().account(|account, _| account.cloudfront.distributions().count()), 1, "not ours to delete");
}

#[tokio::test]
async fn what_changed_is_forgotten_once_and_a_repetition_is_the_same() {
    let (cloud, want) = (cloud(), want(Mode::Dns));
    with_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    let paths = twinsite_cdn::invalidation(["about/index.html", "a b.txt"], "index.html");
    assert_eq!(cdn.distribution(&want).await.unwrap(), None);
    applied(&cdn, &want).await.unwrap();
    let distribution = cdn.distribution(&want).await.unwrap().unwrap();
    let first = cdn.invalidate(distribution.clone(), &paths, "r1", &Run::silent()).await.unwrap().unwrap();
    assert_eq!(
        (first.paths, cdn.invalidate(distribution.clone(), &paths, "r1", &Run::silent()).await.unwrap()),
        (4, Some(first.clone()))
    );
    cdn.await_invalidation(&first, &Run::silent()).await.unwrap();
    let nothing = twinsite_cdn::invalidation::<&str>([], "index.html");
    assert_eq!(cdn.invalidate(distribution.clone(), &nothing, "r2", &Run::silent()).await.unwrap(), None);
    // Three thousand paths are going on: there is room again when they are done.
    let delays =
        twinsite_local::Delays { invalidation: std::time::Duration::from_millis(50), ..twinsite_local::Delays::NONE };
    cloud.world().set_delays(delays);
    let many = |from: usize| {
        let keys: Vec<String> = (from..from + 2000).map(|n| format!("{n}.css")).collect();
        twinsite_cdn::invalidation(keys, "index.html")
    };
    cdn.invalidate(distribution.clone(), &many(0), "r3", &Run::silent()).await.unwrap().unwrap();
    cdn.invalidate(distribution.clone(), &many(2000), "r4", &Run::silent()).await.unwrap().unwrap();
    assert!(cloud.request_counts()["CreateInvalidation"] > 4, "{:?}", cloud.request_counts());
}

#[tokio::test]
async fn a_change_is_waited_for_until_every_edge_has_it() {
    let (cloud, want) = (cloud(), want(Mode::Dns));
    with_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    let delays =
        twinsite_local::Delays { distribution: std::time::Duration::from_millis(60), ..twinsite_local::Delays::NONE };
    cloud.world().set_delays(delays);
    cloud.reset_request_counts();
    applied(&cdn, &want).await.unwrap();
    assert!(cloud.request_counts()["GetDistribution"] > 1, "{:?}", cloud.request_counts());
    destroyed(&cdn, &want).await;
    assert_eq!(cloud.world().account(|account, _| account.cloudfront.distributions().count()), 0);
}
