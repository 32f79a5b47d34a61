//! A record's form: lines of JSON, compressed, in parts of so many lines.

use std::io::{BufWriter, Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::{Entry, Release, ReleaseId, Summary};
use crate::manifest::BLOCK;
use crate::model::limits::MAX_DECOMPRESSED;
use crate::{ETag, Headers};

/// Objects in one part; a hundred bytes each, a third of that compressed.
const LINES: usize = 50_000;

/// The version of this format whose entity tags tell the bytes. Readers refuse versions that they do not know: a rollback must not
/// guess.
const VERSION: u32 = 1;

/// The version in which lines end with the digest of the bytes, for objects whose entity tags do not tell it. Only records of such
/// objects are of it, so that programs of before read the others.
const WITH_DIGESTS: u32 = 2;

/// The most parts: fifty million objects.
const MAX_PARTS: usize = 1000;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Top {
    version: u32,
    #[serde(flatten)]
    summary: Summary,
    parts: usize,
    headers: Vec<Headers>,
}

/// Every other line: key, version, entity tag, size, place of its headers.
type StoredEntry = (String, Option<String>, String, u64, u32);

/// The same in version 2, with the digest.
type StoredEntryWithDigest = (String, Option<String>, String, u64, u32, Option<String>);

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Damaged {
    pub(super) reason: String,
    /// Whether it is of a format that a newer version of twinsite writes, rather than damaged.
    pub(super) is_newer: bool,
}

impl Damaged {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_newer: false }
    }

    pub(super) fn missing(part: usize) -> Self {
        Self::because(format!("its part {part} is missing"))
    }

    pub(super) fn too_large() -> Self {
        Self::because("it is larger than any record")
    }

    pub(super) fn other(id: ReleaseId) -> Self {
        Self::because(format!("it is the record of release {id}"))
    }
}

impl From<serde_json::Error> for Damaged {
    fn from(error: serde_json::Error) -> Self {
        Self::because(error.to_string())
    }
}

impl From<std::io::Error> for Damaged {
    fn from(error: std::io::Error) -> Self {
        Self::because(error.to_string())
    }
}

/// The parts of a record, the first one first.
pub(super) fn parts(release: &Release) -> Result<Vec<Bytes>, Damaged> {
    let chunks: Vec<&[Entry]> = release.entries.chunks(LINES).collect();
    let count = chunks.len().max(1);
    let version = if release.entries.iter().any(|entry| entry.digest.is_some()) { WITH_DIGESTS } else { VERSION };
    let top = Top { version, summary: release.summary.clone(), parts: count, headers: release.headers.clone() };
    let mut parts = Vec::with_capacity(count);
    for part in 0..count {
        let mut out = BufWriter::with_capacity(BLOCK, GzEncoder::new(Vec::new(), Compression::fast()));
        if part == 0 {
            serde_json::to_writer(&mut out, &top)?;
            out.write_all(b"\n")?;
        }
        for entry in chunks.get(part).copied().unwrap_or_default() {
            let Entry { key, version: id, etag, digest, size, headers } = entry;
            let line: (&str, &Option<String>, String, u64, u32) = (key.as_str(), id, etag.to_string(), *size, *headers);
            if version == VERSION {
                serde_json::to_writer(&mut out, &line)?;
            } else {
                let (key, id, etag, size, headers) = line;
                let digest = digest.as_ref().map(ToString::to_string);
                serde_json::to_writer(&mut out, &(key, id, etag, size, headers, digest))?;
            }
            out.write_all(b"\n")?;
        }
        let out = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        parts.push(out.finish()?.into());
    }
    Ok(parts)
}

/// The first part of a record, and what tells how to read the others.
pub(super) struct FirstPart {
    pub(super) release: Release,
    pub(super) parts: usize,
    pub(super) version: u32,
}

pub(super) fn first(bytes: &[u8]) -> Result<FirstPart, Damaged> {
    let text = text(bytes)?;
    let (top, rest) = text.split_once('\n').ok_or_else(|| Damaged::because("it is empty"))?;
    let Top { version, summary, parts, headers } = checked(serde_json::from_str(top)?)?;
    Ok(FirstPart { release: Release { summary, headers, entries: entries(rest, version)? }, parts, version })
}

fn checked(top: Top) -> Result<Top, Damaged> {
    match top.version {
        VERSION | WITH_DIGESTS if top.parts <= MAX_PARTS => Ok(top),
        VERSION | WITH_DIGESTS => Err(Damaged::because(format!("it claims to have {} parts", top.parts))),
        other => {
            let known = format!("versions {VERSION} and {WITH_DIGESTS}");
            let reason = format!("its format is of version {other}, and this program reads {known}");
            Err(Damaged { reason, is_newer: other > WITH_DIGESTS })
        }
    }
}

