//! Prepares and checks the embedded cloud of `cargo xtask large`: `large_bucket fill STATE` puts a hundred thousand objects and one
//! of twelve gibibytes into the primary bucket, all older than the replication rule; `large_bucket check STATE` compares the copy of
//! the latter in the backup bucket.

use std::error::Error;
use std::path::Path;

use base64::Engine;
use twinsite_local::World;
use twinsite_local::s3::{CHUNK, Condition, Doc, NewObject, Part};
use twinsite_sync::{ETag, Md5, md5, multipart_etag};

const OBJECTS: usize = 100_000;
const LARGE: &str = "sparse.bin";
const LARGE_SIZE: u64 = 12 << 30;
const PART: u64 = 64 << 20;
const PRIMARY: &str = "www-example-com-000000000000-us-east-1";
const BACKUP: &str = "www.example.com";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fill", state] => fill(Path::new(state)),
        ["check", state] => check(Path::new(state)),
        _ => Err("usage: large_bucket fill|check STATE".into()),
    }
}

/// The copy has the entity tag and the checksum of the original.
fn check(state: &Path) -> Result<(), Box<dyn Error>> {
    let world = World::open(state)?;
    let copy = world.s3().object(BACKUP, LARGE, None)?;
    let etag = large_etag(md5(&vec![0; usize::try_from(PART)?]).0).to_string();
    if copy.etag != etag {
        return Err(format!("the copy's entity tag is {}, the original's {etag}", copy.etag).into());
    }
    let checksums = &world.s3().object(PRIMARY, LARGE, None)?.checksums;
    if checksums.is_empty() || copy.checksums != *checksums {
        return Err(format!("the copy's checksum is {:?}", copy.checksums).into());
    }
    Ok(())
}

fn large_etag(part: [u8; 16]) -> ETag {
    multipart_etag(&vec![Md5(part); usize::try_from(LARGE_SIZE / PART).unwrap_or_default()])
}

/// Puts the objects without requests.
fn fill(state: &Path) -> Result<(), Box<dyn Error>> {
    let world = World::open(state)?;
    let mut rule = None;
    world.s3().update_bucket(PRIMARY, |settings| rule = settings.docs.remove(&Doc::Replication))?;
    for n in 0..OBJECTS {
        let text = format!("object {n}");
        let etag = md5(text.as_bytes()).to_string();
        let (size, chunks) = (text.len() as u64, vec![world.s3().store_chunk(text.into())?]);
        let part = Part { number: 1, etag: etag.clone(), size, chunks, ..Part::default() };
        let key = format!("{:03}/{n:06}.html", n / 500);
        world.s3().put_object(
            PRIMARY,
            NewObject { key, etag, parts: vec![part], ..NewObject::default() },
            &Condition::None,
        )?;
    }
    let chunk = world.s3().store_chunk(vec![0; CHUNK].into())?;
    let digest = md5(&vec![0; usize::try_from(PART)?]);
    let chunks = vec![chunk; usize::try_from(PART / CHUNK as u64)?];
    let count = usize::try_from(LARGE_SIZE / PART)?;
    let part = |number: usize| Part {
        number: i32::try_from(number + 1).unwrap_or(i32::MAX),
        etag: digest.to_string(),
        size: PART,
        chunks: chunks.clone(),
        ..Part::default()
    };
    let etag = large_etag(digest.0).to_string();
    let checksums = [("CRC64NVME".to_owned(), zeros(LARGE_SIZE))].into();
    let parts = (0..count).map(part).collect();
    let object = NewObject { key: LARGE.into(), etag, parts, checksums, ..NewObject::default() };
    world.s3().put_object(PRIMARY, object, &Condition::None)?;
    let rule = rule.ok_or("apply has created no replication rule")?;
    world.s3().update_bucket(PRIMARY, |settings| drop(settings.docs.insert(Doc::Replication, rule)))?;
    world.flush()?;
    Ok(())
}

/// The checksum of so many zeros, in base64.
fn zeros(size: u64) -> String {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    let block = vec![0; 16 << 20];
    (0..size / (16 << 20)).for_each(|_| digest.update(&block));
    base64::engine::general_purpose::STANDARD.encode(digest.finalize().to_be_bytes())
}
