//! What was published last, kept in the bucket: which keys are twinsite's, and what each is served with.
//!
//! A listing shows sizes and entity tags but no headers, and asking for each object would cost a request apiece. So a
//! publish ends by writing a ledger whose *name* is a digest of all headers. When the next listing shows a ledger of the
//! name that the source asks for, and no object younger than it, all headers are right and nothing need be asked. When
//! the names differ, the ledger is read once and the objects that differ are known. Objects younger than the ledger,
//! or unknown to it, were written by somebody else or by an interrupted publish: those, and only those, are asked for.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Read, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use md5::{Digest, Md5 as Hash};
use serde::{Deserialize, Serialize};

use crate::model::layout::MANIFESTS;
use crate::{Headers, Key, Md5, RemoteObject, SourceObject, Store, StoreError};

/// Bytes that are compressed at once: every call clears a buffer.
pub(crate) const BLOCK: usize = 128 << 10;

/// True for keys of the private corner that are not ledgers.
pub(crate) fn is_note(key: &Key) -> bool {
    key.as_str().starts_with(".twinsite/") && !key.is_replicated()
}

/// What a ledger says of a key: the digest of its headers, and of its bytes when known. Keys without headers are
/// twinsite's but no longer in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(rename = "h", skip_serializing_if = "Option::is_none", default)]
    pub(crate) headers: Option<String>,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes: Option<String>,
    /// The last release that names it, once the source does not.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none", default)]
    pub(crate) release: Option<u64>,
}

pub(crate) type Lines = HashMap<Key, Line>;

/// A digest of headers.
pub(crate) fn fingerprint(headers: &Headers) -> String {
    let Headers {
        content_type,
        cache_control,
        content_encoding,
        content_disposition,
        content_language,
        website_redirect,
        metadata,
    } = headers;
    let fields =
        [content_type, cache_control, content_encoding, content_disposition, content_language, website_redirect];
    let mut hash = Hash::new();
    for field in fields {
        hash.update(format!("{field:?}\n"));
    }
    hash.update(format!("{metadata:?}"));
    hex::encode(&hash.finalize()[..8])
}

/// Fingerprints of many headers; most objects share a few sets of them.
#[derive(Default)]
pub(crate) struct Prints<'a>(HashMap<*const Headers, String>, PhantomData<&'a Headers>);

impl<'a> Prints<'a> {
    /// Told apart by where they are, which is cheaper than looking into them.
    pub(crate) fn of(&mut self, headers: &'a Arc<Headers>) -> &str {
        self.0.entry(Arc::as_ptr(headers)).or_insert_with(|| fingerprint(headers))
    }
}

/// The first part of the ledger's name that a source asks for.
pub(crate) fn name_for(objects: &[Arc<SourceObject>]) -> String {
    let mut prints = Prints::default();
    let mut hash = Hash::new();
    for object in objects {
        hash.update(object.key.as_str());
        hash.update([0]);
        hash.update(prints.of(&object.headers));
        hash.update([0]);
    }
    hex::encode(hash.finalize())
}

/// The name's second part: which keys are twinsite's although the source does not have them. A listing that shows just
/// these beside the source's tells all, and the ledger need not be read.
///
/// It ends with the release up to which all of them are to stay.
pub(crate) fn rest_for<'a>(keys: impl Iterator<Item = &'a Key>, until: u64) -> String {
    let digest = rest_of(keys);
    if digest.is_empty() { digest } else { format!("{digest}-{until}") }
}

fn rest_of<'a>(keys: impl Iterator<Item = &'a Key>) -> String {
    let mut keys = keys.peekable();
    if keys.peek().is_none() {
        return String::new();
    }
    let mut hash = Hash::new();
    keys.for_each(|key| {
        hash.update(key.as_str());
        hash.update([0]);
    });
    format!("-{}", hex::encode(&hash.finalize()[..8]))
}

/// Up to which release these keys are to stay, should they be the ones that the ledger's name tells of.
pub(crate) fn told<'a>(ledger: &Key, name: &str, keys: impl Iterator<Item = &'a Key>) -> Option<u64> {
    let rest = ledger.as_str().strip_prefix(MANIFESTS)?.strip_prefix(name)?;
    let digest = rest_of(keys);
    if digest.is_empty() {
        return rest.is_empty().then_some(u64::MAX);
    }
    rest.strip_prefix(&digest)?.strip_prefix('-')?.parse().ok()
}

