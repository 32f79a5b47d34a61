//! Probes of a site from outside: DNS queries to its name servers, and HTTP requests to chosen addresses. They need no
//! credentials.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use twinsite_dns_failover::probe::{HttpRequest, TrustStore, dns_query, http_get};
//!
//! let server = "205.251.192.1:53".parse()?;
//! let trust = TrustStore::system()?;
//! let request = HttpRequest { host: "www.example.com", path: "/", port: 443, tls: Some(&trust) };
//! for address in dns_query(server, request.host, Duration::from_secs(2)).await?.addresses() {
//!     println!("{address}: {}", http_get(address, &request, Duration::from_secs(10)).await?.status);
//! }
//! # Ok(()) }
//! ```

mod dns;
mod error;
mod http;

pub use dns::{DnsRecord, DnsResponse, dns_query, ns_query};
pub use error::ProbeError;
pub use http::{HttpRequest, Response, TrustStore, http_get};
