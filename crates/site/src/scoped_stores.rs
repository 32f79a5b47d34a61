//! The stores of a site, or of plain buckets: the whole buckets, or what belongs to a prefix.

use twinsite_core::Pair;
use twinsite_sync::{Prefix, S3Store, ScopedStore, Store};

/// A bucket, or what belongs to one of its prefixes.
pub(crate) type BucketStore = ScopedStore<S3Store>;

/// Whether a publish takes over what the main site has below its prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// Fail if the main site has anything there.
    #[default]
    Refuse,
    /// Take it over.
    MainSite,
}

/// The whole buckets.
pub(crate) fn whole<S: Store>(stores: &Pair<ScopedStore<S>>) -> Pair<S> {
    stores.as_ref().map(|store| store.whole().clone())
}

/// The same buckets, and what belongs to a prefix of them.
pub(crate) fn scoped(stores: &Pair<BucketStore>, prefix: Option<&Prefix>) -> Pair<BucketStore> {
    whole(stores).map(|store| ScopedStore::new(store, prefix.cloned()))
}
