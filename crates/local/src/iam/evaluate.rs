//! Whether a principal may do something.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use std::time::SystemTime;

use http::Request;

use super::principal::{Policies, Principal};
use super::{AccessRequest, Caller, Iam, Keys, Policy, Verdict};
use crate::context::{ACCOUNT, ServiceError};
use crate::protocol::request::{parameters, scope};

/// An action on a resource that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) action: String,
    /// The ARN of the resource, or `*` for an action without resource types.
    pub(crate) resource: String,
    /// The condition keys of the action and of the resource.
    pub(crate) keys: Keys,
}

impl Permission {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), keys: Keys::default() }
    }

    pub(crate) fn with(self, keys: &Keys) -> Self {
        Self { keys: self.keys.or(keys), ..self }
    }
}

/// Why something is denied. The words are those of AWS's messages.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    Explicit { policy: &'static str },
    Implicit { policy: &'static str },
}

impl Denial {
    fn message(self, principal: &Principal<'_>, action: &str, resource: &str) -> String {
        let (user, request) = (principal.arn(), format!("{action} on resource: {resource}"));
        match self {
            Self::Explicit { policy } => {
                format!("User: {user} is not authorized to perform: {request} with an explicit deny in {policy}")
            }
            Self::Implicit { policy } => {
                let why = format!("because no {policy} allows the {action} action");
                format!("User: {user} is not authorized to perform: {request} {why}")
            }
        }
    }
}

/// A request and who makes it.
pub(crate) struct Authorization<'a> {
    iam: &'a Iam,
    pub(crate) principal: Principal<'a>,
    keys: Keys,
}

impl<'a> Authorization<'a> {
    /// The principal of a request, by the access key that it is signed with. `None` for a request without a signature.
    pub(crate) fn of<B>(iam: &'a Iam, request: &Request<B>, now: SystemTime) -> Result<Option<Self>, ServiceError> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let signed = scope(request).map(|scope| (scope.access_key.to_owned(), scope.region.to_owned()));
        // A presigned URL has the same among its parameters.
        let query = if signed.is_none() { parameters(request) } else { std::collections::BTreeMap::default() };
        let presigned = || {
            let mut parts = query.get("X-Amz-Credential")?.split('/').map(str::to_owned);
            Some((parts.next()?, parts.nth(1)?))
        };
        let Some((access_key, region)) = signed.or_else(presigned) else { return Ok(None) };
        let token = header("x-amz-security-token").or_else(|| query.get("X-Amz-Security-Token").cloned());
        let principal = iam.principal(&access_key, token.as_deref(), now)?;
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let keys = principal
            .keys()
            .with("aws:RequestedRegion", region)
            .with("aws:SecureTransport", "true")
            .with("aws:SourceIp", "127.0.0.1")
            .with("aws:ResourceAccount", ACCOUNT)
            .with("aws:CurrentTime", crate::protocol::reply::rfc3339(now))
            .with("aws:EpochTime", seconds.to_string())
            .with_all("aws:UserAgent", header("user-agent"));
        Ok(Some(Self { iam, principal, keys }))
    }

    /// Checks permissions that no resource-based policy can give.
    ///
    /// # Errors
    /// AWS's message for the first permission that is missing.
    pub(crate) fn check_all(&self, permissions: &[Permission]) -> Result<(), String> {
        permissions.iter().try_for_each(|permission| self.check(permission, None))
    }

    /// Checks one permission. `policy` is that of the resource.
    ///
    /// # Errors
    /// AWS's message.
    pub(crate) fn check(&self, permission: &Permission, policy: Option<&Policy>) -> Result<(), String> {
        let Permission { action, resource, keys } = permission;
        let keys = keys.clone().or(&self.keys);
        let request = AccessRequest { action, resource, keys: &keys };
        self.decide(&request, policy).map_err(|denial| denial.message(&self.principal, action, resource))
    }

    fn decide(&self, request: &AccessRequest<'_>, policy: Option<&Policy>) -> Result<(), Denial> {
        const RESOURCE: &str = "a resource-based policy";
        let (arn, role_arn) = (self.principal.arn(), self.principal.role_arn());
        let caller = Caller::Principal { arn: &arn, role: role_arn.as_deref() };
        let verdict = |caller| policy.map_or(Verdict::NotApplicable, |policy| policy.evaluate(&caller, request));
        // A statement that names the account can deny, but what it allows, identity-based policies must allow, too.
        let by_resource = verdict(caller);
        if by_resource == Verdict::Deny || verdict(Caller::Account(ACCOUNT)) == Verdict::Deny {
            return Err(Denial::Explicit { policy: RESOURCE });
        }
        let (policies, session) = match self.principal {
            Principal::Administrator => return Ok(()),
            Principal::User(user) => (&user.policies, &[][..]),
            Principal::Session { session, role } => (&role.policies, &session.policies[..]),
        };
        let identity = self.identity(policies, request);
        let boundary = policies.boundary.as_ref().map(|arn| self.managed(arn, request));
        let sessions: Vec<Verdict> = session.iter().map(|text| evaluate(text, request)).collect();
        if identity == Verdict::Deny {
            return Err(Denial::Explicit { policy: "an identity-based policy" });
        }
        if boundary == Some(Verdict::Deny) {
            return Err(Denial::Explicit { policy: "a permissions boundary" });
        }
        if sessions.contains(&Verdict::Deny) {
            return Err(Denial::Explicit { policy: "a session policy" });
        }
        // A policy of the resource that names a user needs nothing else; one that names a role, neither an identity-based policy.
        let is_user = matches!(self.principal, Principal::User(_));
        if by_resource == Verdict::Allow && is_user {
            return Ok(());
        }
        if by_resource != Verdict::Allow && identity != Verdict::Allow {
            return Err(Denial::Implicit { policy: "identity-based policy" });
        }
        if boundary.is_some_and(|verdict| verdict != Verdict::Allow) {
            return Err(Denial::Implicit { policy: "permissions boundary" });
        }
        if !sessions.is_empty() && !sessions.contains(&Verdict::Allow) {
            return Err(Denial::Implicit { policy: "session policy" });
        }
        Ok(())
    }

    fn identity(&self, policies: &Policies, request: &AccessRequest<'_>) -> Verdict {
        let inline = policies.inline.values().map(|text| evaluate(text, request));
        let attached = policies.attached.iter().map(|arn| self.managed(arn, request));
        let mut verdict = Verdict::NotApplicable;
        for one in inline.chain(attached) {
            match one {
                Verdict::Deny => return Verdict::Deny,
                Verdict::Allow => verdict = Verdict::Allow,
                Verdict::NotApplicable => {}
            }
        }
        verdict
    }

    /// A managed policy that does not exist allows nothing.
    fn managed(&self, arn: &str, request: &AccessRequest<'_>) -> Verdict {
        self.iam.managed_document(arn).map_or(Verdict::NotApplicable, |text| evaluate(text, request))
    }
}

/// A policy that cannot be read denies.
fn evaluate(text: &str, request: &AccessRequest<'_>) -> Verdict {
    Policy::parse(text).map_or(Verdict::Deny, |policy| policy.evaluate(&Caller::Role, request))
}
