//! What callers learn from failed calls, through the real SDK over canned answers.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use twinsite_aws::{AwsError, Kind};
use twinsite_aws_session::{Access, Session};

/// Answers from a list; when it is used up, the connection is refused.
#[derive(Clone, Debug)]
struct Canned(Arc<Mutex<VecDeque<(u16, String)>>>);

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let Some((status, body)) = self.0.lock().unwrap().pop_front() else {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return HttpConnectorFuture::ready(Err(ConnectorError::io(refused.into())));
        };
        let response = http::Response::builder().status(status).header("x-amz-request-id", "R1");
        let response = HttpResponse::try_from(response.body(SdkBody::from(body)).unwrap()).unwrap();
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn canned(answers: impl IntoIterator<Item = (u16, String)>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Canned(Arc::new(Mutex::new(answers.into_iter().collect()))));
    http_client_fn(move |_, _| connector.clone())
}

fn fault(status: u16, code: &str, message: &str) -> (u16, String) {
    (status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

async fn session(client: SharedHttpClient) -> Session {
    Session::open(Access { embedded: Some(client), ..Access::default() }).await.unwrap()
}

async fn get_policy(answers: Vec<(u16, String)>) -> Result<(), AwsError> {
    let s3 = session(canned(answers)).await.s3(&"us-west-2".parse().unwrap());
    let answer = s3.get_bucket_policy().bucket("www.example.com").send().await;
    answer.map(drop).map_err(|e| AwsError::new("GetBucketPolicy", "www.example.com", e))
}

#[tokio::test]
async fn a_service_error_names_operation_subject_code_and_request() {
    let error = get_policy(vec![fault(403, "AccessDenied", "Access Denied")]).await.unwrap_err();
    assert_eq!(error.to_string(), "GetBucketPolicy on `www.example.com`: Access Denied (AccessDenied)");
    assert_eq!((error.kind, error.request_id.as_deref()), (Kind::Denied, Some("R1")));
}

#[tokio::test]
async fn what_is_not_there_is_an_answer() {
    let missing = get_policy(vec![fault(404, "NoSuchBucketPolicy", "none")]).await;
    assert!(AwsError::absent(missing).unwrap().is_none());
    let denied = get_policy(vec![fault(403, "AccessDenied", "no")]).await;
    assert!(AwsError::absent(denied).is_err());
}

#[tokio::test]
async fn an_expired_token_is_bad_credentials() {
    let expired = fault(400, "ExpiredToken", "The provided token has expired.");
    assert_eq!(get_policy(vec![expired]).await.unwrap_err().kind, Kind::BadCredentials);
}

#[tokio::test]
async fn slow_down_is_ridden_out() {
    let slow = || fault(503, "SlowDown", "Please reduce your request rate.");
    get_policy(vec![slow(), slow(), (200, "{}".into())]).await.unwrap();
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_a_network_error() {
    let error = session(canned([])).await.caller().await.unwrap_err();
    assert_eq!(error.kind, Kind::Network, "{error:?}");
}

#[tokio::test]
async fn the_account_is_who_the_credentials_belong_to() {
    let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
                </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let account = session(canned([(200, body.into())])).await.caller().await.unwrap().account;
    assert_eq!(account.as_str(), "111122223333");
}
