#![doc = include_str!("../README.md")]

mod error;
mod passing;
mod request;
mod retry;
mod tags;
mod unmodeled;

pub use error::{AwsError, Kind, ResponseHost};
pub use passing::{outlast_refusals, unless_passing};
pub use request::{RequestError, parse, resolve};
pub use retry::{read_retries, retries, status_retries, timeouts, timeouts_for};
pub use tags::{Owner, Tags, tag_fields};
pub use unmodeled::UnmodeledOperation;

/// The access key id that the embedded cloud accepts. It is not a secret.
pub const EMBEDDED_ACCESS_KEY: &str = "embedded";
/// The secret access key that the embedded cloud accepts. It is not a secret.
pub const EMBEDDED_SECRET_KEY: &str = "embedded-secret";
