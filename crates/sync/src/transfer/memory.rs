//! The bytes that may be in memory at once.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Files and parts of this many bytes and more count as large.
const LARGE: u64 = 8 << 20;

/// The KiB of all small files together. Small files are many, so that a few MiB keep every connection busy.
const SMALL_ROOM: u32 = 4 << 10;

/// The KiB of all large files and parts together: four parts of the usual size.
const LARGE_ROOM: u32 = 64 << 10;

/// Room that has to be asked for before bytes are read. What is larger than all of it gets it alone.
pub(super) struct Memory {
    small: Semaphore,
    large: Semaphore,
}

impl Default for Memory {
    fn default() -> Self {
        Self { small: Semaphore::new(SMALL_ROOM as usize), large: Semaphore::new(LARGE_ROOM as usize) }
    }
}

impl Memory {
    /// Waits until there is room for so many bytes, and holds it until the permit is dropped.
    pub(super) async fn room(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        let (room, most) = if bytes < LARGE { (&self.small, SMALL_ROOM) } else { (&self.large, LARGE_ROOM) };
        let wanted = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(most).min(most);
        // It is never closed.
        room.acquire_many(wanted).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::Memory;

    #[test]
    fn large_files_do_not_keep_small_ones_waiting_and_nothing_is_too_large() {
        let memory = Memory::default();
        let whole = memory.room(5 << 30).now_or_never();
        assert!(whole.is_some(), "what is larger than the room gets all of it");
        assert!(memory.room(16 << 20).now_or_never().is_none(), "and then nothing else fits");
        let small: Vec<_> = (0..4).map(|_| memory.room(1 << 20).now_or_never()).collect();
        assert!(small.iter().all(Option::is_some));
        assert!(memory.room(1).now_or_never().is_none());
        drop(small);
        assert!(memory.room(1).now_or_never().is_some());
        assert!(memory.room(0).now_or_never().is_some());
    }
}
