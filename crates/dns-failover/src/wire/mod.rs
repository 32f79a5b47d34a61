//! Conversions between this crate's model and the types of the Route 53 SDK.

pub(crate) mod checks;
pub(crate) mod protections;
pub(crate) mod records;
