//! S3 Control on the wire (restXml): the account-wide public access block, and jobs of S3 Batch Operations.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>

mod jobs;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use s3s::Body;

use super::reply::{error, xml};
use crate::fault::verb;
use crate::world::{Block, Fault, World};

const PATH: &str = "/v20180820/configuration/publicAccessBlock";

const JOBS: &str = "/v20180820/jobs";

/// The operation that a request asks for.
pub(super) fn operation(request: &Request<Bytes>) -> String {
    if let Some(rest) = request.uri().path().strip_prefix(JOBS) {
        return if rest.is_empty() { "CreateJob" } else { "DescribeJob" }.to_owned();
    }
    if request.uri().path() != PATH {
        return "Unknown".to_owned();
    }
    format!("{}AccountPublicAccessBlock", verb(request.method()))
}

/// Answers a request to S3 Control.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    if let Some(rest) = request.uri().path().strip_prefix(JOBS) {
        return match (request.method(), rest.strip_prefix('/')) {
            (&Method::POST, None) => jobs::create(world, request.body()),
            (&Method::GET, Some(id)) => jobs::describe(world, id),
            _ => error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "The operation is not emulated"),
        };
    }
    if request.uri().path() != PATH {
        return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "The operation is not emulated");
    }
    let method = request.method();
    if method == Method::GET {
        return get(world);
    }
    let block = if method == Method::DELETE { Ok(None) } else { read(request.body()).map(Some) };
    match block.and_then(|block| world.set_account_block(block).map_err(|fault: Fault| fault.to_string())) {
        Ok(()) if method == Method::DELETE => xml(StatusCode::NO_CONTENT, String::new()),
        Ok(()) => xml(StatusCode::OK, String::new()),
        Err(message) => error(StatusCode::BAD_REQUEST, "MalformedXML", &message),
    }
}

fn read(body: &[u8]) -> Result<Block, String> {
    quick_xml::de::from_reader(body).map_err(|error| error.to_string())
}

fn get(world: &World) -> Response<Body> {
    let Some(block) = world.account_block() else {
        let message = "The public access block configuration was not found";
        return error(StatusCode::NOT_FOUND, "NoSuchPublicAccessBlockConfiguration", message);
    };
    let Block { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } = block;
    let text = format!(
        "<PublicAccessBlockConfiguration xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\">\
         <BlockPublicAcls>{block_public_acls}</BlockPublicAcls><IgnorePublicAcls>{ignore_public_acls}</IgnorePublicAcls>\
         <BlockPublicPolicy>{block_public_policy}</BlockPublicPolicy>\
         <RestrictPublicBuckets>{restrict_public_buckets}</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
    );
    xml(StatusCode::OK, text)
}
