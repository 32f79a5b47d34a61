//! Certificates and distributions in the embedded cloud.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod certificate;
mod distribution;
mod interrupted;
mod moto;
mod redirects;

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_cdn::{Cdn, Change, Desired, Planned, plan_changes, plan_destruction};
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Applied, Halted, Mode, Pair, Plan, Run, Site, Step, apply};
use twinsite_local::Cloud;
use twinsite_local::acm::CertificateRequest;
use twinsite_local::{ACCOUNT, Delays};

const BRIEF: PollPolicy =
    PollPolicy { first: Duration::from_millis(1), most: Duration::from_millis(20), total: Duration::from_secs(5) };

fn desired(mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let account = ACCOUNT.parse().unwrap();
    Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap())
}

fn cloud() -> Cloud {
    let cloud = Cloud::memory();
    cloud.world().set_delays(Delays::NONE);
    cloud
}

/// Imports a certificate that does not belong to the site.
fn import_certificate(cloud: &Cloud, names: &[&str]) -> String {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let request = CertificateRequest {
        names,
        key_algorithm: "RSA_2048".into(),
        region: "us-east-1".into(),
        ..CertificateRequest::default()
    };
    cloud.world().change_account(|account, moment| account.acm.import(request, None, moment)).unwrap()
}

async fn session(cloud: &Cloud) -> Session {
    Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await.unwrap()
}

async fn cdn(cloud: &Cloud) -> Cdn {
    let session = session(cloud).await;
    Cdn::new(session.acm(), session.cloudfront(), session.key_value_store()).polling(BRIEF)
}

async fn planned(cdn: &Cdn, desired: &Desired) -> Planned {
    plan_changes(desired, &cdn.observe(desired).await.unwrap()).unwrap()
}

async fn ids(cdn: &Cdn, desired: &Desired) -> Vec<String> {
    planned(cdn, desired).await.steps.iter().map(|step| step.id.to_string()).collect()
}

async fn apply_steps(cdn: &Cdn, steps: Vec<Step<Change>>) -> Result<Applied, Halted<AwsError>> {
    apply(Plan::new(steps).unwrap(), cdn, &Run::silent()).await
}

async fn applied(cdn: &Cdn, desired: &Desired) -> Result<Applied, Halted<AwsError>> {
    apply_steps(cdn, planned(cdn, desired).await.steps).await
}

async fn destroyed(cdn: &Cdn, desired: &Desired) {
    let actual = cdn.observe(desired).await.unwrap();
    apply_steps(cdn, plan_destruction(desired, &actual)).await.unwrap();
}
