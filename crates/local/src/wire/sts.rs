//! STS on the wire (awsQuery): who am I.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::Body;
use twinsite_aws::Session;

use crate::fault::Refused;
use crate::world::ACCOUNT;

/// Answers a request to STS.
pub(crate) async fn answer(request: Request<Body>) -> Result<Response<Body>, Refused> {
    let key = access_key(&request);
    let body = request.into_body().collect().await.map_err(|_| Refused)?.to_bytes();
    let action = String::from_utf8_lossy(&body);
    let action = action.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
    Ok(match (action, key.as_deref()) {
        ("GetCallerIdentity", Some(Session::EMBEDDED_KEY)) => xml(StatusCode::OK, identity()),
        ("GetCallerIdentity", _) => {
            let message = "The security token included in the request is invalid.";
            xml(StatusCode::FORBIDDEN, error("InvalidClientTokenId", message))
        }
        _ => xml(StatusCode::BAD_REQUEST, error("InvalidAction", "The action is not valid for this endpoint.")),
    })
}

fn access_key(request: &Request<Body>) -> Option<String> {
    let authorization = request.headers().get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let credential = authorization.split("Credential=").nth(1)?;
    Some(credential.split('/').next()?.to_owned())
}

fn identity() -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/embedded</Arn><UserId>AIDAEMBEDDED</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

pub(super) fn xml(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/xml"));
    response
}
