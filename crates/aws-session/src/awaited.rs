//! How long responses are awaited: the one place that all requests of all services pass.
//!
//! A request that is not answered within its deadline has failed, and the SDK repeats it. The deadline of a read is shorter while its host
//! answers nothing at all, and that of a request which is repeated to a host that has not answered is shorter still, so that a region which
//! accepts connections and never answers is reported within a minute. Without any response for ten seconds, an event says
//! what is waited for. When the run is cancelled, reads are not awaited any longer, and writes for a few seconds only; what cleans up
//! afterwards ([`twinsite_core::clean_up`]) is awaited.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use twinsite_core::{Cancelled, Event, Run, is_cleaning_up, wait};

/// Without any response for so long, it is said what is waited for,
const SILENCE: Duration = Duration::from_secs(10);

/// and again after so long.
const AGAIN: Duration = Duration::from_secs(30);

/// How long a read is awaited while its host answers no request, so that it is not a busy link that delays the response.
const SILENT_HOST: Duration = Duration::from_secs(20);

/// How long a request is awaited that is repeated while its host has not answered since one has failed without a response.
const REPEATED: Duration = Duration::from_secs(5);

/// How long a write in flight is awaited after a cancellation, so that it is known what it has done.
const GRACE: Duration = Duration::from_secs(3);

/// How long a request is awaited that is sent after a cancellation, to record what is left to do.
const AFTER_CANCELLATION: Duration = Duration::from_secs(10);

/// Bytes that a slow link sends in a second: 2 Mbit/s. A large body is not answered before it has been sent.
const SLOW_LINK: u64 = 250_000;

/// Names of operations that are kept at most.
const MAX_NAMES: usize = 10_000;

/// The header that is the same in all attempts of a call.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const INVOCATION: &str = "amz-sdk-invocation-id";

/// What a client awaits.
#[derive(Clone)]
pub(crate) struct Awaited {
    run: Run,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").finish_non_exhaustive()
    }
}

struct State {
    /// Operations by the invocation that they are called by.
    names: HashMap<String, Operation>,
    /// Requests without a response, the oldest first.
    pending: BTreeMap<u64, Pending>,
    next: u64,
    /// When the last response has arrived.
    answered: Instant,
    hosts: HashMap<String, Host>,
    /// When it was last said what is waited for, since then.
    said: Option<Instant>,
    /// How many seconds the clock of the last response that had a date was ahead of this machine's.
    clock_offset: Option<i64>,
}

/// What is known of a host.
#[derive(Clone, Copy, Debug, Default)]
struct Host {
    /// When its last response has arrived.
    answered: Option<Instant>,
    /// Whether a request to it has failed without a response since.
    is_silent: bool,
}

#[derive(Clone, Debug)]
struct Operation {
    service: String,
    name: String,
}

#[derive(Clone, Debug)]
struct Pending {
    operation: Operation,
    since: Instant,
}

impl State {
    fn note(&mut self, name: &str, host: Host) {
        if self.hosts.len() >= MAX_NAMES {
            self.hosts.clear();
        }
        self.hosts.insert(name.to_owned(), host);
    }
}

impl Awaited {
    pub(crate) fn new(run: Run) -> Self {
        let (names, pending) = (HashMap::new(), BTreeMap::new());
        let state = State {
            names,
            pending,
            next: 0,
            answered: Instant::now(),
            hosts: HashMap::new(),
            said: None,
            clock_offset: None,
        };
        Self { run, state: Arc::new(Mutex::new(state)) }
    }

    /// The client whose responses are awaited so.
    pub(crate) fn client(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(AwaitedClient { awaited: self.clone(), client })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, request: &HttpRequest) -> Begun {
        let mut state = self.state();
        let known = request.headers().get(INVOCATION).and_then(|id| state.names.get(id)).cloned();
        let host = request.uri().split('/').nth(2).unwrap_or_default().to_owned();
        let operation = known.unwrap_or_else(|| Operation { service: host.clone(), name: request.method().to_owned() });
        let id = state.next;
        state.next += 1;
        state.pending.insert(id, Pending { operation: operation.clone(), since: Instant::now() });
        Begun { awaited: self.clone(), id, operation, host }
    }

    /// How many seconds the clocks of those who respond are ahead of this machine's.
    pub(crate) fn clock_offset(&self) -> Option<i64> {
        self.state().clock_offset
    }

    /// Notes the time of a response by its header `Date`, which refusals have, too.
    #[expect(clippy::disallowed_methods, reason = "the clock of this machine is what is compared")]
    fn note_time(&self, response: &HttpResponse) {
        let date = response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(date) = date {
            let here = DateTime::from(std::time::SystemTime::now());
            self.state().clock_offset = Some(date.secs() - here.secs());
        }
    }

    /// How long to wait before there may be something to say about a request that has been quiet for `quiet` then.
    fn until_silence(&self, since: Instant, quiet: Duration) -> Duration {
        let state = self.state();
        let silent = (since + quiet).max(state.answered + SILENCE);
        let at = state.said.map_or(silent, |said| silent.max(said + AGAIN));
        at.saturating_duration_since(Instant::now()).max(Duration::from_millis(50))
    }

