//! Conversions between this crate's model and the types of the SDKs.

pub(crate) mod acm;
pub(crate) mod cloudfront;

use std::fmt;

use aws_sdk_cloudfront::error::BuildError;
use twinsite_aws::AwsError;
use twinsite_core::{Deferred, OutputType, Outputs};

/// Why a request could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// An earlier step did not produce an output that this one needs.
    #[error("the value {0} is missing")]
    MissingOutput(String),
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl RequestError {
    pub(crate) fn into_aws(self, operation: &'static str, subject: impl fmt::Display) -> AwsError {
        match self {
            Self::MissingOutput(_) => AwsError::refused(operation, subject, self.to_string()),
            Self::Build(error) => AwsError::unexpected(operation, subject, error),
        }
    }
}

/// The value of an input of a step.
pub(crate) fn resolve<T>(value: &Deferred<T>, outputs: &Outputs) -> Result<T, RequestError>
where
    T: OutputType + Clone + fmt::Display,
{
    value.resolve(outputs).ok_or_else(|| RequestError::MissingOutput(value.to_string()))
}
