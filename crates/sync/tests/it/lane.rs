//! Puts that go around most of the SDK leave what the SDK's puts leave, and whatever goes wrong with them, the SDK mends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use twinsite_aws::{EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY};
use twinsite_aws_session::{Access, Session};
use twinsite_local::{Cloud, InjectedFault};
use twinsite_sync::{Headers, Key, S3Store, Store, md5};

/// The headers of a put.
type Sent = Vec<(String, String)>;

/// The headers of every put, as it left.
#[derive(Clone, Debug, Default)]
struct Seen {
    puts: Arc<Mutex<Vec<Sent>>>,
    /// Whether puts that are not the SDK's get no answer.
    refuses: bool,
}

impl Seen {
    fn count(&self, by_sdk: bool) -> usize {
        let puts = self.puts.lock().unwrap();
        puts.iter().filter(|headers| is_by_sdk(headers) == by_sdk).count()
    }

    fn names(&self) -> Vec<Vec<String>> {
        let puts = self.puts.lock().unwrap();
        puts.iter().map(|headers| headers.iter().map(|(name, _)| name.clone()).collect()).collect()
    }
}

fn is_by_sdk(headers: &[(String, String)]) -> bool {
    headers.iter().any(|(name, _)| name == "amz-sdk-invocation-id")
}

#[derive(Debug)]
struct Watched(SharedHttpConnector, Seen);

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.method() == "PUT" {
            let headers: Sent = request.headers().iter().map(|(name, value)| (name.into(), value.into())).collect();
            let refused = self.1.refuses && !is_by_sdk(&headers);
            self.1.puts.lock().unwrap().push(headers);
            if refused {
                return HttpConnectorFuture::ready(Err(ConnectorError::io("reset".into())));
            }
        }
        self.0.call(request)
    }
}

fn watched(cloud: &Cloud, seen: &Seen) -> SharedHttpClient {
    let (client, seen) = (cloud.http_client(), seen.clone());
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Watched(client.http_connector(settings, components), seen.clone()))
    })
}

async fn client(cloud: &Cloud, seen: &Seen) -> aws_sdk_s3::Client {
    cloud.world().s3().create_bucket("site", "us-east-1", twinsite_local::ACCOUNT).unwrap();
    let access = Access { embedded: Some(watched(cloud, seen)), ..Access::default() };
    Session::open(access).await.unwrap().s3(&"us-east-1".parse().unwrap())
}

fn key(name: &str) -> Key {
    name.parse().unwrap()
}

async fn put(store: &S3Store, name: &str, headers: &Headers, text: &str) {
    let bytes = Bytes::from(text.to_owned());
    let digest = md5(&bytes);
    let written = store.put(&key(name), headers, (bytes.into(), digest)).await.unwrap();
    assert_eq!(written.etag.unwrap().to_string(), digest.to_string(), "{name}");
}

fn all_headers() -> Headers {
    let some = |text: &str| Some(text.to_owned());
    Headers {
        content_type: some("text/html; charset=utf-8"),
        cache_control: some("max-age=0, must-revalidate"),
        content_encoding: some("gzip"),
        content_disposition: some("attachment; filename=\"a b.txt\""),
        content_language: some("de-CH"),
        website_redirect: some("/elsewhere?a=b#c"),
        metadata: [("one".to_owned(), "1".to_owned()), ("two-2".to_owned(), "a  b".to_owned())].into(),
    }
}

#[tokio::test]
async fn what_they_leave_is_what_the_sdk_leaves_whatever_the_key() {
    let (cloud, seen) = (Cloud::memory(), Seen::default());
    let store = S3Store::new(client(&cloud, &seen).await, "site");
    put(&store, "first.html", &all_headers(), "first").await;
    let odd =
        ["a b", "a+b", "100%", "a%20b", "ä/ö", "a\u{308}", "q?x=1&y", "#", "~tilde", "!'()*", "a//b", "./a", ".hidden"];
    for name in odd {
        put(&store, name, &all_headers(), name).await;
    }
    put(&store, "empty", &Headers::default(), "").await;
    assert_eq!((seen.count(true), seen.count(false)), (1, odd.len() + 1));
    let first = store.head(&key("first.html")).await.unwrap().unwrap();
    for name in odd {
        assert_eq!(store.get(&key(name)).await.unwrap().unwrap(), name.as_bytes(), "{name}");
        let head = store.head(&key(name)).await.unwrap().unwrap();
        assert_eq!((&head.headers, head.size), (&first.headers, name.len() as u64), "{name}");
    }
    assert_eq!(store.head(&key("empty")).await.unwrap().unwrap().size, 0);
}

