//! The client that this crate works with.

use twinsite_core::wait::PollPolicy;

/// Observes and changes failover records and health checks.
#[derive(Clone, Debug)]
pub struct DnsFailover {
    pub(crate) client: aws_sdk_route53::Client,
    pub(crate) polling: PollPolicy,
}

impl DnsFailover {
    /// With a client of Route 53.
    pub fn new(client: aws_sdk_route53::Client) -> Self {
        Self { client, polling: PollPolicy::MINUTES }
    }

    /// Replaces the polling intervals and the deadline of waits.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }
}
