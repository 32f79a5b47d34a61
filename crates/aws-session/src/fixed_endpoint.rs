//! The SDK prefixes the host names of S3 Control and of CloudFront `KeyValueStore` with the account id, which a server at a single address does not resolve.
//! With one endpoint for all services, requests are sent to that endpoint unchanged.

use aws_sdk_s3control::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3control::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3control::error::BoxError;

#[derive(Debug)]
pub(crate) struct FixedEndpoint(pub(crate) String);

impl Intercept for FixedEndpoint {
    fn name(&self) -> &'static str {
        "FixedEndpoint"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let uri = request.uri();
        let path = uri.splitn(4, '/').nth(3).unwrap_or_default();
        let url = format!("{}/{path}", self.0.trim_end_matches('/'));
        Ok(request.set_uri(url)?)
    }
}
