//! S3's wire protocol, on the `s3s` crate: signatures, chunked bodies, XML and routing are its; meaning is ours.

mod access;
mod body;
mod buckets;
mod configs;
mod fault;
mod headers;
mod listing;
mod multipart;
mod objects;
mod replication;
mod service;

use s3s::service::{S3Service, S3ServiceBuilder};

pub(crate) use access::aws_host;

use crate::world::World;

/// The S3 service over a world, for requests to any region, by virtual host or by path.
pub fn service(world: &World) -> S3Service {
    let mut builder = S3ServiceBuilder::new(service::Wire { world: world.clone() });
    builder.set_auth(access::Keys);
    builder.set_access(access::Policies { world: world.clone() });
    builder.set_host(access::Hosts);
    builder.build()
}
