//! STS (awsQuery): `GetCallerIdentity`.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use s3s::Body;
use twinsite_aws::EMBEDDED_ACCESS_KEY;

use crate::context::{ACCOUNT, ServiceError};
use crate::protocol::query::Form;
use crate::protocol::reply::xml;
use crate::protocol::request::scope;

/// Answers a request to STS.
pub(crate) fn answer(request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    if form.action() != "GetCallerIdentity" {
        return Err(ServiceError::not_implemented(&format!("STS {}", form.action())));
    }
    if scope(request).is_none_or(|scope| scope.access_key != EMBEDDED_ACCESS_KEY) {
        let message = "The security token included in the request is invalid.";
        return Err(ServiceError::new("InvalidClientTokenId", 403, message));
    }
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/embedded</Arn><UserId>AIDAEMBEDDED</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    Ok(xml(StatusCode::OK, text))
}
