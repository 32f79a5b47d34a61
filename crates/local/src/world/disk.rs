//! The world on disk: one embedded database. Every change is one transaction, so what is read back is never torn.
//!
//! Transactions are made durable together, a few times a second: a killed process may lose the last moment, as one that is
//! killed a moment earlier would.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;

use super::bucket::Bucket;
use super::{Account, BucketSettings, State, Upload, Version, WorldError};

const BUCKETS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("buckets");
const VERSIONS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("versions");
const UPLOADS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("uploads");
const ACCOUNT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("account");

/// How long a change may wait to be made durable.
const LINGER: Duration = Duration::from_millis(200);

/// The database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiskError {
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error(transparent)]
    Record(#[from] serde_json::Error),
}

/// The database of a world.
#[derive(Debug)]
pub(super) struct Disk {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    durable: Mutex<Durable>,
    closing: AtomicBool,
}

/// How far things are durable.
#[derive(Debug)]
struct Durable {
    /// When everything last was.
    since: Instant,
    /// Whether something has changed since.
    dirty: bool,
}

/// What the last moment changed is made durable when the world is closed in good order.
impl Drop for Disk {
    fn drop(&mut self) {
        // Nobody is left to be told; the next opening finds an earlier moment.
        drop(self.flush());
        self.shared.closing.store(true, Ordering::Release);
        if let Some(keeper) = self.keeper.take() {
            keeper.thread().unpark();
            drop(keeper.join());
        }
    }
}

/// Makes the last change before a pause durable too: nobody writes after it.
fn keep_durable(shared: Arc<Shared>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !shared.closing.load(Ordering::Acquire) {
            std::thread::park_timeout(LINGER);
            let lingers = {
                let durable = shared.durable.lock().unwrap_or_else(PoisonError::into_inner);
                durable.dirty && durable.since.elapsed() >= LINGER
            };
            if lingers {
                // The next change is told when the disk refuses.
                drop(shared.write(|_| Ok(())));
            }
        }
    })
}

impl Shared {
    /// One transaction; durable at once when the last durable one is a while ago.
    fn write(&self, change: impl FnOnce(&redb::WriteTransaction) -> Result<(), DiskError>) -> Result<(), DiskError> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction = self.database.begin_write().map_err(redb::Error::from)?;
        let due = durable.since.elapsed() >= LINGER;
        let durability = if due { Durability::Immediate } else { Durability::None };
        transaction.set_durability(durability).map_err(redb::Error::from)?;
        for table in [VERSIONS, UPLOADS] {
            transaction.open_table(table).map_err(redb::Error::from)?;
        }
        for table in [BUCKETS, ACCOUNT] {
            transaction.open_table(table).map_err(redb::Error::from)?;
        }
        change(&transaction)?;
        transaction.commit().map_err(redb::Error::from)?;
        durable.dirty = !due;
        if due {
            durable.since = Instant::now();
        }
        Ok(())
    }
}

type Opened = (Disk, State, HashSet<String>);

