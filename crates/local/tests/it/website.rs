use aws_sdk_s3::types::{
    Condition, ErrorDocument, IndexDocument, PublicAccessBlockConfiguration, Redirect, RoutingRule,
    ServerSideEncryption, WebsiteConfiguration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use twinsite_local::{Cloud, listen, serve_website};

use crate::{put, site};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/*"},
 {"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::site/.twinsite/*",
  "Condition":{"StringNotEquals":{"aws:PrincipalAccount":"000000000000"}}}]}"#;

async fn published() -> Cloud {
    let (cloud, s3) = site().await;
    let open = PublicAccessBlockConfiguration::builder().build();
    s3.put_public_access_block().bucket("site").public_access_block_configuration(open).send().await.unwrap();
    s3.put_bucket_policy().bucket("site").policy(POLICY).send().await.unwrap();
    let website = WebsiteConfiguration::builder()
        .index_document(IndexDocument::builder().suffix("index.html").build().unwrap())
        .error_document(ErrorDocument::builder().key("404.html").build().unwrap())
        .build();
    s3.put_bucket_website().bucket("site").website_configuration(website).send().await.unwrap();
    let page = s3.put_object().bucket("site").key("docs/index.html").content_type("text/html; charset=utf-8");
    page.cache_control("max-age=0").body(b"<h1>docs</h1>".to_vec().into()).send().await.unwrap();
    put(&s3, "404.html", "lost").await;
    put(&s3, ".twinsite/ledger", "secret").await;
    cloud
}

/// Sends bytes over a plain socket, independent of any HTTP client.
async fn raw(cloud: &Cloud, requests: &[&str]) -> Vec<String> {
    let listener = listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve_website(listener, cloud.clone(), "site".into(), async { drop(stopped.await) });
    let client = async {
        let mut answers = Vec::new();
        for request in requests {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("{request}\r\nHost: www.example.com\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answers.push(answer);
        }
        stop.send(()).unwrap();
        answers
    };
    tokio::join!(server, client).1
}

#[tokio::test]
async fn pages_are_served_as_configured() {
    let cloud = published().await;
    let answers = raw(&cloud, &["GET /docs/ HTTP/1.1", "GET /docs HTTP/1.1", "HEAD /docs/ HTTP/1.1"]).await;
    assert!(answers[0].starts_with("HTTP/1.1 200") && answers[0].ends_with("<h1>docs</h1>"), "{}", answers[0]);
    assert!(answers[0].contains("cache-control: max-age=0") && answers[0].contains("text/html; charset=utf-8"));
    assert!(answers[1].starts_with("HTTP/1.1 302") && answers[1].contains("location: /docs/"));
    assert!(answers[2].contains("content-length: 13") && answers[2].ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn missing_pages_get_the_error_document_and_the_reserved_prefix_is_private() {
    let cloud = published().await;
    let answers = raw(&cloud, &["GET /none HTTP/1.1", "GET /.twinsite/ledger HTTP/1.1", "POST / HTTP/1.1"]).await;
    assert!(answers[0].starts_with("HTTP/1.1 403") && answers[0].ends_with("lost"), "{}", answers[0]);
    assert!(answers[1].starts_with("HTTP/1.1 403") && !answers[1].contains("secret"));
    assert!(answers[2].starts_with("HTTP/1.1 405"));
    assert!(answers[0].contains("x-amz-error-code: AccessDenied"), "{}", answers[0]);
}

#[tokio::test]
async fn a_plus_in_a_path_is_a_space() {
    let cloud = published().await;
    let s3 = crate::s3(&cloud, "us-east-1").await;
    put(&s3, "a b.txt", "space").await;
    put(&s3, "a+b.txt", "plus").await;
    let paths = ["/a+b.txt", "/a%20b.txt", "/a%2Bb.txt"].map(|path| format!("GET {path} HTTP/1.1"));
    let answers = raw(&cloud, &paths.each_ref().map(String::as_str)).await;
    assert!(answers[0].ends_with("space") && answers[1].ends_with("space") && answers[2].ends_with("plus"));
}

#[tokio::test]
async fn redirects_of_routing_rules_lead_to_the_endpoint_and_errors_have_headers() {
    let cloud = published().await;
    let s3 = crate::s3(&cloud, "us-east-1").await;
    let policy = POLICY.replace(
        "\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::site/*\"",
        "[\"s3:GetObject\",\"s3:ListBucket\"],\"Resource\":[\"arn:aws:s3:::site\",\"arn:aws:s3:::site/*\"]",
    );
    s3.put_bucket_policy().bucket("site").policy(policy).send().await.unwrap();
    let rule = RoutingRule::builder()
        .condition(Condition::builder().key_prefix_equals("old/").build())
        .redirect(Redirect::builder().replace_key_prefix_with("docs/").build());
    let website = WebsiteConfiguration::builder()
        .index_document(IndexDocument::builder().suffix("index.html").build().unwrap())
        .error_document(ErrorDocument::builder().key("404.html").build().unwrap())
        .routing_rules(rule.build());
    s3.put_bucket_website().bucket("site").website_configuration(website.build()).send().await.unwrap();
    let answers = raw(&cloud, &["GET /old/a HTTP/1.1", "GET /none HTTP/1.1", "GET /docs HTTP/1.1"]).await;
    assert!(answers[0].contains("location: http://www.example.com/docs/a\r\n"), "{}", answers[0]);
    assert!(answers[1].starts_with("HTTP/1.1 404") && answers[1].ends_with("lost"), "{}", answers[1]);
    for header in ["x-amz-error-code: NoSuchKey", "x-amz-error-detail-key: none"] {
        assert!(answers[1].contains(header), "{header}: {}", answers[1]);
    }
    assert!(answers[2].contains("x-amz-error-code: Found") && answers[2].contains("location: /docs/\r\n"));
}

#[tokio::test]
async fn ranges_and_conditional_requests_are_supported() {
    let cloud = published().await;
    let range = "GET /docs/ HTTP/1.1\r\nRange: bytes=1-2";
    let known = "GET /docs/ HTTP/1.1\r\nIf-None-Match: \"9c1c3d2f0fdde0ef0e9bd1c6dd4a9ac6\", *";
    let answers = raw(&cloud, &[range, known]).await;
    assert!(answers[0].starts_with("HTTP/1.1 206") && answers[0].ends_with("\r\n\r\nh1"), "{}", answers[0]);
    assert!(answers[1].starts_with("HTTP/1.1 304") && answers[1].ends_with("\r\n\r\n"), "{}", answers[1]);
}

#[tokio::test]
async fn objects_encrypted_with_kms_are_not_for_anonymous_visitors() {
    let cloud = published().await;
    let s3 = crate::s3(&cloud, "us-east-1").await;
    let put = s3.put_object().bucket("site").key("hidden.txt").body(b"secret".to_vec().into());
    put.server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    let answers = raw(&cloud, &["GET /hidden.txt HTTP/1.1"]).await;
    assert!(answers[0].starts_with("HTTP/1.1 403") && !answers[0].contains("secret"), "{}", answers[0]);
}