    /// Says what is waited for, unless another request has said it, or was answered meanwhile.
    fn tell(&self, since: Instant, quiet: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        let is_silent = now >= since + quiet && now >= state.answered + SILENCE;
        if !is_silent || state.said.is_some_and(|said| now < said + AGAIN) {
            return;
        }
        let Some(oldest) = state.pending.values().next().cloned() else { return };
        let Pending { operation: Operation { service, name }, since } = oldest;
        let what = match state.pending.len() {
            1 => format!("{service} to respond to {name}"),
            requests => format!("responses to {requests} requests, the first of them {name} to {service}"),
        };
        state.said = Some(now);
        drop(state);
        self.run.emit(&Event::Waiting { what, since: since.elapsed(), usually: Some("less than a second") });
    }
}

/// A request without a response.
struct Begun {
    awaited: Awaited,
    id: u64,
    operation: Operation,
    host: String,
}

impl Begun {
    fn is_read(&self, method: &str) -> bool {
        let reads = ["Get", "Head", "List", "Describe"];
        matches!(method, "GET" | "HEAD") || reads.iter().any(|verb| self.operation.name.starts_with(verb))
    }

    fn answered(&self) {
        let mut state = self.awaited.state();
        (state.answered, state.said) = (Instant::now(), None);
        state.note(&self.host, Host { answered: Some(Instant::now()), is_silent: false });
    }

    fn host(&self) -> Host {
        self.awaited.state().hosts.get(&self.host).copied().unwrap_or_default()
    }

    /// Waits until the deadline, or until the host has answered nothing for too long. Returns how long that was.
    async fn expired(&self, since: Instant, deadline: Option<Duration>, is_read: bool) -> Duration {
        let always = Run::silent();
        let Some(deadline) = deadline else { return std::future::pending().await };
        if is_read && deadline > SILENT_HOST {
            wait::pause(&always, SILENT_HOST).await;
            if self.host().answered.is_none_or(|at| at <= since) {
                return SILENT_HOST;
            }
            wait::pause(&always, deadline.saturating_sub(SILENT_HOST)).await;
        } else {
            wait::pause(&always, deadline).await;
        }
        deadline
    }

    /// The request has failed without a response.
    fn not_answered(&self) {
        let host = Host { is_silent: true, ..self.host() };
        self.awaited.state().note(&self.host, host);
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.awaited.state().pending.remove(&self.id);
    }
}

/// Notes which operation a request is of; the request itself does not say so.
impl Intercept for Awaited {
    fn name(&self) -> &'static str {
        "Awaited"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let id = context.request().headers().get(INVOCATION);
        if let (Some(id), Some(called)) = (id, config.load::<Metadata>()) {
            let operation = Operation { service: called.service().to_owned(), name: called.name().to_owned() };
            let mut state = self.state();
            if state.names.len() >= MAX_NAMES {
                state.names.clear();
            }
            state.names.insert(id.to_owned(), operation);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct AwaitedClient {
    awaited: Awaited,
    client: SharedHttpClient,
}

impl HttpClient for AwaitedClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(AwaitedConnector {
            awaited: self.awaited.clone(),
            connector: self.client.http_connector(settings, components),
            deadline: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct AwaitedConnector {
    awaited: Awaited,
    connector: SharedHttpConnector,
    deadline: Option<Duration>,
}

/// A request that was not answered in time.
#[derive(Debug, thiserror::Error)]
#[error("no response within {} s", .0.as_secs())]
struct NoResponse(Duration);

impl HttpConnector for AwaitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (begun, is_late) = (self.awaited.begin(&request), self.awaited.run.cancel.is_cancelled());
        let (cleans_up, is_read) = (is_cleaning_up(), begun.is_read(request.method()));
        let is_repeated =
            request.headers().get("amz-sdk-request").is_some_and(|attempt| !attempt.starts_with("attempt=1"));
        let size =
            request.headers().get("content-length").and_then(|size| size.parse::<u64>().ok()).unwrap_or_default();
        let sending = Duration::from_secs(size / SLOW_LINK);
        let quiet = SILENCE + sending;
        let cancelled = || ConnectorError::other(Cancelled.into(), None);
        if is_late && is_repeated && !cleans_up {
            return HttpConnectorFuture::ready(Err(cancelled()));
        }
        let deadline = match self.deadline {
            Some(deadline) if is_late && !cleans_up => Some(deadline.min(AFTER_CANCELLATION + sending)),
            // The requests that share the link with it are repeated, too.
            Some(deadline) if is_repeated && begun.host().is_silent => Some(deadline.min(REPEATED + 4 * sending)),
            deadline => deadline,
        };
        let (awaited, call) = (self.awaited.clone(), self.connector.call(request));
        HttpConnectorFuture::new(async move {
            let (always, since) = (Run::silent(), Instant::now());
            let expired = begun.expired(since, deadline, is_read);
            let stopped = async {
                if is_late || cleans_up {
                    std::future::pending::<()>().await;
                }
                awaited.run.cancel.cancelled().await;
                if !is_read {
                    wait::pause(&always, GRACE).await;
                }
            };
            let telling = async {
                loop {
                    wait::pause(&always, awaited.until_silence(since, quiet)).await;
                    awaited.tell(since, quiet);
                }
            };
            tokio::select! {
                biased;
                response = call => {
                    begun.answered();
                    if let Ok(response) = &response {
                        awaited.note_time(response);
                    }
                    response
                }
                () = stopped => Err(cancelled()),
                waited = expired => {
                    begun.not_answered();
                    Err(ConnectorError::timeout(NoResponse(waited).into()))
                }
                () = telling => Err(cancelled()),
            }
        })
    }
}
