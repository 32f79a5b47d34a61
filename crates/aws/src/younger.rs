//! Operations that a service has and the SDK's release does not know yet.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;

/// Turns the request of an operation that the SDK knows into that of one that it does not, and keeps the answer. Endpoint,
/// credentials, signature, retries and the reading of errors stay the SDK's.
///
/// The operation that carries it should be one with an empty answer, since the SDK reads the real one as that.
#[derive(Clone, Debug)]
pub struct Younger {
    path: String,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Younger {
    /// A `GET` of a path, query included.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), answer: Arc::default() }
    }

    /// The body of the answer; empty before one came.
    pub fn answer(&self) -> Vec<u8> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for Younger {
    fn name(&self) -> &'static str {
        "Younger"
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
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}
