//! What was published last, kept in the bucket: which keys are twinsite's, and what each is served with.
//!
//! A listing shows sizes and entity tags but no headers, and asking for each object would cost a request apiece. So a
//! publish ends by writing a manifest whose *name* is a digest of all headers. When the next listing shows a manifest of the
//! name that the source asks for, and no object younger than it, all headers are right and nothing need be asked. When
//! the names differ, the manifest is read once and the objects that differ are known. Objects younger than the manifest,
//! or unknown to it, were written by somebody else or by an interrupted publish: those, and only those, are asked for.
//!
//! A listing does not say what the bytes of an object are either, if its entity tag is opaque ([`TagKind`](crate::TagKind)). So the
//! manifest names the tags of such objects, each with the digest of the bytes, and its own name ends with `.tags`: it must be read.
//! While an object has the tag that is named, its bytes are those of the digest; with any other tag it was replaced by somebody else.

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
use crate::{ETag, Headers, Key, Md5, RemoteObject, SourceObject, Store, StoreError, WrittenObject};

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
///
/// With an entity tag, the digest has the form of one: the MD5 of the bytes, or the MD5 of the parts' MD5s and the number of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(rename = "h", skip_serializing_if = "Option::is_none", default)]
    pub(crate) headers: Option<String>,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none", default)]
    pub(crate) bytes: Option<String>,
    /// The entity tag that the object with these bytes has, where it is opaque.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none", default)]
    pub(crate) etag: Option<String>,
    /// The last release that names it, once the source does not.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none", default)]
    pub(crate) release: Option<u64>,
}

impl Entry {
    /// The digest of the bytes of a listed object, as an entity tag would have it; `None` if the entry does not tell. The manifest was
    /// written at `written`.
    pub(crate) fn digest_of(&self, object: &RemoteObject, written: i64) -> Option<ETag> {
        let digest = ETag::parse(self.bytes.as_deref()?);
        match (&self.etag, &object.etag) {
            (Some(named), etag) => (*named == etag.to_string()).then_some(digest),
            // Older manifests name no tags.
            (None, ETag::Opaque(_)) => (object.modified <= written).then_some(digest),
            (None, ETag::Md5(_) | ETag::Multipart(..)) => None,
        }
    }
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
    let rest = manifest.as_str().trim_end_matches(TAGS).strip_prefix(MANIFESTS)?.strip_prefix(name)?;
    let digest = rest_of(keys);
    if digest.is_empty() {
        return rest.is_empty().then_some(u64::MAX);
    }
    rest.strip_prefix(&digest)?.strip_prefix('-')?.parse().ok()
}

/// The end of the name of a manifest that names entity tags.
const TAGS: &str = ".tags";

/// Whether a manifest names entity tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    None,
    Named,
}

impl Tags {
    /// Those of a manifest, by its key.
    pub(crate) fn of(manifest: &Key) -> Self {
        if manifest.as_str().ends_with(TAGS) { Self::Named } else { Self::None }
    }
}

/// The name of a manifest, but for what is known only when the objects are written: whether it names entity tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// That of a source, and of what stays beside it.
    pub(crate) fn new(name: &str, rest: &str) -> Self {
        Self(format!("{MANIFESTS}{name}{rest}"))
    }

    /// That of a listed manifest.
    pub(crate) fn of(manifest: &Key) -> Self {
        Self(manifest.as_str().trim_end_matches(TAGS).to_owned())
    }

    /// The manifest's key.
    pub(crate) fn key(&self, tags: Tags) -> Key {
        let end = if tags == Tags::Named { TAGS } else { "" };
        format!("{}{end}", self.0).parse().unwrap_or_else(|_| unreachable!("a short text is a key"))
    }
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

