//! The same against moto, an independent implementation of ACM. Run by `cargo xtask conformance`.
//!
//! The distribution is left out: moto answers its creation with `<CreateDistributionResult>`, which the Rust SDK refuses. So is
//! waiting: moto issues a certificate after a minute, whatever DNS says.

use twinsite_aws_session::{Access, Session};
use twinsite_cdn::Cdn;
use twinsite_core::{Deferred, Mode};

use crate::{BRIEF, carried_out, destroyed, ids, planned, want};

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn moto_requests_a_certificate_once_and_deletes_it() {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let session = Session::open(Access { endpoint: Some(endpoint), ..Access::default() }).await;
    let cdn = Cdn::new(session.acm(), session.cloudfront()).polling(BRIEF);
    let want = want(Mode::Dns);
    let steps = planned(&cdn, &want).await.steps.into_iter().take(1).collect();
    carried_out(&cdn, steps).await.unwrap();
    assert_eq!(ids(&cdn, &want).await[0], "certificate/issued", "what was requested is found again");
    assert!(matches!(planned(&cdn, &want).await.proof, Some(Deferred::Known(_))));
    destroyed(&cdn, &want).await;
    assert_eq!(ids(&cdn, &want).await[0], "certificate/request");
}
