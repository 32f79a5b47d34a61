//! What was published last, kept in the bucket: which keys are twinsite's, and what each is served with.
//!
//! A listing shows sizes and entity tags but no headers, and asking for each object would cost a request apiece. So a
//! publish ends by writing a manifest whose *name* is a digest of all headers. When the next listing shows a manifest of the
//! name that the source asks for, and no object younger than it, all headers are right and nothing need be asked. When
//! the names differ, the manifest is read once and the objects that differ are known. Objects younger than the manifest,
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

use crate::model::layout::{MANIFESTS, PRIVATE};
use crate::model::limits::MAX_DECOMPRESSED;
use crate::{Headers, Key, Md5, RemoteObject, SourceObject, Store, StoreError};

/// Bytes that are compressed at once: every call clears a buffer.
pub(crate) const BLOCK: usize = 128 << 10;

/// True for keys below `.twinsite/` that are not manifests.
fn is_note(key: &Key) -> bool {
    key.as_str().starts_with(PRIVATE) && !key.is_replicated()
}

/// The keys below the private prefix of a listing, in key order, that are neither manifests nor releases: notes of commands.
pub(crate) fn notes(listing: &[RemoteObject]) -> impl Iterator<Item = &Key> {
    let start = listing.partition_point(|object| object.key.as_str() < PRIVATE);
    let private = listing[start..].iter().map(|object| &object.key).take_while(|key| key.as_str().starts_with(PRIVATE));
    private.filter(|key| is_note(key))
}

/// What a manifest says of a key: the digest of its headers, and of its bytes when known. Keys without headers are
/// twinsite's but no longer in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = "h", skip_serializing_if = "Option::is_none", default)]
    pub(crate) headers: Option<String>,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes: Option<String>,
    /// The last release that names it, once the source does not.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none", default)]
    pub(crate) release: Option<u64>,
}

pub(crate) type Entries = HashMap<Key, Entry>;

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
    hash.update(b"twinsite headers 1\n");
    for field in fields {
        match field {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                update_text(&mut hash, text);
            }
        }
    }
    for (name, value) in metadata {
        hash.update([1]);
        update_text(&mut hash, name);
        update_text(&mut hash, value);
    }
    hash.update([0]);
    hex::encode(&hash.finalize()[..8])
}

/// Its length as eight bytes, little endian, and its bytes in UTF-8.
fn update_text(hash: &mut Hash, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// Fingerprints of many headers; most objects share a few sets of them.
#[derive(Default)]
pub(crate) struct Prints<'a>(HashMap<usize, String>, PhantomData<&'a Headers>);

impl<'a> Prints<'a> {
    /// Told apart by where they are, which is cheaper than looking into them.
    pub(crate) fn of(&mut self, headers: &'a Arc<Headers>) -> &str {
        self.0.entry(Arc::as_ptr(headers) as usize).or_insert_with(|| fingerprint(headers))
    }
}

/// The first part of the manifest's name that a source asks for.
pub(crate) fn name_for(objects: &[Arc<SourceObject>]) -> String {
    let mut prints = Prints::default();
    let mut hash = Hash::new();
    hash.update(b"twinsite manifest 1\n");
    for object in objects {
        update_text(&mut hash, object.key.as_str());
        hash.update(prints.of(&object.headers));
    }
    hex::encode(hash.finalize())
}

/// The name's second part: which keys are twinsite's although the source does not have them. A listing that shows just
/// these beside the source's tells all, and the manifest need not be read.
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
    keys.for_each(|key| update_text(&mut hash, key.as_str()));
    format!("-{}", hex::encode(&hash.finalize()[..8]))
}

/// Up to which release these keys are to stay, should they be the ones that the manifest's name tells of.
pub(crate) fn superseded_of_name<'a>(manifest: &Key, name: &str, keys: impl Iterator<Item = &'a Key>) -> Option<u64> {
    let rest = manifest.as_str().strip_prefix(MANIFESTS)?.strip_prefix(name)?;
    let digest = rest_of(keys);
    if digest.is_empty() {
        return rest.is_empty().then_some(u64::MAX);
    }
    rest.strip_prefix(&digest)?.strip_prefix('-')?.parse().ok()
}

/// The key of a manifest.
pub(crate) fn key_of(name: &str, rest: &str) -> Key {
    format!("{MANIFESTS}{name}{rest}").parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
}

/// The manifests of a listing, the newest last.
pub(crate) fn listed(listing: &[RemoteObject]) -> Vec<&RemoteObject> {
    let start = listing.partition_point(|object| object.key.as_str() < MANIFESTS);
    let mut found: Vec<_> =
        listing[start..].iter().take_while(|object| object.key.as_str().starts_with(MANIFESTS)).collect();
    found.sort_by_key(|object| object.modified);
    found
}

/// The first line of a manifest.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Format {
    format: String,
    version: u32,
}

impl Format {
    fn current() -> Self {
        Self { format: "twinsite-manifest".to_owned(), version: 1 }
    }
}

