//! Conversions between this crate's model and the types of the SDKs.

pub(crate) mod bucket;
pub(crate) mod job;
pub(crate) mod replication;
pub(crate) mod role;
pub(crate) mod website;
