//! CloudFront's control plane: distributions, origin access controls, functions, response headers policies, invalidations.

mod check;
mod element;
mod invalidation;
mod named;

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

pub use element::Element;
pub use invalidation::Invalidation;
pub use named::{Function, Kind, Named};

use super::Moment;

/// What CloudFront refuses: its error code, the HTTP status, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The error code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::new("InternalError", 500, fault.to_string())
    }
}

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Its id.
    pub id: String,
    /// Its configuration, whole.
    pub config: Element,
    /// Changes with every update.
    pub etag: String,
    /// When the last change was accepted.
    pub modified: SystemTime,
    /// When the last change has reached every edge.
    pub deployed: SystemTime,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its invalidations.
    pub invalidations: Vec<Invalidation>,
}

impl Distribution {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{}:distribution/{}", super::ACCOUNT, self.id)
    }

    /// The name under which it can always be reached.
    pub fn domain(&self) -> String {
        format!("d{}.cloudfront.net", self.id.trim_start_matches('E').to_ascii_lowercase())
    }

    /// `InProgress` until every edge has the last change.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.deployed { "InProgress" } else { "Deployed" }
    }

    /// True when it answers.
    pub fn enabled(&self) -> bool {
        self.config.at("Enabled") == "true"
    }

    /// The names that it answers to.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.config.items("Aliases").iter().map(|alias| alias.text.as_str())
    }
}

/// All state of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudFront {
    distributions: BTreeMap<String, Distribution>,
    /// Origin access controls by id.
    pub controls: BTreeMap<String, Named>,
    /// Response headers policies of this account by id.
    pub headers: BTreeMap<String, Named>,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    counter: u64,
}

impl CloudFront {
    /// An id as CloudFront makes them: never used before.
    pub(crate) fn next(&mut self) -> String {
        self.counter += 1;
        format!("{:013}", self.counter)
    }

    /// The distributions that name a certificate, by ARN.
    pub fn naming(&self, certificate: &str) -> Vec<String> {
        let names = |d: &&Distribution| d.config.at("ViewerCertificate/ACMCertificateArn") == certificate;
        self.distributions.values().filter(names).map(Distribution::arn).collect()
    }

    /// All distributions by id.
    pub fn distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.distributions.values()
    }

    /// One distribution.
    pub fn distribution(&self, id: &str) -> Result<&Distribution, Fault> {
        self.distributions.get(id).ok_or_else(missing)
    }

    /// The distribution that an ARN names.
    pub fn by_arn(&mut self, arn: &str) -> Result<&mut Distribution, Fault> {
        let found = self.distributions.values_mut().find(|distribution| distribution.arn() == arn);
        found.ok_or_else(|| Fault::new("NoSuchResource", 404, "The specified resource does not exist."))
    }

    pub(crate) fn distribution_mut(&mut self, id: &str) -> Result<&mut Distribution, Fault> {
        self.distributions.get_mut(id).ok_or_else(missing)
    }

    /// Creates a distribution.
    pub fn create(
        &mut self,
        config: Element,
        tags: BTreeMap<String, String>,
        acm: &super::acm::Acm,
        moment: Moment,
    ) -> Result<Distribution, Fault> {
        let reference = config.at("CallerReference").to_owned();
        if self.distributions.values().any(|there| there.config.at("CallerReference") == reference) {
            let message = "The caller reference that you are using to create a distribution is associated with another \
                           distribution.";
            return Err(Fault::new("DistributionAlreadyExists", 409, message));
        }
        let config = check::completed(config);
        self.check(&config, None, acm)?;
        let id = format!("E{}", self.next());
        let (etag, deployed) = (format!("E{}", self.next()), moment.now + moment.delays.distribution);
        let invalidations = Vec::new();
        let made = Distribution { id, config, etag, modified: moment.now, deployed, tags, invalidations };
        self.distributions.insert(made.id.clone(), made.clone());
        Ok(made)
    }

    /// Replaces a distribution's configuration.
    pub fn update(
        &mut self,
        (id, etag): (&str, Option<&str>),
        config: Element,
        acm: &super::acm::Acm,
        moment: Moment,
    ) -> Result<Distribution, Fault> {
        let there = self.distribution(id)?;
        matches(etag, &there.etag)?;
        if there.config.at("CallerReference") != config.at("CallerReference") {
            return Err(Fault::new("IllegalUpdate", 400, "CallerReference cannot be changed."));
        }
        let config = check::completed(config);
        self.check(&config, Some(id), acm)?;
        let etag = format!("E{}", self.next());
        let there = self.distribution_mut(id)?;
        if there.config != config {
            there.deployed = moment.now + moment.delays.distribution;
        }
        (there.config, there.etag, there.modified) = (config, etag, moment.now);
        Ok(there.clone())
    }

    /// Deletes a distribution that is disabled everywhere.
    pub fn delete(&mut self, id: &str, etag: Option<&str>, now: SystemTime) -> Result<(), Fault> {
        let there = self.distribution(id)?;
        matches(etag, &there.etag)?;
        if there.enabled() || there.status(now) != "Deployed" {
            let message = "The distribution you are trying to delete has not been disabled.";
            return Err(Fault::new("DistributionNotDisabled", 409, message));
        }
        self.distributions.remove(id);
        Ok(())
    }
}

fn missing() -> Fault {
    Fault::new("NoSuchDistribution", 404, "The specified distribution does not exist.")
}

/// An update must say which state it changes.
pub(crate) fn matches(sent: Option<&str>, current: &str) -> Result<(), Fault> {
    match sent {
        None => Err(Fault::new("InvalidIfMatchVersion", 400, "The If-Match version is missing or not valid.")),
        Some(etag) if etag.trim_matches('"') == current => Ok(()),
        Some(_) => {
            let message =
                "The request failed because it didn't meet the preconditions in one or more request-header fields.";
            Err(Fault::new("PreconditionFailed", 412, message))
        }
    }
}
