//! S3 on the wire. The `s3s` crate provides signatures, chunked bodies, XML and routing; the operations are implemented here.

mod access;
mod attributes;
mod body;
mod buckets;
mod configs;
mod creation;
mod headers;
mod lenient;
mod listing;
mod multipart;
mod objects;
mod operation;
mod permissions;
mod replication;
mod service;
mod tagging;

use std::sync::Arc;

use s3s::service::{S3Service, S3ServiceBuilder};

pub(crate) use access::aws_host;
pub(crate) use creation::with_creation_tags;
pub(crate) use operation::operation;
pub(crate) use permissions::authorize;

use super::S3;

/// The S3 service of all regions, with virtual-hosted and path-style addressing.
pub(crate) fn service(s3: &S3) -> S3Service {
    let mut builder = S3ServiceBuilder::new(service::S3Wire { s3: s3.clone() });
    builder.set_auth(access::AccessKeys { s3: s3.clone() });
    builder.set_access(access::Policies { s3: s3.clone() });
    builder.set_host(access::Hosts);
    builder.set_config(Arc::new(access::ClockSkew { s3: s3.clone() }));
    builder.set_route(lenient::Lenient::new(s3));
    builder.build()
}
