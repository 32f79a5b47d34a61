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

pub mod lock;
mod manifest;
mod model;
mod plan;
mod publish;
pub mod release;
pub mod replicate;
mod source;
mod store;
mod transfer;

pub use model::checksum::{md5, multipart_etag};
pub use model::error::{LockError, StoreError, SyncError};
pub use model::layout::PRIVATE;
pub use model::object::{Body, ETag, Headers, Key, Md5, Place, RemoteObject, SourceObject, Stamp, Wave};
pub use model::range::{Content, FileRange};
pub use model::release_id::{ReleaseId, RetentionPolicy};
pub use model::source_error::{Fault, Problem, SourceError};
pub use plan::{Delete, Deletes, Guard, Options, Put, Reason, Rewrite, Sending, SyncPlan, plan};
pub use publish::{Prepared, Published, Publishing, prepare, publish};
pub use release::{Notes, Release};
pub use source::digest::{hash, part_digests};
pub use source::index::Index;
pub use source::prehash::Prehasher;
pub use source::rules::{HeaderRule, Rules, Setting};
pub use source::walk::{Source, walk};
#[cfg(feature = "s3")]
pub use store::S3Store;
pub use store::{
    Condition, Copied, Copying, Head, MemoryStore, ObjectVersion, Page, PartMade, Pending, ReplicationStatus, Store,
    VersionHead, VersionedStore, VersionsPage, Written,
};
pub use transfer::{Interrupted, Report, WrittenObject, transfer};