/// Reads a manifest. One that is damaged, or of another version, says nothing: headers are then read from the objects themselves, and
/// nothing counts as published by twinsite.
pub(crate) async fn read(store: &impl Store, key: &Key) -> Result<Entries, StoreError> {
    match store.get(key).await {
        Ok(bytes) => Ok(bytes.and_then(|bytes| decode(&bytes)).unwrap_or_default()),
        Err(StoreError::TooLarge { .. }) => Ok(Entries::new()),
        Err(error) => Err(error),
    }
}

fn decode(bytes: &[u8]) -> Option<Entries> {
    let mut text = Vec::new();
    let size = GzDecoder::new(bytes).take(MAX_DECOMPRESSED).read_to_end(&mut text).ok()?;
    if size as u64 == MAX_DECOMPRESSED {
        return None;
    }
    let first = text.iter().position(|byte| *byte == b'\n')?;
    let format: Format = serde_json::from_slice(&text[..first]).ok()?;
    if format != Format::current() {
        return None;
    }
    let mut lines = Entries::new();
    for line in serde_json::Deserializer::from_slice(&text[first..]).into_iter::<(String, Entry)>() {
        let (key, line) = line.ok()?;
        if let Ok(key) = key.parse() {
            lines.insert(key, line);
        }
    }
    Some(lines)
}

/// What a manifest is written from.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    /// The source's objects, in key order.
    pub(crate) objects: Vec<Arc<SourceObject>>,
    /// What is known of their bytes, in their order.
    pub(crate) digests: Vec<Option<Md5>>,
    /// The keys that stay although the source lost them, and the last release that names each.
    pub(crate) rest: BTreeMap<Key, Option<u64>>,
}

impl Manifest {
    /// A manifest's content, compressed: a hundred bytes for each object would be most of what a small change sends.
    pub(crate) fn write(&self) -> Bytes {
        let mut out = BufWriter::with_capacity(BLOCK, GzEncoder::new(Vec::new(), Compression::fast()));
        let mut prints = Prints::default();
        drop(serde_json::to_writer(&mut out, &Format::current()));
        drop(out.write_all(b"\n"));
        let mut add = |key: &Key, line: &Entry| {
            // Nothing can go wrong where everything goes into memory.
            drop(serde_json::to_writer(&mut out, &(key.as_str(), line)));
            drop(out.write_all(b"\n"));
        };
        for (at, object) in self.objects.iter().enumerate() {
            let bytes = self.digests.get(at).copied().flatten().map(|digest| digest.to_string());
            add(&object.key, &Entry { headers: Some(prints.of(&object.headers).to_owned()), bytes, release: None });
        }
        for (key, release) in &self.rest {
            add(key, &Entry { release: *release, ..Entry::default() });
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
        let manifest = Manifest {
            objects: vec![object("a\n\"b"), object("c")],
            digests: vec![None, Some(crate::md5(b"c"))],
            rest: BTreeMap::from([("gone".parse().unwrap(), Some(7)), ("lost".parse().unwrap(), None)]),
        };
        let line = |headers, bytes, release| Entry { headers, bytes, release };
        let print = || Some(fingerprint(&headers));
        let lines = [
            ("a\n\"b", line(print(), None, None)),
            ("c", line(print(), Some(crate::md5(b"c").to_string()), None)),
            ("gone", line(None, None, Some(7))),
            ("lost", line(None, None, None)),
        ];
        let store = crate::MemoryStore::default();
        let bytes = manifest.write();
        let key: Key = ".twinsite/ledger/1".parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(async {
            store.put(&key, &Headers::default(), (bytes.clone().into(), crate::md5(&bytes))).await.unwrap();
            read(&store, &key).await.unwrap()
        });
        assert_eq!(read, lines.map(|(key, line)| (key.parse().unwrap(), line)).into());
        assert!(decode(b"junk").is_none() && decode(&bytes[..bytes.len() - 1]).is_none(), "damaged ones say nothing");
    }

    /// The values are those of the program in the comment, so that a change of the encoding does not go unnoticed.
    #[test]
    fn names_and_fingerprints_have_an_explicit_encoding() {
        // from hashlib import md5
        // t = lambda s: len(s.encode()).to_bytes(8, "little") + s.encode()
        // f = lambda *xs: b"".join(b"\0" if x is None else b"\1" + t(x) for x in xs)
        // h = md5(b"twinsite headers 1\n" + f("text/html", None, None, None, None, None) + b"\1" + t("a") + t("b") + b"\0")
        // p = h.hexdigest()[:16]
        // n = md5(b"twinsite manifest 1\n" + t("ü.html") + p.encode()).hexdigest()
        // r = md5(t("old.css")).hexdigest()[:16]
        let metadata = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let headers = Headers { content_type: Some("text/html".into()), metadata, ..Headers::default() };
        assert_eq!(fingerprint(&headers), "ca745c109e996433");
        let body = crate::Body::Version { etag: crate::ETag::parse(""), version: None };
        let key = "ü.html".parse().unwrap();
        let object = SourceObject { key, body, size: 1, headers: headers.into(), wave: crate::Wave::Pages };
        assert_eq!(name_for(&[Arc::new(object)]), "dfe92446cbb42efbf29434796bc64e85");
        assert_eq!(rest_for([&"old.css".parse().unwrap()].into_iter(), 7), "-5d92bde4595746d4-7");
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
