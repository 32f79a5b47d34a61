//! CloudFront's control plane: distributions, origin access controls, functions and invalidations.

mod check;
mod element;
mod invalidation;
mod permissions;
mod resources;
mod store;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::acm::Acm;
use crate::context::{ACCOUNT, Now, ServiceError, Tags};
pub use element::Element;
pub use invalidation::Invalidation;
pub(crate) use permissions::permissions;
pub use resources::{Function, OriginAccessControl};
pub(crate) use store::{KeyChanges, no_resource};
pub use store::{KeyValueStore, Pairs};
pub(crate) use wire::{answer, operation};

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Distribution {
    /// Its id.
    pub id: String,
    /// Its configuration.
    pub config: Element,
    /// Its `ETag`, new after every update.
    pub etag: String,
    /// When it was last changed.
    pub modified: SystemTime,
    /// When the last change is deployed to every edge.
    pub deployed: SystemTime,
    /// From when on it is listed.
    #[serde(default = "epoch")]
    pub listed: SystemTime,
    /// Its tags.
    pub tags: Tags,
    /// Its invalidations.
    pub invalidations: Vec<Invalidation>,
}

impl Distribution {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{}:distribution/{}", ACCOUNT, self.id)
    }

    /// Its domain name, `d….cloudfront.net`.
    pub fn domain(&self) -> String {
        format!("d{}.cloudfront.net", self.id.trim_start_matches('E').to_ascii_lowercase())
    }

    /// `InProgress` until the last change is deployed.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.deployed { "InProgress" } else { "Deployed" }
    }

    /// Whether it is enabled.
    pub fn is_enabled(&self) -> bool {
        self.config.at("Enabled") == "true"
    }

    /// The names of the functions, the ids of the access controls and the ARN of the certificate that it uses.
    pub(crate) fn used_resources(&self) -> Vec<String> {
        let mut used = Vec::new();
        self.config.each(&mut |element| match element.name.as_str() {
            "FunctionARN" => used.extend(element.text.rsplit('/').next().map(str::to_owned)),
            "OriginAccessControlId" | "ACMCertificateArn" if !element.text.is_empty() => {
                used.push(element.text.clone());
            }
            _ => {}
        });
        used
    }

    /// Its alternate domain names.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.config.items("Aliases").iter().map(|alias| alias.text.as_str())
    }
}

/// The state of CloudFront.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudFront {
    distributions: BTreeMap<String, Distribution>,
    /// Origin access controls by id.
    pub controls: BTreeMap<String, OriginAccessControl>,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Key value stores by name.
    pub stores: BTreeMap<String, KeyValueStore>,
    /// The caller references of deleted distributions: "a value that you already sent in a previous request" is refused.
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>
    retired: BTreeSet<String>,
    counter: u64,
}

impl CloudFront {
    /// A new id.
    fn next_id(&mut self) -> String {
        self.counter += 1;
        format!("{:013}", self.counter)
    }

    /// The ARNs of the distributions that use a certificate.
    pub fn using_certificate(&self, certificate: &str) -> Vec<String> {
        let uses = |d: &&Distribution| d.config.at("ViewerCertificate/ACMCertificateArn") == certificate;
        self.distributions.values().filter(uses).map(Distribution::arn).collect()
    }

    /// All distributions, ordered by id.
    pub fn distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.distributions.values()
    }

    /// A distribution by id.
    pub fn distribution(&self, id: &str) -> Result<&Distribution, ServiceError> {
        self.distributions.get(id).ok_or_else(no_distribution)
    }

    /// A distribution by ARN, to change it.
    pub fn distribution_by_arn(&mut self, arn: &str) -> Result<&mut Distribution, ServiceError> {
        let found = self.distributions.values_mut().find(|distribution| distribution.arn() == arn);
        found.ok_or_else(|| ServiceError::new("NoSuchResource", 404, "The specified resource does not exist."))
    }

    fn distribution_mut(&mut self, id: &str) -> Result<&mut Distribution, ServiceError> {
        self.distributions.get_mut(id).ok_or_else(no_distribution)
    }

    /// Creates a distribution.
    pub fn create(&mut self, config: Element, tags: Tags, acm: &Acm, now: Now) -> Result<Distribution, ServiceError> {
        let reference = config.at("CallerReference").to_owned();
        let mut existing = self.distributions.values();
        let is_used = existing.any(|existing| existing.config.at("CallerReference") == reference);
        if is_used || self.retired.contains(&reference) {
            let message = "The caller reference that you are using to create a distribution is associated with another \
                           distribution.";
            return Err(ServiceError::new("DistributionAlreadyExists", 409, message));
        }
        let config = check::with_defaults(config);
        self.check(&config, None, acm)?;
        let id = format!("E{}", self.next_id());
        let (etag, deployed) = (format!("E{}", self.next_id()), now.time + now.delays.distribution);
        let (invalidations, listed) = (Vec::new(), now.time + now.delays.listing);
        let made = Distribution { id, config, etag, modified: now.time, deployed, listed, tags, invalidations };
        self.distributions.insert(made.id.clone(), made.clone());
        Ok(made)
    }

    /// Replaces the configuration of a distribution.
    pub fn update(
        &mut self,
        id: &str,
        if_match: Option<&str>,
        config: Element,
        acm: &Acm,
        now: Now,
    ) -> Result<Distribution, ServiceError> {
        let existing = self.distribution(id)?;
        check_etag(if_match, &existing.etag)?;
        if existing.config.at("CallerReference") != config.at("CallerReference") {
            return Err(ServiceError::new("IllegalUpdate", 400, "CallerReference cannot be changed."));
        }
        let config = check::with_defaults(config);
        self.check(&config, Some(id), acm)?;
        let etag = format!("E{}", self.next_id());
        let existing = self.distribution_mut(id)?;
        if existing.config != config {
            existing.deployed = now.time + now.delays.distribution;
        }
        (existing.config, existing.etag, existing.modified) = (config, etag, now.time);
        Ok(existing.clone())
    }

    /// Deletes a distribution that is disabled and deployed.
    pub fn delete(&mut self, id: &str, if_match: Option<&str>, now: SystemTime) -> Result<(), ServiceError> {
        let existing = self.distribution(id)?;
        check_etag(if_match, &existing.etag)?;
        if existing.is_enabled() || existing.status(now) != "Deployed" {
            let message = "The distribution you are trying to delete has not been disabled.";
            return Err(ServiceError::new("DistributionNotDisabled", 409, message));
        }
        let removed = self.distributions.remove(id);
        self.retired.extend(removed.map(|removed| removed.config.at("CallerReference").to_owned()));
        Ok(())
    }
}

fn epoch() -> SystemTime {
    SystemTime::UNIX_EPOCH
}

fn no_distribution() -> ServiceError {
    ServiceError::new("NoSuchDistribution", 404, "The specified distribution does not exist.")
}

/// Checks `If-Match`, which updates and deletes require.
fn check_etag(if_match: Option<&str>, current: &str) -> Result<(), ServiceError> {
    match if_match {
        None => Err(ServiceError::invalid("InvalidIfMatchVersion", "The If-Match version is missing or not valid.")),
        Some(etag) if etag.trim_matches('"') == current => Ok(()),
        Some(_) => {
            let message =
                "The request failed because it didn't meet the preconditions in one or more request-header fields.";
            Err(ServiceError::new("PreconditionFailed", 412, message))
        }
    }
}
