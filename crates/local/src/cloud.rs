//! The embedded cloud: every service over one state.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, response};
use http_body::Frame;
use http_body_util::{BodyExt, Collected, Limited, StreamBody};
use s3s::Body;
use s3s::service::S3Service;

use crate::cloudfront::{Distribution, Function};
use crate::context::{Endpoints, OutageSymptom, Outages, ServiceError};
use crate::fault::{ConnectionReset, Hook, InjectedFault, Pause, PauseStatus, Pauses, RequestInfo};
use crate::protocol::reply;
use crate::protocol::request::{host_of, scope};
use crate::record::Recorder;
use crate::route::{Service, service_of};
use crate::s3;
use crate::s3::website;
use crate::services::ControlPlane;
use crate::subject::{bucket_of, subject_of};
use crate::weather::{Asked, Busy, Conditions};
use crate::world::{World, WorldError};

/// The embedded cloud. Clones are the same cloud.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    s3: S3Service,
    counts: Mutex<BTreeMap<String, u64>>,
    hook: Hook,
    pauses: Pauses,
    recorder: Recorder,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// A cloud in memory.
    pub fn memory() -> Self {
        Self::new(World::memory())
    }

    /// The cloud stored in a directory, which one process at a time can open.
    pub fn open(dir: &Path) -> Result<Self, WorldError> {
        Ok(Self::new(World::open(dir)?))
    }

    fn new(world: World) -> Self {
        let s3 = s3::service(world.s3());
        let (counts, hook, pauses) = (Mutex::default(), Hook::default(), Pauses::default());
        Self { inner: Arc::new(Inner { world, s3, counts, hook, pauses, recorder: Recorder::default() }) }
    }

    /// The state behind the services.
    pub fn world(&self) -> &World {
        &self.inner.world
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests each operation has received since the last [`Cloud::reset_request_counts`], by AWS name.
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.counts().clone()
    }

    /// Resets the request counts to zero.
    pub fn reset_request_counts(&self) {
        self.counts().clear();
    }

    /// Calls `decide` for every request before its operation is executed, and injects the fault that it returns.
    pub fn inject_faults(&self, decide: impl Fn(&RequestInfo<'_>) -> InjectedFault + Send + Sync + 'static) {
        self.inner.hook.set(decide);
    }

    /// Appends every request to an API, and its answer, to a file: one JSON object per line. Credentials are left out.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn record(&self, file: &Path) -> std::io::Result<()> {
        self.inner.recorder.open(file)
    }

    /// Holds one request until [`Cloud::release`], before its operation is executed. Counting starts now.
    pub fn pause_at(&self, pause: Pause) {
        self.inner.pauses.set(Some(pause));
    }

    /// Releases the request that is held, and holds none from now on.
    pub fn release(&self) {
        self.inner.pauses.set(None);
    }

    /// The pause that is set, if any.
    pub fn pause_status(&self) -> Option<PauseStatus> {
        self.inner.pauses.status()
    }

    /// Where the data plane listens, while it is open.
    pub fn endpoints(&self) -> Option<Endpoints> {
        self.world().endpoints()
    }

    /// Answers a request to any service. An error stands for a connection that breaks without a response.
    pub(crate) async fn call(&self, request: Request<Body>) -> Result<Response<Body>, ConnectionReset> {
        let (request, recorded) = self.inner.recorder.read(request).await;
        let answer = self.answer(request).await?;
        match recorded {
            Some(recorded) => Ok(self.inner.recorder.write(recorded, answer).await),
            None => Ok(answer),
        }
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, ConnectionReset> {
        let service = service_of(&request);
        self.world().clock().note_request();
        self.world().replicate_due();
        let reached = self.reached(&service, &request);
        match self.outage(reached).await {
            None => {}
            Some(OutageSymptom::Reset | OutageSymptom::Hang) => return Err(ConnectionReset),
            Some(OutageSymptom::Unavailable) => return Ok(unavailable(&service, request)),
        }
        let (host, path) = (host_of(&request).to_owned(), request.uri().path().to_owned());
        let info = |operation: String| RequestInfo { operation, host: &host, path: &path };
        match service {
            Service::Control(service) => {
                let (head, stream) = request.into_parts();
                let Ok(body) = Limited::new(stream, MAX_BODY).collect().await.map(Collected::to_bytes) else {
                    let message = "The body of the request is too large, or incomplete.";
                    let error = ServiceError::new("RequestEntityTooLarge", 413, message);
                    return Ok(service.error_response(&Request::from_parts(head, Bytes::new()), &error));
                };
                let whole = Request::from_parts(head, body);
                let operation = service.operation(&whole);
                let answer = async { Ok(self.answer_in_weather(service, &whole, &operation).await) };
                let failure = |error: &ServiceError| service.error_response(&whole, error);
                let fault = self.admit(&info(operation.clone()), Throttled::No).await;
                with_fault(fault, failure, answer).await
            }
            Service::S3 => {
                let request = s3::with_creation_tags(request).await.map_err(|_| ConnectionReset)?;
                let operation = s3::operation(&request);
                let fault = self.admit(&info(operation.clone()), Throttled::Yes).await;
                let is_head = request.method() == Method::HEAD;
                let asked = self.asked(&operation, bucket_of(&request));
                // A response to HEAD has no body.
                let refused = |error: &ServiceError| {
                    let response = reply::s3_error(error);
                    if is_head { response.map(|_| Body::empty()) } else { response }
                };
                let answer = async {
                    let request = match s3::authorize(self.world().s3(), request).await {
                        Ok(request) => request,
                        Err(error) => return Ok(refused(&error)),
                    };
                    let _busy = match self.bucket_weather(&asked).await {
                        Ok(busy) => busy,
                        Err(error) => return Ok(refused(&error)),
                    };
                    let answer = self.inner.s3.call(request).await.map_err(|_| ConnectionReset)?;
                    let mut answer = s3::complete(answer, &operation).await;
                    self.note_weather(&asked, answer.status());
                    // The same clock as that of `Last-Modified`, which may run faster than that of this machine.
                    let date = httpdate::fmt_http_date(self.world().clock().now());
                    if let Ok(date) = HeaderValue::try_from(date) {
                        answer.headers_mut().insert(header::DATE, date);
                    }
                    Ok(answer)
                };
                with_fault(fault, reply::s3_error, answer).await
            }
            Service::Website { bucket } => {
                let fault = self.admit(&info("Website".to_owned()), Throttled::Yes).await;
                let answer = async { Ok(website::answer(self.world().s3(), &bucket, &request)) };
                with_fault(fault, reply::s3_error, answer).await
            }
            Service::Unknown => {
                let fault = self.admit(&info("Unknown".to_owned()), Throttled::Yes).await;
                with_fault(fault, reply::s3_error, async { Ok(unknown_service(&host)) }).await
            }
        }
    }

    fn asked(&self, operation: &str, subject: String) -> Asked {
        let existed = operation == "CreateBucket" && self.world().s3().bucket(&subject).is_some();
        let used = self.used_resources(operation, &subject);
        Asked { operation: operation.to_owned(), subject, existed, used, at: self.world().clock().now() }
    }

    /// What a request to create something adds to, or what the distribution that it changes uses.
    fn used_resources(&self, operation: &str, subject: &str) -> Vec<String> {
        self.world().account(|account, _| match operation {
            "UpdateDistribution" | "DeleteDistribution" => {
                account.cloudfront.distribution(subject).map(Distribution::used_resources).unwrap_or_default()
            }
            "CreateDistribution" | "CreateDistributionWithTags" => {
                account.cloudfront.distributions().map(|distribution| distribution.id.clone()).collect()
            }
            "UpdateFunction" | "PublishFunction" | "DeleteFunction" => {
                let function = account.cloudfront.function(subject).ok();
                let stores = function.into_iter().flat_map(Function::stores);
                stores.filter_map(|arn| Some(account.cloudfront.store_by_arn(&arn)?.name.clone())).collect()
            }
            "DeleteDomainName" => {
                let named = account.api_gateway.domains().filter(|domain| domain.name == subject);
                named.map(|domain| domain.certificate().to_owned()).collect()
            }
            "CreateHealthCheck" => account.route53.checks().map(|check| check.id.clone()).collect(),
            _ => Vec::new(),
        })
    }

    /// Answers a request to a control plane, unless the weather refuses it.
    async fn answer_in_weather(
        &self,
        service: ControlPlane,
        request: &Request<Bytes>,
        operation: &str,
    ) -> Response<Body> {
        let (world, conditions) = (self.world(), self.world().conditions());
        if conditions.is_calm() {
            return service.answer(world, request);
        }
        world.clock().sleep(conditions.latency()).await;
        let asked = self.asked(operation, subject_of(service, request));
        if let Some(refusal) = conditions.refusal(&asked) {
            self.note_refusal();
            return service.error_response(request, &refusal);
        }
        let answer = service.answer(world, request);
        self.note_weather(&asked, answer.status());
        answer
    }

    /// What the weather does to a request to S3. Settings of a bucket take a moment to change, and change one at a time.
    async fn bucket_weather(&self, asked: &Asked) -> Result<Option<Busy>, ServiceError> {
        let (world, conditions) = (self.world(), self.world().conditions());
        if conditions.is_calm() {
            return Ok(None);
        }
        let mut busy = None;
        if Conditions::changes_bucket(asked) {
            busy = Some(conditions.change_bucket(asked)?);
            world.clock().sleep(conditions.latency()).await;
        }
        match conditions.refusal(asked) {
            None => Ok(busy),
            Some(refusal) => {
                self.note_refusal();
                Err(refusal)
            }
        }
    }

    /// Notes what follows from an answered request, if the weather is not calm.
    fn note_weather(&self, asked: &Asked, status: StatusCode) {
        let conditions = self.world().conditions();
        if conditions.is_calm() || !status.is_success() {
            return;
        }
        let (before, after) = (&asked.used, self.used_resources(&asked.operation, &asked.subject));
        let gone = before.iter().filter(|one| !after.contains(one));
        let new = after.iter().filter(|one| !before.contains(one));
        if conditions.completed(&Asked { used: gone.chain(new).cloned().collect(), ..asked.clone() }) {
            // A disk that fails is reported to the next request that changes something.
            drop(self.world().store_weather());
        }
    }

    /// Counts a request that the weather has refused.
    fn note_refusal(&self) {
        *self.counts().entry(REFUSED.to_owned()).or_default() += 1;
    }

    /// Counts a request, holds it if it is to be paused, and decides on its fault.
    async fn admit(&self, info: &RequestInfo<'_>, throttled: Throttled) -> InjectedFault {
        let count = {
            let mut counts = self.counts();
            let count = counts.entry(info.operation.clone()).or_default();
            *count += 1;
            *count
        };
        self.inner.pauses.wait(&info.operation).await;
        let every = self.world().outages().slow_down_every;
        if throttled == Throttled::Yes && every > 0 && count.is_multiple_of(every) {
            return InjectedFault::SlowDown;
        }
        self.inner.hook.decide(info)
    }

    /// What a request is for, as far as outages are concerned.
    fn reached(&self, service: &Service, request: &Request<Body>) -> Reached {
        use ControlPlane::{Acm, CloudFront, Iam, KeyValueStore, Route53};
        Reached {
            name: match service {
                Service::S3 => Some("s3"),
                Service::Control(service) => Some(service.name()),
                Service::Website { .. } | Service::Unknown => None,
            },
            region: match service {
                // Requests to global services are signed for us-east-1, but do not depend on that region here.
                Service::Control(CloudFront | Iam | KeyValueStore | Route53) => None,
                Service::Website { bucket } => self.world().s3().bucket(bucket).map(|bucket| bucket.region),
                _ => scope(request).map(|scope| scope.region.to_owned()),
            },
            is_control: matches!(service, Service::Control(CloudFront | Iam | Route53 | Acm)),
        }
    }

    /// What a request meets in the present outages; `None` if none affects it. Returns when those end that let it hang.
    async fn outage(&self, reached: Reached) -> Option<OutageSymptom> {
        loop {
            let changed = self.world().outages_changed();
            match self.world().outages() {
                outages if !reached.is_out(&outages) => return None,
                Outages { symptom: OutageSymptom::Hang, .. } => changed.await,
                outages => return Some(outages.symptom),
            }
        }
    }

    /// Answers a request to the website endpoint of a bucket, whatever its `Host`.
    pub(crate) fn website(&self, bucket: &str, request: &Request<Body>) -> Response<Body> {
        self.world().replicate_due();
        website::answer(self.world().s3(), bucket, request)
    }
}

