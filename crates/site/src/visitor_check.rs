//! After a publish: compares what visitors get, through CloudFront and from both origins, with what was published.

use std::fmt;
use std::time::{Duration, Instant};

use twinsite_core::{Event, Run, Side, url_path, wait};
use twinsite_dns_failover::probe::{ProbeError, Response};
use twinsite_sync::{Body, ETag, Key, Md5, Source, SourceObject, Store, Wave, md5, part_digests};

use crate::context::SiteContext;
use crate::error::{Cause, Context, Error};
use crate::network::{ProbeRequest, Scheme};
use crate::options::{DeployRequest, VisitorCheck};
use crate::publish_result::PublishResult;
use crate::site_rules::SiteRules;

const OPERATION: &str = "check what was published";

/// How long edge locations may serve the previous copy after an invalidation.
const INVALIDATION: Duration = Duration::from_mins(1);
/// The same in an embedded cloud.
const INVALIDATION_EMBEDDED: Duration = Duration::from_secs(5);

/// An entry page that visitors do not get as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedCheck {
    address: String,
    reason: String,
}

impl fmt::Display for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.reason)
    }
}

/// What was published, and by which rules visitors are redirected.
#[derive(Clone, Copy)]
pub(crate) struct PublishedSite<'a> {
    pub(crate) source: &'a Source,
    pub(crate) rules: &'a SiteRules,
}

/// The entry pages that visitors do not get as they were published.
pub(crate) async fn check_entry_pages(
    site: &SiteContext,
    published: PublishedSite<'_>,
    run: &Run,
) -> Result<Vec<FailedCheck>, Error> {
    let PublishedSite { source, rules } = published;
    site.warn_of_proxy(run);
    let mut failed = Vec::new();
    for object in source.objects().iter().filter(|object| object.wave == Wave::Entry) {
        let expected = digest(object)?;
        // A page from which a rule leads away is not seen under its own address, and one with a password not at all.
        if !rules.answers(&url_path(object.key.as_str())) && site.config.auth.is_empty() {
            failed.extend(check_site(site, &object.key, expected, run).await);
        }
        for side in Side::BOTH {
            failed.extend(check_origin(site, side, &object.key, expected).await);
        }
    }
    Ok(failed)
}

fn digest(object: &SourceObject) -> Result<Option<Md5>, Error> {
    match &object.body {
        Body::Version { digest: Some(ETag::Md5(md5)), .. }
        | Body::Version { etag: ETag::Md5(md5), digest: None, .. } => Ok(Some(*md5)),
        Body::Version { .. } => Ok(None),
        Body::File { .. } | Body::Memory(_) => Ok(part_digests(object, u64::MAX).context(OPERATION)?.first().copied()),
    }
}

/// The page under the site's own name.
async fn check_site(site: &SiteContext, key: &Key, expected: Option<Md5>, run: &Run) -> Option<FailedCheck> {
    let (host, path) = (site.site.domain.as_str(), url_path(key.as_str()));
    let address = format!("https://{host}{path}");
    let timeout = if site.is_internet() { INVALIDATION } else { INVALIDATION_EMBEDDED };
    let started = Instant::now();
    loop {
        let response = Box::pin(site.get_from_host(ProbeRequest { host, path: &path, scheme: Scheme::Https })).await;
        let reason = mismatch(&response, expected)?;
        let since = started.elapsed();
        if since > timeout || run.is_cancelled() {
            return Some(FailedCheck { address, reason });
        }
        run.emit(&Event::Waiting {
            what: format!("{address} to serve the new release"),
            since,
            usually: Some("seconds"),
        });
        wait::pause(run, Duration::from_millis(500)).await;
    }
}

/// The page at one origin, without caches in between.
async fn check_origin(site: &SiteContext, side: Side, key: &Key, expected: Option<Md5>) -> Option<FailedCheck> {
    if !site.site.mode.public_buckets() {
        let store = site.store(side);
        let reason = match Box::pin(store.get(key)).await {
            Ok(Some(body)) => wrong_body(&body, expected),
            Ok(None) => Some("the object does not exist".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        return reason.map(|reason| FailedCheck { address: format!("s3://{}/{key}", store.bucket()), reason });
    }
    let (host, path) = (site.site.website_host(side), url_path(key.as_str()));
    let response = Box::pin(site.get_from_host(ProbeRequest { host: &host, path: &path, scheme: Scheme::Http })).await;
    mismatch(&response, expected).map(|reason| FailedCheck { address: format!("http://{host}{path}"), reason })
}

fn mismatch(response: &Result<Response, ProbeError>, expected: Option<Md5>) -> Option<String> {
    match response {
        Ok(response) if response.status != 200 => Some(format!("HTTP status {}", response.status)),
        Ok(response) => wrong_body(&response.body, expected),
        Err(error) => Some(error.to_string()),
    }
}

fn wrong_body(body: &[u8], expected: Option<Md5>) -> Option<String> {
    let wrong = expected.is_some_and(|expected| md5(body) != expected);
    wrong.then(|| "the content differs from what was published".to_owned())
}

/// Checks the entry pages after a deploy, if that was asked for.
///
/// # Errors
/// Visitors get something else than what was published.
pub(crate) async fn check_as_visitor(
    site: &SiteContext,
    published: PublishedSite<'_>,
    request: &DeployRequest,
    result: &PublishResult,
    run: &Run,
) -> Result<(), Error> {
    let wanted = match request.check {
        VisitorCheck::Configured => site.config.publish.probe,
        VisitorCheck::Skip => false,
        VisitorCheck::Check => true,
    };
    let Some(release) = result.release.as_ref().filter(|_| wanted) else { return Ok(()) };
    let failed = check_entry_pages(site, published, run).await?;
    if failed.is_empty() {
        return Ok(());
    }
    let reasons = failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    Err(Error::new("confirm that visitors get what was published", Cause::NotServed { release: release.id, reasons }))
}
