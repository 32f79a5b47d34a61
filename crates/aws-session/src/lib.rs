#![doc = include_str!("../README.md")]

mod fixed_endpoint;
mod retry;
mod session;

pub use aws_credential_types::Credentials;
pub use aws_sdk_s3::config::retry::RetryConfig;
pub use session::{Access, Caller, Session};
