//! One function per AWS operation, named like it.

pub(crate) mod acm;
pub(crate) mod apigateway;

use std::fmt;
use std::str::FromStr;

use twinsite_aws::AwsError;
use twinsite_core::Invalid;

/// A value of a response.
fn parse<T: FromStr<Err = Invalid>>(
    operation: &'static str,
    subject: impl fmt::Display,
    text: &str,
) -> Result<T, AwsError> {
    text.parse().map_err(|invalid: Invalid| AwsError::unexpected(operation, subject, invalid))
}
