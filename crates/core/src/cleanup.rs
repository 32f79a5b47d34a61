//! Cleaning up after a cancellation: what must be completed although the run was cancelled.

use std::future::Future;

tokio::task_local! {
    static CLEANING_UP: ();
}

/// Runs what must be completed, such as releasing a lock: its requests are awaited although the run is cancelled. That holds for the
/// task of the caller, not for tasks that it spawns.
pub async fn clean_up<T>(work: impl Future<Output = T>) -> T {
    CLEANING_UP.scope((), work).await
}

/// Whether the current task is within [`clean_up`].
pub fn is_cleaning_up() -> bool {
    CLEANING_UP.try_with(|()| ()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_within_it_is_cleaning_up() {
        assert!(!is_cleaning_up());
        assert!(clean_up(async { is_cleaning_up() }).await);
        assert!(!is_cleaning_up());
    }
}
