//! The clients that this crate works with.

use twinsite_core::wait::PollPolicy;

/// Observes and changes the standby of a site.
#[derive(Clone, Debug)]
pub struct HttpsStandby {
    pub(crate) acm: aws_sdk_acm::Client,
    pub(crate) gateway: aws_sdk_apigatewayv2::Client,
    pub(crate) polling: PollPolicy,
}

impl HttpsStandby {
    /// With clients of ACM and API Gateway in the backup's region.
    pub fn new(acm: aws_sdk_acm::Client, gateway: aws_sdk_apigatewayv2::Client) -> Self {
        Self { acm, gateway, polling: PollPolicy::MINUTES }
    }

    /// Replaces the polling intervals and the deadline of waits.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }
}
