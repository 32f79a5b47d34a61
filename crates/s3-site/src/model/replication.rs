//! Cross-region replication.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>

use super::properties::{Property, set};

/// The managed replication rule of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html>
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a rule has these switches")]
pub struct ReplicationRule {
    /// The ARN of the role that S3 assumes.
    pub role: String,
    /// The ARN of the destination bucket.
    pub destination: String,
    /// Whether the rule is in force.
    pub enabled: bool,
    /// Whether delete markers are replicated. Without them, deleted pages reappear after a failover.
    pub delete_markers: bool,
    /// Whether metadata changes of replicas are replicated back.
    pub replica_modifications: bool,
    /// Whether replication metrics are published, which alarms are based on.
    pub metrics: bool,
    /// Whether S3 Replication Time Control is on: replication within 15 minutes, at an extra price.
    pub time_control: bool,
    /// The key of KMS that replicas are encrypted with, by its ARN, if objects that are encrypted with a key of KMS are replicated.
    pub replica_kms_key: Option<String>,
    /// Whether the rule applies to every object.
    pub all_objects: bool,
}

impl ReplicationRule {
    pub(crate) fn properties(&self) -> [Property; 9] {
        let Self {
            role,
            destination,
            enabled,
            delete_markers,
            replica_modifications,
            metrics,
            time_control,
            replica_kms_key,
            all_objects,
        } = self;
        let status = |on: &bool| if *on { "Enabled" } else { "Disabled" };
        [
            set("Destination", destination),
            set("Role", role),
            set("Status", status(enabled)),
            set("DeleteMarkerReplication", status(delete_markers)),
            set("ReplicaModifications", status(replica_modifications)),
            set("Metrics", status(metrics)),
            set("ReplicationTime", status(time_control)),
            ("ReplicaKmsKeyID", replica_kms_key.clone()),
            set("Filter", if *all_objects { "everything" } else { "a part" }),
        ]
    }
}

/// The replication rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicationRules {
    /// The managed rule.
    pub managed: Option<ReplicationRule>,
    /// The ARN of the role of other rules; `None` if there are none. A bucket has one role for all its rules.
    pub other_role: Option<String>,
}

/// Whether replication rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleStatus {
    Enabled,
    Disabled,
}
