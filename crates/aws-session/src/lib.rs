#![doc = include_str!("../README.md")]

mod awaited;
mod endpoint;
mod error;
mod fixed_endpoint;
mod http_client;
mod proxy;
mod retry;
mod session;
mod settings;
mod trust;

pub use aws_credential_types::Credentials;
pub use aws_sdk_s3::config::retry::RetryConfig;
pub use error::SessionError;
pub use session::{Access, Caller, Session};
