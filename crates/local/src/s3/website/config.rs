//! Website configurations.

use serde::Deserialize;

/// A website configuration.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_WebsiteConfiguration.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Website {
    index_document: Option<Index>,
    error_document: Option<Error>,
    pub(crate) redirect_all_requests_to: Option<RedirectAll>,
    routing_rules: Option<Rules>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    suffix: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Error {
    key: String,
}

/// Redirects every request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RedirectAll {
    pub(crate) host_name: String,
    pub(crate) protocol: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Rules {
    routing_rule: Vec<Rule>,
}

/// A routing rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Rule {
    condition: Condition,
    pub(crate) redirect: Redirect,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Condition {
    key_prefix_equals: Option<String>,
    http_error_code_returned_equals: Option<u16>,
}

/// The redirect of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Redirect {
    pub(crate) host_name: Option<String>,
    pub(crate) http_redirect_code: Option<u16>,
    pub(crate) protocol: Option<String>,
    replace_key_prefix_with: Option<String>,
    replace_key_with: Option<String>,
}

impl Website {
    pub(crate) fn parse(xml: &str) -> Result<Self, String> {
        quick_xml::de::from_str(xml).map_err(|error| error.to_string())
    }

    pub(crate) fn index(&self) -> &str {
        self.index_document.as_ref().map_or("index.html", |index| &index.suffix)
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.error_document.as_ref().map(|error| error.key.as_str())
    }

    /// The first rule for a key before the lookup (`status` is `None`), or for the error it resulted in.
    pub(crate) fn rule(&self, key: &str, status: Option<u16>) -> Option<&Rule> {
        let rules = self.routing_rules.as_ref()?;
        rules.routing_rule.iter().find(|rule| {
            let Condition { key_prefix_equals, http_error_code_returned_equals } = &rule.condition;
            let prefix = key_prefix_equals.as_ref().is_none_or(|prefix| key.starts_with(prefix));
            prefix && *http_error_code_returned_equals == status
        })
    }
}

impl Rule {
    /// The key that a request is redirected to.
    pub(crate) fn target(&self, key: &str) -> String {
        let Redirect { replace_key_prefix_with, replace_key_with, .. } = &self.redirect;
        match (replace_key_with, replace_key_prefix_with) {
            (Some(whole), _) => whole.clone(),
            (None, Some(prefix)) => {
                let old = self.condition.key_prefix_equals.as_deref().unwrap_or_default();
                format!("{prefix}{}", key.strip_prefix(old).unwrap_or(key))
            }
            (None, None) => key.to_owned(),
        }
    }
}
