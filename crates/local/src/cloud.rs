//! The cloud itself: every service over one world.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::Body;
use s3s::service::S3Service;

use crate::count::Counts;
use crate::fault::{Hook, Refused, Seen, Trouble, data_operation};
use crate::plane::Directory;
use crate::route::{Control, Service, host_of, scope, service_of};
use crate::world::{Faults, World, WorldError};
use crate::{connector, website, wire};

/// All services of the embedded cloud. Clones are the same cloud.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    s3: S3Service,
    counts: Counts,
    hook: Hook,
    directory: RwLock<Option<Directory>>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// A cloud that is gone with the process.
    pub fn memory() -> Self {
        Self::over(World::memory())
    }

    /// A cloud that is kept in a directory.
    pub fn open(dir: &Path) -> Result<Self, WorldError> {
        Ok(Self::over(World::open(dir)?))
    }

    /// A cloud over a world.
    pub fn over(world: World) -> Self {
        let s3 = wire::s3::service(&world);
        Self {
            inner: Arc::new(Inner {
                world,
                s3,
                counts: Counts::default(),
                hook: Hook::default(),
                directory: RwLock::default(),
            }),
        }
    }

    /// The state behind the services.
    pub fn world(&self) -> &World {
        &self.inner.world
    }

    /// How often each operation was asked for since the start or the last [`Cloud::forget_requests`], by its AWS name.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.inner.counts.snapshot()
    }

    /// Starts counting anew.
    pub fn forget_requests(&self) {
        self.inner.counts.clear();
    }

    /// Has every request looked at before it is answered, and makes the trouble that `hook` decides on.
    pub fn interfere(&self, hook: impl Fn(&Seen<'_>) -> Trouble + Send + Sync + 'static) {
        self.inner.hook.set(hook);
    }

    /// Where the data plane is to be found, while it is open.
    pub fn directory(&self) -> Option<Directory> {
        self.inner.directory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn publish(&self, directory: Option<Directory>) {
        *self.inner.directory.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }

    /// An HTTP client for the SDK that ends here, without a socket.
    pub fn http_client(&self) -> SharedHttpClient {
        connector::in_process(self)
    }

    /// Answers a request, whatever service it is for.
    ///
    /// # Errors
    /// [`Refused`] stands for a connection that broke: no answer reaches the caller.
    pub(crate) async fn call(&self, request: Request<Body>) -> Result<Response<Body>, Refused> {
        let service = service_of(&request);
        self.settle();
        if self.is_out(&service, &request) {
            return Err(Refused);
        }
        if let Service::Control(control) = service {
            let (head, body) = request.into_parts();
            let request = Request::from_parts(head, body.collect().await.map_err(|_| Refused)?.to_bytes());
            let (operation, host) = (wire::operation(control, &request), host_of(&request).to_owned());
            let seen = Seen { operation, host: &host, path: request.uri().path() };
            let answer = async { Ok(wire::answer(control, self.world(), &request)) };
            return self.through_trouble(Some(control), &seen, answer).await;
        }
        let (operation, host) = (data_operation(&service, &request), host_of(&request).to_owned());
        let path = request.uri().path().to_owned();
        let seen = Seen { operation, host: &host, path: &path };
        self.through_trouble(None, &seen, self.answer(service, request)).await
    }

    /// What happens by itself happens before the next request is answered, whether somebody waits for it or not.
    pub(crate) fn settle(&self) {
        // A state that cannot be written is said to whoever asks for a change.
        drop(self.world().replicate());
    }

    /// True when nobody would answer in AWS either.
    fn is_out(&self, service: &Service, request: &Request<Body>) -> bool {
        let faults = self.world().faults();
        if faults == Faults::default() {
            return false;
        }
        let Faults { regions_out, control_out, .. } = faults;
        let region = match service {
            Service::Website { bucket } => self.world().bucket(bucket).map(|bucket| bucket.region),
            _ => scope(request).map(|scope| scope.region.to_owned()),
        };
        let global = match service {
            Service::Control(Control::Acm | Control::CloudFront | Control::Iam | Control::Route53) => control_out,
            _ => false,
        };
        // The services for the whole world are signed for in us-east-1, but fail on their own.
        let regional = !matches!(service, Service::Control(Control::CloudFront | Control::Iam | Control::Route53));
        global || (regional && region.is_some_and(|region| regions_out.contains(&region)))
    }

    fn trouble(&self, control: Option<Control>, seen: &Seen<'_>, count: u64) -> Trouble {
        let every = if control.is_none() { self.world().slow_down_every() } else { 0 };
        if every > 0 && count.is_multiple_of(every) { Trouble::SlowDown } else { self.inner.hook.decide(seen) }
    }

    async fn through_trouble(
        &self,
        control: Option<Control>,
        seen: &Seen<'_>,
        answer: impl Future<Output = Result<Response<Body>, Refused>>,
    ) -> Result<Response<Body>, Refused> {
        let count = self.inner.counts.add(&seen.operation);
        match self.trouble(control, seen, count) {
            Trouble::None => answer.await,
            Trouble::Refuse => Err(Refused),
            Trouble::SlowDown => Ok(wire::refusal(control, StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
            Trouble::Error { status, code } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                Ok(wire::refusal(control, status, code))
            }
            Trouble::LoseReply => {
                answer.await?;
                Err(Refused)
            }
        }
    }

    /// Answers what is not a [`Control`](crate::route::Control) service: objects may be large, and are streamed.
    async fn answer(&self, service: Service, request: Request<Body>) -> Result<Response<Body>, Refused> {
        match service {
            Service::S3 => self.inner.s3.call(request).await.map_err(|_| Refused),
            Service::Website { bucket } => Ok(website::answer(self.world(), &bucket, &request)),
            Service::Control(_) | Service::Unknown => Ok(unknown(host_of(&request))),
        }
    }

    /// Answers a request to one bucket's website endpoint, whatever its `Host` says.
    pub(crate) fn website(&self, bucket: &str, request: &Request<Body>) -> Response<Body> {
        self.settle();
        website::answer(self.world(), bucket, request)
    }
}

fn unknown(host: &str) -> Response<Body> {
    let text = format!("the embedded cloud has no service at `{host}`\n");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response
}
