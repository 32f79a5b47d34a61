//! The same against moto, an independent implementation of S3. Run by `cargo xtask conformance`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::{Mode, Pair, Site};
use twinsite_s3_site::{Desired, S3Site};

use crate::{applied, destroyed, planned};

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn moto_apply_twice_and_destroy() {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let session = Session::open(Access { endpoint: Some(endpoint), ..Access::default() }).await.unwrap();
    let (east, west) = ("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
    let account = session.caller().await.unwrap().account;
    let domain = "conformance.example.com".parse().unwrap();
    let site = Site::new(domain, Mode::Layered, account, Pair::new(east, west)).unwrap();
    let clients = site.regions.as_ref().map(|region| session.s3(region));
    let s3 = S3Site::new(clients, session.s3control(&site.regions.primary), session.iam());
    let desired = Desired::new(site);
    applied(&s3, &desired).await.unwrap();
    // moto forgets a rule's metrics and what it says of delete markers, so that step stays; the embedded cloud has them.
    let second = planned(&s3, &desired).await;
    assert_eq!(second.steps().map(|step| step.id.to_string()).collect::<Vec<_>>(), ["primary/replication"]);
    destroyed(&s3, &desired).await;
    assert_eq!(planned(&s3, &desired).await.len(), 20);
}
