//! S3 Control on the wire (restXml): the account-wide public access block.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::Body;

use super::sts::xml;
use crate::fault::Refused;
use crate::world::{Block, Fault, World};

const PATH: &str = "/v20180820/configuration/publicAccessBlock";

/// Answers a request to S3 Control.
pub(crate) async fn answer(world: &World, request: Request<Body>) -> Result<Response<Body>, Refused> {
    if request.uri().path() != PATH {
        return Ok(xml(StatusCode::NOT_IMPLEMENTED, error("NotImplemented", "The operation is not emulated")));
    }
    let method = request.method().clone();
    if method == Method::GET {
        return Ok(get(world));
    }
    let body = request.into_body().collect().await.map_err(|_| Refused)?.to_bytes();
    let block = if method == Method::DELETE { Ok(None) } else { read(&body).map(Some) };
    Ok(match block.and_then(|block| world.set_account_block(block).map_err(|fault: Fault| fault.to_string())) {
        Ok(()) if method == Method::DELETE => xml(StatusCode::NO_CONTENT, String::new()),
        Ok(()) => xml(StatusCode::OK, String::new()),
        Err(message) => xml(StatusCode::BAD_REQUEST, error("MalformedXML", &message)),
    })
}

fn read(body: &[u8]) -> Result<Block, String> {
    quick_xml::de::from_reader(body).map_err(|error| error.to_string())
}

fn get(world: &World) -> Response<Body> {
    let Some(block) = world.account_block() else {
        let message = "The public access block configuration was not found";
        return xml(StatusCode::NOT_FOUND, error("NoSuchPublicAccessBlockConfiguration", message));
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

fn error(code: &str, message: &str) -> String {
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
}
