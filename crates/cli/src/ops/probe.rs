//! After a publish: what visitors get, through CloudFront and from both origins, is what was published.

use std::time::{Duration, Instant};

use twinsite_core::{Event, Run, Side, wait};
use twinsite_sync::{Body, ETag, Key, Md5, Source, SourceObject, Store, Wave, md5, part_digests};

use crate::args::Global;
use crate::error::Failure;
use crate::stack::Stack;

const WHAT: &str = "look at what was published";

/// An invalidation reaches an edge within seconds; caches between are no business of ours.
const PATIENCE: Duration = Duration::from_mins(1);
/// The embedded cloud's edges hear of it at once, nearly.
const LOCAL: Duration = Duration::from_secs(5);

/// What is wrong with the entry pages; empty when nothing is.
pub(super) async fn entry_pages(
    stack: &Stack,
    global: &Global,
    source: &Source,
    run: &Run,
) -> Result<Vec<String>, Failure> {
    let plane = stack.open_plane(global, 1).await?;
    let mut faults = Vec::new();
    for object in source.objects().iter().filter(|object| object.wave == Wave::Entry) {
        let wanted = digest(object)?;
        faults.extend(through_the_front(stack, &object.key, wanted, run).await);
        for side in Side::BOTH {
            faults.extend(at_the_origin(stack, side, &object.key, wanted).await);
        }
    }
    if let Some(plane) = plane {
        plane.close().await;
    }
    Ok(faults)
}

fn digest(object: &SourceObject) -> Result<Option<Md5>, Failure> {
    match &object.body {
        Body::Past { etag: ETag::Md5(md5), .. } => Ok(Some(*md5)),
        Body::Past { .. } => Ok(None),
        Body::File { .. } => {
            let digests = part_digests(object, u64::MAX).map_err(|error| Failure::source(WHAT, &error))?;
            Ok(digests.first().copied())
        }
    }
}

/// What visitors get at the site's own name.
async fn through_the_front(stack: &Stack, key: &Key, wanted: Option<Md5>, run: &Run) -> Option<String> {
    let (host, path) = (stack.site.domain.as_str(), encoded(key));
    let address = format!("https://{host}{path}");
    let (started, patience) = (Instant::now(), if stack.is_local() { LOCAL } else { PATIENCE });
    loop {
        let fault = match Box::pin(stack.visit_host(host, &path, true)).await {
            Ok(seen) => wrong(seen.status, &seen.body, wanted),
            Err(error) => Some(error.to_string()),
        };
        let fault = fault?;
        let since = started.elapsed();
        if since > patience || run.is_cancelled() {
            return Some(format!("{address}: {fault}"));
        }
        run.emit(&Event::Waiting {
            what: format!("{address} to show what was published"),
            since,
            usually: Some("seconds"),
        });
        wait::pause(run, Duration::from_millis(500)).await;
    }
}

/// What there is behind it, whatever caches say.
async fn at_the_origin(stack: &Stack, side: Side, key: &Key, wanted: Option<Md5>) -> Option<String> {
    if !stack.site.mode.public_buckets() {
        let stores = stack.stores();
        let fault = match Box::pin(stores.get(side).get(key)).await {
            Ok(Some(body)) => wrong(200, &body, wanted),
            Ok(None) => wrong(404, &[], wanted),
            Err(error) => Some(error.to_string()),
        };
        return fault.map(|fault| format!("s3://{}/{key}: {fault}", stores.get(side).bucket()));
    }
    let host = stack.site.website_host(side);
    let fault = match Box::pin(stack.visit_host(&host, &encoded(key), false)).await {
        Ok(seen) => wrong(seen.status, &seen.body, wanted),
        Err(error) => Some(error.to_string()),
    };
    fault.map(|fault| format!("http://{host}{}: {fault}", encoded(key)))
}

fn wrong(status: u16, body: &[u8], wanted: Option<Md5>) -> Option<String> {
    match wanted {
        _ if status != 200 => Some(format!("HTTP status {status}")),
        Some(wanted) if md5(body) != wanted => Some("something else than what was published".to_owned()),
        Some(_) | None => None,
    }
}

fn encoded(key: &Key) -> String {
    const PATH: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    format!("/{}", percent_encoding::utf8_percent_encode(key.as_str(), PATH))
}
