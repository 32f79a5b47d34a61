//! The distribution, its access control, its function and its invalidations.

use std::collections::BTreeMap;

use twinsite_cdn::{Conflict, Desired, InvalidationPaths, PriceClass, plan_changes};
use twinsite_core::{Deferred, Mode, Run};
use twinsite_local::Cloud;
use twinsite_local::ServiceError;
use twinsite_local::cloudfront::Element;

use crate::{applied, cdn, cloud, desired, destroyed, ids, import_certificate, planned};

const ALL: [Mode; 3] = [Mode::Dns, Mode::Origin, Mode::Layered];

/// Changes the distribution's configuration out of band.
fn change(cloud: &Cloud, change: impl Fn(&mut Element)) {
    let changed: Result<(), ServiceError> = cloud.world().change_account(|account, moment| {
        let actual = account.cloudfront.distributions().next().unwrap().clone();
        let mut config = actual.config;
        change(&mut config);
        let acm = account.acm.clone();
        account.cloudfront.update(&actual.id, Some(&actual.etag), config, &acm, moment).map(drop)
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
async fn a_second_plan_is_empty_in_every_mode_and_destroy_keeps_existing_resources() {
    for mode in ALL {
        let (cloud, desired) = (cloud(), desired(mode));
        import_certificate(&cloud, &["www.example.com"]);
        let cdn = cdn(&cloud).await;
        let before = cloud.world().account(|account, _| account.acm.clone());
        applied(&cdn, &desired).await.unwrap();
        assert_eq!(ids(&cdn, &desired).await, [""; 0], "{mode}");
        assert!(matches!(planned(&cdn, &desired).await.distribution_host, Deferred::Known(_)));
        destroyed(&cdn, &desired).await;
        cloud.world().account(|account, _| {
            assert_eq!(account.acm, before, "{mode}: a certificate that twinsite did not request is kept");
            let actual = &account.cloudfront;
            assert!(
                actual.distributions().next().is_none() && actual.controls.is_empty() && actual.functions.is_empty()
            );
        });
    }
}

type Setting = (&'static str, fn(&mut Desired));

#[tokio::test]
async fn each_setting_changes_one_field_and_modes_can_be_changed() {
    let cloud = cloud();
    import_certificate(&cloud, &["*.example.com"]);
    let cdn = cdn(&cloud).await;
    let mut desired = desired(Mode::Origin);
    applied(&cdn, &desired).await.unwrap();
    let settings: [Setting; 4] = [
        ("PriceClass", |desired| desired.price_class = PriceClass::All),
        ("DefaultCacheBehavior.ViewerProtocolPolicy", |desired| desired.redirect_to_https = false),
        ("DefaultCacheBehavior.ResponseHeadersPolicyId", |desired| desired.security_headers = false),
        ("CustomErrorResponse 404", |desired| desired.not_found = None),
    ];
    for (field, set) in settings {
        set(&mut desired);
        let plan = planned(&cdn, &desired).await.steps;
        let fields = twinsite_core::Change::fields(&plan[0].change);
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, [field]);
        applied(&cdn, &desired).await.unwrap();
        assert_eq!(ids(&cdn, &desired).await, [""; 0], "{field}");
    }
    desired.index = "start.html".into();
    assert_eq!(ids(&cdn, &desired).await, ["cdn/function", "cdn/distribution", "cdn/deployed"]);
    applied(&cdn, &desired).await.unwrap();
    for mode in [Mode::Layered, Mode::Dns, Mode::Origin] {
        let desired = crate::desired(mode);
        applied(&cdn, &desired).await.unwrap();
        assert_eq!(ids(&cdn, &desired).await, [""; 0], "{mode}");
    }
}

#[tokio::test]
async fn drift_is_corrected_and_unmanaged_settings_are_kept() {
    let (cloud, desired) = (cloud(), desired(Mode::Layered));
    import_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    applied(&cdn, &desired).await.unwrap();
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
            set(config, &["WebACLId"], "arn:aws:wafv2:us-east-1:000000000000:global/webacl/w/1");
        });
        assert_eq!(ids(&cdn, &desired).await, ["cdn/distribution", "cdn/deployed"]);
        applied(&cdn, &desired).await.unwrap();
        assert_eq!(ids(&cdn, &desired).await, [""; 0]);
        let acl = cloud
            .world()
            .account(|account, _| account.cloudfront.distributions().next().unwrap().config.at("WebACLId").to_owned());
        assert!(acl.ends_with("webacl/w/1"), "unmanaged settings are kept: {acl}");
    }
}

