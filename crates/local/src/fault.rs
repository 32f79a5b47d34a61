//! Fault injection: failures of single requests, and requests held until they are released.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A request as it arrives.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestInfo<'a> {
    /// The AWS name of the operation: `PutObject`, `GetCallerIdentity`.
    pub operation: String,
    /// The host it was sent to, which contains the region and, for S3, the bucket.
    pub host: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum InjectedFault {
    /// It is answered.
    #[default]
    None,
    /// The connection breaks before the operation is executed.
    Refuse,
    /// The operation is executed, but the connection breaks before the response.
    LoseReply,
    /// It is answered with `503 SlowDown`.
    SlowDown,
    /// It is answered with an error, in the format of the service.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: &'static str,
    },
    /// The operation is executed, but the connection breaks in the middle of the response's body.
    Truncate,
    /// The operation is executed, but the body of the response is another one, as behind a proxy that answers for itself.
    ReplaceBody(fn(&[u8]) -> Vec<u8>),
}

/// A connection that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection reset by the embedded cloud")]
pub(crate) struct ConnectionReset;

type Decide = dyn Fn(&RequestInfo<'_>) -> InjectedFault + Send + Sync;

/// Decides on the fault of each request; none by default.
#[derive(Default)]
pub(crate) struct Hook(RwLock<Option<Arc<Decide>>>);

impl Hook {
    pub(crate) fn set(&self, decide: impl Fn(&RequestInfo<'_>) -> InjectedFault + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(decide));
    }

    pub(crate) fn decide(&self, request: &RequestInfo<'_>) -> InjectedFault {
        let decide = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        decide.map_or(InjectedFault::None, |decide| decide(request))
    }
}

/// The request to hold: the `at`-th of an operation, counted from when the pause was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The AWS name of the operation.
    pub operation: String,
    /// Which of its requests, from 1.
    pub at: u64,
}

/// The state of a pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PauseStatus {
    /// The request to hold.
    pub pause: Pause,
    /// How many requests of the operation have arrived.
    pub arrived: u64,
    /// Whether the request has arrived, and is held.
    pub reached: bool,
}

/// Holds at most one request, before its operation is executed.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<Option<Held>>);

#[derive(Debug)]
struct Held {
    status: PauseStatus,
    release: Arc<Notify>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // `notify_one` stores a permit: a request that is about to wait is released too.
        self.release.notify_one();
    }
}

impl Pauses {
    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the request to hold; one held before is released. `None` only releases.
    pub(crate) fn set(&self, pause: Option<Pause>) {
        let held = pause
            .map(|pause| Held { status: PauseStatus { pause, arrived: 0, reached: false }, release: Arc::default() });
        *self.held() = held;
    }

    pub(crate) fn status(&self) -> Option<PauseStatus> {
        self.held().as_ref().map(|held| held.status.clone())
    }

    /// Waits if this is the request to hold, until it is released.
    pub(crate) async fn wait(&self, operation: &str) {
        let release = {
            let mut held = self.held();
            let Some(held) = held.as_mut().filter(|held| held.status.pause.operation == operation) else { return };
            held.status.arrived += 1;
            if held.status.arrived != held.status.pause.at {
                return;
            }
            held.status.reached = true;
            Arc::clone(&held.release)
        };
        release.notified().await;
    }
}
