//! The origin from which edges of CloudFront serve visitors, by a value in the site's key value store.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use twinsite_aws::{AwsError, outlast_refusals};
use twinsite_cdn::{InvalidationPaths, OriginChoice, StoreContents};
use twinsite_core::wait::{Poll, PollPolicy, WaitError, poll_until};
use twinsite_core::{Arn, Event, Mode, Run, probe};
use twinsite_dns_failover::probe::{ProbeError, Response};

use super::{EdgeInvalidation, Moved, MovedBy, SeenOverHttps};
use crate::context::SiteContext;
use crate::error::{Context, Error};
use crate::network::{Network, ProbeRequest, Scheme};

/// Edges follow within seconds, now and then within tens of seconds.
const PROPAGATION: PollPolicy = PollPolicy { first: Duration::from_millis(500), ..PollPolicy::SECONDS };
/// How long CloudFront's control plane is given to accept an invalidation: it may be what is unavailable.
const INVALIDATION: Duration = Duration::from_secs(20);

/// The key value store of an open site. That it is the site's was verified.
pub(super) struct SiteStore<'a> {
    site: &'a SiteContext,
    operation: &'static str,
    arn: Arn,
    contents: StoreContents,
}

impl<'a> SiteStore<'a> {
    /// Finds the store by the record in the backup bucket or, if that is missing or names a store of another site, by its name, for which
    /// CloudFront's control plane must respond.
    ///
    /// A record is not trusted: the store must be of this account, and a key in it must name this site, which only who may write to the
    /// store can have put.
    pub(super) async fn find(site: &'a SiteContext, operation: &'static str, run: &Run) -> Result<Self, Error> {
        let recorded = site.services.s3.recorded_store(&site.site).await;
        Self::find_by(recorded, site, operation, run).await
    }

    /// The same, once the record was read.
    pub(super) async fn find_by(
        recorded: Result<Option<Arn>, AwsError>,
        site: &'a SiteContext,
        operation: &'static str,
        run: &Run,
    ) -> Result<Self, Error> {
        let services = &site.services;
        let unread = recorded.as_ref().err().map(ToString::to_string);
        if let Some(arn) = recorded.ok().flatten() {
            match AwsError::absent(Box::pin(services.cdn.read_store(&arn)).await) {
                Ok(Some(contents)) if is_of_site(site, &contents) => {
                    return Ok(Self { site, operation, arn, contents });
                }
                Ok(_) => {
                    let text = format!("the backup bucket records a key value store that is not this site's: {arn}");
                    let hint = Some("`twinsite apply` records the right one".to_owned());
                    run.emit(&Event::Warning { text, hint });
                }
                Err(error) => return Err(by_dns_instead(site, Error::new(operation, error))),
            }
        }
        let by_name = within(run, Box::pin(services.cdn.find_store(&site.desired_cdn(false)))).await;
        let arn = match by_name {
            Some(Ok(Some(arn))) => arn,
            Some(Ok(None)) => {
                let error = Error::refused(operation, "the site has no key value store");
                return Err(by_dns_instead(site, error.hint("`twinsite apply` creates it")));
            }
            unavailable => {
                let record = unread.map_or_else(
                    || "the backup bucket has no record of the key value store".to_owned(),
                    |error| format!("the record of the key value store could not be read: {error}"),
                );
                let why = match unavailable {
                    Some(Err(error)) => error.to_string(),
                    Some(Ok(_)) | None => "it does not respond".to_owned(),
                };
                let error = Error::refused(operation, format!("{record}; and CloudFront's control plane: {why}"));
                return Err(by_dns_instead(site, error.hint("`twinsite apply` records it, once CloudFront responds")));
            }
        };
        let contents = Box::pin(services.cdn.read_store(&arn)).await.context(operation)?;
        if !is_of_site(site, &contents) {
            let why = format!("the key value store {arn} does not name this site");
            return Err(Error::refused(operation, why).hint("see `twinsite plan`"));
        }
        Ok(Self { site, operation, arn, contents })
    }

    /// From which origin visitors are served. A value that means nothing is the primary, as for the function.
    pub(super) fn choice(&self) -> OriginChoice {
        self.contents.origin.as_deref().and_then(|origin| origin.parse().ok()).unwrap_or_default()
    }

    /// Has visitors served from an origin, waits until an edge follows, and asks for an invalidation. What is done already is not done
    /// again.
    pub(super) async fn serve_from(&self, choice: OriginChoice, run: &Run) -> Result<Moved, Error> {
        let Self { site, operation, arn, .. } = self;
        let cdn = &site.services.cdn;
        let put = outlast_refusals(run, "PutKey", || async {
            let contents = Box::pin(cdn.read_store(arn)).await?;
            if contents.origin.as_deref() == Some(choice.to_string().as_str()) {
                return Ok(false);
            }
            if !is_of_site(site, &contents) {
                return Err(AwsError::refused("PutKey", arn, "the key value store does not name this site any more"));
            }
            Box::pin(cdn.put_origin_choice(arn, &contents, choice)).await?;
            Ok(true)
        });
        let changed = put.await.map_err(|error| by_dns_instead(site, Error::new(*operation, error)))?;
        let seen = self.await_edge(choice, run).await?;
        // Repeated, too: the last run may have been interrupted before this.
        let invalidation = Some(self.invalidate(choice, run).await);
        Ok(Moved { by: MovedBy::KeyValueStore, changed, primary_percent: choice.primary_percent(), seen, invalidation })
    }

