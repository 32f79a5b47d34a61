//! An embedded cloud for twinsite: S3 in several regions with its website endpoints, and those operations of ACM, API Gateway, CloudFront,
//! CloudFront `KeyValueStore`, CloudWatch, IAM, Route 53, S3 Control, SNS and STS that twinsite and its tests call. Any other operation is refused with
//! 501 `NotImplemented`.
//!
//! It runs in-process, or serves on localhost, and is controlled through the AWS APIs only: the data plane ([`dataplane`])
//! serves DNS, CloudFront and website requests as configured there.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use twinsite_aws_session::{Access, Session};
//! use twinsite_local::Cloud;
//!
//! let cloud = Cloud::memory();
//! let access = Access { embedded: Some(cloud.http_client()), ..Access::default() };
//! let session = Session::open(access).await?;
//! let s3 = session.s3(&"us-east-1".parse()?);
//! s3.create_bucket().bucket("site").send().await?;
//! assert_eq!(cloud.request_counts().get("CreateBucket"), Some(&1));
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! It never connects to AWS, and depends on none of the crates that are tested with it.

pub mod acm;
pub mod apigateway;
mod attach;
mod cloud;
pub mod cloudfront;
pub mod cloudwatch;
mod connector;
mod context;
pub mod dataplane;
mod fault;
pub mod iam;
mod keyvaluestore;
mod protocol;
mod record;
mod remote;
mod route;
pub mod route53;
pub mod s3;
pub mod s3control;
mod server;
mod services;
pub mod sns;
mod sts;
mod subject;
mod weather;
mod world;

pub use attach::{Attached, attach_or_open};
pub use cloud::Cloud;
pub use connector::http_client_at;
pub use context::{
    ACCOUNT, Clock, Delays, Endpoints, Now, OutageSymptom, Outages, Ports, ServiceError, Tags, random_id,
};
pub use context::{Weather, WeatherSettings};
pub use fault::{InjectedFault, Pause, PauseStatus, RequestInfo};
pub use remote::{
    endpoints_at, outages_at, request_counts_at, reset_request_counts_at, set_outages_at, set_weather_at, weather_at,
};
pub use server::{ServeError, listen, serve, serve_website};
pub use world::{Account, World, WorldError};
