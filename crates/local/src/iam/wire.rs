//! IAM on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use bytes::Bytes;
use http::{Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use serde_json::{Value, json};

use super::{Iam, IamRole, IamUser, ManagedPolicy, Owner, Policies};
use crate::context::{ACCOUNT, Now, ServiceError, change_tags};
use crate::protocol::json::tag_list;
use crate::protocol::query::{Form, respond};
use crate::protocol::reply;

/// Policy documents are returned percent-encoded as in RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, ENCODED).to_string()
}

fn role_result(role: &IamRole) -> Value {
    json!({"Role": {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(),
        "CreateDate": reply::rfc3339(role.created),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "Description": role.description,
        "MaxSessionDuration": 3600,
        "Tags": {"member": tag_list(&role.tags)},
        "PermissionsBoundary": boundary(&role.policies),
    }})
}

fn user_result(user: &IamUser) -> Value {
    json!({"User": {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn(),
        "CreateDate": reply::rfc3339(user.created),
        "Tags": {"member": tag_list(&user.tags)},
        "PermissionsBoundary": boundary(&user.policies),
    }})
}

fn boundary(policies: &Policies) -> Option<Value> {
    let arn = policies.boundary.as_ref()?;
    Some(json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}))
}

fn policy_result(policy: &ManagedPolicy) -> Value {
    json!({"Policy": {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "IsAttachable": true,
        "CreateDate": reply::rfc3339(policy.created),
        "UpdateDate": reply::rfc3339(policy.created),
    }})
}

/// Answers a request to IAM.
pub(crate) fn answer(iam: &mut Iam, request: &Request<Bytes>, now: Now) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    let (action, name, policy) = (form.action(), form.text("RoleName"), form.text("PolicyName"));
    let path = || form.get("Path").unwrap_or("/").to_owned();
    let owner = if action.contains("User") { Owner::User(form.text("UserName")) } else { Owner::Role(name) };
    let result = match action {
        "CreateRole" => {
            let boundary = form.get("PermissionsBoundary").map(str::to_owned);
            role_result(&iam.create_role(IamRole {
                name: name.to_owned(),
                path: path(),
                id: String::new(),
                trust: form.text("AssumeRolePolicyDocument").to_owned(),
                description: form.text("Description").to_owned(),
                policies: Policies { boundary, ..Policies::default() },
                tags: form.pairs("Tags"),
                created: now.time,
            })?)
        }
        "CreateUser" => {
            let boundary = form.get("PermissionsBoundary").map(str::to_owned);
            user_result(&iam.create_user(IamUser {
                name: form.text("UserName").to_owned(),
                path: path(),
                id: String::new(),
                policies: Policies { boundary, ..Policies::default() },
                tags: form.pairs("Tags"),
                created: now.time,
                keys: std::collections::BTreeMap::default(),
            })?)
        }
        "CreateAccessKey" => {
            let user = form.text("UserName");
            let (id, secret) = iam.create_access_key(user)?;
            json!({"AccessKey": {"UserName": user, "AccessKeyId": id, "Status": "Active", "SecretAccessKey": secret}})
        }
        "CreatePolicy" => {
            let (name, path) = (policy.to_owned(), path());
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy{path}{name}");
            let document = form.text("PolicyDocument").to_owned();
            let id = String::new();
            policy_result(&iam.create_managed(ManagedPolicy { arn, name, path, id, document, created: now.time })?)
        }
        "GetRole" => role_result(iam.role(name)?),
        "GetPolicy" => policy_result(iam.managed.get(form.text("PolicyArn")).ok_or_else(no_managed)?),
        "GetRolePolicy" | "GetUserPolicy" => {
            let document = encoded(iam.policy(owner, policy)?);
            let (kind, name) = named(owner);
            json!({kind: name, "PolicyName": policy, "PolicyDocument": document})
        }
        "ListRolePolicies" | "ListUserPolicies" => {
            let names: Vec<_> = iam.policies(owner)?.inline.keys().collect();
            json!({"PolicyNames": {"member": names}, "IsTruncated": false})
        }
        "ListAttachedRolePolicies" | "ListAttachedUserPolicies" => {
            let policy = |arn: &String| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn});
            let attached: Vec<_> = iam.policies(owner)?.attached.iter().map(policy).collect();
            json!({"AttachedPolicies": {"member": attached}, "IsTruncated": false})
        }
        _ => return change(iam, &form, owner),
    };
    respond(action, result)
}

/// Operations without a result.
fn change(iam: &mut Iam, form: &Form, owner: Owner<'_>) -> Result<Response<Body>, ServiceError> {
    let (action, name, policy) = (form.action(), form.text("RoleName"), form.text("PolicyName"));
    let arn = form.text("PolicyArn");
    match action {
        "DeleteRole" => iam.delete_role(name)?,
        "UpdateAssumeRolePolicy" => iam.put_trust(name, form.text("PolicyDocument"))?,
        "PutRolePolicy" | "PutUserPolicy" => iam.put_policy(owner, policy, form.text("PolicyDocument"))?,
        "DeleteRolePolicy" | "DeleteUserPolicy" => iam.delete_policy(owner, policy)?,
        "AttachRolePolicy" | "AttachUserPolicy" => iam.attach(owner, arn)?,
        "DetachRolePolicy" | "DetachUserPolicy" => {
            iam.policies_mut(owner)?.attached.remove(arn).then_some(()).ok_or_else(no_managed)?;
        }
        "PutRolePermissionsBoundary" | "PutUserPermissionsBoundary" => {
            iam.set_boundary(owner, Some(form.text("PermissionsBoundary")))?;
        }
        "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary" => iam.set_boundary(owner, None)?,
        "DeletePolicy" => iam.managed.remove(arn).map(drop).ok_or_else(no_managed)?,
        "TagRole" | "UntagRole" => {
            change_tags(&mut iam.role_mut(name)?.tags, form.pairs("Tags"), &form.list("TagKeys"));
        }
        other => return Err(ServiceError::not_implemented(&format!("IAM {other}"))),
    }
    respond(action, json!({}))
}

fn named(owner: Owner<'_>) -> (&'static str, &str) {
    match owner {
        Owner::Role(name) => ("RoleName", name),
        Owner::User(name) => ("UserName", name),
    }
}

fn no_managed() -> ServiceError {
    ServiceError::new("NoSuchEntity", 404, "The policy does not exist or is not attachable.")
}
