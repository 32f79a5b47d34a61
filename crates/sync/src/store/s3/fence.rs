//! Nothing is sent after the lease of the lock has expired.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use twinsite_core::{Cancelled, Run};

/// Fails every attempt of a request that is made after the run has expired: this process may have been stopped for minutes between
/// the decision to send a request and sending it.
#[derive(Clone, Debug)]
pub(super) struct Fence(pub(super) Run);

impl Fence {
    pub(super) fn check(&self) -> Result<(), Cancelled> {
        if self.0.is_expired() { Err(Cancelled) } else { Ok(()) }
    }
}

impl Intercept for Fence {
    fn name(&self) -> &'static str {
        "Fence"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(self.check()?)
    }
}
