//! What every AWS service has in common for twinsite: clients by role and region, errors in classes that
//! a caller can act on, one retry policy, and the tags that say what is ours.
//!
//! ```no_run
//! # async fn example() -> Result<(), twinsite_aws::AwsError> {
//! use twinsite_aws::{Access, Session};
//!
//! let session = Session::open(Access::default()).await;
//! println!("publishing as {}", session.account().await?);
//! let s3 = session.s3(&"us-west-2".parse().expect("a region"));
//! # let _ = s3; Ok(())
//! # }
//! ```
//!
//! This crate never reads a bucket, changes anything, or logs a credential.

#[cfg(feature = "session")]
mod direct;
mod error;
mod retry;
#[cfg(feature = "session")]
mod session;
mod tags;
mod younger;

pub use error::{AwsError, Kind};
pub use retry::{patient_timeouts, retries, timeouts, timeouts_for};
#[cfg(feature = "session")]
pub use session::{Access, Caller, Session};
pub use tags::{Owner, Tags};
pub use younger::Younger;
