//! S3 Control puts the account in front of the host name, which no server at a fixed address answers to. Where one address
//! was given for all services, requests go to that address as it is.

use aws_sdk_s3control::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3control::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3control::error::BoxError;

#[derive(Debug)]
pub(crate) struct Direct(pub(crate) String);

impl Intercept for Direct {
    fn name(&self) -> &'static str {
        "Direct"
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
        let direct = format!("{}/{path}", self.0.trim_end_matches('/'));
        Ok(request.set_uri(direct)?)
    }
}
