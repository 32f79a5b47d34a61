//! The content engine of twinsite: publish a directory to S3 by content.

mod object;

pub use object::{ETag, Headers, Key, Md5, PRIVATE, RemoteObject, SourceObject, Stamp, Wave};
