//! The bytes that may be in memory at once.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Files and parts of more bytes are read while they are sent, and never held whole. Others would wait too long for room, and small
/// ones behind them.
pub(super) const SMALL: u64 = 1 << 20;

/// The KiB of all small files together. They are many, so that a few MiB keep every connection busy.
const SMALL_ROOM: usize = 6 << 10;

/// Large files and parts sent at once: each keeps a core or a connection busy.
const STREAMS: usize = 4;

/// Room that has to be asked for before anything is read.
pub(super) struct ByteBudget {
    small: Semaphore,
    streams: Semaphore,
}

impl Default for ByteBudget {
    fn default() -> Self {
        Self { small: Semaphore::new(SMALL_ROOM), streams: Semaphore::new(STREAMS) }
    }
}

impl ByteBudget {
    /// Waits until there is room for so many bytes, and holds it until the permit is dropped.
    pub(super) async fn acquire(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        // Neither is ever closed.
        match u32::try_from(bytes.div_ceil(1 << 10)) {
            Ok(wanted) if bytes <= SMALL => self.small.acquire_many(wanted).await.ok(),
            Ok(_) | Err(_) => self.streams.acquire().await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{ByteBudget, SMALL};

    #[test]
    fn large_files_do_not_keep_small_ones_waiting_and_nothing_is_too_large() {
        let memory = ByteBudget::default();
        let large: Vec<_> =
            [5 << 30, 16 << 20, 16 << 20, SMALL + 1].map(|size| memory.acquire(size).now_or_never()).into();
        assert!(large.iter().all(Option::is_some));
        assert!(memory.acquire(16 << 20).now_or_never().is_none(), "four at once");
        let small: Vec<_> = (0..6).map(|_| memory.acquire(SMALL).now_or_never()).collect();
        assert!(small.iter().all(Option::is_some));
        assert!(memory.acquire(1).now_or_never().is_none());
        drop(small);
        assert!(memory.acquire(SMALL).now_or_never().is_some());
        assert!(memory.acquire(0).now_or_never().is_some());
        drop(large);
        assert!(memory.acquire(16 << 20).now_or_never().is_some());
    }
}
