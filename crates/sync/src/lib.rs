#![doc = include_str!("../README.md")]

pub mod active_side;
pub mod lock;
mod manifest;
mod model;
mod plan;
pub mod prefix;
mod publish;
pub mod purge;
pub mod release;
pub mod replicate;
mod source;
mod store;
mod transfer;

pub use manifest::has_opaque_objects;
pub use model::checksum::{md5, multipart_etag};
pub use model::error::{LockError, StoreError, SyncError, objects_differ};
pub use model::layout::{PRIVATE, REDIRECT_TABLE};
pub use model::object::{Body, ETag, Headers, Key, Md5, Place, RemoteObject, SourceObject, Stamp, TagKind, Wave};
pub use model::prefix::{Prefix, Prefixes};
pub use model::range::{Content, FileRange};
pub use model::release_id::{ReleaseId, RetentionPolicy};
pub use model::source_error::{Fault, Problem, SourceError};
pub use plan::{Delete, Deletes, Guard, Options, Put, Reason, Rewrite, Sending, SupersededObject, SyncPlan, plan};
pub use publish::{Prepared, Publish, Published, Publishing, prepare};
pub use release::{Notes, Release};
pub use source::checks::SourceChecks;
pub use source::digest::{hash, part_digests};
pub use source::index::{Index, IndexState};
pub use source::prehash::Prehasher;
pub use source::rules::{HeaderRule, IgnoreRule, Rules, Setting};
pub use source::walk::{Source, Withheld, read_source, walk};
#[cfg(feature = "s3")]
pub use store::S3Store;
pub use store::{
    Condition, Copied, Copying, Encryption, EncryptionAlgorithm, Head, Limit, ListedObject, MemoryStore, NotDeleted,
    ObjectVersion, Page, PartMade, Pending, ReadObject, ReplicationStatus, ScopedStore, Store, VersionHead,
    VersionedStore, VersionsPage, Written, WrittenObject,
};
pub use transfer::{Interrupted, Report, transfer};
