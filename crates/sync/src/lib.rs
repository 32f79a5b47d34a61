//! The content engine of twinsite: publishes a directory to S3 by content, with a reason for every object that moves, in an
//! order that never shows a page before its assets, and with deletes that cannot run away.
//!
//! ```
//! use twinsite_core::Run;
//! use twinsite_sync::{Index, MemoryStore, Options, Rules, plan, transfer, walk};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # std::fs::write(dir.path().join("index.html"), "<h1>hello</h1>")?;
//! let source = walk(dir.path(), &Rules::web())?;
//! let store = MemoryStore::default(); // or S3Store::new(client, "my-bucket")
//! let (index, run) = (Index::memory(), Run::silent());
//! let plan = plan(&source, &store, &Options::default(), &index, &run).await?;
//! for put in plan.puts() {
//!     println!("{}: {}", put.object.key, put.reason);
//! }
//! let report = transfer(plan, &store, &index, &run).await?;
//! assert_eq!(report.put, 1);
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! It never compares modification times, never prints, never deletes what it did not publish unless told to, and never
//! retries: the SDK does that.

mod ahead;
mod content;
mod diff;
mod digest;
mod error;
mod index;
mod ledger;
mod listing;
mod local;
pub mod lock;
pub mod mirror;
mod object;
mod pace;
mod plan;
mod publish;
pub mod release;
mod rules;
mod source_error;
mod store;
mod transfer;

pub use ahead::Ahead;
pub use content::{Content, Stretch};
pub use digest::{hash, md5, multipart_etag, part_digests};
pub use error::{Interrupted, SyncError};
pub use index::Index;
pub use local::{Source, walk};
pub use object::{Body, ETag, Headers, Key, Md5, PRIVATE, Place, RemoteObject, SourceObject, Stamp, Wave};
pub use plan::{Delete, Deletes, Guard, Options, Put, Reason, Rewrite, Sending, SyncPlan, plan};
pub use publish::{Prepared, Published, Publishing, prepare, publish};
pub use release::{Keep, Notes, Release, ReleaseId};
pub use rules::{HeaderRule, Rules, Setting};
pub use source_error::{Fault, Problem, SourceError};
#[cfg(feature = "s3")]
pub use store::S3Store;
pub use store::{
    Condition, Copied, Copying, Head, History, Look, MemoryStore, Page, PartMade, Past, Pending, Standing, Store,
    StoreError, VersionsPage, Written,
};
pub use transfer::{Report, Wrote, transfer};