/// The key of a ledger.
pub(crate) fn key_of(name: &str, rest: &str) -> Key {
    format!("{MANIFESTS}{name}{rest}").parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// The ledgers of a listing, the newest last.
pub(crate) fn ledgers(listing: &[RemoteObject]) -> Vec<&RemoteObject> {
    let start = listing.partition_point(|object| object.key.as_str() < MANIFESTS);
    let mut found: Vec<_> =
        listing[start..].iter().take_while(|object| object.key.as_str().starts_with(MANIFESTS)).collect();
    found.sort_by_key(|object| object.modified);
    found
}

/// Reads a ledger; one that is damaged says nothing.
pub(crate) async fn read(store: &impl Store, key: &Key) -> Result<Lines, StoreError> {
    let Some(bytes) = store.get(key).await? else { return Ok(Lines::new()) };
    let mut text = Vec::new();
    if GzDecoder::new(&*bytes).read_to_end(&mut text).is_err() {
        // Ledgers were plain text once.
        text = bytes.to_vec();
    }
    let mut lines = Lines::new();
    for line in serde_json::Deserializer::from_slice(&text).into_iter::<(String, Line)>() {
        let Ok((key, line)) = line else { return Ok(Lines::new()) };
        if let Ok(key) = key.parse() {
            lines.insert(key, line);
        }
    }
    Ok(lines)
}

/// What a ledger is written from.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// The source's objects, in key order.
    pub(crate) objects: Vec<Arc<SourceObject>>,
    /// What is known of their bytes, in their order.
    pub(crate) digests: Vec<Option<Md5>>,
    /// The keys that stay although the source lost them, and the last release that names each.
    pub(crate) rest: BTreeMap<Key, Option<u64>>,
}

impl Book {
    /// A ledger's content, compressed: a hundred bytes for each object would be most of what a small change sends.
    pub(crate) fn write(&self) -> Bytes {
        let mut out = BufWriter::with_capacity(BLOCK, GzEncoder::new(Vec::new(), Compression::fast()));
        let mut prints = Prints::default();
        let mut add = |key: &Key, line: &Line| {
            // Nothing can go wrong where everything goes into memory.
            drop(serde_json::to_writer(&mut out, &(key.as_str(), line)));
            drop(out.write_all(b"\n"));
        };
        for (at, object) in self.objects.iter().enumerate() {
            let bytes = self.digests.get(at).copied().flatten().map(|digest| digest.to_string());
            add(&object.key, &Line { headers: Some(prints.of(&object.headers).to_owned()), bytes, release: None });
        }
        for (key, release) in &self.rest {
            add(key, &Line { release: *release, ..Line::default() });
        }
        out.into_inner().ok().and_then(|out| out.finish().ok()).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let headers = Arc::new(Headers { content_language: Some("de".into()), ..Headers::default() });
        let object = |key: &str| {
            let body = crate::Body::Version { etag: crate::ETag::parse(""), version: None };
            let (key, headers, wave) = (key.parse().unwrap(), Arc::clone(&headers), crate::Wave::Pages);
            Arc::new(SourceObject { key, body, size: 1, headers, wave })
        };
        let book = Book {
            objects: vec![object("a\n\"b"), object("c")],
            digests: vec![None, Some(crate::md5(b"c"))],
            rest: BTreeMap::from([("gone".parse().unwrap(), Some(7)), ("lost".parse().unwrap(), None)]),
        };
        let line = |headers, bytes, release| Line { headers, bytes, release };
        let print = || Some(fingerprint(&headers));
        let lines = [
            ("a\n\"b", line(print(), None, None)),
            ("c", line(print(), Some(crate::md5(b"c").to_string()), None)),
            ("gone", line(None, None, Some(7))),
            ("lost", line(None, None, None)),
        ];
        let store = crate::MemoryStore::default();
        let bytes = book.write();
        let key: Key = ".twinsite/ledger/1".parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(async {
            store.put(&key, &Headers::default(), (bytes.clone().into(), crate::md5(&bytes))).await.unwrap();
            read(&store, &key).await.unwrap()
        });
        assert_eq!(read, lines.map(|(key, line)| (key.parse().unwrap(), line)).into());
        let mut plain = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut plain).unwrap();
        let plain = Bytes::from(plain);
        let reread = runtime.block_on(async {
            store.put(&key, &Headers::default(), (plain.clone().into(), crate::md5(&plain))).await.unwrap();
            super::read(&store, &key).await.unwrap()
        });
        assert_eq!(reread, read);
    }

    #[test]
    fn every_header_counts() {
        let base = fingerprint(&Headers::default());
        let some = Some("x".to_owned());
        for headers in [
            Headers { content_type: some.clone(), ..Headers::default() },
            Headers { cache_control: some.clone(), ..Headers::default() },
            Headers { website_redirect: some.clone(), ..Headers::default() },
            Headers { metadata: BTreeMap::from([("a".into(), "b".into())]), ..Headers::default() },
        ] {
            assert_ne!(fingerprint(&headers), base);
        }
    }
}
