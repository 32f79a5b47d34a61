//! Operations that are missing from the SDK's model of a service.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

/// Replaces the request of a modeled operation by one of an operation that the SDK does not model, and keeps the response
/// body. Endpoint, credentials, signature, retries and error parsing remain the SDK's. Remove it once the SDK has the operation.
///
/// The modeled operation should have an empty response, because the SDK parses the actual response as that.
#[derive(Clone, Debug)]
pub struct UnmodeledOperation {
    path: String,
    response: Arc<Mutex<Vec<u8>>>,
}

impl UnmodeledOperation {
    /// A `GET` request for a path with its query.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), response: Arc::default() }
    }

    /// The response body; empty before the response.
    pub fn response(&self) -> Vec<u8> {
        self.response.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for UnmodeledOperation {
    fn name(&self) -> &'static str {
        "UnmodeledOperation"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let origin: Vec<&str> = request.uri().splitn(4, '/').take(3).collect();
        let uri = format!("{}/{}", origin.join("/"), self.path.trim_start_matches('/'));
        request.set_uri(uri)?;
        request.set_method("GET")?;
        for header in ["content-length", "content-type"] {
            request.headers_mut().remove(header);
        }
        *request.body_mut() = SdkBody::empty();
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.response.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}
