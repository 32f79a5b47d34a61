//! Walking through two listings side by side, a page of each in memory.

use std::cmp::Ordering;
use std::collections::VecDeque;

use futures::future::try_join;

use crate::plan::listing::repeated;
use crate::{Key, Prefix, RemoteObject, Store, StoreError};

/// A listing: of a store, page by page, or made before.
pub(super) struct Cursor<'a, S> {
    /// Where more pages come from; `None` when there are none.
    store: Option<&'a S>,
    page: VecDeque<RemoteObject>,
    last: Option<String>,
}

impl<'a, S: Store> Cursor<'a, S> {
    pub(super) fn of(store: &'a S) -> Self {
        Self { store: Some(store), page: VecDeque::new(), last: None }
    }

    pub(super) fn listed(listing: Vec<RemoteObject>) -> Self {
        Self { store: None, page: listing.into(), last: None }
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        while let (Some(store), true) = (self.store, self.page.is_empty()) {
            let page = store.page(self.last.as_deref()).await?;
            if !page.more {
                self.store = None;
            }
            for object in &page.objects {
                if self.last.as_deref().is_some_and(|last| object.key.as_str() <= last) {
                    return Err(repeated(&object.key));
                }
                self.last = Some(object.key.as_str().to_owned());
            }
            self.page = page
                .objects
                .into_iter()
                .filter(|object| is_compared(&object.key) || super::marker::is(object))
                .collect();
        }
        Ok(())
    }
}

/// True for what is compared, and for records that say which of it belongs to whom.
pub(super) fn is_compared(key: &Key) -> bool {
    key.is_replicated() || Prefix::of_record(key).is_some()
}

/// A key of either listing, or of both.
pub(super) enum Meeting {
    First(RemoteObject),
    Second(RemoteObject),
    Both(RemoteObject, RemoteObject),
}

/// The next key in order; `None` at the end.
pub(super) async fn next<S: Store>(
    first: &mut Cursor<'_, S>,
    second: &mut Cursor<'_, S>,
) -> Result<Option<Meeting>, StoreError> {
    if first.page.is_empty() || second.page.is_empty() {
        try_join(first.fill(), second.fill()).await?;
    }
    let order = match (first.page.front(), second.page.front()) {
        (None, None) => return Ok(None),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(here), Some(there)) => here.key.cmp(&there.key),
    };
    let here = if order.is_le() { first.page.pop_front() } else { None };
    let there = if order.is_ge() { second.page.pop_front() } else { None };
    Ok(match (here, there) {
        (Some(here), Some(there)) => Some(Meeting::Both(here, there)),
        (Some(here), None) => Some(Meeting::First(here)),
        (None, Some(there)) => Some(Meeting::Second(there)),
        (None, None) => None,
    })
}
