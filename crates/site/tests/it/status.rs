//! The status of a site while regions and services are out of reach: every other part is there, and the health is right.

use std::collections::BTreeSet;
use std::time::Duration;

use twinsite_aws_session::Access;
use twinsite_local::{Cloud, InjectedFault, OutageSymptom, Outages};
use twinsite_site::{
    Config, Environment, FailureKind, Level, Network, Pair, Part, Run, SiteHealth, Status, StatusRequest, status,
};

use crate::site::{POLLING, TestSite};
use crate::write;

const PRIMARY: &str = "eu-west-1";
const BACKUP: &str = "us-west-2";

/// What can be out of reach. The regions hold no service that is in one region only.
const PARTS: [&str; 6] = ["primary", "backup", "route53", "cloudfront", "acm", "cloudwatch"];

fn configure(config: &mut Config) {
    config.regions = Pair::new(PRIMARY.parse().unwrap(), BACKUP.parse().unwrap());
    config.emails = vec!["ops@example.com".to_owned()];
}

/// A published site.
async fn published() -> TestSite {
    let site = TestSite::applied_with(configure).await;
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "index.html", "home");
    Box::pin(site.deploy(dir.path())).await.unwrap();
    site
}

async fn read(site: &TestSite, deadline: Duration) -> Status {
    let access = Access { embedded: Some(site.cloud.http_client()), ..Access::default() };
    let environment = Environment { access, polling: POLLING, network: Network::Unavailable, outages: None };
    let request = StatusRequest::within(deadline);
    Box::pin(status(site.context.config(), &environment, request, &Run::silent())).await.unwrap()
}

fn take_away(cloud: &Cloud, dead: &[&str], symptom: OutageSymptom) {
    let regions = [("primary", PRIMARY), ("backup", BACKUP)].into_iter();
    let regions = regions.filter(|(name, _)| dead.contains(name)).map(|(_, region)| region.to_owned());
    let services = dead.iter().filter(|name| !["primary", "backup"].contains(name)).map(|name| (*name).to_owned());
    let outages =
        Outages { regions_out: regions.collect(), services_out: services.collect(), symptom, ..Outages::default() };
    cloud.world().set_outages(outages);
}

/// The parts that answer, by what they depend on.
fn is_read(status: &Status, part: &str) -> bool {
    match part {
        "primary" => status.primary.bucket.is_known() && status.primary.release.is_known(),
        "backup" => status.backup.bucket.is_known() && status.backup.release.is_known(),
        "route53" => status.zone.is_known() && status.health_checks.is_known(),
        "cloudfront" => status.distribution.is_known(),
        "acm" => status.certificate.is_known(),
        // Of the regions that are there.
        "cloudwatch" => status.alerts.iter().any(|one| one.alarms.is_known()),
        other => panic!("{other}"),
    }
}

fn subsets() -> Vec<Vec<&'static str>> {
    let chosen =
        |set: u32| PARTS.iter().enumerate().filter(move |(bit, _)| set & (1 << bit) != 0).map(|(_, name)| *name);
    (0..1 << PARTS.len()).map(|set| chosen(set).collect()).collect()
}

/// The data plane is not served here, so that what visitors get is unknown at best.
fn check(status: &Status, dead: &[&str], symptom: OutageSymptom) {
    for part in PARTS {
        let expected = !dead.contains(&part);
        assert_eq!(is_read(status, part), expected, "{part} with {dead:?} dead ({symptom:?}): {status:#?}");
    }
    let problems: Vec<_> = status.findings.iter().filter(|finding| finding.level == Level::Problem).collect();
    assert!(problems.is_empty(), "{dead:?} dead ({symptom:?}): {problems:?}");
    assert_eq!(status.health, SiteHealth::Unknown, "{dead:?}");
    assert_eq!(status.pending_steps.is_known(), dead.is_empty(), "{dead:?}: {:?}", status.pending_steps);
    assert!(dead.is_empty() || !status.next.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_is_read_whichever_others_are_out_of_reach() {
    let site = Box::pin(published()).await;
    for symptom in [OutageSymptom::Reset, OutageSymptom::Unavailable] {
        for dead in subsets() {
            take_away(&site.cloud, &dead, symptom);
            // What responds does so long before.
            check(&read(&site, Duration::from_mins(2)).await, &dead, symptom);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_responds_costs_no_more_than_the_deadline() {
    let site = Box::pin(published()).await;
    for dead in subsets().into_iter().filter(|dead| [0, 1, 6].contains(&dead.len())) {
        take_away(&site.cloud, &dead, OutageSymptom::Hang);
        // The test would not end without the deadline.
        let deadline = if dead.is_empty() { Duration::from_mins(2) } else { Duration::from_secs(3) };
        let status = read(&site, deadline).await;
        check(&status, &dead, OutageSymptom::Hang);
        let kinds: BTreeSet<String> = status.unread().iter().map(|unread| format!("{:?}", unread.kind)).collect();
        assert!(kinds.iter().all(|kind| kind == "Some(TimedOut)"), "{dead:?}: {kinds:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_action_is_named_and_hides_nothing_else() {
    let site = Box::pin(published()).await;
    for (service, host, code, action) in [
        ("sns", "sns.", "AuthorizationError", "sns:ListTagsForResource"),
        ("acm", "acm.", "AccessDeniedException", "acm:ListCertificates"),
        ("route53", "route53.", "AccessDenied", "route53:ListHostedZones"),
    ] {
        site.cloud.inject_faults(move |request| {
            if request.host.starts_with(host) {
                InjectedFault::Error { status: 403, code }
            } else {
                InjectedFault::None
            }
        });
        let status = read(&site, Duration::from_mins(2)).await;
        assert_eq!(status.health, SiteHealth::Unknown);
        let unread = status.unread();
        assert!(!unread.is_empty() && unread.iter().all(|one| one.action.is_some()), "{service}: {unread:?}");
        assert!(unread.iter().any(|one| one.action == Some(action)), "{service}: {unread:?}");
        assert!(
            status.next.iter().any(|next| next.contains(action) && next.contains("iam-policy")),
            "{:?}",
            status.next
        );
        assert!(is_read(&status, "primary") && is_read(&status, "backup") && is_read(&status, "cloudfront"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_one_reason_is_given_and_no_service_is_blamed() {
    let site = Box::pin(published()).await;
    site.cloud.inject_faults(|request| {
        let is_aws = request.host.contains("amazonaws.com");
        if is_aws { InjectedFault::Error { status: 403, code: "ExpiredToken" } } else { InjectedFault::None }
    });
    let status = read(&site, Duration::from_mins(2)).await;
    assert!(
        matches!(status.identity, Part::Unavailable { kind: FailureKind::Credentials, .. }),
        "{:?}",
        status.identity
    );
    let unknown: Vec<_> = status.findings.iter().filter(|finding| finding.level == Level::Unknown).collect();
    assert!(unknown.iter().any(|finding| finding.text.starts_with("the account could not be read")), "{unknown:?}");
    assert!(unknown.len() <= 2, "the account and the visitors: {unknown:?}");
    assert!(status.next.iter().any(|next| next.contains("aws sso login")), "{:?}", status.next);
}