#[tokio::test]
async fn they_are_signed_and_introduced_as_the_sdk_does_it() {
    let (cloud, seen) = (Cloud::memory(), Seen::default());
    let client = client(&cloud, &seen).await;
    let keys = Credentials::new(EMBEDDED_ACCESS_KEY, EMBEDDED_SECRET_KEY, Some("token".into()), None, "test");
    let config = client.config().to_builder().credentials_provider(keys).build();
    let store = S3Store::new(aws_sdk_s3::Client::from_conf(config), "site");
    for n in 0..3 {
        put(&store, &format!("{n}.html"), &all_headers(), "text").await;
    }
    let names = seen.names();
    let mut sdk: Vec<&String> = names[0].iter().filter(|name| !name.starts_with("amz-sdk-")).collect();
    sdk.sort();
    assert!(sdk.iter().any(|name| *name == "x-amz-security-token"), "{sdk:?}");
    for mine in &names[1..] {
        let mut mine: Vec<&String> = mine.iter().collect();
        mine.sort();
        assert_eq!(mine, sdk);
    }
}

#[tokio::test]
async fn whatever_goes_wrong_the_sdk_puts_once_more() {
    let error = |status, code| InjectedFault::Error { status, code };
    for trouble in [
        InjectedFault::Refuse,
        InjectedFault::LoseReply,
        InjectedFault::SlowDown,
        error(403, "RequestTimeTooSkewed"),
        error(400, "ExpiredToken"),
        error(500, "InternalError"),
    ] {
        let (cloud, seen) = (Cloud::memory(), Seen::default());
        let store = S3Store::new(client(&cloud, &seen).await, "site");
        put(&store, "first", &Headers::default(), "first").await;
        let requests = AtomicUsize::new(0);
        cloud.inject_faults(move |seen| {
            let next = seen.operation == "PutObject" && requests.fetch_add(1, Ordering::Relaxed) == 1;
            if next { trouble } else { InjectedFault::None }
        });
        for n in 0..3 {
            put(&store, &n.to_string(), &Headers::default(), "text").await;
            assert_eq!(store.get(&key(&n.to_string())).await.unwrap().unwrap(), "text", "{trouble:?}");
        }
        assert_eq!((seen.count(true), seen.count(false)), (2, 3), "{trouble:?}");
        assert_eq!(store.throttled(), u64::from(matches!(trouble, InjectedFault::SlowDown)), "{trouble:?}");
    }
}

#[tokio::test]
async fn where_they_never_arrive_they_are_given_up() {
    let (cloud, seen) = (Cloud::memory(), Seen { refuses: true, ..Seen::default() });
    let store = S3Store::new(client(&cloud, &seen).await, "site");
    for n in 0..20 {
        put(&store, &n.to_string(), &Headers::default(), "text").await;
    }
    assert_eq!((seen.count(true), seen.count(false)), (20, 8));
}

/// A program that wants its requests to be special.
#[derive(Debug)]
struct Special;

impl Intercept for Special {
    fn name(&self) -> &'static str {
        "Special"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().insert("x-amz-request-payer", "requester");
        Ok(())
    }
}

#[tokio::test]
async fn a_client_that_adds_something_or_tries_once_keeps_making_its_puts() {
    let (cloud, seen) = (Cloud::memory(), Seen::default());
    let client = client(&cloud, &seen).await;
    let special = client.config().to_builder().interceptor(Special).build();
    let once = aws_sdk_s3::config::retry::RetryConfig::disabled();
    let once = client.config().to_builder().retry_config(once).build();
    for config in [special, once] {
        let store = S3Store::new(aws_sdk_s3::Client::from_conf(config), "site");
        for n in 0..3 {
            put(&store, &n.to_string(), &Headers::default(), "text").await;
        }
    }
    assert_eq!((seen.count(true), seen.count(false)), (6, 0));
}
