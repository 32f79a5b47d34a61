//! What a step does and why.

use std::collections::BTreeMap;
use std::fmt;

/// What a step does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Creates a resource.
    Create,
    /// Changes settings of a resource in place.
    Update,
    /// Removes a resource.
    Delete,
    /// Changes nothing: waits for AWS to complete an earlier step.
    Wait,
}

impl Action {
    /// The one-character sign printed in front of a planned step.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Delete => '-',
            Self::Wait => '…',
        }
    }

    /// The verb in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Wait => "wait",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a step is planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The resource does not exist.
    Absent,
    /// The resource exists, but some settings differ from the configuration; they are the step's fields.
    Drifted,
    /// The resource belongs to the site and is no longer part of its configuration.
    Unwanted,
    /// An earlier step needs time to take effect.
    Pending,
    /// The user requested it, in these words.
    Asked(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("does not exist"),
            Self::Drifted => f.write_str("differs from the configuration"),
            Self::Unwanted => f.write_str("is no longer configured"),
            Self::Pending => f.write_str("takes time to complete"),
            Self::Asked(why) => f.write_str(why),
        }
    }
}

/// The AWS resource that a step creates, changes, deletes or waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The service, as AWS writes it: `S3`, `Route 53`.
    pub service: &'static str,
    /// What it is within the service: `bucket`, `health check`.
    pub kind: &'static str,
    /// Its name, id or ARN, by which it is found in the console.
    pub name: String,
}

impl Resource {
    /// A resource of a service.
    pub fn new(service: &'static str, kind: &'static str, name: impl Into<String>) -> Self {
        Self { service, kind, name: name.into() }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.service, self.kind, self.name)
    }
}

/// One setting that a step sets, changes or removes.
///
/// Fields are what `plan` prints *and* what the plan's fingerprint covers, so what was reviewed is what is applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The setting's name, as AWS calls it.
    pub name: String,
    /// The present value; `None` if there is none.
    pub actual: Option<String>,
    /// The value afterwards; `None` if it is removed.
    pub desired: Option<String>,
}

impl Field {
    /// A setting that had no value.
    pub fn set(name: impl Into<String>, desired: impl Into<String>) -> Self {
        Self { name: name.into(), actual: None, desired: Some(desired.into()) }
    }

    /// A setting whose value changes.
    pub fn change(name: impl Into<String>, actual: impl Into<String>, desired: impl Into<String>) -> Self {
        Self { name: name.into(), actual: Some(actual.into()), desired: Some(desired.into()) }
    }

    /// A setting that is removed.
    pub fn unset(name: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { name: name.into(), actual: Some(actual.into()), desired: None }
    }
}

/// The entries of a map that are set or changed, with their keys after a prefix. What is there besides is left as it is.
pub fn entries_to_put(
    prefix: &str,
    actual: &BTreeMap<String, String>,
    desired: &BTreeMap<String, String>,
) -> impl Iterator<Item = Field> {
    let changed = desired.iter().filter(|(key, value)| actual.get(*key) != Some(value));
    changed.map(move |(key, value)| Field {
        name: format!("{prefix}{key}"),
        actual: actual.get(key).cloned(),
        desired: Some(value.clone()),
    })
}

/// The properties that differ between what is there and what is desired: those to set or change by name, then those to remove.
pub fn differences(actual: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) -> Vec<Field> {
    let removed = actual.iter().filter(|(name, _)| !desired.contains_key(*name));
    entries_to_put("", actual, desired).chain(removed.map(|(name, value)| Field::unset(name, value))).collect()
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.actual, &self.desired) {
            (None, Some(desired)) => write!(f, "{} = {desired}", self.name),
            (Some(actual), Some(desired)) => write!(f, "{}: {actual} -> {desired}", self.name),
            (Some(actual), None) => write!(f, "{}: {actual} -> (none)", self.name),
            (None, None) => f.write_str(&self.name),
        }
    }
}
