//! How long one bucket may take for a small request, when the other one can do without it.

use std::fmt;
use std::time::Duration;

use twinsite_core::{Run, wait};
use twinsite_sync::{StoreError, SyncError};

/// A store that can be reached responds sooner.
const LIMIT: Duration = Duration::from_secs(10);

/// A request was not answered within the limit, or the run was cancelled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoResponse;

impl fmt::Display for NoResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no response within {} s", LIMIT.as_secs())
    }
}

impl From<NoResponse> for SyncError {
    fn from(none: NoResponse) -> Self {
        Self::Store(StoreError::Unreachable(none.to_string()))
    }
}

/// Waits for the response to a small request, by the time of the run.
pub(crate) async fn in_time<T>(run: &Run, request: impl Future<Output = T>) -> Result<T, NoResponse> {
    wait::within(run, LIMIT, Box::pin(request)).await.ok_or(NoResponse)
}
