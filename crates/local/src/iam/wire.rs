//! IAM on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use serde::Serialize;

use super::{Iam, IamRole};
use crate::context::{Now, ServiceError};
use crate::protocol::query::{Form, Members, Tag, respond};
use crate::protocol::reply;

/// Policy documents are returned percent-encoded as in RFC 3986.
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
    tags: Members<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleResult {
    role: RoleInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyResult<'a> {
    role_name: &'a str,
    policy_name: &'a str,
    policy_document: String,
}

impl RoleResult {
    fn new(role: &IamRole) -> Self {
        let role = RoleInfo {
            path: role.path.clone(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn: role.arn(),
            create_date: reply::rfc3339(role.created),
            assume_role_policy_document: utf8_percent_encode(&role.trust, ENCODED).to_string(),
            description: role.description.clone(),
            max_session_duration: 3600,
            tags: Members::tags(&role.tags),
        };
        Self { role }
    }
}

/// Answers a request to IAM.
pub(crate) fn answer(iam: &mut Iam, request: &Request<Bytes>, now: Now) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    let (action, role, policy) = (form.action(), form.text("RoleName"), form.text("PolicyName"));
    match action {
        "CreateRole" => {
            let role = iam.create_role(IamRole {
                name: role.to_owned(),
                path: form.get("Path").unwrap_or("/").to_owned(),
                id: String::new(),
                trust: form.text("AssumeRolePolicyDocument").to_owned(),
                description: form.text("Description").to_owned(),
                policies: BTreeMap::new(),
                tags: form.pairs("Tags"),
                created: now.time,
            })?;
            return respond(action, &RoleResult::new(&role));
        }
        "GetRole" => return respond(action, &RoleResult::new(iam.role(role)?)),
        "GetRolePolicy" => {
            let policy_document = utf8_percent_encode(iam.policy(role, policy)?, ENCODED).to_string();
            return respond(action, &PolicyResult { role_name: role, policy_name: policy, policy_document });
        }
        "DeleteRole" => iam.delete_role(role)?,
        "UpdateAssumeRolePolicy" => iam.put_trust(role, form.text("PolicyDocument"))?,
        "PutRolePolicy" => iam.put_policy(role, policy, form.text("PolicyDocument"))?,
        "DeleteRolePolicy" => iam.delete_policy(role, policy)?,
        other => return Err(ServiceError::not_implemented(&format!("IAM {other}"))),
    }
    respond(action, &())
}
