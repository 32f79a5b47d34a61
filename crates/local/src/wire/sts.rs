//! STS on the wire (awsQuery): who am I.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use s3s::Body;
use twinsite_aws::EMBEDDED_ACCESS_KEY;

use super::query::action;
use super::reply::{error, xml};
use crate::route::scope;
use crate::world::ACCOUNT;

/// Answers a request to STS.
pub(crate) fn answer(request: &Request<Bytes>) -> Response<Body> {
    if action(request) != "GetCallerIdentity" {
        return error(StatusCode::BAD_REQUEST, "InvalidAction", "The action is not valid for this endpoint.");
    }
    if scope(request).is_some_and(|scope| scope.access_key == EMBEDDED_ACCESS_KEY) {
        return xml(StatusCode::OK, identity());
    }
    let message = "The security token included in the request is invalid.";
    error(StatusCode::FORBIDDEN, "InvalidClientTokenId", message)
}

fn identity() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/embedded</Arn><UserId>AIDAEMBEDDED</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}
