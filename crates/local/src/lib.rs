//! An embedded cloud for twinsite: S3 in several regions with its website endpoints, and the control planes of ACM, CloudFront,
//! CloudWatch, IAM, Route 53, S3 Control, SNS and STS as far as twinsite calls them; in this process or served on localhost. It
//! is driven only by what was configured through its API, as AWS is.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use twinsite_aws_session::{Access, Session};
//! use twinsite_local::Cloud;
//!
//! let cloud = Cloud::memory();
//! let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
//! let session = Session::open(access).await;
//! let s3 = session.s3(&"us-east-1".parse()?);
//! s3.create_bucket().bucket("site").send().await?;
//! assert_eq!(cloud.requests().get("CreateBucket"), Some(&1));
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! It never talks to AWS, and knows nothing of the crates that are tested against it: it knows only the wire.

mod attach;
mod cloud;
mod connector;
mod count;
mod fault;
pub mod plane;
mod remote;
mod route;
mod server;
mod website;
pub mod wire;
pub mod world;

pub use attach::{Attached, attach_or_open};
pub use cloud::Cloud;
pub use connector::remote;
pub use fault::{Seen, Trouble};
pub use remote::{break_at, directory_at, requests_at};
pub use server::{ServeError, listen, serve, serve_website};
