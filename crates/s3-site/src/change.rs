//! The changes that a plan is made of; each is one call, but for creating a bucket, which is two.

use twinsite_aws::Tags;
use twinsite_core::{BucketName, Field, Need, Region, Side};

use crate::bucket::{Block, Lifecycle, Website};
use crate::policy::Document;
use crate::replication::{self, Rule};
use crate::role::RoleChange;

/// A change to one of the two buckets, or to the role between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// To a bucket.
    Bucket(BucketChange),
    /// To the role that S3 assumes to replicate.
    Role(RoleChange),
}

/// A change to one of the two buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketChange {
    /// Which of the two.
    pub side: Side,
    /// Its name.
    pub bucket: BucketName,
    /// What changes.
    pub what: What,
}

/// What changes about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is created, with its tags.
    Create { region: Region, tags: Tags },
    /// A simple setting is put.
    Set(Setting),
    /// The website configuration is put, with what is not ours in it as it was.
    Website { have: Option<Website>, want: Website },
    /// The lifecycle rules are put, with rules that are not ours as they were.
    Lifecycle { have: Lifecycle, want: Lifecycle },
    /// The policy is put.
    Policy { have: Option<String>, want: Document },
    /// Our replication rule is put or taken away, with others as they were.
    Replication { have: Option<Rule>, want: Option<Rule> },
    /// The objects that health checks ask for are put.
    Probes { keys: Vec<String>, word: String },
    /// The tags are put, with others as they were.
    Tags { have: Tags, want: Tags },
    /// Everything in it is deleted, and the bucket.
    Delete { objects: u64 },
    /// Our tags and policy statements are taken off.
    Release { policy: Option<String>, tags: Tags, replicates: bool },
}

/// A setting with one right value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Versions are kept.
    Versioning,
    /// ACLs are off.
    Ownership,
    /// SSE-S3 by default.
    Encryption,
    /// The public access block.
    Block { have: Option<Block>, want: Block },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Bucket(change) => change.fields(),
            Self::Role(change) => change.fields(),
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::Bucket(BucketChange { what: What::Policy { want, .. }, .. }) => want.need().into_iter().collect(),
            Self::Bucket(_) | Self::Role(_) => Vec::new(),
        }
    }
}

impl BucketChange {
    fn fields(&self) -> Vec<Field> {
        let Self { side: _, bucket, what } = self;
        let mut fields = match what {
            What::Create { region, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                std::iter::once(Field::set("Region", region.as_str())).chain(tags).collect()
            }
            What::Set(setting) => setting.fields(),
            What::Website { have, want } => website_fields(have.as_ref(), want),
            What::Lifecycle { have, want } => lifecycle_fields(have, want),
            What::Policy { have, want } => vec![field("Policy", have.as_deref(), &want.to_string())],
            What::Replication { have, want: Some(want) } => replication::fields(have.as_ref(), want),
            What::Replication { have, want: None } => {
                have.iter().map(|have| Field::unset("Replication to", &have.destination)).collect()
            }
            What::Probes { keys, word } => {
                keys.iter().map(|key| Field::set(format!("object {key}"), word.as_str())).collect()
            }
            What::Tags { have, want } => tag_fields(have, want),
            What::Delete { objects } => vec![Field::unset("Objects and versions", objects.to_string())],
            What::Release { policy: _, tags: _, replicates: _ } => {
                vec![Field::unset("twinsite's tags and statements", "present")]
            }
        };
        fields.insert(0, Field::set("Bucket", bucket.as_str()));
        fields
    }
}

fn field(name: &str, actual: Option<&str>, desired: &str) -> Field {
    Field { name: name.to_owned(), actual: actual.map(str::to_owned), desired: Some(desired.to_owned()) }
}

impl Setting {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Versioning => vec![Field::set("Versioning", "Enabled")],
            Self::Ownership => vec![Field::set("ObjectOwnership", "BucketOwnerEnforced")],
            Self::Encryption => vec![Field::set("Encryption", "AES256")],
            Self::Block { have, want } => {
                let have = have.map(switches);
                let pairs = switches(*want).into_iter().enumerate();
                let pairs = pairs.map(|(n, (name, want))| (name, have.map(|have| have[n].1), want));
                pairs
                    .filter(|(_, have, want)| *have != Some(*want))
                    .map(|(name, have, want)| {
                        field(name, have.map(|have| if have { "true" } else { "false" }), &want.to_string())
                    })
                    .collect()
            }
        }
    }
}

fn switches(block: Block) -> [(&'static str, bool); 4] {
    let Block { acls, ignore_acls, policies, restrict } = block;
    [
        ("BlockPublicAcls", acls),
        ("IgnorePublicAcls", ignore_acls),
        ("BlockPublicPolicy", policies),
        ("RestrictPublicBuckets", restrict),
    ]
}

fn website_fields(have: Option<&Website>, want: &Website) -> Vec<Field> {
    let Website { index, error } = want;
    let mut fields = Vec::new();
    if have.map(|have| &have.index) != Some(index) {
        fields.push(field("IndexDocument", have.map(|have| have.index.as_str()), index));
    }
    let old = have.and_then(|have| have.error.as_deref());
    if old != error.as_deref() {
        fields.push(Field { name: "ErrorDocument".into(), actual: old.map(str::to_owned), desired: error.clone() });
    }
    fields
}

fn lifecycle_fields(have: &Lifecycle, want: &Lifecycle) -> Vec<Field> {
    let days = |days: Option<i32>| days.map(|days| format!("{days} days"));
    let Lifecycle { abort_days, noncurrent_days, markers } = *want;
    let all = [
        ("AbortIncompleteMultipartUpload", days(have.abort_days), days(abort_days)),
        ("NoncurrentVersionExpiration", days(have.noncurrent_days), days(noncurrent_days)),
        ("ExpiredObjectDeleteMarker", Some(have.markers.to_string()), Some(markers.to_string())),
    ];
    let changed = all.into_iter().filter(|(_, have, want)| have != want);
    changed.map(|(name, have, want)| Field { name: name.into(), actual: have, desired: want }).collect()
}

fn tag_fields(have: &Tags, want: &Tags) -> Vec<Field> {
    let changed = want.iter().filter(|(key, value)| have.get(*key) != Some(value));
    changed.map(|(key, value)| field(&format!("tag {key}"), have.get(key).map(String::as_str), value)).collect()
}
