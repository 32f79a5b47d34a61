//! `cargo xtask large`: sizes that break tools, with a bound on memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use twinsite_local::world::{CHUNK, Condition, Doc, NewObject, Part, World};
use twinsite_sync::{Md5, md5, multipart_etag};

use crate::embedded::Home;
use crate::measure::measured;
use crate::process::succeed;

const FILES: usize = 30_000;
const GIB: u64 = 1 << 30;
/// Peak memory allowed, in MiB.
const MANY: f64 = 150.0;
const HUGE: f64 = 256.0;
const COPIED: f64 = 200.0;

/// What is to be copied from bucket to bucket.
const OBJECTS: usize = 100_000;
const SPARSE: u64 = 12 * GIB;
const PART: u64 = 64 << 20;
const PRIMARY: &str = "www-example-com-000000000000-us-east-1";
const BACKUP: &str = "www.example.com";

/// Publishes thirty thousand files, and a file of six gibibytes, to both buckets of a served cloud.
pub(crate) fn run() -> Result<()> {
    let home = Home::fresh("large", "debug")?;
    let (many, huge) = (many(home.path())?, huge(home.path())?);
    let _serving = home.serve()?;
    publish(&home, &many, MANY)?;
    publish(&home, &huge, HUGE)?;
    backfill()
}

/// A hundred thousand objects and one of twelve gibibytes, all older than the replication rule.
fn backfill() -> Result<()> {
    let home = Home::fresh("backfill", "debug")?;
    succeed(home.twinsite().args(["apply", "--local", "--quiet"]))?;
    let sum = fill(&home)?;
    let serving = home.serve()?;
    let mut backfill = home.twinsite();
    backfill.args(["backfill", "--local", "--quiet"]);
    let taken = measured(&backfill)?;
    eprintln!("{OBJECTS} objects and {} GiB copied: {:.1} s, peak {:.0} MiB", SPARSE / GIB, taken.wall, taken.peak);
    ensure!(taken.peak < COPIED, "peak memory is {:.0} MiB, {COPIED:.0} is the bound", taken.peak);
    succeed(home.twinsite().args(["verify", "--local", "--quiet"]))?;
    drop(serving);
    let world = World::open(&home.path().join(".twinsite/local"))?;
    let copy = world.object(BACKUP, "sparse.bin", None)?;
    ensure!(copy.etag == sum, "the copy's entity tag is {}, {sum} is the original's", copy.etag);
    let checksum = &world.object(PRIMARY, "sparse.bin", None)?.checksums;
    ensure!(!checksum.is_empty() && copy.checksums == *checksum, "the copy's checksum is {:?}", copy.checksums);
    Ok(())
}

/// Puts everything there without a request, and returns the entity tag of the large object.
fn fill(home: &Home) -> Result<String> {
    let world = World::open(&home.path().join(".twinsite/local"))?;
    let mut rule = None;
    world.set(PRIMARY, |settings| rule = settings.docs.remove(&Doc::Replication))?;
    for n in 0..OBJECTS {
        let text = format!("object {n}");
        let etag = md5(text.as_bytes()).to_string();
        let (size, chunks) = (text.len() as u64, vec![world.store(text.into())?]);
        let part = Part { number: 1, etag: etag.clone(), size, chunks, ..Part::default() };
        let key = format!("{:03}/{n:06}.html", n / 500);
        world.put(PRIMARY, NewObject { key, etag, parts: vec![part], ..NewObject::default() }, &Condition::None)?;
    }
    let chunk = world.store(vec![0; CHUNK].into())?;
    let digest = md5(&vec![0; usize::try_from(PART)?]);
    let chunks = vec![chunk; usize::try_from(PART / CHUNK as u64)?];
    let count = usize::try_from(SPARSE / PART)?;
    let part = |number: usize| Part {
        number: i32::try_from(number + 1).unwrap_or(i32::MAX),
        etag: digest.to_string(),
        size: PART,
        chunks: chunks.clone(),
        ..Part::default()
    };
    let etag = multipart_etag(&vec![Md5(digest.0); count]).to_string();
    let checksums = [("CRC64NVME".to_owned(), zeros(SPARSE))].into();
    let parts = (0..count).map(part).collect();
    let object = NewObject { key: "sparse.bin".into(), etag: etag.clone(), parts, checksums, ..NewObject::default() };
    world.put(PRIMARY, object, &Condition::None)?;
    let rule = rule.context("apply has made no replication rule")?;
    world.set(PRIMARY, |settings| drop(settings.docs.insert(Doc::Replication, rule)))?;
    world.flush()?;
    Ok(etag)
}

/// The checksum of so many zeros, in base64.
fn zeros(size: u64) -> String {
    use base64::Engine;
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    let block = vec![0; 16 << 20];
    (0..size / (16 << 20)).for_each(|_| digest.update(&block));
    base64::engine::general_purpose::STANDARD.encode(digest.finalize().to_be_bytes())
}

fn publish(home: &Home, source: &Path, most: f64) -> Result<()> {
    let mut deploy = home.twinsite();
    // A second source on the same buckets: what only the first has stays.
    deploy.args(["deploy", "--apply", "--local", "--quiet", "--delete", "none"]).arg(source);
    let taken = measured(&deploy)?;
    eprintln!("{}: {:.1} s, peak {:.0} MiB", source.display(), taken.wall, taken.peak);
    ensure!(taken.peak < most, "peak memory is {:.0} MiB, {most:.0} is the bound", taken.peak);
    Ok(())
}

fn many(home: &Path) -> Result<PathBuf> {
    let source = home.join("many");
    for folder in 0..FILES / 100 {
        let dir = source.join(format!("{folder:03}"));
        fs::create_dir_all(&dir)?;
        for file in 0..100 {
            fs::write(dir.join(format!("{file:02}.html")), format!("<p>{folder}/{file}</p>"))?;
        }
    }
    Ok(source)
}

fn huge(home: &Path) -> Result<PathBuf> {
    let source = home.join("huge");
    fs::create_dir_all(&source)?;
    File::create(source.join("sparse.bin"))?.set_len(6 * GIB)?;
    Ok(source)
}
