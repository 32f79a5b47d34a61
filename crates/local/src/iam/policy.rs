//! Policy evaluation. Statements with unsupported conditions never allow, and always deny.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The principal of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller<'a> {
    /// No credentials.
    Anonymous,
    /// A principal of an account.
    Account(&'a str),
    /// `CloudFront`, for one of its distributions.
    Distribution(&'a str),
    /// The role that an inline policy belongs to.
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

/// A policy document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    statement: OneOrMany<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    #[serde(default)]
    principal: Value,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Value>>,
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
        serde_json::from_str(text).map_err(|error| format!("Policies must be valid JSON: {error}"))
    }

    /// Whether it is public: it allows everyone, without a condition that restricts the principal.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
    pub fn is_public(&self) -> bool {
        self.statement.iter().any(|s| s.effect == Effect::Allow && s.is_for_everyone() && !s.restricts_principal())
    }

    /// Evaluates an action on a resource.
    pub fn verdict(&self, caller: &Caller<'_>, action: &str, resource: &str) -> Verdict {
        let mut verdict = Verdict::NotApplicable;
        for statement in self.statement.iter().filter(|s| s.matches(action, resource)) {
            match statement.effect {
                Effect::Deny if statement.may_apply_to(caller) => return Verdict::Deny,
                Effect::Allow if statement.applies_to(caller) => verdict = Verdict::Allow,
                Effect::Deny | Effect::Allow => {}
            }
        }
        verdict
    }
}

impl Statement {
    fn matches(&self, action: &str, resource: &str) -> bool {
        self.action.iter().any(|pattern| glob(&pattern.to_lowercase(), &action.to_lowercase()))
            && self.resource.iter().any(|pattern| glob(pattern, resource))
    }

    fn is_for_everyone(&self) -> bool {
        let all = |value: &Value| match value {
            Value::String(text) => text == "*",
            Value::Array(list) => list.iter().any(|item| item == "*"),
            _ => false,
        };
        all(&self.principal) || self.principal.get("AWS").is_some_and(all)
    }

    fn restricts_principal(&self) -> bool {
        let fixed = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceip", "aws:principalaccount", "aws:sourcevpce"];
        let keys = self.condition.iter().filter(|(operator, _)| !operator.contains("Not"));
        keys.flat_map(|(_, keys)| keys.keys()).any(|key| fixed.contains(&key.to_lowercase().as_str()))
    }

    fn is_for(&self, caller: &Caller<'_>) -> bool {
        match caller {
            Caller::Anonymous | Caller::Account(_) => self.is_for_everyone(),
            Caller::Distribution(_) => {
                self.is_for_everyone()
                    || self.principal.get("Service").is_some_and(|name| name == "cloudfront.amazonaws.com")
            }
            Caller::Role => self.principal.is_null(),
        }
    }

    fn applies_to(&self, caller: &Caller<'_>) -> bool {
        self.is_for(caller) && self.conditions(caller).all(|holds| holds == Some(true))
    }

    fn may_apply_to(&self, caller: &Caller<'_>) -> bool {
        self.is_for(caller) && self.conditions(caller).all(|holds| holds != Some(false))
    }

    /// Whether each condition holds; `None` for unsupported ones.
    fn conditions<'a>(&'a self, caller: &'a Caller<'a>) -> impl Iterator<Item = Option<bool>> + 'a {
        let known = move |key: &str| match (key.to_ascii_lowercase().as_str(), caller) {
            ("aws:principalaccount", Caller::Account(account)) => Some(Some(*account)),
            ("aws:sourcearn", Caller::Distribution(arn)) => Some(Some(*arn)),
            // Known to be absent.
            ("aws:sourcearn", _) | ("aws:principalaccount", Caller::Anonymous | Caller::Distribution(_)) => Some(None),
            // CloudFront connects to S3 over TLS; for other callers it is unknown here.
            ("aws:securetransport", Caller::Distribution(_)) => Some(Some("true")),
            ("aws:resourceaccount", _) | ("aws:principalaccount", Caller::Role) => Some(Some(crate::context::ACCOUNT)),
            _ => None,
        };
        self.condition
            .iter()
            .flat_map(|(operator, keys)| keys.iter().map(move |(key, value)| (operator, key, value)))
            .map(move |(operator, key, value)| {
                let is = known(key)?;
                let named = is.is_some_and(|is| match value {
                    Value::Array(list) => list.iter().any(|item| item == is),
                    other => other == is,
                });
                match operator.as_str() {
                    "StringEquals" | "ArnEquals" | "ArnLike" | "Bool" => Some(named),
                    // A key that is absent is not equal to anything.
                    "StringNotEquals" => Some(!named),
                    _ => None,
                }
            })
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
                "Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}}}"#
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
