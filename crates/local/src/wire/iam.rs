//! IAM on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use serde::Serialize;

use super::query::{Form, answer as answered};
use super::reply;
use crate::world::iam::{Fault, Role};
use crate::world::{Account, World};

/// Policy documents come back encoded as in RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleInfo {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: String,
    description: String,
    max_session_duration: u32,
    tags: Tags,
}

#[derive(Serialize)]
struct Tags {
    member: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleAnswer {
    role: RoleInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed<T> {
    #[serde(flatten)]
    list: BTreeMap<&'static str, Members<T>>,
    is_truncated: bool,
}

#[derive(Serialize)]
struct Members<T> {
    member: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyAnswer {
    role_name: String,
    policy_name: String,
    policy_document: String,
}

impl RoleInfo {
    fn of(role: &Role) -> Self {
        Self {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn: role.arn(),
            create_date: reply::rfc3339(role.created),
            assume_role_policy_document: utf8_percent_encode(&role.trust, ENCODED).to_string(),
            description: role.description.clone(),
            max_session_duration: 3600,
            tags: Tags { member: tags(role) },
        }
    }
}

fn tags(role: &Role) -> Vec<Tag> {
    role.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

fn listed<T>(name: &'static str, member: Vec<T>) -> Listed<T> {
    Listed { list: BTreeMap::from([(name, Members { member })]), is_truncated: false }
}

/// Answers a request to IAM.
pub(super) fn answer(world: &World, request: &Request<Bytes>) -> Response<Body> {
    let form = Form::of(request);
    carry_out(world, &form).unwrap_or_else(|fault| refusal(&fault))
}

fn carry_out(world: &World, form: &Form) -> Result<Response<Body>, Fault> {
    let action = form.get("Action").unwrap_or_default();
    let role = form.get("RoleName").unwrap_or_default();
    let policy = form.get("PolicyName").unwrap_or_default();
    let document = form.get("PolicyDocument").unwrap_or_default();
    let change = |change: &dyn Fn(&mut Account) -> Result<(), Fault>| {
        world.change_account(|account, _| change(account))?;
        Ok::<_, Fault>(answered(action, &()))
    };
    let look = |name: &str| world.account(|account, _| account.iam.role(name).cloned());
    match action {
        "CreateRole" => create(world, form),
        "GetRole" => Ok(answered(action, &RoleAnswer { role: RoleInfo::of(&look(role)?) })),
        "DeleteRole" => change(&|account| account.iam.delete_role(role)),
        "UpdateAssumeRolePolicy" => change(&|account| account.iam.put_trust(role, document)),
        "PutRolePolicy" => change(&|account| account.iam.put_policy(role, policy, document)),
        "DeleteRolePolicy" => change(&|account| account.iam.delete_policy(role, policy)),
        "GetRolePolicy" => {
            let text = world.account(|account, _| account.iam.policy(role, policy).map(str::to_owned))?;
            let policy_document = utf8_percent_encode(&text, ENCODED).to_string();
            let (role_name, policy_name) = (role.to_owned(), policy.to_owned());
            Ok(answered(action, &PolicyAnswer { role_name, policy_name, policy_document }))
        }
        "ListRolePolicies" => {
            let names: Vec<String> = look(role)?.policies.into_keys().collect();
            Ok(answered(action, &listed("PolicyNames", names)))
        }
        "ListAttachedRolePolicies" => {
            look(role)?;
            Ok(answered(action, &listed::<String>("AttachedPolicies", Vec::new())))
        }
        "ListRoles" => {
            let prefix = form.get("PathPrefix").unwrap_or("/");
            let roles = world.account(|account, _| {
                let roles = account.iam.roles().filter(|role| role.path.starts_with(prefix));
                roles.map(RoleInfo::of).collect::<Vec<_>>()
            });
            Ok(answered(action, &listed("Roles", roles)))
        }
        "ListRoleTags" => Ok(answered(action, &listed("Tags", tags(&look(role)?)))),
        "TagRole" => change(&|account| account.iam.change_tags(role, form.pairs("Tags"), &[])),
        "UntagRole" => change(&|account| account.iam.change_tags(role, Vec::new(), &form.list("TagKeys"))),
        other => Err(Fault::ValidationError(format!("The action {other} is not emulated"))),
    }
}

fn create(world: &World, form: &Form) -> Result<Response<Body>, Fault> {
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let role = world.change_account(|account, moment| {
        account.iam.create_role(Role {
            name: text("RoleName"),
            path: form.get("Path").unwrap_or("/").to_owned(),
            id: String::new(),
            trust: text("AssumeRolePolicyDocument"),
            description: text("Description"),
            policies: BTreeMap::new(),
            tags: form.pairs("Tags").into_iter().collect(),
            created: moment.now,
        })
    })?;
    Ok(answered("CreateRole", &RoleAnswer { role: RoleInfo::of(&role) }))
}

fn refusal(fault: &Fault) -> Response<Body> {
    let (status, code) = match fault {
        Fault::NoSuchEntity(_) => (StatusCode::NOT_FOUND, "NoSuchEntity"),
        Fault::EntityAlreadyExists(_) => (StatusCode::CONFLICT, "EntityAlreadyExists"),
        Fault::MalformedPolicyDocument(_) => (StatusCode::BAD_REQUEST, "MalformedPolicyDocument"),
        Fault::DeleteConflict => (StatusCode::CONFLICT, "DeleteConflict"),
        Fault::ValidationError(_) => (StatusCode::BAD_REQUEST, "ValidationError"),
        Fault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceFailure"),
    };
    reply::error(status, code, &fault.to_string())
}
