//! Who hears of trouble.

use serde_json::json;
use twinsite_core::{Deferred, Mode, Plan, ResourceId, Run, apply};
use twinsite_dns_failover::Role;
use twinsite_dns_failover::notice::{Desired, Notices, Problem, destroy_steps, steps};
use twinsite_local::Account;
use twinsite_local::Cloud;
use twinsite_local::ServiceError;

use crate::session;

fn want(emails: &[&str]) -> Desired {
    let checks = [(Role::Primary, "h1"), (Role::Stop, "h2")];
    Desired {
        site: crate::want("www.example.com", Mode::Dns).site,
        emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        checks: checks.map(|(role, id)| (role, Deferred::Known(ResourceId(id.to_owned())))).to_vec(),
        certificate: Deferred::Known("arn:aws:acm:us-east-1:000000000000:certificate/c".parse().unwrap()),
    }
}

async fn notices(cloud: &Cloud) -> Notices {
    let session = session(cloud).await;
    let regions = Notices::regions(&want(&[]).site).into_iter();
    Notices::new(regions.map(|one| (one.clone(), (session.sns(&one), session.cloudwatch(&one)))).collect())
}

async fn ids(notices: &Notices, want: &Desired) -> Vec<String> {
    let have = notices.observe(want).await.unwrap();
    steps(want, &have).unwrap().iter().map(|step| step.id.to_string()).collect()
}

async fn applied(notices: &Notices, want: &Desired) {
    let have = notices.observe(want).await.unwrap();
    let plan = Plan::new(steps(want, &have).unwrap()).unwrap();
    apply(plan, notices, &Run::silent()).await.unwrap();
}

fn change(cloud: &Cloud, change: impl FnOnce(&mut Account) -> Result<(), ServiceError>) {
    cloud.world().change_account(|account, _| change(account)).unwrap();
}

const PRIMARY: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:twinsite-www-example-com-unhealthy-primary";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:twinsite-www-example-com";

#[tokio::test]
async fn alarms_are_where_their_metrics_are_and_nobody_is_written_to_without_saying_yes() {
    let cloud = Cloud::memory();
    let (notices, want) = (notices(&cloud).await, want(&["ops@example.com"]));
    applied(&notices, &want).await;
    assert_eq!(ids(&notices, &want).await, [""; 0]);
    let have = notices.observe(&want).await.unwrap();
    let names = |region: &str| have[&region.parse().unwrap()].1.keys().cloned().collect::<Vec<_>>();
    let named = |what: &str| format!("twinsite-www-example-com-{what}");
    assert_eq!(names("us-west-2"), [named("replication-late")]);
    let here = ["certificate-expires", "replication-failed", "unhealthy-primary"].map(named);
    assert_eq!(names("us-east-1"), here, "the stop object alarms nobody");
    let confirmed = |have: &twinsite_dns_failover::notice::Observed| {
        have[&"us-east-1".parse().unwrap()].0.as_ref().unwrap().emails["ops@example.com"].is_some()
    };
    assert!(!confirmed(&have));
    cloud.world().change_account(|account, _| account.sns.confirm(TOPIC, "ops@example.com")).unwrap();
    assert!(confirmed(&notices.observe(&want).await.unwrap()));
}

#[tokio::test]
async fn drift_is_put_right_and_what_nobody_wants_goes() {
    let cloud = Cloud::memory();
    let (notices, both) = (notices(&cloud).await, want(&["ops@example.com"]));
    applied(&notices, &both).await;
    change(&cloud, |account| {
        account.cloudwatch.alarm_mut(PRIMARY)?.settings["Threshold"] = json!(0.5);
        Ok(())
    });
    assert_eq!(ids(&notices, &both).await, ["notice/us-east-1/alarm/twinsite-www-example-com-unhealthy-primary"]);
    applied(&notices, &both).await;
    let more = want(&["ops@example.com", "boss@example.com"]);
    assert_eq!(
        ids(&notices, &more).await,
        ["us-east-1", "us-west-2"].map(|at| format!("notice/{at}/email/boss@example.com"))
    );
    applied(&notices, &more).await;
    cloud.world().change_account(|account, _| account.sns.subscribe(TOPIC, "email", "theirs@example.com")).unwrap();
    cloud.world().change_account(|account, _| account.sns.confirm(TOPIC, "boss@example.com")).unwrap();
    assert_eq!(ids(&notices, &both).await.len(), 2, "who was taken out is taken off, confirmed or not");
    applied(&notices, &both).await;
    assert_eq!(ids(&notices, &both).await, [""; 0]);
    let left = cloud.world().account(|account, _| account.sns.topic(TOPIC).unwrap().subscriptions.clone());
    let left: Vec<_> = left.iter().map(|one| one.endpoint.as_str()).collect();
    assert_eq!(left, ["ops@example.com", "theirs@example.com"], "whom others subscribed stays");
    let before = Cloud::memory().world().dump();
    applied(&notices, &want(&[])).await;
    assert_eq!(cloud.world().dump(), before, "without an address there is nothing");
}

#[tokio::test]
async fn what_is_somebody_elses_is_named_and_left_alone() {
    let cloud = Cloud::memory();
    let (notices, want) = (notices(&cloud).await, want(&["ops@example.com"]));
    applied(&notices, &want).await;
    change(&cloud, |account| {
        account.cloudwatch.alarm_mut(PRIMARY)?.tags.clear();
        Ok(())
    });
    let have = notices.observe(&want).await.unwrap();
    let problems = steps(&want, &have).unwrap_err();
    assert!(matches!(&problems[..], [Problem::Foreign { what: "alarm", .. }]) && !problems[0].hint().is_empty());
    apply(Plan::new(destroy_steps(&want, &have)).unwrap(), &notices, &Run::silent()).await.unwrap();
    let have = notices.observe(&want).await.unwrap();
    let left: Vec<_> =
        have.values().flat_map(|(topic, alarms)| alarms.keys().map(move |name| (topic.is_none(), name))).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
