//! The same against moto, an independent implementation of Route 53. Run by `cargo xtask conformance`.

use twinsite_aws_session::{Access, Session};
use twinsite_core::Mode;
use twinsite_dns_failover::DnsFailover;

use crate::{BRIEF, applied, destroyed, ids, want};

#[tokio::test]
#[ignore = "needs a moto server: cargo xtask conformance"]
#[expect(clippy::disallowed_methods, reason = "the harness tells where the server is")]
async fn moto_apply_twice_and_destroy() {
    let endpoint = std::env::var("TWINSITE_CONFORMANCE_ENDPOINT").unwrap();
    let client = Session::open(Access { endpoint: Some(endpoint), ..Access::default() }).await.route53();
    client.create_hosted_zone().name("dns.example.net").caller_reference("conformance").send().await.unwrap();
    let dns = DnsFailover::new(client).polling(BRIEF);
    // Mode `origin` only: of a check that is made of others, moto answers `<EnableSNI>None`, which the Rust SDK refuses.
    for domain in ["www.dns.example.net", "dns.example.net"] {
        let want = want(domain, Mode::Origin);
        applied(&dns, &want).await.unwrap();
        assert_eq!(ids(&dns, &want).await, [""; 0], "{domain}");
        destroyed(&dns, &want).await;
    }
}
