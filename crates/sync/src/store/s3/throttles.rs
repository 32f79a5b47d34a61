//! Counts the answers by which S3 asks for slower requests, among them those that the SDK then retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;

#[derive(Clone, Debug, Default)]
pub(super) struct Throttles(Arc<AtomicU64>);

impl Throttles {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// An answer has this status.
    pub(super) fn see(&self, status: u16) {
        if matches!(status, 429 | 503) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Intercept for Throttles {
    fn name(&self) -> &'static str {
        "Throttles"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(response) = context.response() {
            self.see(response.status().as_u16());
        }
        Ok(())
    }
}
