//! The wire protocols that the services share.

pub(crate) mod cbor;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod reply;
pub(crate) mod request;
