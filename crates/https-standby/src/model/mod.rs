//! Desired and actual state, changes and conflicts: plain data without SDK types.

mod actual;
mod change;
mod conflict;
mod desired;
mod reach;

pub use actual::{
    Actual, Api, Certificate, CertificateStatus, DomainName, Endpoint, Integration, Mapping, Route, Stage,
};
pub use change::Change;
pub use conflict::Conflict;
pub use desired::{Desired, Settings};
pub(crate) use desired::{INTEGRATION_URI, IP_ADDRESS_TYPE, REMOVE_COOKIE};
pub use reach::{UNREACHABLE_SIZE, is_reachable};
