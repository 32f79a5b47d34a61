//! Records and checks in moto, an independent implementation of Route 53. Run by `cargo xtask conformance`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::Mode;
use twinsite_dns_failover::DnsFailover;

use crate::{BRIEF, applied, desired, destroyed, ids};

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn moto_apply_twice_and_destroy() {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let client = Session::open(Access { endpoint: Some(endpoint), ..Access::default() }).await.unwrap().route53();
    client.create_hosted_zone().name("dns.example.net").caller_reference("conformance").send().await.unwrap();
    let dns = DnsFailover::new(client).polling(BRIEF);
    // Mode `origin` only: for calculated checks, moto responds with `<EnableSNI>None`, which the Rust SDK rejects.
    for domain in ["www.dns.example.net", "dns.example.net"] {
        let desired = desired(domain, Mode::Origin);
        applied(&dns, &desired).await.unwrap();
        assert_eq!(ids(&dns, &desired).await, [""; 0], "{domain}");
        destroyed(&dns, &desired).await;
    }
}