/// What a request is for.
struct Reached {
    /// The service, by the name that SDKs have for it.
    name: Option<&'static str>,
    /// The region on which the service depends.
    region: Option<String>,
    /// Whether it is one of those that `control_out` takes away.
    is_control: bool,
}

impl Reached {
    fn is_out(&self, outages: &Outages) -> bool {
        let Outages { regions_out, control_out, services_out, .. } = outages;
        (*control_out && self.is_control)
            || self.name.is_some_and(|name| services_out.contains(name))
            || self.region.as_ref().is_some_and(|region| regions_out.contains(region))
    }
}

/// What refusals of the weather are counted as, beside the operations.
const REFUSED: &str = "RefusedByWeather";

/// The size of the largest request to a service other than S3, in bytes. Those are kept in memory as a whole.
const MAX_BODY: usize = 4 << 20;

/// Whether `slow_down_every` applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Throttled {
    No,
    Yes,
}

async fn with_fault(
    fault: InjectedFault,
    failure: impl Fn(&ServiceError) -> Response<Body>,
    answer: impl Future<Output = Result<Response<Body>, ConnectionReset>>,
) -> Result<Response<Body>, ConnectionReset> {
    let injected = |code, status| {
        failure(&ServiceError::new(code, status, format!("Fault injection: this request fails with {code}.")))
    };
    match fault {
        InjectedFault::None => answer.await,
        InjectedFault::Refuse => Err(ConnectionReset),
        InjectedFault::SlowDown => Ok(injected("SlowDown", 503)),
        InjectedFault::Error { status, code } => Ok(injected(code, status)),
        InjectedFault::LoseReply => {
            drop(answer.await?);
            Err(ConnectionReset)
        }
        InjectedFault::Truncate => {
            let (parts, bytes) = whole(answer.await?).await?;
            let half = Frame::data(bytes.slice(..bytes.len() / 2));
            let broken = io::Error::from(io::ErrorKind::ConnectionReset);
            let body = StreamBody::new(stream::iter([Ok(half), Err(broken)]));
            Ok(Response::from_parts(parts, Body::http_body(body)))
        }
        InjectedFault::ReplaceBody(replace) => {
            let (mut parts, bytes) = whole(answer.await?).await?;
            let bytes = replace(&bytes);
            // Of a HEAD, it is that of the object.
            if !bytes.is_empty() && parts.headers.contains_key(header::CONTENT_LENGTH) {
                parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            }
            Ok(Response::from_parts(parts, Body::from(Bytes::from(bytes))))
        }
    }
}

/// A response with all of its body.
async fn whole(answer: Response<Body>) -> Result<(response::Parts, Bytes), ConnectionReset> {
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.map(Collected::to_bytes).map_err(|_| ConnectionReset)?;
    Ok((parts, bytes))
}

/// The response of a service that is out of service.
fn unavailable(service: &Service, request: Request<Body>) -> Response<Body> {
    let error = ServiceError::new("ServiceUnavailable", 503, "Fault injection: the service is out of service.");
    match service {
        Service::Control(service) => service.error_response(&request.map(|_| Bytes::new()), &error),
        _ if request.method() == Method::HEAD => reply::s3_error(&error).map(|_| Body::empty()),
        _ => reply::s3_error(&error),
    }
}

fn unknown_service(host: &str) -> Response<Body> {
    let text = format!("the embedded cloud has no service at `{host}`\n");
    reply::typed(StatusCode::NOT_IMPLEMENTED, "text/plain", Bytes::from(text))
}