impl Disk {
    /// Opens or creates the database and reads everything, and the names of all blob files in use.
    pub(super) fn open(dir: &Path) -> Result<Opened, WorldError> {
        let unreadable = |reason: String| WorldError::Unreadable { path: dir.display().to_string(), reason };
        std::fs::create_dir_all(dir).map_err(|error| unreadable(error.to_string()))?;
        let database = Database::create(dir.join("world.redb")).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => WorldError::InUse(dir.display().to_string()),
            other => unreadable(other.to_string()),
        })?;
        let durable = Mutex::new(Durable { since: Instant::now(), dirty: false });
        let shared = Arc::new(Shared { database, durable, closing: AtomicBool::new(false) });
        let keeper = Some(keep_durable(Arc::clone(&shared)));
        let disk = Self { shared, keeper };
        disk.write(|_| Ok(())).map_err(|error| unreadable(error.to_string()))?;
        let state = disk.load().map_err(|error| unreadable(error.to_string()))?;
        let used = used(&state);
        Ok((disk, state, used))
    }

    fn load(&self) -> Result<State, DiskError> {
        let transaction = self.shared.database.begin_read().map_err(redb::Error::from)?;
        let mut buckets = BTreeMap::new();
        let table = transaction.open_table(BUCKETS).map_err(redb::Error::from)?;
        for row in table.iter().map_err(redb::Error::from)? {
            let (name, value) = row.map_err(redb::Error::from)?;
            let settings: BucketSettings = serde_json::from_slice(value.value())?;
            let bucket = Bucket::empty(settings);
            buckets.insert(name.value().to_owned(), bucket);
        }
        let table = transaction.open_table(VERSIONS).map_err(redb::Error::from)?;
        for row in table.iter().map_err(redb::Error::from)? {
            let (id, value) = row.map_err(redb::Error::from)?;
            let versions: Vec<Version> = read(value.value())?;
            if let Some(bucket) = buckets.get_mut(id.value().0) {
                let versions = versions.into_iter().map(Arc::new).collect();
                bucket.keys.insert(id.value().1.to_owned(), versions);
            }
        }
        let table = transaction.open_table(UPLOADS).map_err(redb::Error::from)?;
        for row in table.iter().map_err(redb::Error::from)? {
            let (id, value) = row.map_err(redb::Error::from)?;
            let upload: Upload = read(value.value())?;
            if let Some(bucket) = buckets.get_mut(id.value().0) {
                bucket.uploads.insert(upload.id.clone(), upload);
            }
        }
        let table = transaction.open_table(ACCOUNT).map_err(redb::Error::from)?;
        let account = table.get("account").map_err(redb::Error::from)?;
        let account = account.map(|value| read(value.value())).transpose()?.unwrap_or_default();
        Ok(State { buckets, account })
    }

    fn write(&self, change: impl FnOnce(&redb::WriteTransaction) -> Result<(), DiskError>) -> Result<(), DiskError> {
        self.shared.write(change)
    }

    /// Makes everything so far durable.
    pub(super) fn flush(&self) -> Result<(), DiskError> {
        self.shared.durable.lock().unwrap_or_else(PoisonError::into_inner).since -= LINGER;
        self.write(|_| Ok(()))
    }

    /// Keeps a bucket's settings.
    pub(super) fn bucket(&self, settings: &BucketSettings) -> Result<(), DiskError> {
        let value = serde_json::to_vec(settings)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(BUCKETS).map_err(redb::Error::from)?;
            table.insert(settings.name.as_str(), value.as_slice()).map_err(redb::Error::from)?;
            Ok(())
        })
    }

    /// Forgets a bucket and its uploads.
    pub(super) fn drop_bucket(&self, name: &str, uploads: &[String]) -> Result<(), DiskError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(UPLOADS).map_err(redb::Error::from)?;
            for id in uploads {
                table.remove((name, id.as_str())).map_err(redb::Error::from)?;
            }
            transaction.open_table(BUCKETS).map_err(redb::Error::from)?.remove(name).map_err(redb::Error::from)?;
            Ok(())
        })
    }

    /// Keeps all versions of a key; forgets the key when there are none.
    pub(super) fn versions(&self, bucket: &str, key: &str, versions: &[Arc<Version>]) -> Result<(), DiskError> {
        let plain: Vec<&Version> = versions.iter().map(AsRef::as_ref).collect();
        let value = serde_json::to_vec(&plain)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(VERSIONS).map_err(redb::Error::from)?;
            if versions.is_empty() {
                table.remove((bucket, key)).map_err(redb::Error::from)?;
            } else {
                table.insert((bucket, key), value.as_slice()).map_err(redb::Error::from)?;
            }
            Ok(())
        })
    }

    /// Keeps an upload.
    pub(super) fn upload(&self, bucket: &str, upload: &Upload) -> Result<(), DiskError> {
        let value = serde_json::to_vec(upload)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(UPLOADS).map_err(redb::Error::from)?;
            table.insert((bucket, upload.id.as_str()), value.as_slice()).map_err(redb::Error::from)?;
            Ok(())
        })
    }

    /// Forgets an upload.
    pub(super) fn drop_upload(&self, bucket: &str, id: &str) -> Result<(), DiskError> {
        self.write(|transaction| {
            let mut table = transaction.open_table(UPLOADS).map_err(redb::Error::from)?;
            table.remove((bucket, id)).map_err(redb::Error::from)?;
            Ok(())
        })
    }

    /// Keeps the state of every service but S3.
    pub(super) fn account(&self, account: &Account) -> Result<(), DiskError> {
        let value = serde_json::to_vec(account)?;
        self.write(|transaction| {
            let mut table = transaction.open_table(ACCOUNT).map_err(redb::Error::from)?;
            table.insert("account", value.as_slice()).map_err(redb::Error::from)?;
            Ok(())
        })
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DiskError> {
    Ok(serde_json::from_slice(bytes)?)
}

fn used(state: &State) -> HashSet<String> {
    let buckets = || state.buckets.values();
    let versions = buckets().flat_map(|bucket| bucket.keys.values().flatten());
    let uploads = buckets().flat_map(|bucket| bucket.uploads.values()).flat_map(|upload| upload.parts.values());
    let parts = versions.flat_map(|version| version.all_parts()).chain(uploads);
    parts.flat_map(|part| &part.chunks).filter_map(|chunk| chunk.file.clone()).collect()
}

/// An id nobody can guess the next of: random per process, counted within it.
pub fn random_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let word = |salt: u64| RandomState::new().hash_one((salt, count));
    let mut bytes = [0; 24];
    for (index, chunk) in bytes.chunks_mut(8).enumerate() {
        chunk.copy_from_slice(&word(index as u64).to_be_bytes());
    }
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
}
