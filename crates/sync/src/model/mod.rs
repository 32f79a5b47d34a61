//! The types that every other module uses.

pub(crate) mod checksum;
pub(crate) mod error;
pub(crate) mod layout;
pub(crate) mod limits;
pub(crate) mod object;
pub(crate) mod owner;
pub(crate) mod prefix;
pub(crate) mod range;
pub(crate) mod release_id;
pub(crate) mod source_error;
pub(crate) mod time;
