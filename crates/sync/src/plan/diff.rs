//! What must happen to each object, from what is on both sides. Pure: no clock, no network, no file.

use std::sync::Arc;

use crate::manifest::Entry;
use crate::{ETag, Headers, Md5, Reason, RemoteObject, SourceObject};

/// What is known about one object before its content is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListingVerdict {
    /// It must be put, and why is known already.
    Put(Difference),
    /// Same size: the digest of the file's bytes decides.
    Content,
    /// Same size, put in this many parts: the digests of the file's parts decide.
    Parts(u32),
    /// Same size, but nothing tells the bytes.
    Opaque,
}

/// The reasons that need no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    Absent,
    Size,
    Forced,
}

impl From<Difference> for Reason {
    fn from(reason: Difference) -> Self {
        match reason {
            Difference::Absent => Self::Absent,
            Difference::Size => Self::Size,
            Difference::Forced => Self::Forced,
        }
    }
}

/// A listed object, and the digest of its bytes as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct KnownObject<'a> {
    pub(crate) remote: &'a RemoteObject,
    /// As an entity tag would have it: what the manifest says, else the object's own tag, which may be opaque.
    pub(crate) digest: ETag,
}

impl<'a> KnownObject<'a> {
    /// What the manifest, written at `written`, tells of a listed object.
    pub(crate) fn of(remote: &'a RemoteObject, entry: Option<&Entry>, written: i64) -> Self {
        let told = entry.and_then(|entry| entry.digest_of(remote, written));
        Self { digest: told.unwrap_or_else(|| remote.etag.clone()), remote }
    }

    /// The digest, where the entity tag does not tell it.
    pub(crate) fn untold(&self) -> Option<&ETag> {
        Some(&self.digest).filter(|digest| **digest != self.remote.etag)
    }
}

/// Size first, which is free.
pub(crate) fn compare_listed_object(object: &SourceObject, known: Option<&KnownObject<'_>>) -> ListingVerdict {
    match known {
        None => ListingVerdict::Put(Difference::Absent),
        Some(known) if known.remote.size != object.size => ListingVerdict::Put(Difference::Size),
        Some(known) => match known.digest {
            ETag::Md5(_) => ListingVerdict::Content,
            ETag::Multipart(_, parts) => ListingVerdict::Parts(parts),
            ETag::Opaque(_) => ListingVerdict::Opaque,
        },
    }
}

/// Whether an object's bytes are those of the file.
pub(crate) fn same_bytes(known: &KnownObject<'_>, digest: Option<&Md5>) -> bool {
    matches!((&known.digest, digest), (ETag::Md5(there), Some(here)) if there == here)
}

/// What is known about an object's headers without asking for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownHeaders {
    Right,
    Wrong,
    Unknown,
}

/// Reads the manifest about an object that was last written at `modified`.
pub(crate) fn headers_by_manifest(
    entry: Option<&Entry>,
    wanted: &str,
    (modified, written): (i64, i64),
) -> KnownHeaders {
    match entry.and_then(|entry| entry.headers.as_deref()) {
        Some(_) if modified > written => KnownHeaders::Unknown,
        Some(there) if there == wanted => KnownHeaders::Right,
        Some(_) => KnownHeaders::Wrong,
        None => KnownHeaders::Unknown,
    }
}

/// The headers that differ, by name. A type that was never set is S3's default.
pub(crate) fn header_changes(have: &Headers, want: &Headers) -> Vec<&'static str> {
    let Headers {
        content_type,
        cache_control,
        content_encoding,
        content_disposition,
        content_language,
        website_redirect,
        metadata,
    } = want;
    let default = |kind: &Option<String>| kind.clone().unwrap_or_else(|| "binary/octet-stream".to_owned());
    let changes = [
        ("content-type", default(&have.content_type) != default(content_type)),
        ("cache-control", have.cache_control != *cache_control),
        ("content-encoding", have.content_encoding != *content_encoding),
        ("content-disposition", have.content_disposition != *content_disposition),
        ("content-language", have.content_language != *content_language),
        ("website-redirect", have.website_redirect != *website_redirect),
        ("metadata", have.metadata != *metadata),
    ];
    changes.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// Two sides that have met.
#[derive(Debug, Default)]
pub(crate) struct Joined<'a> {
    /// What the bucket has of each object of the source, in the source's order.
    pub(crate) remote: Vec<Option<&'a RemoteObject>>,
    /// What the source does not have, in key order.
    pub(crate) extra: Vec<&'a RemoteObject>,
}

/// Walks through both sides at once; both are in the order of their keys.
pub(crate) fn merge_join<'a>(objects: &[Arc<SourceObject>], listing: &'a [RemoteObject]) -> Joined<'a> {
    let mut met = Joined { remote: Vec::with_capacity(objects.len()), extra: Vec::new() };
    let mut there = listing.iter().peekable();
    for object in objects {
        while let Some(extra) = there.next_if(|remote| remote.key < object.key) {
            met.extra.push(extra);
        }
        met.remote.push(there.next_if(|remote| remote.key == object.key));
    }
    met.extra.extend(there);
    met
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::{Body, ETag, Key, Rules, Source, Wave};

    fn ours(key: &str) -> SourceObject {
        let body = Body::Version { etag: ETag::parse(""), digest: None, version: None };
        SourceObject { key: key.parse().unwrap(), body, size: 0, headers: Arc::default(), wave: Wave::Assets }
    }

    fn theirs(key: &str) -> RemoteObject {
        RemoteObject { key: key.parse().unwrap(), size: 0, etag: ETag::parse(""), modified: 0 }
    }

    proptest! {
        #[test]
        fn both_sides_meet(here: BTreeSet<u8>, there: BTreeSet<u8>) {
            let name = |n: &u8| format!("{n}.html");
            let source = Source::of(here.iter().map(|n| ours(&name(n))), &Rules::web());
            let mut listing: Vec<RemoteObject> = there.iter().map(|n| theirs(&name(n))).collect();
            listing.sort_by(|a, b| a.key.cmp(&b.key));
            let met = merge_join(source.objects(), &listing);
            for (object, remote) in source.objects().iter().zip(&met.remote) {
                prop_assert_eq!(remote.map(|remote| &remote.key), listing.iter().map(|r| &r.key).find(|k| **k == object.key));
            }
            prop_assert_eq!(met.remote.len(), here.len());
            let extra: BTreeSet<Key> = met.extra.iter().map(|remote| remote.key.clone()).collect();
            let wanted = there.difference(&here).map(|n| name(n).parse().unwrap()).collect::<BTreeSet<Key>>();
            prop_assert_eq!(extra, wanted);
        }
    }
}
