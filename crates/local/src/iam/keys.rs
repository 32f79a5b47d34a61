//! The condition keys of a request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use std::collections::BTreeMap;

use crate::context::Tags;

/// The condition keys of a request, with their values. Names are compared without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, Vec<String>>);

impl Keys {
    /// The keys with one more, which has one value.
    #[must_use]
    pub fn with(self, name: &str, value: impl Into<String>) -> Self {
        self.with_all(name, [value.into()])
    }

    /// The keys with one more, which has any number of values. Without values, the key is absent.
    #[must_use]
    pub fn with_all(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.insert(name.to_lowercase(), values);
        }
        self
    }

    /// The keys of the tags that a request sets: `aws:RequestTag/KEY` and `aws:TagKeys`.
    #[must_use]
    pub fn with_request_tags(self, tags: &Tags) -> Self {
        let keys = self.with_all("aws:TagKeys", tags.keys().cloned());
        tags.iter().fold(keys, |keys, (key, value)| keys.with(&format!("aws:RequestTag/{key}"), value.as_str()))
    }

    /// The keys of the tags that a resource has: `aws:ResourceTag/KEY`.
    #[must_use]
    pub fn with_resource_tags(self, tags: &Tags) -> Self {
        tags.iter().fold(self, |keys, (key, value)| keys.with(&format!("aws:ResourceTag/{key}"), value.as_str()))
    }

    /// These keys and, where these do not have them, those of another map.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        for (name, values) in &others.0 {
            self.0.entry(name.clone()).or_insert_with(|| values.clone());
        }
        self
    }

    /// The values of a key; `None` if the request does not have it.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(&name.to_lowercase()).map(Vec::as_slice)
    }
}
