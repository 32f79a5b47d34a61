//! The standby in the embedded cloud.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod interrupted;
mod standby;

use std::time::Duration;

use aws_sdk_route53::types::{
    Change as RecordChange, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_core::wait::PollPolicy;
use twinsite_core::{
    Applied, Deferred, Halted, Mode, Pair, Plan, Reason, Run, Site, Step, ValidationRecord, ValidationRecords, apply,
};
use twinsite_https_standby::{Change, Desired, HttpsStandby, Planned, plan_changes, plan_destruction};
use twinsite_local::{ACCOUNT, Cloud, Delays};

const BRIEF: PollPolicy =
    PollPolicy { first: Duration::from_millis(1), most: Duration::from_millis(20), total: Duration::from_secs(5) };

fn desired() -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let account = ACCOUNT.parse().unwrap();
    Desired::new(Site::new("www.example.com".parse().unwrap(), Mode::Layered, account, regions).unwrap())
}

fn cloud() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    cloud
}

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await.unwrap()
}

async fn standby(cloud: &Cloud) -> HttpsStandby {
    let (session, region) = (session(cloud).await, "us-west-2".parse().unwrap());
    HttpsStandby::new(session.acm_in(&region), session.api_gateway(&region)).polling(BRIEF)
}

async fn planned(standby: &HttpsStandby, desired: &Desired) -> Planned {
    plan_changes(desired, &standby.observe(desired).await.unwrap()).unwrap()
}

async fn ids(standby: &HttpsStandby, desired: &Desired) -> Vec<String> {
    planned(standby, desired).await.steps.iter().map(|step| step.id.to_string()).collect()
}

async fn apply_steps(standby: &HttpsStandby, steps: Vec<Step<Change>>) -> Result<Applied, Halted<AwsError>> {
    apply(Plan::new(steps).unwrap(), standby, &Run::silent()).await
}

async fn applied(standby: &HttpsStandby, desired: &Desired) -> Result<Applied, Halted<AwsError>> {
    apply_steps(standby, planned(standby, desired).await.steps).await
}

async fn destroyed(standby: &HttpsStandby, desired: &Desired) {
    let actual = standby.observe(desired).await.unwrap();
    let steps = plan_destruction(desired, &actual, &Reason::Asked("destroy".to_owned()));
    apply_steps(standby, steps).await.unwrap();
}

/// A hosted zone with the validation record of the domain: it is the same for every certificate of an account.
async fn validated(cloud: &Cloud) {
    let route53 = session(cloud).await.route53();
    let zone = route53.create_hosted_zone().name("example.com").caller_reference("r").send().await.unwrap();
    let acm = session(cloud).await.acm();
    let request = acm.request_certificate().domain_name("www.example.com");
    let arn = request.validation_method(aws_sdk_acm::types::ValidationMethod::Dns).send().await.unwrap();
    let described = acm.describe_certificate().certificate_arn(arn.certificate_arn.unwrap()).send().await.unwrap();
    let detail = described.certificate.unwrap();
    let record = detail.domain_validation_options()[0].resource_record().unwrap();
    let value = ResourceRecord::builder().value(&record.value).build().unwrap();
    let set = ResourceRecordSet::builder().name(&record.name).r#type(RrType::Cname).ttl(300).resource_records(value);
    let change = RecordChange::builder().action(ChangeAction::Upsert).resource_record_set(set.build().unwrap());
    let batch = ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
    let change = route53.change_resource_record_sets().hosted_zone_id(zone.hosted_zone.unwrap().id);
    change.change_batch(batch).send().await.unwrap();
}

fn known(records: Option<Deferred<ValidationRecords>>) -> ValidationRecord {
    match records {
        Some(Deferred::Known(records)) => records.get("www.example.com").unwrap().clone(),
        other => panic!("{other:?}"),
    }
}
