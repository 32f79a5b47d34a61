//! One function per AWS operation, named like it. Only `wire` and this module know the SDKs.

pub(crate) mod acm;
pub(crate) mod cloudfront;
pub(crate) mod invalidation;
pub(crate) mod store;

use std::fmt;

use twinsite_aws::AwsError;

/// A response without a field that it should always have.
fn missing_field(operation: &'static str, subject: impl fmt::Display, field: &str) -> AwsError {
    AwsError::unexpected(operation, subject, format!("`{field}` is missing"))
}
