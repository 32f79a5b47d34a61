//! IAM on the wire (awsQuery).
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::Body;
use serde_json::{Value, json};

use super::{Iam, IamRole};
use crate::context::{Now, ServiceError};
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
    }})
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
            return respond(action, role_result(&role));
        }
        "GetRole" => return respond(action, role_result(iam.role(role)?)),
        "GetRolePolicy" => {
            let document = encoded(iam.policy(role, policy)?);
            let result = json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": document});
            return respond(action, result);
        }
        "DeleteRole" => iam.delete_role(role)?,
        "UpdateAssumeRolePolicy" => iam.put_trust(role, form.text("PolicyDocument"))?,
        "PutRolePolicy" => iam.put_policy(role, policy, form.text("PolicyDocument"))?,
        "DeleteRolePolicy" => iam.delete_policy(role, policy)?,
        other => return Err(ServiceError::not_implemented(&format!("IAM {other}"))),
    }
    respond(action, json!({}))
}
