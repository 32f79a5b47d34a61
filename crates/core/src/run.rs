//! The context of a long operation: where its events go, and its cancellation.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::timer::{MachineTime, Timer};
use crate::{Cancelled, Event, NoopWatch, Watch};

/// Where events go, how the operation is cancelled, and by which time it waits. Deliberately nothing else.
#[derive(Clone)]
#[non_exhaustive]
pub struct Run {
    /// Receives events.
    pub watch: Arc<dyn Watch>,
    /// Cancelled on SIGINT, SIGTERM or SIGHUP: requests in flight are awaited, no further ones are sent.
    pub cancel: CancellationToken,
    /// The time that waits go by.
    pub timer: Arc<dyn Timer>,
    /// True once the right to go on has expired, such as the lease of a lock.
    expired: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Run {
    /// A run whose events go to `watch`.
    pub fn new(watch: Arc<dyn Watch>) -> Self {
        Self { watch, cancel: CancellationToken::new(), timer: Arc::new(MachineTime::start()), expired: None }
    }

    /// A run whose events are discarded.
    pub fn silent() -> Self {
        Self::new(Arc::new(NoopWatch))
    }

    /// The same run by another time, such as that of an embedded cloud.
    #[must_use]
    pub fn with_timer(self, timer: Arc<dyn Timer>) -> Self {
        Self { timer, ..self }
    }

    /// A run with the same watch that is cancelled with this one, and counts as cancelled once `expired` is true, which is evaluated
    /// whenever an operation checks whether to go on.
    #[must_use]
    pub fn child(&self, expired: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let before = self.expired.clone();
        let expired = move || before.as_ref().is_some_and(|before| before()) || expired();
        let (watch, timer) = (Arc::clone(&self.watch), Arc::clone(&self.timer));
        Self { watch, cancel: self.cancel.child_token(), timer, expired: Some(Arc::new(expired)) }
    }

    /// Emits an event.
    pub fn emit(&self, event: &Event) {
        self.watch.event(event);
    }

    /// True once the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() || self.is_expired()
    }

    /// True once the right to go on has expired, such as the lease of a lock.
    pub fn is_expired(&self) -> bool {
        self.expired.as_ref().is_some_and(|expired| expired())
    }

    /// For use between requests: fails once the run was cancelled.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
