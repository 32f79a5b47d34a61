//! STS (awsQuery): the identity of a caller, and sessions of roles.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use s3s::Body;
use serde_json::{Value, json};

use crate::context::{ACCOUNT, Now, ServiceError, random_id};
use crate::iam::{Authorization, Caller, Iam, Keys, Permission, Policy, Session};
use crate::protocol::query::{Form, respond};
use crate::protocol::reply::rfc3339;

/// The permissions that a request needs; `None` for an unknown operation. Everybody may ask who they are. Whether a role may be
/// assumed depends on its trust policy, too: [`answer`] decides.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
pub(crate) fn permissions(request: &Request<Bytes>) -> Option<Vec<Permission>> {
    ["GetCallerIdentity", "AssumeRole"].contains(&Form::parse(request).action()).then(Vec::new)
}

/// Whether an operation is authenticated by a token among its parameters, and not by a signature.
pub(crate) fn is_unsigned(request: &Request<Bytes>) -> bool {
    Form::parse(request).action() == "AssumeRoleWithWebIdentity"
}

/// Answers a request to STS.
pub(crate) fn answer(iam: &mut Iam, request: &Request<Bytes>, now: Now) -> Result<Response<Body>, ServiceError> {
    let form = Form::parse(request);
    let action = form.action();
    let result = match action {
        "GetCallerIdentity" => {
            let authorization = Authorization::of(iam, request, now.time)?.ok_or_else(missing_token)?;
            let principal = authorization.principal;
            json!({"UserId": principal.user_id(), "Account": ACCOUNT, "Arn": principal.arn()})
        }
        "AssumeRole" => assume_role(iam, request, &form, now.time)?,
        "AssumeRoleWithWebIdentity" => assume_role_with_web_identity(iam, &form, now.time)?,
        other => return Err(ServiceError::not_implemented(&format!("STS {other}"))),
    };
    respond(action, result)
}

pub(crate) fn missing_token() -> ServiceError {
    ServiceError::new("MissingAuthenticationToken", 403, "Request is missing Authentication Token")
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn assume_role(iam: &mut Iam, request: &Request<Bytes>, form: &Form, now: SystemTime) -> Result<Value, ServiceError> {
    let authorization = Authorization::of(iam, request, now)?.ok_or_else(missing_token)?;
    let denied = |message: String| ServiceError::new("AccessDenied", 403, message);
    let (arn, own_role) = (authorization.principal.arn(), authorization.principal.role_arn());
    let caller = Caller::Principal { arn: &arn, role: own_role.as_deref() };
    let keys = authorization.principal.keys().with_all("sts:ExternalId", form.get("ExternalId").map(str::to_owned));
    let keys = keys.with("sts:RoleSessionName", form.text("RoleSessionName"));
    let role = iam.role_by_arn(form.text("RoleArn"));
    let tags = role.map_or_else(Keys::default, |role| Keys::default().with_resource_tags(&role.tags));
    let trust = role.and_then(|role| Policy::parse(&role.trust).ok());
    let permission = Permission::new(ASSUME_ROLE, form.text("RoleArn")).with(&tags);
    authorization.check(&permission, trust.as_ref()).map_err(denied)?;
    // A trust policy names the caller, or leaves it to the identity-based policies of its account.
    let named = role.is_some_and(|role| role.admits(&caller, ASSUME_ROLE, &keys));
    let caller = if named { caller } else { Caller::Account(ACCOUNT) };
    start_session(iam, form, &Assumption { caller, arn: &arn, action: ASSUME_ROLE, keys, now })
}

const ASSUME_ROLE: &str = "sts:AssumeRole";

/// The claims of the token become condition keys. Its signature is not verified: there is no identity provider here.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
fn assume_role_with_web_identity(iam: &mut Iam, form: &Form, now: SystemTime) -> Result<Value, ServiceError> {
    let invalid = |why: &str| ServiceError::invalid("InvalidIdentityToken", why);
    let claims = form.text("WebIdentityToken").split('.').nth(1);
    let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).ok_or_else(|| {
        invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    })?;
    let issuer =
        claims["iss"].as_str().unwrap_or_default().trim_start_matches("https://").trim_end_matches('/').to_owned();
    if issuer.is_empty() {
        return Err(invalid("Missing a required claim: iss"));
    }
    let mut keys = Keys::default();
    for (name, value) in claims.as_object().into_iter().flatten() {
        let values: Vec<String> = match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => vec![other.to_string()],
        };
        keys = keys.with_all(&format!("{issuer}:{name}"), values);
    }
    let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}");
    let action = "sts:AssumeRoleWithWebIdentity";
    let mut result = start_session(
        iam,
        form,
        &Assumption { caller: Caller::Federated(&provider), arn: &provider, action, keys, now },
    )?;
    result["SubjectFromWebIdentityToken"] = claims["sub"].clone();
    result["Audience"] = claims["aud"].clone();
    result["Provider"] = json!(provider);
    Ok(result)
}

/// Who assumes a role, and how.
struct Assumption<'a> {
    caller: Caller<'a>,
    arn: &'a str,
    action: &'a str,
    keys: Keys,
    now: SystemTime,
}

/// Starts a session if the trust policy admits the caller.
fn start_session(iam: &mut Iam, form: &Form, assumption: &Assumption<'_>) -> Result<Value, ServiceError> {
    let Assumption { caller, arn: user, action, keys, now } = assumption;
    let (arn, name) = (form.text("RoleArn"), form.text("RoleSessionName"));
    let role = iam.role_by_arn(arn).filter(|role| role.admits(caller, action, keys)).cloned();
    let role = role.ok_or_else(|| {
        let message = format!("User: {user} is not authorized to perform: {action} on resource: {arn}");
        ServiceError::new("AccessDenied", 403, message)
    })?;
    let seconds = form.get("DurationSeconds").and_then(|text| text.parse().ok()).unwrap_or(3600_u64);
    if !(900..=43_200).contains(&seconds) || name.len() < 2 {
        return Err(ServiceError::invalid("ValidationError", "DurationSeconds and RoleSessionName must be valid"));
    }
    let managed = (1..).map_while(|index| form.get(&format!("PolicyArns.member.{index}.arn")).map(str::to_owned));
    let managed: Vec<String> = managed.filter_map(|arn| iam.managed_document(&arn).map(str::to_owned)).collect();
    let policies = form.get("Policy").map(str::to_owned).into_iter().chain(managed).collect();
    let session = Session {
        role: role.name.clone(),
        name: name.to_owned(),
        secret: random_id(),
        token: random_id(),
        policies,
        expires: *now + Duration::from_secs(seconds),
    };
    let (secret, token, expires, assumed) =
        (session.secret.clone(), session.token.clone(), session.expires, session.arn());
    let id = format!("{}:{name}", role.id);
    let key = iam.add_session(session);
    Ok(json!({
        "Credentials": {
            "AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token, "Expiration": rfc3339(expires),
        },
        "AssumedRoleUser": {"AssumedRoleId": id, "Arn": assumed},
    }))
}
