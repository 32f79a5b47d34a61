//! Certificates in moto, an independent implementation of ACM. Run by `cargo xtask conformance`.
//!
//! Distributions are left out: moto responds to their creation with `<CreateDistributionResult>`, which the Rust SDK rejects.
//! So is waiting: moto issues a certificate after a minute, whether or not the validation record exists.

use twinsite_aws_session::{Access, Session};
use twinsite_cdn::Cdn;
use twinsite_core::{Deferred, Mode};

use crate::{BRIEF, apply_steps, desired, destroyed, ids, planned};

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn moto_requests_a_certificate_once_and_deletes_it() {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let session = Session::open(Access { endpoint: Some(endpoint), ..Access::default() }).await.unwrap();
    let cdn = Cdn::new(session.acm(), session.cloudfront(), session.key_value_store()).polling(BRIEF);
    let desired = desired(Mode::Dns);
    let steps = planned(&cdn, &desired).await.steps.into_iter().take(1).collect();
    apply_steps(&cdn, steps).await.unwrap();
    assert_eq!(ids(&cdn, &desired).await[0], "certificate/issued", "the requested certificate is found");
    assert!(matches!(planned(&cdn, &desired).await.validation_records, Some(Deferred::Known(_))));
    destroyed(&cdn, &desired).await;
    assert_eq!(ids(&cdn, &desired).await[0], "certificate/request");
}
