//! Topics, subscriptions and alarms.

use serde_json::json;
use twinsite_core::{Deferred, Mode, Plan, Region, Run, apply};
use twinsite_dns_failover::alerts::{
    Actual, Alerts, Conflict, Desired, RegionalClients, plan_changes, plan_destruction,
};
use twinsite_dns_failover::{CheckPurpose, CheckRef};
use twinsite_local::Account;
use twinsite_local::Cloud;
use twinsite_local::ServiceError;

use crate::session;

fn desired(emails: &[&str]) -> Desired {
    let checks = [(CheckPurpose::Primary, "h1"), (CheckPurpose::Switch, "h2")];
    Desired {
        tags: Default::default(),
        site: crate::desired("www.example.com", Mode::Dns).site,
        emails: emails.iter().map(|email| (*email).to_owned()).collect(),
        checks: checks.map(|(purpose, id)| CheckRef { purpose, id: Deferred::Known(id.parse().unwrap()) }).to_vec(),
        certificate: Deferred::Known("arn:aws:acm:us-east-1:000000000000:certificate/c".parse().unwrap()),
    }
}

async fn alerts(cloud: &Cloud) -> Alerts {
    let session = session(cloud).await;
    let clients = |region: Region| {
        let clients = RegionalClients { sns: session.sns(&region), cloudwatch: session.cloudwatch(&region) };
        (region, clients)
    };
    let regions = Alerts::regions(&desired(&[]).site).into_iter();
    Alerts::new(regions.map(clients).collect())
}

async fn ids(alerts: &Alerts, desired: &Desired) -> Vec<String> {
    let actual = alerts.observe(desired).await.unwrap();
    plan_changes(desired, &actual).unwrap().iter().map(|step| step.id.to_string()).collect()
}

async fn applied(alerts: &Alerts, desired: &Desired) {
    let actual = alerts.observe(desired).await.unwrap();
    let plan = Plan::new(plan_changes(desired, &actual).unwrap()).unwrap();
    apply(plan, alerts, &Run::silent()).await.unwrap();
}

fn change(cloud: &Cloud, change: impl FnOnce(&mut Account) -> Result<(), ServiceError>) {
    cloud.world().change_account(|account, _| change(account)).unwrap();
}

const PRIMARY: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:twinsite-www-example-com-unhealthy-primary";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:twinsite-www-example-com";

#[tokio::test]
async fn alarms_are_in_the_regions_of_their_metrics_and_subscriptions_must_be_confirmed() {
    let cloud = Cloud::memory();
    let (alerts, desired) = (alerts(&cloud).await, desired(&["ops@example.com"]));
    applied(&alerts, &desired).await;
    assert_eq!(ids(&alerts, &desired).await, [""; 0]);
    let actual = alerts.observe(&desired).await.unwrap();
    let names = |region: &str| actual[&region.parse().unwrap()].alarms.keys().cloned().collect::<Vec<_>>();
    let named = |what: &str| format!("twinsite-www-example-com-{what}");
    assert_eq!(names("us-west-2"), [named("replication-late")]);
    let here = ["certificate-expires", "replication-failed", "unhealthy-primary"].map(named);
    assert_eq!(names("us-east-1"), here, "the failover switch has no alarm");
    let confirmed = |actual: &Actual| {
        actual[&"us-east-1".parse().unwrap()].topic.as_ref().unwrap().emails["ops@example.com"].is_some()
    };
    assert!(!confirmed(&actual));
    cloud.world().change_account(|account, _| account.sns.confirm(TOPIC, "ops@example.com")).unwrap();
    assert!(confirmed(&alerts.observe(&desired).await.unwrap()));
}

#[tokio::test]
async fn drift_is_corrected_and_obsolete_resources_are_deleted() {
    let cloud = Cloud::memory();
    let (alerts, both) = (alerts(&cloud).await, desired(&["ops@example.com"]));
    applied(&alerts, &both).await;
    change(&cloud, |account| {
        account.cloudwatch.alarm_mut(PRIMARY)?.settings["Threshold"] = json!(0.5);
        Ok(())
    });
    assert_eq!(ids(&alerts, &both).await, ["notice/us-east-1/alarm/twinsite-www-example-com-unhealthy-primary"]);
    applied(&alerts, &both).await;
    let more = desired(&["ops@example.com", "boss@example.com"]);
    assert_eq!(
        ids(&alerts, &more).await,
        ["us-east-1", "us-west-2"].map(|at| format!("notice/{at}/email/boss@example.com"))
    );
    applied(&alerts, &more).await;
    cloud.world().change_account(|account, _| account.sns.subscribe(TOPIC, "email", "theirs@example.com")).unwrap();
    cloud.world().change_account(|account, _| account.sns.confirm(TOPIC, "boss@example.com")).unwrap();
    assert_eq!(ids(&alerts, &both).await.len(), 2, "removed addresses are unsubscribed, confirmed or not");
    applied(&alerts, &both).await;
    assert_eq!(ids(&alerts, &both).await, [""; 0]);
    let left = cloud.world().account(|account, _| account.sns.topic(TOPIC).unwrap().subscriptions.clone());
    let left: Vec<_> = left.iter().map(|one| one.endpoint.as_str()).collect();
    assert_eq!(left, ["ops@example.com", "theirs@example.com"], "subscriptions of others are kept");
    let before = Cloud::memory().world().dump();
    applied(&alerts, &desired(&[])).await;
    assert_eq!(cloud.world().dump(), before, "without an address there are no topics and alarms");
}

#[tokio::test]
async fn resources_of_others_are_conflicts_and_are_kept() {
    let cloud = Cloud::memory();
    let (alerts, desired) = (alerts(&cloud).await, desired(&["ops@example.com"]));
    applied(&alerts, &desired).await;
    change(&cloud, |account| {
        account.cloudwatch.alarm_mut(PRIMARY)?.tags.clear();
        Ok(())
    });
    let actual = alerts.observe(&desired).await.unwrap();
    let conflicts = plan_changes(&desired, &actual).unwrap_err().0;
    assert!(matches!(&conflicts[..], [Conflict::NotOwned { kind: "alarm", .. }]) && !conflicts[0].hint().is_empty());
    apply(Plan::new(plan_destruction(&desired, &actual)).unwrap(), &alerts, &Run::silent()).await.unwrap();
    let actual = alerts.observe(&desired).await.unwrap();
    let left: Vec<_> =
        actual.values().flat_map(|region| region.alarms.keys().map(|name| (region.topic.is_none(), name))).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
