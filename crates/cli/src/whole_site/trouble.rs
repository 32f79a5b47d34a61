//! What goes wrong in accounts: one clear message each, with a next step.

use twinsite_local::s3::{Doc, PublicAccessBlock};

use super::*;

/// All requests for an operation are refused.
fn refuse(cloud: &Cloud, operation: &'static str, status: u16, code: &'static str) {
    cloud.inject_faults(move |seen| {
        if seen.operation == operation { InjectedFault::Error { status, code } } else { InjectedFault::None }
    });
}

/// What the owner reads of an apply on an empty account.
async fn told(operation: &'static str, status: u16, code: &'static str) -> Error {
    let cloud = cloud();
    // Refusals that may pass are waited for.
    cloud.world().clock().skip_waiting();
    let stack = open(&cloud, &full(Mode::Layered), Some(1)).await;
    refuse(&cloud, operation, status, code);
    let plan = match stack.plan(AdoptBuckets::Refuse).await {
        Ok(plan) => plan,
        Err(failure) => return failure,
    };
    stack.apply(plan).await.err().unwrap_or_else(|| panic!("{operation} was not refused"))
}

#[tokio::test]
async fn each_refusal_names_operation_and_resource_and_says_what_to_do() {
    const QUOTA: &str = "request an increase";
    let cases = [
        ("CreateDistributionWithTags", 409, "CNAMEAlreadyExists", "list-conflicting-aliases"),
        ("CreateDistributionWithTags", 400, "TooManyDistributions", QUOTA),
        ("CreateHealthCheck", 400, "TooManyHealthChecks", QUOTA),
        ("RequestCertificate", 400, "LimitExceededException", QUOTA),
        ("CreateRole", 409, "LimitExceeded", QUOTA),
        ("PutMetricAlarm", 400, "LimitExceededFault", QUOTA),
        ("CreateTopic", 403, "TopicLimitExceeded", QUOTA),
        ("CreateBucket", 400, "TooManyBuckets", QUOTA),
        ("CreateBucket", 400, "IllegalLocationConstraintException", "enable the region"),
        ("PutBucketVersioning", 403, "InvalidAccessKeyId", "enable that region"),
        ("ChangeResourceRecordSets", 400, "Throttling", "try again in a minute"),
        ("CreateHealthCheck", 400, "Throttling", "try again in a minute"),
        ("DescribeAlarms", 400, "ThrottlingException", "try again in a minute"),
        ("ListDistributions", 400, "Throttling", "try again in a minute"),
        ("ListCertificates", 400, "ThrottlingException", "try again in a minute"),
        ("GetRole", 400, "Throttling", "try again in a minute"),
        ("ListHostedZones", 403, "AccessDenied", "lack the permission"),
        ("CreateRole", 403, "AccessDenied", "lack the permission"),
        ("ChangeResourceRecordSets", 400, "InvalidChangeBatch", "plan again"),
    ];
    for (operation, status, code, hint) in cases {
        let failure = told(operation, status, code).await;
        let shown = operation.trim_end_matches("WithTags");
        assert!(
            failure.cause.to_string().contains(shown) && failure.cause.to_string().contains(code),
            "{operation} {code}: {failure}"
        );
        assert!(failure.hints.iter().any(|said| said.contains(hint)), "{operation} {code}: {:?}", failure.hints);
    }
}

#[tokio::test]
async fn slow_services_are_asked_again_and_nothing_is_made_twice() {
    let cloud = cloud();
    let stack = open(&cloud, &full(Mode::Layered), None).await;
    let before = cloud.world().dump();
    let plan = stack.plan(AdoptBuckets::Refuse).await.unwrap();
    let seen = AtomicUsize::new(0);
    cloud.inject_faults(move |_| match seen.fetch_add(1, Ordering::Relaxed) % 7 {
        3 => InjectedFault::Error { status: 400, code: "Throttling" },
        _ => InjectedFault::None,
    });
    stack.apply(plan).await.unwrap();
    cloud.inject_faults(|_| InjectedFault::None);
    assert_eq!(steps(&stack).await, [""; 0]);
    destroyed(&stack).await;
    assert_eq!(cloud.world().dump(), before);
}

#[tokio::test]
async fn a_region_that_must_be_enabled_is_said_to_be() {
    let cloud = cloud();
    refuse(&cloud, "HeadBucket", 403, "AccessDenied");
    let text = full(Mode::Origin).replace("us-west-2", "eu-south-1");
    let failure = open(&cloud, &text, None).await.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(
        failure.cause.to_string().contains("in eu-south-1")
            && failure.hints.iter().any(|hint| hint.contains("is enabled"))
    );
}

#[tokio::test]
async fn everything_in_the_way_is_said_at_once_and_nothing_is_changed() {
    let cloud = cloud();
    let text = full(Mode::Layered);
    applied(&open(&cloud, &text, None).await).await.unwrap();
    cloud.world().s3().update_bucket("www.example.com", |settings| drop(settings.docs.remove(&Doc::Tagging))).unwrap();
    cloud.world().set_account_block(Some(PublicAccessBlock::ALL)).unwrap();
    let stack = open(&cloud, &(text + "[cdn]\nsecurity_headers = true\n"), None).await;
    let before = cloud.world().dump();
    let failure = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    for part in ["BlockPublicPolicy", "twinsite did not create it", "over HTTP only"] {
        assert!(failure.cause.to_string().contains(part), "no `{part}` in {failure}");
    }
    for part in ["mode = \"origin\"", "--adopt", "accept_http_standby"] {
        assert!(failure.hints.iter().any(|hint| hint.contains(part)), "no `{part}` in {:?}", failure.hints);
    }
    assert_eq!(cloud.world().dump(), before);
}

#[tokio::test]
async fn a_zone_that_this_account_does_not_have_is_another_accounts_or_has_to_be_made() {
    let cloud = cloud();
    let stack = open(&cloud, &full(Mode::Origin), None).await;
    let emptied: Result<(), twinsite_local::ServiceError> = cloud.world().change_account(|account, _| {
        account.route53 = twinsite_local::route53::Route53::default();
        Ok(())
    });
    emptied.unwrap();
    let failure = stack.plan(AdoptBuckets::Refuse).await.unwrap_err();
    assert!(
        failure.cause.to_string().contains("no public hosted zone of this account contains `www.example.com`"),
        "{failure}"
    );
    assert!(failure.hints[0].contains("another account"), "{:?}", failure.hints);
}
