//! The error of every emulated service.

use std::error::Error;
use std::sync::Arc;

/// An error response of an AWS service. Two are equal when they look the same to the client.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ServiceError {
    /// AWS's error code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub message: String,
    /// Further elements of the response, such as the key that is missing.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Further headers of the response.
    pub(crate) headers: Vec<(&'static str, String)>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl PartialEq for ServiceError {
    fn eq(&self, other: &Self) -> bool {
        let seen = |error: &Self| (error.code, error.status, error.message.clone(), error.details.clone());
        seen(self) == seen(other)
    }
}

impl ServiceError {
    /// An error with any code and status.
    pub fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        let (details, headers) = (Vec::new(), Vec::new());
        Self { code, status, message: message.into(), details, headers, source: None }
    }

    /// The error with a further element in the response.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The error with a further header in the response.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A 400 with any code.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, 400, message)
    }

    /// `InternalError`: the state could not be read or written.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        let message = source.to_string();
        Self { source: Some(Arc::new(source)), ..Self::new("InternalError", 500, message) }
    }

    /// 501 for an operation, or a variant of one, that is not emulated.
    pub fn not_implemented(what: &str) -> Self {
        Self::new("NotImplemented", 501, format!("The embedded cloud does not implement {what}."))
    }
}
