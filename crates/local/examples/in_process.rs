//! The AWS SDK against an embedded cloud in this process, with a fault.

use std::sync::atomic::{AtomicBool, Ordering};

use twinsite_aws_session::{Access, Session};
use twinsite_local::{Cloud, InjectedFault};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cloud = Cloud::memory();
    let session = Session::open(Access { embedded: Some(cloud.http_client()), ..Access::default() }).await?;
    let s3 = session.s3(&"us-east-1".parse()?);
    s3.create_bucket().bucket("site").send().await?;

    // The first PutObject is executed, but its reply is lost: the SDK retries it.
    let lost = AtomicBool::new(false);
    cloud.inject_faults(move |request| {
        let first = request.operation == "PutObject" && !lost.swap(true, Ordering::Relaxed);
        if first { InjectedFault::LoseReply } else { InjectedFault::None }
    });
    s3.put_object().bucket("site").key("index.html").body(b"<h1>Hello</h1>".to_vec().into()).send().await?;
    assert_eq!(cloud.request_counts()["PutObject"], 2);
    Ok(())
}
