//! Looking at a site as strangers do: what its name servers answer, and what comes back over HTTP and HTTPS.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use twinsite_dns_failover::look::{Kind, Roots, Visit, ask, visit};
//!
//! let server = "205.251.192.1:53".parse()?;
//! let answer = ask(server, "www.example.com", Kind::A, Duration::from_secs(2)).await?;
//! for address in answer.addresses() {
//!     let request = Visit { host: "www.example.com", path: "/", port: 443, roots: Some(&Roots::system()?) };
//!     println!("{address}: {}", visit(address, &request, Duration::from_secs(10)).await?.status);
//! }
//! # Ok(()) }
//! ```

mod names;
mod visit;

pub use names::{Answer, Kind, Record, ask};
pub use visit::{Roots, Seen, Visit, visit};

/// Why nobody was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// Nothing came back in time.
    #[error("no answer in {0} s")]
    TimedOut(u64),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Broken(String),
    /// What came back is no answer to what was asked.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The certificate is not for this name, or nobody trusts it.
    #[error("TLS: {0}")]
    Tls(String),
}
