//! A pair of S3 buckets that serve one site from two regions: observed, planned and brought into the wanted state.
//!
//! ```no_run
//! # async fn example(clients: twinsite_core::Pair<aws_sdk_s3::Client>, control: aws_sdk_s3control::Client,
//! # iam: aws_sdk_iam::Client, site: twinsite_core::Site) -> Result<(), Box<dyn std::error::Error>> {
//! use twinsite_core::{Plan, Run, apply};
//! use twinsite_s3_site::{Desired, S3Site, steps};
//!
//! let (s3, run) = (S3Site::new(clients, control, iam), Run::silent());
//! let want = Desired::new(site);
//! let plan = Plan::new(steps(&want, &s3.observe(&want).await?)?)?;
//! apply(plan, &s3, &run).await?;
//! # Ok(()) }
//! ```
//!
//! It never adopts, changes or deletes a bucket that does not bear the site's tags, unless told to adopt it, and never
//! takes away a setting, rule or policy statement that it does not manage.

mod apply;
mod batch;
mod bucket;
mod canary;
mod change;
mod destroy;
mod diff;
mod drill;
mod journal;
mod observe;
mod policy;
mod problem;
mod replication;
mod role;
mod stop;
mod want;
mod wire;

pub use batch::{Batch, REPORTS};
pub use bucket::{Found, Lifecycle, Observed, SideState, Website};
pub use change::{BucketChange, Change};
pub use destroy::{Contents, destroy_former, destroy_steps};
pub use diff::steps;
pub use drill::{How, Undo};
pub use journal::JOURNAL;
pub use problem::{Problem, Unfit};
pub use replication::{Replication, Rule};
pub use role::{RoleChange, RoleState};
pub use want::{Adopt, Desired};
pub use wire::website_doc::WebsiteDoc;

use aws_sdk_s3::Client;
use twinsite_core::Pair;

/// The two buckets' clients, each for its own region.
#[derive(Clone, Debug)]
pub struct S3Site {
    pub(crate) clients: Pair<Client>,
    pub(crate) control: aws_sdk_s3control::Client,
    pub(crate) iam: aws_sdk_iam::Client,
}

impl S3Site {
    /// A pair of clients, one for the account's settings, and one for the role that S3 assumes to replicate.
    pub fn new(clients: Pair<Client>, control: aws_sdk_s3control::Client, iam: aws_sdk_iam::Client) -> Self {
        Self { clients, control, iam }
    }
}
