use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use twinsite_aws_session::{Access, Session};
use twinsite_local::{Cloud, PauseStatus, http_client_at, listen, serve};

/// Calls a control endpoint, and returns its JSON.
async fn control(address: SocketAddr, method: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} /_twinsite/pause HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}"
    );
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_request_is_held_until_it_is_released() {
    let cloud = Cloud::memory();
    let listener = listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(listener, cloud.clone(), async { drop(stopped.await) });
    let client = async {
        let session =
            Session::open(Access { embedded: Some(http_client_at(address)), ..Access::default() }).await.unwrap();
        let s3 = session.s3(&"us-east-1".parse().unwrap());
        s3.create_bucket().bucket("site").send().await.unwrap();
        assert_eq!(control(address, "GET", "").await, "null");
        let set = control(address, "PUT", r#"{"operation":"PutObject","at":3}"#).await;
        assert_eq!(set, r#"{"pause":{"operation":"PutObject","at":3},"arrived":0,"reached":false}"#);
        let status = async || serde_json::from_str::<PauseStatus>(&control(address, "GET", "").await).unwrap();
        crate::put(&s3, "1", "").await;
        crate::put(&s3, "2", "").await;
        assert_eq!((status().await.arrived, status().await.reached), (2, false));
        let third = crate::put(&s3, "3", "");
        let watcher = async {
            while !status().await.reached {
                tokio::task::yield_now().await;
            }
            assert!(s3.head_object().bucket("site").key("3").send().await.is_err(), "nothing is executed before");
            crate::put(&s3, "4", "").await;
            assert_eq!(control(address, "DELETE", "").await, "null");
        };
        let both = Box::pin(async { tokio::join!(third, watcher) });
        tokio::time::timeout(Duration::from_secs(30), both).await.unwrap();
        assert_eq!(crate::get(&s3, "3").await, "");
        stop.send(()).unwrap();
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_served_cloud_is_the_same_through_a_socket() {
    let cloud = Cloud::memory();
    let listener = listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(listener, cloud.clone(), async { drop(stopped.await) });
    let client = async {
        let access = Access { embedded: Some(http_client_at(address)), ..Access::default() };
        let session = Session::open(access).await.unwrap();
        assert_eq!(session.caller().await.unwrap().account.as_str(), "000000000000");
        let s3 = session.s3(&"us-east-1".parse().unwrap());
        s3.create_bucket().bucket("site").send().await.unwrap();
        crate::put(&s3, "a b+c", "over the wire").await;
        assert_eq!(crate::get(&s3, "a b+c").await, "over the wire");
        stop.send(()).unwrap();
    };
    tokio::join!(server, client);
    assert_eq!(cloud.request_counts().get("PutObject"), Some(&1));
}

#[tokio::test]
async fn control_endpoints_are_for_this_machine_only() {
    let served = crate::wire::Served::new(&Cloud::memory()).await;
    let port = served.address.port();
    let get = async |path: &str, host: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        crate::wire::exchange(served.address, &request).await.split(' ').nth(1).unwrap().to_owned()
    };
    for path in ["/_twinsite/requests", "/_twinsite/endpoints", "/_twinsite/faults", "/_twinsite/pause"] {
        for host in ["localhost", "127.0.0.1", &format!("127.0.0.1:{port}"), &format!("[::1]:{port}")] {
            assert_eq!(get(path, host).await, "200", "{path} {host}");
        }
        for host in ["evil.example.com", &format!("evil.example.com:{port}"), "127.0.0.1.example.com", ""] {
            assert_eq!(get(path, host).await, "403", "{path} {host}");
        }
    }
}

#[tokio::test]
async fn large_requests_to_other_services_than_s3_are_refused() {
    let served = crate::wire::Served::new(&Cloud::memory()).await;
    let body = "x".repeat(5 << 20);
    let signature = "AWS4-HMAC-SHA256 Credential=embedded/20261123/us-east-1/iam/aws4_request, Signature=x";
    let head = format!("POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: {signature}", served.address);
    let request = format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let answer = crate::wire::exchange(served.address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}
