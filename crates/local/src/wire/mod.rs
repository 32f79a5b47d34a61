//! The services' wire formats. Codecs only: all state is in [`world`](crate::world).

pub mod s3;
pub mod s3control;
pub mod sts;
