//! Cross-region replication: the rule that copies what is put into one bucket to the other.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>

use twinsite_core::{Field, Side};

use crate::want::Desired;

/// What a replication rule of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a rule has these switches")]
pub struct Rule {
    /// The role that S3 assumes, by its ARN.
    pub role: String,
    /// Where objects go: a bucket's ARN.
    pub destination: String,
    /// Whether the rule is in force.
    pub enabled: bool,
    /// Whether delete markers are copied: without them, deleted pages are back after a failover.
    pub delete_markers: bool,
    /// Whether changes of a replica's metadata travel back.
    pub replica_modifications: bool,
    /// Whether metrics are kept, from which alarms and the backlog are read.
    pub metrics: bool,
    /// Whether S3 promises to copy within fifteen minutes, at a price.
    pub time_control: bool,
    /// Whether the rule is for every object, as ours is.
    pub everything: bool,
}

/// The rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// Ours.
    pub rule: Option<Rule>,
    /// The role that the rules of others use; `None` when there are no others.
    pub others: Option<String>,
}

/// The rule that a bucket should have; none for the backup unless objects are to travel back too.
pub(crate) fn wanted(want: &Desired, side: Side) -> Option<Rule> {
    if side == Side::Backup && !want.replicate_back {
        return None;
    }
    let partition = want.site.regions.get(side).partition();
    Some(Rule {
        role: crate::role::arn(want),
        destination: format!("arn:{partition}:s3:::{}", want.site.buckets.get(side.other())),
        enabled: true,
        delete_markers: true,
        replica_modifications: want.replicate_back,
        metrics: true,
        time_control: want.time_control,
        everything: true,
    })
}

/// What differs between two rules.
pub(crate) fn fields(have: Option<&Rule>, want: &Rule) -> Vec<Field> {
    let (now, then) = (have.map(words), words(want));
    let pairs =
        then.into_iter().enumerate().map(|(n, (name, want))| (name, now.as_ref().map(|now| now[n].1.clone()), want));
    let changed = pairs.filter(|(_, have, want)| have.as_ref() != Some(want));
    changed.map(|(name, have, want)| Field { name: name.to_owned(), actual: have, desired: Some(want) }).collect()
}

fn words(rule: &Rule) -> [(&'static str, String); 8] {
    let Rule { role, destination, enabled, delete_markers, replica_modifications, metrics, time_control, everything } =
        rule;
    let status = |on: &bool| if *on { "Enabled" } else { "Disabled" }.to_owned();
    [
        ("Destination", destination.clone()),
        ("Role", role.clone()),
        ("Status", status(enabled)),
        ("DeleteMarkerReplication", status(delete_markers)),
        ("ReplicaModifications", status(replica_modifications)),
        ("Metrics", status(metrics)),
        ("ReplicationTime", status(time_control)),
        ("Filter", if *everything { "everything" } else { "a part" }.to_owned()),
    ]
}
