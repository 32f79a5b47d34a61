//! The proof of the HTTPS standby: visits that must be answered as the website endpoint answers them, before DNS leads there.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Domain, Field, Host, Resource, Run};
use twinsite_dns_failover::probe::Response;

use crate::network::{Network, ProbeRequest, Scheme};

/// A certificate or a mapping that is a minute old may not be known everywhere.
const POLICY: PollPolicy =
    PollPolicy { first: Duration::from_secs(2), most: Duration::from_secs(10), total: Duration::from_secs(90) };

/// Visits of the HTTPS standby over TLS, with the site's name in the handshake and in `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandbyProof {
    /// The domain of the site.
    pub domain: Domain,
    /// The host that DNS is to lead to.
    pub host: Host,
    /// The host of the website endpoint behind it.
    pub website: String,
    /// The paths that are visited, encoded.
    pub paths: Vec<String>,
}

impl twinsite_core::Change for StandbyProof {
    fn fields(&self) -> Vec<Field> {
        self.paths.iter().map(|path| Field::set(format!("GET {path}"), "as the website endpoint answers")).collect()
    }

    fn resource(&self) -> Option<Resource> {
        Some(Resource::new("API Gateway", "HTTPS standby", self.host.to_string()))
    }
}

/// What a visit of the standby showed.
enum Difference {
    /// No answer.
    Unanswered { path: String, why: String },
    /// Another status or body than that of the website endpoint.
    Answered { path: String, standby: String, website: String },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswered { path, why } => write!(f, "`{path}` is not answered: {why}"),
            Self::Answered { path, standby, website } => {
                write!(f, "`{path}` is answered with {standby}, and by the website endpoint with {website}")
            }
        }
    }
}

impl StandbyProof {
    /// Visits all paths, again and again for a minute and a half while one of them fails.
    pub(crate) async fn run(&self, network: &Network, run: &Run) -> Result<(), AwsError> {
        const OPERATION: &str = "GET";
        let last = Mutex::new(String::new());
        let what = format!("the HTTPS standby of {} to answer as the website endpoint does", self.domain);
        let proven = poll_until(run, POLICY, &what, async || {
            let found = Box::pin(self.differences(network)).await;
            if let Ok(differences) = &found {
                let text = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                *last.lock().unwrap_or_else(PoisonError::into_inner) = text;
            }
            match found {
                Ok(differences) if differences.is_empty() => Ok(Poll::Ready(())),
                Ok(_) => Ok(Poll::NotYet),
                Err(why) => Err(AwsError::refused(OPERATION, &self.host, why)),
            }
        });
        match proven.await {
            Err(twinsite_core::wait::WaitError::TimedOut { .. }) => {
                let last = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let why = format!(
                    "{last}. DNS is left as it is, with the HTTP standby. Correct what is named and repeat `twinsite apply`, or remove \
                     `standby` from [backup]"
                );
                Err(AwsError::refused(OPERATION, format!("https://{} at {}", self.domain, self.host), why))
            }
            proven => proven.map_err(|error| AwsError::from_wait(OPERATION, &self.host, error)),
        }
    }

    /// The visits that are not answered as they should be. Fails if no visit can be made from here.
    async fn differences(&self, network: &Network) -> Result<Vec<Difference>, String> {
        if matches!(network, Network::Unavailable) {
            return Err("the embedded cloud's data plane is not served: start it with `twinsite local`".to_owned());
        }
        let mut differences = Vec::new();
        for path in &self.paths {
            let visit = ProbeRequest { host: self.domain.as_str(), path, scheme: Scheme::Https };
            let expected = ProbeRequest { host: &self.website, path, scheme: Scheme::Http };
            let unanswered = |why: String| Difference::Unanswered { path: path.clone(), why };
            let standby = match Box::pin(network.get_at(self.host.as_str(), visit)).await {
                Ok(response) => response,
                Err(error) => {
                    differences.push(unanswered(error.to_string()));
                    continue;
                }
            };
            match Box::pin(network.get_at(&self.website, expected)).await {
                Ok(website) if is_same(path, &standby, &website) => {}
                Ok(website) => differences.push(Difference::Answered {
                    path: path.clone(),
                    standby: shown(&standby),
                    website: shown(&website),
                }),
                Err(error) => differences.push(unanswered(format!("the website endpoint: {error}"))),
            }
        }
        Ok(differences)
    }
}

/// Status, `Location` and body count. The root must be a page. Error documents of S3 bear the id of the request.
fn is_same(path: &str, standby: &Response, website: &Response) -> bool {
    let is_page = path != "/" || standby.status == 200;
    let same_body = standby.body == website.body || website.status >= 400;
    is_page && standby.status == website.status && same_body && standby.header("location") == website.header("location")
}

fn shown(response: &Response) -> String {
    format!("status {} and {} bytes", response.status, response.body.len())
}
