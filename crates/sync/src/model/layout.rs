//! Reserved prefixes and keys of a bucket. Nothing below them is published, compared or deleted as content.

/// The prefix of twinsite's own records, which are never served.
pub const PRIVATE: &str = ".twinsite/";

/// The prefix of manifests.
pub(crate) const MANIFESTS: &str = ".twinsite/ledger/";

/// The prefix of release records.
pub(crate) const RELEASES: &str = ".twinsite/releases/";
