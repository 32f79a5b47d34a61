//! Policy documents: which statements apply to a request. Statements with unsupported condition operators never allow, and always
//! deny.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use serde::Deserialize;
use serde_json::Value;

use super::condition::{Conditions, literal, substituted};
use super::keys::Keys;
use crate::context::ACCOUNT;

/// The principal of a request, as resource policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// No credentials.
    Anonymous,
    /// A principal of an account.
    Account(&'a str),
    /// A user, or the session of a role, in the account of the embedded cloud: its ARN, and that of its role.
    Principal {
        /// The ARN of the user or of the session.
        arn: &'a str,
        /// The ARN of the role that the session is of.
        role: Option<&'a str>,
    },
    /// An AWS service, such as `s3.amazonaws.com`.
    Service(&'a str),
    /// The subject of a token, by the ARN of its identity provider.
    Federated(&'a str),
    /// `CloudFront`, for one of its distributions.
    Distribution(&'a str),
    /// The user or role that an identity-based policy belongs to. Such policies name no principal.
    Role,
}

/// The result of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows the request and none denies it.
    Allow,
    /// A statement denies the request.
    Deny,
    /// No statement applies.
    NotApplicable,
}

/// An action on a resource, with the condition keys of the request.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// The action: `s3:PutObject`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for an action without resource types.
    pub resource: &'a str,
    /// The condition keys.
    pub keys: &'a Keys,
}

/// A policy document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    #[serde(default)]
    version: String,
    statement: OneOrMany<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(default, rename = "Sid")]
    _sid: String,
    effect: Effect,
    #[serde(default)]
    principal: Value,
    #[serde(default)]
    not_principal: Value,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    /// Trust policies have none: they belong to their resource.
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: Conditions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(many) => many.iter(),
        }
    }
}

impl Policy {
    /// Parses a policy document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self =
            serde_json::from_str(text).map_err(|error| format!("Policies must be valid JSON: {error}"))?;
        for statement in policy.statement.iter() {
            if statement.action.is_some() == statement.not_action.is_some() {
                return Err("Policy statement must contain actions.".to_owned());
            }
        }
        Ok(policy)
    }

    /// Whether every statement names resources and no principal, as in an identity-based policy.
    pub(super) fn is_identity_based(&self) -> bool {
        self.statement.iter().all(|statement| {
            statement.principal.is_null()
                && statement.not_principal.is_null()
                && statement.resource.is_some() != statement.not_resource.is_some()
        })
    }

    /// Whether it is public: it allows everyone, without a condition that restricts the principal.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
    pub fn is_public(&self) -> bool {
        self.statement
            .iter()
            .any(|s| s.effect == Effect::Allow && s.is_for_everyone() && !s.condition.restrict_principal())
    }

    /// Evaluates an action on a resource, with the condition keys that follow from the caller alone.
    pub fn verdict(&self, caller: &Caller<'_>, action: &str, resource: &str) -> Verdict {
        self.evaluate(caller, &AccessRequest { action, resource, keys: &keys_of(caller) })
    }

    /// Evaluates an action on a resource.
    pub fn evaluate(&self, caller: &Caller<'_>, request: &AccessRequest<'_>) -> Verdict {
        let variables = (self.version == "2012-10-17").then_some(request.keys);
        let mut verdict = Verdict::NotApplicable;
        for statement in self.statement.iter().filter(|s| s.is_for(caller) && s.matches(request, variables)) {
            let holds = statement.condition.hold(request.keys, variables);
            match statement.effect {
                Effect::Deny if holds != Some(false) => return Verdict::Deny,
                Effect::Allow if holds == Some(true) => verdict = Verdict::Allow,
                Effect::Deny | Effect::Allow => {}
            }
        }
        verdict
    }
}

/// The condition keys of a request of which only the caller is known. Website endpoints, which anonymous callers use, have no TLS.
fn keys_of(caller: &Caller<'_>) -> Keys {
    let keys = Keys::default().with("aws:SourceIp", "127.0.0.1").with("aws:ResourceAccount", ACCOUNT);
    match caller {
        Caller::Anonymous => keys.with("aws:SecureTransport", "false"),
        Caller::Account(account) => keys.with("aws:SecureTransport", "true").with("aws:PrincipalAccount", *account),
        Caller::Distribution(arn) => {
            keys.with("aws:SecureTransport", "true").with("aws:SourceArn", *arn).with("aws:SourceAccount", ACCOUNT)
        }
        Caller::Principal { arn, role } => keys
            .with("aws:SecureTransport", "true")
            .with("aws:PrincipalAccount", ACCOUNT)
            .with("aws:PrincipalArn", role.unwrap_or(arn)),
        Caller::Role => keys.with("aws:SecureTransport", "true").with("aws:PrincipalAccount", ACCOUNT),
        Caller::Service(_) | Caller::Federated(_) => keys.with("aws:SecureTransport", "true"),
    }
}

