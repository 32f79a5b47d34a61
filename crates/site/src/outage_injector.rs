//! What begins and ends outages that no API of AWS can cause.

use std::fmt;
use std::io;

use futures::future::BoxFuture;
use twinsite_core::Region;

/// What is out of service in an injected outage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutOfService {
    /// A region: all of its services, and the website endpoints in it.
    pub region: Option<Region>,
    /// Whether requests to it hang, instead of being refused.
    pub hangs: bool,
    /// Whether the control planes of CloudFront, Route 53, IAM and ACM are out of service.
    pub control_planes: bool,
    /// Whether the edges of CloudFront are out of service.
    pub cdn: bool,
}

/// Begins and ends outages that no API can cause: an embedded cloud.
pub trait OutageInjector: fmt::Debug + Send + Sync {
    /// Takes this out of service, in addition to what is already.
    ///
    /// # Errors
    /// The embedded cloud does not answer.
    fn begin(&self, outage: OutOfService) -> BoxFuture<'_, io::Result<()>>;

    /// Puts this into service again. Does nothing if it is.
    ///
    /// # Errors
    /// The embedded cloud does not answer.
    fn end(&self, outage: OutOfService) -> BoxFuture<'_, io::Result<()>>;
}
