//! The permissions that operations of IAM need.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>

use bytes::Bytes;
use http::Request;

use super::{Iam, Keys, Permission};
use crate::context::ACCOUNT;
use crate::protocol::query::Form;

/// The permissions that a request needs; `None` for an unknown operation.
pub(crate) fn permissions(iam: &Iam, request: &Request<Bytes>) -> Option<Vec<Permission>> {
    let form = Form::parse(request);
    let (action, path) = (form.action(), form.get("Path").unwrap_or("/"));
    let (role_name, user_name) = (form.text("RoleName"), form.text("UserName"));
    let role = iam.roles.get(role_name);
    let user = iam.users.get(user_name);
    let role_arn = || role.map_or_else(|| format!("arn:aws:iam::{ACCOUNT}:role{path}{role_name}"), super::IamRole::arn);
    let user_arn = || user.map_or_else(|| format!("arn:aws:iam::{ACCOUNT}:user{path}{user_name}"), super::IamUser::arn);
    let policy_arn = || match form.get("PolicyArn") {
        Some(arn) => arn.to_owned(),
        None => format!("arn:aws:iam::{ACCOUNT}:policy{path}{}", form.text("PolicyName")),
    };
    let permission = |resource: String, keys: Keys| {
        let own = Permission::new(format!("iam:{action}"), resource).with(&keys);
        // To create with tags is to tag.
        let tag = match action {
            "CreateRole" => Some("iam:TagRole"),
            "CreateUser" => Some("iam:TagUser"),
            "CreatePolicy" => Some("iam:TagPolicy"),
            _ => None,
        };
        let tag = tag.filter(|_| !form.pairs("Tags").is_empty());
        let tag = tag.map(|tag| Permission::new(tag, own.resource.clone()).with(&own.keys));
        Some(std::iter::once(own).chain(tag).collect())
    };
    let request_keys = Keys::default().with_request_tags(&form.pairs("Tags"));
    let policies = role.map(|role| &role.policies).or_else(|| user.map(|user| &user.policies));
    let current = || policies.and_then(|policies| policies.boundary.clone());
    let tags = role.map(|role| &role.tags).or_else(|| user.map(|user| &user.tags));
    let resource_keys = tags.into_iter().fold(Keys::default(), Keys::with_resource_tags);
    match action {
        // The boundary that is set.
        "CreateRole" | "PutRolePermissionsBoundary" => {
            let boundary = form.get("PermissionsBoundary").map(str::to_owned);
            permission(role_arn(), request_keys.or(&resource_keys).with_all("iam:PermissionsBoundary", boundary))
        }
        "CreateUser" | "PutUserPermissionsBoundary" => {
            let boundary = form.get("PermissionsBoundary").map(str::to_owned);
            permission(user_arn(), request_keys.or(&resource_keys).with_all("iam:PermissionsBoundary", boundary))
        }
        // The boundary that the role or the user has.
        "PutRolePolicy" | "DeleteRolePolicy" | "DeleteRolePermissionsBoundary" => {
            permission(role_arn(), resource_keys.with_all("iam:PermissionsBoundary", current()))
        }
        "PutUserPolicy" | "DeleteUserPolicy" | "DeleteUserPermissionsBoundary" => {
            permission(user_arn(), resource_keys.with_all("iam:PermissionsBoundary", current()))
        }
        "AttachRolePolicy" | "DetachRolePolicy" => {
            let keys = resource_keys.with_all("iam:PermissionsBoundary", current());
            permission(role_arn(), keys.with("iam:PolicyARN", policy_arn()))
        }
        "AttachUserPolicy" | "DetachUserPolicy" => {
            let keys = resource_keys.with_all("iam:PermissionsBoundary", current());
            permission(user_arn(), keys.with("iam:PolicyARN", policy_arn()))
        }
        "GetRole"
        | "GetRolePolicy"
        | "ListRolePolicies"
        | "ListAttachedRolePolicies"
        | "DeleteRole"
        | "UpdateAssumeRolePolicy"
        | "UntagRole" => permission(role_arn(), resource_keys),
        "TagRole" => permission(role_arn(), request_keys.or(&resource_keys)),
        "GetUserPolicy" | "ListUserPolicies" | "ListAttachedUserPolicies" | "CreateAccessKey" => {
            permission(user_arn(), resource_keys)
        }
        "CreatePolicy" => permission(policy_arn(), request_keys),
        "GetPolicy" | "DeletePolicy" => permission(policy_arn(), Keys::default()),
        _ => None,
    }
}
