//! The role that S3 assumes to replicate: who may assume it, and what it may do, both as little as possible.

mod calls;

pub(crate) use calls::Calls;

use serde_json::{Value, json};
use twinsite_aws::Tags;
use twinsite_core::{Action, Field, Reason, Side, Site, Step};

use crate::change::Change;
use crate::policy::flat;
use crate::problem::Problem;
use crate::want::Desired;

/// The folder of our roles.
pub(crate) const PATH: &str = "/twinsite/";
/// The name of the role's one policy.
pub(crate) const POLICY: &str = "replicate";
/// The step that makes the role.
pub(crate) const STEP: &str = "replication/role";

/// A role that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleState {
    /// Its tags.
    pub tags: Tags,
    /// Who may assume it.
    pub trust: String,
    /// What it may do; `None` when our policy is not there.
    pub policy: Option<String>,
}

/// A change of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// It is created, with its policy.
    Create {
        /// Its name.
        name: String,
        /// Who may assume it.
        trust: String,
        /// What it may do.
        policy: String,
        /// Its tags.
        tags: Tags,
    },
    /// Who may assume it is replaced.
    Trust {
        /// Its name.
        name: String,
        /// As it is.
        have: String,
        /// As it will be.
        want: String,
    },
    /// What it may do is replaced.
    Policy {
        /// Its name.
        name: String,
        /// As it is.
        have: Option<String>,
        /// As it will be.
        want: String,
    },
    /// It is deleted.
    Delete {
        /// Its name.
        name: String,
    },
}

impl RoleChange {
    pub(crate) fn fields(&self) -> Vec<Field> {
        match self {
            Self::Create { name, trust, policy, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                let mut fields = vec![
                    Field::set("Role", format!("{PATH}{name}")),
                    Field::set("AssumeRolePolicy", trust),
                    Field::set("Policy", policy),
                ];
                fields.extend(tags);
                fields
            }
            Self::Trust { name, have, want } => {
                vec![Field::set("Role", name), Field::change("AssumeRolePolicy", have, want)]
            }
            Self::Policy { name, have, want } => {
                let policy = Field { name: "Policy".to_owned(), actual: have.clone(), desired: Some(want.clone()) };
                vec![Field::set("Role", name), policy]
            }
            Self::Delete { name } => vec![Field::unset("Role", name)],
        }
    }
}

pub(crate) fn name(want: &Desired) -> String {
    format!("twinsite-{}-replication", want.site.slug())
}

pub(crate) fn arn(want: &Desired) -> String {
    let partition = want.site.regions.primary.partition();
    format!("arn:{partition}:iam::{}:role{PATH}{}", want.site.account, name(want))
}

/// The steps that bring the role into the wanted state.
pub(crate) fn steps(want: &Desired, have: Option<&RoleState>) -> Result<Vec<Step<Change>>, Problem> {
    let (name, trust, policy) = (name(want), trust(want).to_string(), permissions(want).to_string());
    let step = |id: &str, action, reason, change| Step::new(id, action, reason, Change::Role(change));
    let Some(RoleState { tags, trust: trusted, policy: allowed }) = have else {
        let create = RoleChange::Create { name, trust, policy, tags: want.owner().created() };
        return Ok(vec![step(STEP, Action::Create, Reason::Absent, create)]);
    };
    if !want.owner().owns(tags) {
        return Err(Problem::ForeignRole { role: name });
    }
    let mut steps = Vec::new();
    if !equal(trusted, &trust) {
        let change = RoleChange::Trust { name: name.clone(), have: trusted.clone(), want: trust };
        steps.push(step("replication/trust", Action::Update, Reason::Drifted, change));
    }
    if !allowed.as_ref().is_some_and(|allowed| equal(allowed, &policy)) {
        let change = RoleChange::Policy { name, have: allowed.clone(), want: policy };
        steps.push(step("replication/permissions", Action::Update, Reason::Drifted, change));
    }
    Ok(steps)
}

