//! The front door of a site: a certificate, and a CloudFront distribution over one or two buckets; observed, planned and
//! brought into the wanted state. And what a publish makes CloudFront forget.
//!
//! ```
//! use twinsite_cdn::invalidation;
//!
//! let paths = invalidation(["about/index.html", "assets/app.css"], "index.html");
//! assert_eq!(paths.as_slice(), ["/about", "/about/", "/about/index.html", "/assets/app.css"]);
//! ```
//!
//! ```no_run
//! # async fn example(acm: aws_sdk_acm::Client, cloudfront: aws_sdk_cloudfront::Client, site: twinsite_core::Site)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use twinsite_cdn::{Cdn, Desired, steps};
//!
//! let (cdn, want) = (Cdn::new(acm, cloudfront), Desired::new(site));
//! let front = steps(&want, &cdn.observe(&want).await?)?;
//! for step in &front.steps {
//!     println!("{} {}: {}", step.action, step.id, step.reason);
//! }
//! # Ok(()) }
//! ```
//!
//! It writes no DNS record: the one that proves the name to ACM is handed out as [`Planned::proof`]. It never changes a
//! distribution that does not bear the site's tags, and of one that does, only what it manages.

mod apply;
mod certificate;
mod change;
mod destroy;
mod distribution;
mod invalidation;
mod problem;
mod want;

pub use certificate::{Certificate, Certificates, PROOF_STEP, Status as CertificateStatus, explain};
pub use change::Change;
pub use destroy::destroy_steps;
pub use distribution::{Accepted, DEPLOYED, Distribution, Front, LiveFunction, Origin, OriginKind, STEP, Settings};
pub use invalidation::{Invalidation, MOST_PATHS, MOST_WILDCARDS, invalidation};
pub use problem::{Problem, Unfit};
pub use want::{Desired, PriceClass};

use futures::try_join;
use twinsite_aws::AwsError;
use twinsite_core::wait::PollPolicy;
use twinsite_core::{Arn, Deferred, Host, Step, ValidationRecord};

/// The clients, and how long to poll.
#[derive(Clone, Debug)]
pub struct Cdn {
    acm: aws_sdk_acm::Client,
    cloudfront: aws_sdk_cloudfront::Client,
    polling: PollPolicy,
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Certificates that cover the name.
    pub certificates: Certificates,
    /// The distribution and what belongs to it.
    pub front: Front,
}

/// The steps, and what other crates need of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The steps that bring the front door into the wanted state.
    pub steps: Vec<Step<Change>>,
    /// The record that proves the name, for as long as the certificate is to be renewed; `None` for one that was brought along.
    pub proof: Option<Deferred<ValidationRecord>>,
    /// The certificate, once it can be used.
    pub certificate: Deferred<Arn>,
    /// The distribution's ARN, which private buckets let in.
    pub arn: Deferred<Arn>,
    /// The distribution's host, which DNS leads to.
    pub host: Deferred<Host>,
}

impl Cdn {
    /// Clients of ACM in us-east-1 and of CloudFront.
    pub fn new(acm: aws_sdk_acm::Client, cloudfront: aws_sdk_cloudfront::Client) -> Self {
        Self { acm, cloudfront, polling: PollPolicy::MINUTES }
    }

    /// The same, with other polling intervals and deadlines.
    #[must_use]
    pub fn polling(mut self, polling: PollPolicy) -> Self {
        self.polling = polling;
        self
    }

    /// Hands a certificate that was issued elsewhere to ACM: in the place of one that was handed over for this site before, so
    /// that whatever uses it goes on doing so. All three in PEM form, the key not encrypted.
    ///
    /// # Errors
    /// [`AwsError`] when ACM refuses it.
    pub async fn import_certificate(
        &self,
        want: &Desired,
        certificate: Vec<u8>,
        chain: Option<Vec<u8>>,
        key: Vec<u8>,
    ) -> Result<Arn, AwsError> {
        let have = Box::pin(certificate::calls::observe(&self.acm, want)).await?;
        let ours = |there: &&Certificate| there.imported && want.owner().owns(&there.tags);
        let there = have.covering.iter().find(ours).map(|there| there.arn.clone());
        let parts = (certificate, chain, key);
        let tags = want.owner().created();
        Box::pin(certificate::calls::import_certificate(&self.acm, parts, there.as_ref(), &tags)).await
    }

    /// What is there.
    ///
    /// # Errors
    /// [`AwsError`] when something could not be looked at.
    pub async fn observe(&self, want: &Desired) -> Result<Observed, AwsError> {
        let calls = distribution::Calls { client: &self.cloudfront };
        let certificates = Box::pin(certificate::calls::observe(&self.acm, want));
        let (certificates, front) = try_join!(certificates, Box::pin(calls.observe(want)))?;
        Ok(Observed { certificates, front })
    }
}

/// The steps that bring the front door into the wanted state.
///
/// # Errors
/// [`Unfit`] with everything that stands in the way; nothing should be changed then.
pub fn steps(want: &Desired, have: &Observed) -> Result<Planned, Unfit> {
    let Observed { certificates, front } = have;
    let standby = problem::standby(want);
    if !standby.is_empty() {
        return Err(Unfit(standby));
    }
    let chosen = certificate::steps(want, certificates).map_err(|problem| Unfit(vec![problem]))?;
    let mut steps = chosen.steps;
    let certificate = chosen.arn.clone();
    let more = distribution::steps(want, front, chosen.arn).map_err(|problem| Unfit(vec![problem]))?;
    steps.extend(more);
    let there = front.distribution.as_ref();
    let after = || STEP.into();
    Ok(Planned {
        steps,
        proof: chosen.proof,
        certificate,
        arn: there.map_or_else(|| Deferred::After(after()), |there| Deferred::Known(there.arn.clone())),
        host: there.map_or_else(|| Deferred::After(after()), |there| Deferred::Known(there.host.clone())),
    })
}