/// Reads a manifest; `None` if it is damaged, or of another version.
pub(crate) async fn read(store: &impl Store, key: &Key) -> Result<Option<Entries>, StoreError> {
    match store.get(key).await {
        Ok(bytes) => Ok(bytes.and_then(|bytes| decode(&bytes))),
        Err(StoreError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the newest publish to a bucket has left objects whose entity tags are no digests of their bytes, as with encryption by a key of
/// KMS. One request.
///
/// # Errors
/// [`StoreError`] if the bucket could not be listed.
pub async fn has_opaque_objects(store: &impl Store) -> Result<bool, StoreError> {
    let page = store.page(Some(MANIFESTS)).await?;
    Ok(listed(&page.objects).last().is_some_and(|newest| Tags::of(&newest.key) == Tags::Named))
}

/// What a manifest says that takes the place of a damaged one.
#[derive(Debug)]
pub(crate) struct Substitute {
    pub(crate) entries: Entries,
    /// When it was written: objects that are younger have to be looked at.
    pub(crate) written: i64,
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
    /// Those of them whose entity tag is opaque.
    pub(crate) opaque: HashMap<Key, OpaqueTag>,
    /// The keys that stay although the source lost them: without headers, and with the last release that names each.
    pub(crate) rest: BTreeMap<Key, Entry>,
}

/// An opaque entity tag, and the bytes of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpaqueTag {
    pub(crate) etag: ETag,
    /// The digest of the bytes as an entity tag would have it.
    pub(crate) digest: ETag,
}

impl Manifest {
    /// Takes note of the entity tags of objects that were written.
    pub(crate) fn record(&mut self, wrote: &[WrittenObject]) {
        for WrittenObject { key, etag, digest, .. } in wrote {
            match digest {
                None => drop(self.opaque.remove(key)),
                Some(digest) => {
                    let tag = OpaqueTag { etag: etag.clone(), digest: digest.clone() };
                    self.opaque.insert(key.clone(), tag);
                }
            }
        }
    }

    /// Whether it names entity tags.
    pub(crate) fn tags(&self) -> Tags {
        let named = !self.opaque.is_empty() || self.rest.values().any(|entry| entry.etag.is_some());
        if named { Tags::Named } else { Tags::None }
    }

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
            let headers = Some(prints.of(&object.headers).to_owned());
            let (bytes, etag) = if let Some(OpaqueTag { etag, digest }) = self.opaque.get(&object.key) {
                (Some(digest.to_string()), Some(etag.to_string()))
            } else {
                (self.digests.get(at).copied().flatten().map(|digest| digest.to_string()), None)
            };
            let entry = Entry { headers, bytes, etag, release: None };
            add(&object.key, &entry);
        }
        for (key, entry) in &self.rest {
            add(key, entry);
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
            let body = crate::Body::Version { etag: crate::ETag::parse(""), digest: None, version: None };
            let (key, headers, wave) = (key.parse().unwrap(), Arc::clone(&headers), crate::Wave::Pages);
            Arc::new(SourceObject { key, body, size: 1, headers, wave })
        };
        let manifest = Manifest {
            objects: vec![object("a\n\"b"), object("c")],
            digests: vec![None, Some(crate::md5(b"c"))],
            opaque: HashMap::new(),
            rest: BTreeMap::from([
                ("gone".parse().unwrap(), Entry { release: Some(7), ..Entry::default() }),
                ("lost".parse().unwrap(), Entry::default()),
            ]),
        };
        let line = |headers, bytes, release| Entry { headers, bytes, etag: None, release };
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
            read(&store, &key).await.unwrap().unwrap()
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
        let body = crate::Body::Version { etag: crate::ETag::parse(""), digest: None, version: None };
        let key = "ü.html".parse().unwrap();
        let object = SourceObject { key, body, size: 1, headers: headers.into(), wave: crate::Wave::Pages };
        assert_eq!(name_for(&[Arc::new(object)]), "dfe92446cbb42efbf29434796bc64e85");
        assert_eq!(rest_for([&"old.css".parse().unwrap()].into_iter(), 7), "-5d92bde4595746d4-7");
    }

    /// The text of a manifest that names tags, as it was first written. Manifests of earlier versions have no `e`, and are read, too.
    #[test]
    fn opaque_tags_are_written_and_read_in_an_explicit_encoding() {
        let golden = concat!(
            "{\"format\":\"twinsite-manifest\",\"version\":1}\n",
            "[\"a\",{\"h\":\"8fbb2b5c8f4b8b6e\",\"b\":\"0cc175b9c0f1b6a831c399e269772661\",\"e\":\"9e107d9d372bb6826bd81d3542a419d6\"}]\n",
            "[\"b\",{\"h\":\"8fbb2b5c8f4b8b6e\",\"b\":\"0cc175b9c0f1b6a831c399e269772661-2\",\"e\":\"own tag\"}]\n",
            "[\"gone\",{\"b\":\"92eb5ffee6ae2fec3ad71c777531578f\",\"e\":\"e4d909c290d0fb1ca068ffaddf22cbd0\",\"r\":7}]\n",
        );
        let tag = |etag: &str, digest: &str| OpaqueTag { etag: ETag::parse(etag), digest: ETag::parse(digest) };
        let object = |key: &str| {
            let body = crate::Body::Version { etag: ETag::parse(""), digest: None, version: None };
            let (key, wave) = (key.parse().unwrap(), crate::Wave::Pages);
            Arc::new(SourceObject { key, body, size: 1, headers: Arc::default(), wave })
        };
        let gone = Entry {
            bytes: Some("92eb5ffee6ae2fec3ad71c777531578f".to_owned()),
            etag: Some("e4d909c290d0fb1ca068ffaddf22cbd0".to_owned()),
            release: Some(7),
            headers: None,
        };
        let manifest = Manifest {
            objects: vec![object("a"), object("b")],
            digests: vec![None, None],
            opaque: HashMap::from([
                ("a".parse().unwrap(), tag("9e107d9d372bb6826bd81d3542a419d6", "0cc175b9c0f1b6a831c399e269772661")),
                ("b".parse().unwrap(), tag("own tag", "0cc175b9c0f1b6a831c399e269772661-2")),
            ]),
            rest: BTreeMap::from([("gone".parse().unwrap(), gone)]),
        };
        let bytes = manifest.write();
        let mut text = String::new();
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        let print = fingerprint(&Headers::default());
        assert_eq!(text, golden.replace("8fbb2b5c8f4b8b6e", &print));
        assert_eq!(manifest.tags(), Tags::Named);

        let read = decode(&bytes).unwrap();
        let entry = |key: &str| &read[&key.parse().unwrap()];
        let listed = |etag: &ETag, modified: i64| {
            let (key, etag) = ("a".parse().unwrap(), etag.clone());
            RemoteObject { key, size: 1, etag, modified }
        };
        let named = ETag::parse("9e107d9d372bb6826bd81d3542a419d6");
        let digest = ETag::parse("0cc175b9c0f1b6a831c399e269772661");
        assert_eq!(entry("a").digest_of(&listed(&named, 5), 1), Some(digest.clone()), "whenever it was written");
        assert_eq!(entry("a").digest_of(&listed(&digest, 0), 1), None, "replaced");
        let old = Entry { bytes: Some(digest.to_string()), ..Entry::default() };
        assert_eq!(old.digest_of(&listed(&ETag::parse("own tag"), 1), 1), Some(digest));
        assert_eq!(old.digest_of(&listed(&ETag::parse("own tag"), 2), 1), None, "younger than the manifest");
        assert_eq!(old.digest_of(&listed(&named, 1), 1), None);
    }

    #[test]
    fn the_name_tells_whether_tags_are_named() {
        let key: Key = "old.css".parse().unwrap();
        let rest = rest_for([&key].into_iter(), 7);
        for tags in [Tags::None, Tags::Named] {
            let manifest = Name::new("0123", &rest).key(tags);
            assert_eq!(Tags::of(&manifest), tags);
            assert_eq!(superseded_of_name(&manifest, "0123", [&key].into_iter()), Some(7), "{manifest}");
            assert_eq!(Name::of(&manifest), Name::new("0123", &rest));
        }
        assert_eq!(Name::new("0123", "").key(Tags::Named).as_str(), ".twinsite/ledger/0123.tags");
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
