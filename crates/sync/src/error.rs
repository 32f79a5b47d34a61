//! What can stop a publish.

use crate::{Key, SourceError, StoreError};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The source cannot be published.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The bucket could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More would be deleted than is allowed; nothing was changed.
    #[error(
        "{count} of {owned} published objects would be deleted, more than the guard allows ({guard}); the first: {}",
        names(.examples)
    )]
    TooManyDeletes {
        /// How many would be deleted.
        count: usize,
        /// How many there are.
        owned: usize,
        /// The guard, in words.
        guard: String,
        /// Some of them.
        examples: Vec<Key>,
    },
    /// Somebody else was faster.
    #[error("{0}")]
    Raced(String),
    /// The lock was not to be had, or was lost.
    #[error(transparent)]
    Lock(#[from] crate::lock::LockError),
    /// An older release cannot be brought back: these objects' versions are not kept any more. Nothing was changed.
    #[error("{} objects of that release are not kept any more; the first: {}", .0.len(), names(.0.get(..3).unwrap_or(.0)))]
    Lost(Vec<Key>),
    /// The run was cancelled before anything was changed.
    #[error("stopped on request; nothing was changed")]
    Cancelled,
}

fn names(keys: &[Key]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// A transfer that stopped half-way. Planning and transferring again finishes it.
#[derive(Debug, thiserror::Error)]
#[error("{}", sentence(self))]
pub struct Interrupted {
    /// What was done before.
    pub report: crate::Report,
    /// What failed, by key; empty when the run was cancelled.
    pub failed: Vec<(Key, SyncError)>,
    /// How many objects were not started.
    pub left: usize,
}

fn sentence(stopped: &Interrupted) -> String {
    let Interrupted { report, failed, left } = stopped;
    let done = report.put + report.rewritten;
    match failed.first() {
        None => format!("stopped on request: {done} objects done, {left} left"),
        Some((_, error)) if failed.len() == 1 => format!("{error} ({done} objects done, {left} left)"),
        Some((_, error)) => {
            format!("{error}, and {} more failed ({done} objects done, {left} left)", failed.len() - 1)
        }
    }
}