/// The first line alone.
pub(super) fn summary(bytes: &[u8]) -> Result<Summary, Damaged> {
    let mut top = Vec::new();
    let input = GzDecoder::new(bytes).take(MAX_DECOMPRESSED);
    std::io::BufRead::read_until(&mut std::io::BufReader::new(input), b'\n', &mut top)?;
    Ok(checked(serde_json::from_slice(&top)?)?.summary)
}

/// Any other part of a record of this version.
pub(super) fn more(bytes: &[u8], version: u32) -> Result<Vec<Entry>, Damaged> {
    entries(&text(bytes)?, version)
}

fn text(bytes: &[u8]) -> Result<String, Damaged> {
    let mut text = String::new();
    let size = GzDecoder::new(bytes).take(MAX_DECOMPRESSED).read_to_string(&mut text)?;
    if size as u64 == MAX_DECOMPRESSED {
        return Err(Damaged::because(format!("it has more than {MAX_DECOMPRESSED} bytes")));
    }
    Ok(text)
}

fn entries(text: &str, version: u32) -> Result<Vec<Entry>, Damaged> {
    let entry = |line: &str| {
        let (key, id, etag, size, headers, digest): StoredEntryWithDigest = if version == VERSION {
            let (key, id, etag, size, headers): StoredEntry = serde_json::from_str(line)?;
            (key, id, etag, size, headers, None)
        } else {
            serde_json::from_str(line)?
        };
        let key = key.parse().map_err(|error| Damaged::because(format!("{error}")))?;
        let (etag, digest) = (ETag::parse(&etag), digest.as_deref().map(ETag::parse));
        Ok(Entry { key, version: id, etag, digest, size, headers })
    };
    text.lines().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{Notes, ReleaseId};

    #[test]
    fn what_is_written_is_read_in_as_many_parts_as_it_takes() {
        let entry = |n: usize| Entry {
            key: format!("k\n{n:06}").parse().unwrap(),
            version: n.is_multiple_of(2).then(|| format!("v{n}")),
            etag: ETag::parse("d41d8cd98f00b204e9800998ecf8427e-3"),
            digest: None,
            size: n as u64,
            headers: 0,
        };
        let notes = Notes { message: Some("a\nb".into()), restores: Some(ReleaseId(2)), ..Notes::default() };
        let summary = Summary { id: ReleaseId(7), time: 5, notes, objects: 50_001, bytes: 9, changed: 1 };
        let headers = vec![Headers { content_type: Some("x/y".into()), ..Headers::default() }];
        let whole = Release { summary, headers, entries: (0..=50_000).map(entry).collect() };
        let written = parts(&whole).unwrap();
        assert_eq!(written.len(), 2);
        assert_eq!(super::summary(&written[0]).unwrap(), whole.summary);
        let FirstPart { release: mut read, parts: count, version } = first(&written[0]).unwrap();
        read.entries.extend(more(&written[1], version).unwrap());
        assert_eq!((read, count, version), (whole, 2, 1));
        assert!(first(b"rubbish").is_err());
    }

    /// The text of a record of objects with opaque entity tags, as it was first written.
    #[test]
    fn digests_are_written_in_version_2_only_and_only_where_tags_do_not_tell_them() {
        let entry = |key: &str, digest: Option<&str>| Entry {
            key: key.parse().unwrap(),
            version: Some("v1".to_owned()),
            etag: ETag::parse("9e107d9d372bb6826bd81d3542a419d6"),
            digest: digest.map(ETag::parse),
            size: 5,
            headers: 0,
        };
        let summary = Summary { id: ReleaseId(7), time: 5, notes: Notes::default(), objects: 2, bytes: 10, changed: 1 };
        let entries = vec![entry("a", None), entry("b", Some("0cc175b9c0f1b6a831c399e269772661"))];
        let whole = Release { summary, headers: vec![Headers::default()], entries };
        let written = parts(&whole).unwrap();
        let golden = concat!(
            "{\"version\":2,\"id\":7,\"time\":5,\"objects\":2,\"bytes\":10,\"changed\":1,\"parts\":1,\"headers\":[{}]}\n",
            "[\"a\",\"v1\",\"9e107d9d372bb6826bd81d3542a419d6\",5,0,null]\n",
            "[\"b\",\"v1\",\"9e107d9d372bb6826bd81d3542a419d6\",5,0,\"0cc175b9c0f1b6a831c399e269772661\"]\n",
        );
        assert_eq!(text(&written[0]).unwrap(), golden);
        assert_eq!(first(&written[0]).unwrap().release, whole);
        let newer = golden.replacen('2', "3", 1);
        let mut zip = GzEncoder::new(Vec::new(), Compression::fast());
        zip.write_all(newer.as_bytes()).unwrap();
        let refused = first(&zip.finish().unwrap()).err().unwrap().to_string();
        assert!(refused.contains("version 3"), "{refused}");
    }
}
