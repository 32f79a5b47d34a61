//! What every long operation is handed: somebody to tell, and a way to be stopped.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{Event, Silent, Watch};

/// Somebody to tell and a way to be stopped; nothing else, ever.
#[derive(Clone)]
pub struct Run {
    /// Who hears of what happens.
    pub watch: Arc<dyn Watch>,
    /// Cancelled on Ctrl-C: finish the call in flight, start none, report what is left.
    pub cancel: CancellationToken,
}

impl Run {
    /// A run that tells `watch`.
    pub fn new(watch: Arc<dyn Watch>) -> Self {
        Self { watch, cancel: CancellationToken::new() }
    }

    /// A run that tells nobody.
    pub fn silent() -> Self {
        Self::new(Arc::new(Silent))
    }

    /// Tells the watcher.
    pub fn say(&self, event: &Event) {
        self.watch.event(event);
    }

    /// True once the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