impl Statement {
    fn matches(&self, request: &AccessRequest<'_>, variables: Option<&Keys>) -> bool {
        let action = request.action.to_lowercase();
        let is_action = |all: &OneOrMany<String>| all.iter().any(|pattern| glob(&pattern.to_lowercase(), &action));
        let resource = literal(request.resource);
        let is_resource = |all: &OneOrMany<String>| {
            all.iter().any(|pattern| substituted(pattern, variables).is_some_and(|pattern| glob(&pattern, &resource)))
        };
        self.action.as_ref().is_none_or(is_action)
            && self.not_action.as_ref().is_none_or(|all| !is_action(all))
            && self.resource.as_ref().is_none_or(is_resource)
            && self.not_resource.as_ref().is_none_or(|all| !is_resource(all))
    }

    fn is_for_everyone(&self) -> bool {
        names(&self.principal, "*") || self.principal.get("AWS").is_some_and(|all| names(all, "*"))
    }

    fn is_for(&self, caller: &Caller<'_>) -> bool {
        if *caller == Caller::Role {
            return self.principal.is_null() && self.not_principal.is_null();
        }
        if self.not_principal.is_null() {
            return self.is_for_everyone() || is_named(&self.principal, caller);
        }
        !is_named(&self.not_principal, caller)
    }
}

/// Whether a principal element names a caller: by its ARN, by that of its role, or as an account or a service.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
fn is_named(principal: &Value, caller: &Caller<'_>) -> bool {
    let has = |kind: &str, name: &str| principal.get(kind).is_some_and(|all| names(all, name));
    let account = |id: &str| has("AWS", id) || has("AWS", &format!("arn:aws:iam::{id}:root"));
    match caller {
        Caller::Anonymous | Caller::Role => false,
        Caller::Account(id) => account(id),
        // To name the account is to let its identity-based policies decide: see `Caller::Account`.
        Caller::Principal { arn, role } => has("AWS", arn) || role.is_some_and(|role| has("AWS", role)),
        Caller::Service(name) => has("Service", name),
        Caller::Federated(provider) => has("Federated", provider),
        Caller::Distribution(_) => has("Service", "cloudfront.amazonaws.com"),
    }
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(list) => list.iter().any(|item| item == name),
        _ => false,
    }
}

/// Matches a pattern: `*` for any characters, `?` for one.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            p = at + 1;
            t = from + 1;
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
        {"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/.twinsite/*",
         "Condition":{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}}]}"#;

    #[test]
    fn the_reserved_prefix_is_denied_to_other_accounts() {
        let policy = Policy::parse(SITE).unwrap();
        let ask = |caller, key: &str| policy.verdict(&caller, "s3:GetObject", &format!("arn:aws:s3:::b/{key}"));
        assert_eq!(ask(Caller::Anonymous, "index.html"), Verdict::Allow);
        assert_eq!(ask(Caller::Anonymous, ".twinsite/ledger"), Verdict::Deny);
        assert_eq!(ask(Caller::Account("444455556666"), ".twinsite/ledger"), Verdict::Deny);
        assert_eq!(ask(Caller::Account("111122223333"), ".twinsite/ledger"), Verdict::Allow);
        assert_eq!(policy.verdict(&Caller::Anonymous, "s3:ListBucket", "arn:aws:s3:::b"), Verdict::NotApplicable);
        assert!(policy.is_public());
    }

    #[test]
    fn unsupported_conditions_never_allow_and_always_deny() {
        let with = |effect: &str| {
            let text = format!(
                r#"{{"Statement":{{"Effect":"{effect}","Principal":{{"AWS":"*"}},"Action":"s3:*","Resource":"*",
                "Condition":{{"StringSimilar":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}}}"#
            );
            Policy::parse(&text).unwrap()
        };
        let ask = |policy: Policy| policy.verdict(&Caller::Anonymous, "s3:GetObject", "arn:aws:s3:::b/k");
        assert_eq!((ask(with("Allow")), ask(with("Deny"))), (Verdict::NotApplicable, Verdict::Deny));
        assert!(!with("Allow").is_public());
    }

    #[test]
    fn globs_match_as_in_iam() {
        for (pattern, text) in [("a*c", "abbc"), ("*", ""), ("a?c", "abc"), ("s3:Get*", "s3:GetObject"), ("**b", "ab")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        assert!(!glob("a?c", "ac") && !glob("a*c", "abd") && !glob("", "a"));
    }
}
