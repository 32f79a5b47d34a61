//! The outages that a drill simulates, and how each is undone.

use std::fmt;

use serde::{Deserialize, Serialize};
use twinsite_core::Mode;

use super::WebsiteSnapshot;

/// An outage of the primary bucket that a drill simulates by changing the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketOutage {
    /// The primary's website configuration is deleted: requests get 404.
    Website,
    /// The primary's policy denies reads from outside the account: requests get 403.
    Policy,
    /// The failover switch object is put: the primary works, but its health check fails.
    Switch,
    /// Replication is disabled: the backup falls behind.
    Replication,
}

impl BucketOutage {
    /// The word used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::Policy => "policy",
            Self::Switch => "switch",
            Self::Replication => "replication",
        }
    }

    /// The default of a mode: an outage that its failover detects.
    pub fn default_for(mode: Mode) -> Self {
        match mode {
            Mode::Dns | Mode::Layered => Self::Website,
            Mode::Origin => Self::Policy,
        }
    }

    /// False if the outage has no effect in a mode: private buckets have no website, and CloudFront ignores the switch object.
    pub fn is_effective_in(self, mode: Mode) -> bool {
        match self {
            Self::Website | Self::Switch => mode.public_buckets(),
            Self::Policy | Self::Replication => true,
        }
    }
}

impl fmt::Display for BucketOutage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an outage is undone. Its serialized form is stored in the journals of drills, which everybody who may publish can write: so it
/// names the change that is undone, and brings no setting that a publisher could not make anyway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum RestoreAction {
    /// Puts the website configuration, if there is none.
    Website {
        /// The configuration.
        website: WebsiteSnapshot,
    },
    /// Removes the drill's statement from the policy.
    Policy,
    /// Deletes the failover switch object. Persisted under the name that the outage had at first.
    #[serde(rename = "stop-object")]
    Switch,
    /// Enables the managed replication rule.
    Replication,
}

impl RestoreAction {
    /// The outage that it undoes.
    pub fn outage(&self) -> BucketOutage {
        match self {
            Self::Website { .. } => BucketOutage::Website,
            Self::Policy => BucketOutage::Policy,
            Self::Switch => BucketOutage::Switch,
            Self::Replication => BucketOutage::Replication,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoutingRule;

    #[test]
    fn every_mode_has_an_effective_default() {
        for mode in [Mode::Dns, Mode::Origin, Mode::Layered] {
            assert!(BucketOutage::default_for(mode).is_effective_in(mode));
        }
        assert!(!BucketOutage::Switch.is_effective_in(Mode::Origin));
    }

    #[test]
    fn the_serialized_form_does_not_change() {
        let website = RestoreAction::Website {
            website: WebsiteSnapshot {
                index_document: Some("index.html".into()),
                error_document: None,
                redirect_all: Some(("example.com".into(), None)),
                routing_rules: vec![RoutingRule { if_prefix: Some("a/".into()), ..RoutingRule::default() }],
            },
        };
        let text = r#"{"how":"website","website":{"index":"index.html","error":null,"redirect_all":["example.com",null],"rules":[{"if_error":null,"if_prefix":"a/","host":null,"code":null,"protocol":null,"prefix":null,"key":null}]}}"#;
        assert_eq!(serde_json::to_string(&website).unwrap(), text);
        for (action, text) in [
            (website, text),
            (RestoreAction::Policy, r#"{"how":"policy"}"#),
            (RestoreAction::Switch, r#"{"how":"stop-object"}"#),
            (RestoreAction::Replication, r#"{"how":"replication"}"#),
        ] {
            assert_eq!(serde_json::from_str::<RestoreAction>(text).unwrap(), action);
            assert_eq!(serde_json::to_string(&action).unwrap(), text);
        }
    }
}
