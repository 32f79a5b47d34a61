//! The database on disk. Every change is one transaction, so what is read back is never torn.
//!
//! Transactions become durable in groups, a few times a second: a killed process may lose the last fraction of a second, as
//! if it had been killed that much earlier.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use redb::{Database, Durability, Key, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest time until a change is durable.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// Why the database could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error(transparent)]
    Open(#[from] redb::DatabaseError),
    #[error(transparent)]
    Begin(#[from] redb::TransactionError),
    #[error(transparent)]
    Durability(#[from] redb::SetDurabilityError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
    #[error(transparent)]
    Commit(#[from] redb::CommitError),
    #[error(transparent)]
    Record(#[from] serde_json::Error),
    #[error(transparent)]
    Directory(#[from] std::io::Error),
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Disk {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    database: Database,
    durable: Mutex<Durable>,
    closing: AtomicBool,
}

#[derive(Debug)]
struct Durable {
    /// When everything was last durable.
    since: Instant,
    /// Whether something has changed since.
    dirty: bool,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Errors cannot be reported from here; the next opening finds an earlier state.
        drop(self.flush());
        self.shared.closing.store(true, Ordering::Release);
        if let Some(flusher) = self.flusher.take() {
            flusher.thread().unpark();
            drop(flusher.join());
        }
    }
}

/// Makes the last change before a pause durable: no later transaction would.
fn spawn_flusher(shared: Arc<Shared>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !shared.closing.load(Ordering::Acquire) {
            std::thread::park_timeout(FLUSH_INTERVAL);
            let due = {
                let durable = shared.durable.lock().unwrap_or_else(PoisonError::into_inner);
                durable.dirty && durable.since.elapsed() >= FLUSH_INTERVAL
            };
            if due {
                // A disk that fails is reported to the next change.
                drop(shared.write(|_| Ok(())));
            }
        }
    })
}

impl Shared {
    /// Runs one transaction. It is durable at once when the last durable one is a while ago.
    fn write(&self, change: impl FnOnce(&WriteTransaction) -> Result<(), DiskError>) -> Result<(), DiskError> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        let mut transaction = self.database.begin_write()?;
        let due = durable.since.elapsed() >= FLUSH_INTERVAL;
        transaction.set_durability(if due { Durability::Immediate } else { Durability::None })?;
        change(&transaction)?;
        transaction.commit()?;
        durable.dirty = !due;
        if due {
            durable.since = Instant::now();
        }
        Ok(())
    }
}

impl Disk {
    /// Opens or creates the database of a state directory. `None` when another process has it open.
    pub(crate) fn open(dir: &Path) -> Result<Option<Self>, DiskError> {
        std::fs::create_dir_all(dir)?;
        let database = match Database::create(dir.join("world.redb")) {
            Ok(database) => database,
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let durable = Mutex::new(Durable { since: Instant::now(), dirty: false });
        let shared = Arc::new(Shared { database, durable, closing: AtomicBool::new(false) });
        let flusher = Some(spawn_flusher(Arc::clone(&shared)));
        Ok(Some(Self { shared, flusher }))
    }

    /// Runs one transaction.
    pub(crate) fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        self.shared.write(change)
    }

    /// Makes every change so far durable.
    pub(crate) fn flush(&self) -> Result<(), DiskError> {
        self.shared.durable.lock().unwrap_or_else(PoisonError::into_inner).since -= FLUSH_INTERVAL;
        self.write(|_| Ok(()))
    }
}

/// Inserts or replaces a record, as JSON.
pub(crate) fn insert<K: Key + 'static>(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, K, &'static [u8]>,
    key: K::SelfType<'_>,
    value: &impl Serialize,
) -> Result<(), DiskError> {
    let bytes = serde_json::to_vec(value)?;
    transaction.open_table(table)?.insert(key, bytes.as_slice())?;
    Ok(())
}

/// Reads all records of a table; none when it was never written.
pub(crate) fn rows<K: Key + 'static, T: DeserializeOwned>(
    disk: &Disk,
    table: TableDefinition<'_, K, &'static [u8]>,
    mut visit: impl FnMut(K::SelfType<'_>, T),
) -> Result<(), DiskError> {
    let transaction = disk.shared.database.begin_read()?;
    let table = match transaction.open_table(table) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for row in table.iter()? {
        let (key, value) = row?;
        visit(key.value(), serde_json::from_slice(value.value())?);
    }
    Ok(())
}
