use tokio::sync::oneshot;
use twinsite_aws_session::{Access, Session};
use twinsite_local::{Cloud, listen, remote, serve};

#[tokio::test]
async fn a_served_cloud_is_the_same_through_a_socket() {
    let cloud = Cloud::memory();
    let listener = listen(0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve(listener, cloud.clone(), async { drop(stopped.await) });
    let client = async {
        let access = Access { embedded: Some(remote(address)), ..Access::default() };
        let session = Session::open(access).await;
        assert_eq!(session.caller().await.unwrap().account.as_str(), "000000000000");
        let s3 = session.s3(&"us-east-1".parse().unwrap());
        s3.create_bucket().bucket("site").send().await.unwrap();
        crate::put(&s3, "a b+c", "over the wire").await;
        assert_eq!(crate::get(&s3, "a b+c").await, "over the wire");
        stop.send(()).unwrap();
    };
    tokio::join!(server, client);
    assert_eq!(cloud.requests().get("PutObject"), Some(&1));
}