/// The step that takes the role away, should it be ours.
pub(crate) fn destroy(want: &Desired, have: Option<&RoleState>) -> Option<Step<Change>> {
    let made = have.is_some_and(|role| want.owner().created_by(&role.tags));
    let change = Change::Role(RoleChange::Delete { name: name(want) });
    let step = || Step::new(STEP, Action::Delete, Reason::Asked("destroy".to_owned()), change);
    made.then(step).map(|step| {
        Side::BOTH
            .into_iter()
            .fold(step, |step, side| step.follows(format!("{side}/bucket")).follows(format!("{side}/release")))
    })
}

/// The name of the role that batch jobs work as.
pub(crate) fn batch_name(site: &Site) -> String {
    format!("twinsite-{}-batch", site.slug())
}

/// The step that takes that role away, should a job that was interrupted have left it.
pub(crate) fn destroy_batch(want: &Desired, have: Option<&RoleState>) -> Option<Step<Change>> {
    let made = have.is_some_and(|role| want.owner().created_by(&role.tags));
    let change = Change::Role(RoleChange::Delete { name: batch_name(&want.site) });
    made.then(|| Step::new("replication/batch-role", Action::Delete, Reason::Asked("destroy".to_owned()), change))
}

/// The directions in which objects travel.
fn directions(want: &Desired) -> Vec<(String, String)> {
    let sides = if want.replicate_back { &Side::BOTH[..] } else { &[Side::Primary] };
    let arn =
        |side: Side| format!("arn:{}:s3:::{}", want.site.regions.primary.partition(), want.site.buckets.get(side));
    sides.iter().map(|side| (arn(*side), arn(side.other()))).collect()
}

/// S3, for the source buckets of this account and for nobody else.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>
fn trust(want: &Desired) -> Value {
    let sources: Vec<String> = directions(want).into_iter().map(|(source, _)| source).collect();
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": want.site.account.as_str()},
            "ArnLike": {"aws:SourceArn": sources},
        },
    }]})
}

fn permissions(want: &Desired) -> Value {
    let statements = directions(want).into_iter().flat_map(|(source, destination)| {
        [
            json!({"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": source}),
            json!({
                "Effect": "Allow",
                "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
                "Resource": format!("{source}/*"),
            }),
            json!({
                "Effect": "Allow",
                "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
                "Resource": format!("{destination}/*"),
            }),
        ]
    });
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
}

/// Equal but for the forms that AWS may answer in.
fn equal(have: &str, want: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().map(|value| flat(&value));
    read(have).is_some() && read(have) == read(want)
}

#[cfg(test)]
pub(crate) mod tests {
    use twinsite_core::{Mode, Pair, Site};

    use super::*;

    /// The role just as it is wanted.
    pub(crate) fn right(want: &Desired) -> RoleState {
        let (trust, policy) = (trust(want).to_string(), Some(permissions(want).to_string()));
        RoleState { tags: want.owner().created(), trust, policy }
    }

    fn want() -> Desired {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        Desired::new(Site::new("www.example.com".parse().unwrap(), Mode::Dns, account, regions).unwrap())
    }

    fn ids(want: &Desired, have: &RoleState) -> Vec<String> {
        steps(want, Some(have)).unwrap().iter().map(|step| step.id.to_string()).collect()
    }

    #[test]
    fn trust_and_permissions_are_put_right_each_by_itself() {
        let want = want();
        assert_eq!(ids(&want, &right(&want)), [""; 0]);
        let trusting = RoleState { trust: r#"{"Statement":[]}"#.into(), ..right(&want) };
        assert_eq!(ids(&want, &trusting), ["replication/trust"]);
        assert_eq!(ids(&want, &RoleState { policy: None, ..right(&want) }), ["replication/permissions"]);
        let listed = right(&want).trust.replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\"]");
        assert_eq!(ids(&want, &RoleState { trust: listed, ..right(&want) }), [""; 0]);
    }

    #[test]
    fn a_role_of_somebody_else_is_left_alone_and_both_directions_ask_for_more() {
        let mut want = want();
        let foreign = RoleState { tags: Tags::new(), ..right(&want) };
        assert!(matches!(steps(&want, Some(&foreign)), Err(Problem::ForeignRole { .. })));
        assert!(destroy(&want, Some(&foreign)).is_none() && destroy(&want, Some(&right(&want))).is_some());
        let before = right(&want);
        want.replicate_back = true;
        assert_eq!(ids(&want, &before), ["replication/trust", "replication/permissions"]);
    }
}