#[tokio::test]
async fn an_alias_of_another_distribution_is_a_conflict() {
    let (cloud, desired) = (cloud(), desired(Mode::Dns));
    import_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    applied(&cdn, &desired).await.unwrap();
    let untagged: Result<(), ServiceError> = cloud.world().change_account(|account, _| {
        let arn = account.cloudfront.distributions().next().unwrap().arn();
        let theirs = account.cloudfront.distribution_by_arn(&arn)?;
        theirs.tags = BTreeMap::new();
        set(&mut theirs.config, &["CallerReference"], "somebody else");
        Ok(())
    });
    untagged.unwrap();
    let conflicts = plan_changes(&desired, &cdn.observe(&desired).await.unwrap()).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::AliasTaken { .. }]), "{conflicts:?}");
    destroyed(&cdn, &desired).await;
    assert_eq!(
        cloud.world().account(|account, _| account.cloudfront.distributions().count()),
        1,
        "distributions of others are kept"
    );
}

#[tokio::test]
async fn an_invalidation_can_be_repeated_and_waits_for_the_quota() {
    let (cloud, desired) = (cloud(), desired(Mode::Dns));
    import_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    let paths = InvalidationPaths::for_keys(["about/index.html", "x y.txt"], "index.html");
    assert_eq!(cdn.find_distribution(&desired).await.unwrap(), None);
    applied(&cdn, &desired).await.unwrap();
    let distribution = cdn.find_distribution(&desired).await.unwrap().unwrap();
    let first = cdn.invalidate(&distribution, &paths, "r1", &Run::silent()).await.unwrap().unwrap();
    assert_eq!(
        (first.paths, cdn.invalidate(&distribution, &paths, "r1", &Run::silent()).await.unwrap()),
        (4, Some(first.clone()))
    );
    cdn.await_invalidation(&first, &Run::silent()).await.unwrap();
    let nothing = InvalidationPaths::for_keys::<&str>([], "index.html");
    assert_eq!(cdn.invalidate(&distribution, &nothing, "r2", &Run::silent()).await.unwrap(), None);
    // The quota of three thousand paths in progress is exceeded until the first invalidation completes.
    let delays =
        twinsite_local::Delays { invalidation: std::time::Duration::from_millis(500), ..twinsite_local::Delays::NONE };
    cloud.world().set_delays(delays);
    let many = |from: usize| InvalidationPaths::parse((from..from + 2000).map(|n| format!("/{n}.css"))).unwrap();
    cdn.invalidate(&distribution, &many(0), "r3", &Run::silent()).await.unwrap().unwrap();
    cdn.invalidate(&distribution, &many(2000), "r4", &Run::silent()).await.unwrap().unwrap();
    assert!(cloud.request_counts()["CreateInvalidation"] > 4, "{:?}", cloud.request_counts());
}

#[tokio::test]
async fn apply_waits_until_the_distribution_is_deployed() {
    let (cloud, desired) = (cloud(), desired(Mode::Dns));
    import_certificate(&cloud, &["www.example.com"]);
    let cdn = cdn(&cloud).await;
    let delays =
        twinsite_local::Delays { distribution: std::time::Duration::from_millis(60), ..twinsite_local::Delays::NONE };
    cloud.world().set_delays(delays);
    cloud.reset_request_counts();
    applied(&cdn, &desired).await.unwrap();
    assert!(cloud.request_counts()["GetDistribution"] > 1, "{:?}", cloud.request_counts());
    destroyed(&cdn, &desired).await;
    assert_eq!(cloud.world().account(|account, _| account.cloudfront.distributions().count()), 0);
}