    /// Waits until an edge that is asked over HTTPS serves from the origin, and requests the front page.
    async fn await_edge(&self, choice: OriginChoice, run: &Run) -> Result<Option<SeenOverHttps>, Error> {
        if matches!(self.site.network, Network::Unavailable) {
            return Ok(None);
        }
        self.site.warn_of_proxy(run);
        let (started, what) = (run.timer.now(), format!("an edge of CloudFront to serve from: {choice}"));
        let (expected, last) = (choice.to_string(), Mutex::new(String::new()));
        let followed = poll_until(run, PROPAGATION, &what, async || {
            let seen = match self.get(&format!("/{}", probe::ORIGIN)).await {
                Ok(response) if response.status == 200 => {
                    let origin = String::from_utf8_lossy(&response.body).trim().to_owned();
                    if origin == expected {
                        return Ok::<_, Infallible>(Poll::Ready(()));
                    }
                    format!("it answers `{}`", origin.chars().take(40).collect::<String>())
                }
                Ok(response) => format!("it answers with HTTP status {}", response.status),
                Err(error) => error.to_string(),
            };
            *last.lock().unwrap_or_else(PoisonError::into_inner) = seen;
            Ok(Poll::NotYet)
        });
        match followed.await {
            Ok(()) => {}
            Err(WaitError::Cancelled { .. }) => return Err(Error::new(self.operation, twinsite_core::Cancelled)),
            Err(WaitError::TimedOut { total, .. }) => {
                let address = format!("{}{}", self.site.url(), probe::ORIGIN);
                let why = format!(
                    "`{choice}` was put into the key value store, and after {} s {address} does not confirm it: {}",
                    total.as_secs(),
                    last.into_inner().unwrap_or_else(PoisonError::into_inner)
                );
                let error = Error::refused(self.operation, why).hint("repeat the command: it goes on waiting");
                return Err(by_dns_instead(self.site, error));
            }
            Err(WaitError::Poll(never)) => match never {},
        }
        let seconds = run.timer.now().saturating_sub(started).as_secs();
        let page = self.get("/").await;
        Ok(Some(SeenOverHttps { origin: expected, page_status: page.ok().map(|page| page.status), seconds }))
    }

    async fn get(&self, path: &str) -> Result<Response, ProbeError> {
        let request = ProbeRequest { host: self.site.site.domain.as_str(), path, scheme: Scheme::Https };
        Box::pin(self.site.get_from_host(request)).await
    }

    /// Asks for an invalidation of everything: edges may hold what a sick primary has answered.
    async fn invalidate(&self, choice: OriginChoice, run: &Run) -> EdgeInvalidation {
        let cdn = &self.site.services.cdn;
        let asked = async {
            let Some(edges) = cdn.find_edges(&self.site.desired_cdn(false)).await? else {
                return Err(AwsError::refused("ListDistributions", &self.site.site.domain, "there is no distribution"));
            };
            let reference = format!("twinsite-{choice}-{}", self.contents.etag).replace(['%', ' '], "-");
            let reference = format!("{reference}-{}", fastrand::u64(..));
            cdn.invalidate(&edges.distribution, &InvalidationPaths::everything(), &reference, run).await
        };
        match within(run, Box::pin(asked)).await {
            Some(Ok(_)) => EdgeInvalidation::Accepted,
            Some(Err(error)) => EdgeInvalidation::NotAccepted { reason: error.to_string() },
            None => {
                let reason = format!("CloudFront's control plane did not respond within {} s", INVALIDATION.as_secs());
                EdgeInvalidation::NotAccepted { reason }
            }
        }
    }
}

/// The result of calls to a control plane; `None` if they take too long.
async fn within<T>(run: &Run, calls: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        result = calls => Some(result),
        () = run.timer.sleep(INVALIDATION) => None,
        () = run.cancel.cancelled() => None,
    }
}

fn is_of_site(site: &SiteContext, contents: &StoreContents) -> bool {
    contents.site.as_deref() == Some(site.site.domain.as_str())
}

/// In `layered`, visitors can be moved without CloudFront.
fn by_dns_instead(site: &SiteContext, error: Error) -> Error {
    match site.site.mode {
        Mode::Layered => error.hint("if CloudFront itself is unavailable: `twinsite failover --dns`"),
        Mode::Dns | Mode::Origin => error,
    }
}

/// From which origin visitors are served, of a store that was observed.
pub(crate) fn read_origin_choice(actual: &twinsite_cdn::Actual) -> Option<OriginChoice> {
    let origin = actual.store.as_ref()?.origin.as_deref()?;
    Some(origin.parse().unwrap_or_default())
}
