//! Shared domain types of twinsite: a site, its pair of regions, and a typed plan of the changes that bring AWS from the
//! actual to the desired state.
//!
//! Plain data and pure functions, plus [`apply()`], [`Run`], [`wait`] and [`bracket()`], which are independent of AWS. This
//! crate does not access the network, the file system, the environment or a terminal.
//!
//! ```
//! use twinsite_core::{Action, Change, Field, Plan, Reason, Step};
//!
//! #[derive(Debug)]
//! struct Rename(&'static str);
//! impl Change for Rename {
//!     fn fields(&self) -> Vec<Field> {
//!         vec![Field::set("name", self.0)]
//!     }
//! }
//!
//! let bucket = Step::new("bucket", Action::Create, Reason::Absent, Rename("site"));
//! let policy = Step::new("policy", Action::Create, Reason::Absent, Rename("public")).after("bucket");
//! let plan = Plan::new(vec![policy, bucket])?;
//! let order: Vec<_> = plan.steps().map(|step| step.id.as_str()).collect();
//! assert_eq!(order, ["bucket", "policy"]);
//! # Ok::<(), twinsite_core::PlanError>(())
//! ```

pub mod action;
mod apply;
mod arn;
mod bracket;
mod cleanup;
mod deferred;
pub mod edge;
mod error;
mod event;
mod id;
mod pair;
mod plan;
pub mod probe;
mod region;
mod run;
mod shell;
mod site;
mod suggestion;
mod timer;
mod url;
pub mod wait;

pub use action::{Action, Field, Reason, Resource, differences, entries_to_put};
pub use apply::{Applied, Apply, Halted, apply};
pub use arn::Arn;
pub use bracket::{Bracketed, bracket};
pub use cleanup::{clean_up, is_cleaning_up};
pub use deferred::{
    Deferred, Host, Need, Output, OutputKind, OutputType, Outputs, ResourceId, ValidationRecord, ValidationRecords,
};
pub use error::{Cancelled, Invalid};
pub use event::{Event, NoopWatch, Phase, Verb, Watch};
pub use id::{AccountId, BucketName, Domain, StepId};
pub use pair::{Pair, Side};
pub use plan::{Change, Plan, PlanError, Step};
pub use region::{Partition, Region};
pub use run::Run;
pub use shell::shell_word;
pub use site::{Mode, Site, redirect_bucket};
pub use suggestion::{did_you_mean, nearest};
pub use timer::{MachineTime, Sleep, Timer};
pub use url::url_path;
