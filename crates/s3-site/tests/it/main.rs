//! The pair of buckets against the embedded cloud and, by `cargo xtask conformance`, against moto.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod drift;
mod drill;
mod interrupted;
mod moto;

use twinsite_aws::AwsError;
use twinsite_aws_session::{Access, Session};
use twinsite_core::{Applied, Halted, Mode, Pair, Plan, Run, Site, apply};
use twinsite_local::Cloud;
use twinsite_s3_site::{Change, Desired, S3Site, plan_changes, plan_destruction};

fn desired(mode: Mode) -> Desired {
    let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let account = twinsite_local::ACCOUNT.parse().unwrap();
    Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap())
}

async fn s3_site(cloud: &Cloud) -> S3Site {
    let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
    let session = Session::open(access).await.unwrap();
    let east = "us-east-1".parse().unwrap();
    S3Site::new(
        Pair::new(session.s3(&east), session.s3(&"us-west-2".parse().unwrap())),
        session.s3control(&east),
        session.iam(),
    )
}

async fn planned(s3: &S3Site, desired: &Desired) -> Plan<Change> {
    Plan::new(plan_changes(desired, &s3.observe(desired).await.unwrap()).unwrap()).unwrap()
}

async fn applied(s3: &S3Site, desired: &Desired) -> Result<Applied, Halted<AwsError>> {
    apply(planned(s3, desired).await, s3, &Run::silent()).await
}

async fn destroyed(s3: &S3Site, desired: &Desired) {
    let actual = s3.observe(desired).await.unwrap();
    let contents = s3.count_contents(desired, &actual).await.unwrap();
    let plan = Plan::new(plan_destruction(desired, &actual, &contents)).unwrap();
    apply(plan, s3, &Run::silent()).await.unwrap();
}
