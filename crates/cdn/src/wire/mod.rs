//! Conversions between this crate's model and the types of the SDKs.

pub(crate) mod acm;
pub(crate) mod cloudfront;
pub(crate) mod existing;
mod properties;
