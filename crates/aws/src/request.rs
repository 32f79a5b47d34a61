//! Requests that are built from the outputs of earlier steps, and checked values from responses.

use std::fmt;
use std::str::FromStr;

use aws_smithy_types::error::operation::BuildError;
use twinsite_core::{Deferred, Invalid, OutputType, Outputs};

use crate::AwsError;

/// Why a request could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// An earlier step did not produce an output that this one needs.
    #[error("the value {0} is missing")]
    MissingOutput(String),
    /// The SDK refused a value.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl RequestError {
    /// As the failure of an operation.
    pub fn into_aws(self, operation: &'static str, subject: impl fmt::Display) -> AwsError {
        match self {
            Self::MissingOutput(_) => AwsError::refused(operation, subject, self.to_string()),
            Self::Build(error) => AwsError::unexpected(operation, subject, error),
        }
    }
}

/// The value of an input of a step.
///
/// # Errors
/// [`RequestError::MissingOutput`] if the step that outputs it has not.
pub fn resolve<T>(value: &Deferred<T>, outputs: &Outputs) -> Result<T, RequestError>
where
    T: OutputType + Clone + fmt::Display,
{
    value.resolve(outputs).ok_or_else(|| RequestError::MissingOutput(value.to_string()))
}

/// A checked value from a response.
///
/// # Errors
/// [`AwsError::unexpected`] if the text is none.
pub fn parse<T: FromStr<Err = Invalid>>(
    operation: &'static str,
    subject: impl fmt::Display,
    text: &str,
) -> Result<T, AwsError> {
    text.parse().map_err(|invalid: Invalid| AwsError::unexpected(operation, subject, invalid))
}
