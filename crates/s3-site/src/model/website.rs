//! Website configurations.

use serde::{Deserialize, Serialize};

use super::WebsiteRedirect;
use super::properties::{Property, set};

/// The managed part of a website configuration.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_WebsiteConfiguration.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Website {
    /// The index document of folders.
    pub index_document: String,
    /// The error document.
    pub error_document: Option<String>,
}

impl Website {
    pub(crate) fn properties(&self) -> [Property; 2] {
        let Self { index_document, error_document } = self;
        [set("IndexDocument", index_document), ("ErrorDocument", error_document.clone())]
    }
}

/// A complete website configuration in a serializable form.
///
/// Its serialized form is stored in the journals of drills.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebsiteSnapshot {
    #[serde(rename = "index")]
    pub(crate) index_document: Option<String>,
    #[serde(rename = "error")]
    pub(crate) error_document: Option<String>,
    /// Host and protocol.
    pub(crate) redirect_all: Option<(String, Option<String>)>,
    #[serde(rename = "rules")]
    pub(crate) routing_rules: Vec<RoutingRule>,
}

/// A routing rule. Without a condition, it applies to every request.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RoutingRule.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingRule {
    /// The condition `HttpErrorCodeReturnedEquals`.
    pub if_error: Option<String>,
    /// The condition `KeyPrefixEquals`.
    pub if_prefix: Option<String>,
    /// The host that it redirects to.
    pub host: Option<String>,
    /// The status of the redirect; 301 without one.
    pub code: Option<String>,
    /// The protocol that it redirects to.
    pub protocol: Option<String>,
    /// What the prefix of the condition is replaced with.
    pub prefix: Option<String>,
    /// What the whole key is replaced with.
    pub key: Option<String>,
}

impl WebsiteSnapshot {
    /// The managed part; `None` if the website redirects all requests.
    pub(crate) fn website(&self) -> Option<Website> {
        let index_document = self.index_document.clone()?;
        Some(Website { index_document, error_document: self.error_document.clone() })
    }

    /// What redirects every request: the website as a whole, or a routing rule without a condition.
    pub(crate) fn redirects_everything(&self) -> Option<String> {
        if let Some((host, _)) = &self.redirect_all {
            return Some(format!("RedirectAllRequestsTo {host}"));
        }
        let is_empty = |condition: &Option<String>| condition.as_deref().is_none_or(str::is_empty);
        let rule = self.routing_rules.iter().find(|rule| is_empty(&rule.if_error) && is_empty(&rule.if_prefix))?;
        let target = [&rule.host, &rule.prefix, &rule.key].into_iter().flatten().next();
        Some(format!("a RoutingRule without a condition, to {}", target.map_or("itself", String::as_str)))
    }

    /// The configuration that redirects every request. S3 takes nothing else beside it.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_WebsiteConfiguration.html>
    pub(crate) fn redirecting(redirect: &WebsiteRedirect) -> Self {
        let redirect_all = Some((redirect.host.clone(), redirect.protocol.clone()));
        Self { redirect_all, ..Self::default() }
    }

    /// Where every request is redirected.
    pub(crate) fn redirect(&self) -> Option<WebsiteRedirect> {
        let (host, protocol) = self.redirect_all.clone()?;
        Some(WebsiteRedirect { host, protocol })
    }

    /// The configuration with the managed part replaced. Routing rules are kept.
    pub(crate) fn with_website(self, website: &Website) -> Self {
        let Website { index_document, error_document } = website.clone();
        Self { index_document: Some(index_document), error_document, redirect_all: None, ..self }
    }
}
