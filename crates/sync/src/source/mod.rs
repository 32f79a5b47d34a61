//! The directory that is published: its files, their digests, and the rules by which they are served.

pub(crate) mod checks;
pub(crate) mod digest;
pub(crate) mod index;
pub(crate) mod prehash;
pub(crate) mod rules;
pub(crate) mod walk;
