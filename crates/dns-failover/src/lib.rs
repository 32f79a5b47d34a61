//! Route 53 failover for a twinsite. So far what needs no request: alias zones, the choice of a hosted zone, and how long a
//! failover takes.
//!
//! ```
//! use twinsite_dns_failover::{HostedZone, choose_zone};
//!
//! let zone = HostedZone { id: "Z1".into(), name: "example.com.".into(), private: false };
//! let zones = [zone];
//! assert_eq!(choose_zone(&"www.example.com".parse()?, &zones)?.id, "Z1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It makes no request and changes no record yet.

mod budget;
mod choose;
mod zone;

pub use budget::{Budget, Settings, budget};
pub use choose::{HostedZone, NoZone, choose_zone};
pub use zone::{CLOUDFRONT_ALIAS_ZONE, UnknownZone, website_alias_zone};
