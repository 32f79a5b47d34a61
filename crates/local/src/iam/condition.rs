//! Condition operators and policy variables.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::keys::Keys;
use super::policy::glob;

/// The `Condition` element of a statement: operator, key, values.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Conditions(BTreeMap<String, BTreeMap<String, Value>>);

impl Conditions {
    /// Whether all of them hold; `None` if that depends on an operator that is not supported.
    pub(super) fn hold(&self, keys: &Keys, variables: Option<&Keys>) -> Option<bool> {
        let mut supported = true;
        for (operator, tests) in &self.0 {
            for (key, value) in tests {
                match holds(operator, &texts(value), keys.get(key), variables) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => supported = false,
                }
            }
        }
        supported.then_some(true)
    }

    /// Whether one of them limits the principal to fixed values, which makes a policy for everyone not public.
    pub(super) fn restrict_principal(&self) -> bool {
        let fixed = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceip", "aws:principalaccount", "aws:sourcevpce"];
        let keys = self.0.iter().filter(|(operator, _)| !operator.contains("Not"));
        keys.flat_map(|(_, keys)| keys.keys()).any(|key| fixed.contains(&key.to_lowercase().as_str()))
    }
}

/// The values of a condition, of which there may be one that is no list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

/// How the values of a key with several of them are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    One,
    All,
    Any,
}

fn holds(operator: &str, wanted: &[String], actual: Option<&[String]>, variables: Option<&Keys>) -> Option<bool> {
    let (quantifier, operator) = match operator.split_once(':') {
        Some(("ForAllValues", operator)) => (Quantifier::All, operator),
        Some(("ForAnyValue", operator)) => (Quantifier::Any, operator),
        Some(_) => return None,
        None => (Quantifier::One, operator),
    };
    if operator == "Null" {
        return Some(wanted.iter().any(|value| (value == "true") == actual.is_none()));
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let (test, negated) = test_of(operator)?;
    let Some(actual) = actual else {
        return Some(match quantifier {
            Quantifier::All => true,
            Quantifier::Any => if_exists,
            Quantifier::One => if_exists || negated,
        });
    };
    let wanted: Vec<String> = wanted.iter().filter_map(|value| substituted(value, variables)).collect();
    let passes = |value: &String| wanted.iter().any(|wanted| test(wanted, value)) != negated;
    Some(match quantifier {
        Quantifier::All => actual.iter().all(passes),
        // A negated operator holds if no value matches.
        Quantifier::One if negated => actual.iter().all(passes),
        Quantifier::Any | Quantifier::One => actual.iter().any(passes),
    })
}

/// Compares a value of the policy with one of the request.
type Test = fn(&str, &str) -> bool;

/// The positive test of an operator, and whether it is negated; `None` for an unknown operator.
fn test_of(operator: &str) -> Option<(Test, bool)> {
    let test: Test = match operator {
        "StringEquals" | "StringNotEquals" | "BinaryEquals" => |wanted, is| literal(wanted) == literal(is),
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            |wanted, is| literal(wanted).eq_ignore_ascii_case(&literal(is))
        }
        "StringLike" | "StringNotLike" => |wanted, is| glob(wanted, &literal(is)),
        "Bool" => |wanted, is| wanted.eq_ignore_ascii_case(is),
        "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => is_arn_like,
        "IpAddress" | "NotIpAddress" => |wanted, is| is_in_block(wanted, is).unwrap_or(false),
        "NumericEquals" | "NumericNotEquals" => |wanted, is| number(wanted).is_some() && number(wanted) == number(is),
        "NumericLessThan" => |wanted, is| number(is).zip(number(wanted)).is_some_and(|(is, wanted)| is < wanted),
        "NumericLessThanEquals" => |wanted, is| number(is).zip(number(wanted)).is_some_and(|(is, wanted)| is <= wanted),
        "NumericGreaterThan" => |wanted, is| number(is).zip(number(wanted)).is_some_and(|(is, wanted)| is > wanted),
        "NumericGreaterThanEquals" => {
            |wanted, is| number(is).zip(number(wanted)).is_some_and(|(is, wanted)| is >= wanted)
        }
        "DateEquals" | "DateNotEquals" => |wanted, is| date(wanted).is_some() && date(wanted) == date(is),
        "DateLessThan" => |wanted, is| date(is).zip(date(wanted)).is_some_and(|(is, wanted)| is < wanted),
        "DateLessThanEquals" => |wanted, is| date(is).zip(date(wanted)).is_some_and(|(is, wanted)| is <= wanted),
        "DateGreaterThan" => |wanted, is| date(is).zip(date(wanted)).is_some_and(|(is, wanted)| is > wanted),
        "DateGreaterThanEquals" => |wanted, is| date(is).zip(date(wanted)).is_some_and(|(is, wanted)| is >= wanted),
        _ => return None,
    };
    Some((test, operator.contains("Not")))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// A time in ISO 8601, or in seconds since 1970.
fn date(text: &str) -> Option<OffsetDateTime> {
    let seconds = || text.parse().ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(seconds)
}

/// Each of the six parts of an ARN is compared on its own, so that a wildcard does not reach beyond a colon.
fn is_arn_like(wanted: &str, is: &str) -> bool {
    let (wanted, is) = (wanted.splitn(6, ':'), literal(is));
    let (wanted, is): (Vec<&str>, Vec<&str>) = (wanted.collect(), is.splitn(6, ':').collect());
    wanted.len() == is.len() && wanted.iter().zip(is).all(|(pattern, text)| glob(pattern, text))
}

/// Whether an address is in a block such as `203.0.113.0/24`; `None` if either cannot be read.
fn is_in_block(block: &str, address: &str) -> Option<bool> {
    let (network, length) = block.split_once('/').map_or((block, None), |(network, length)| (network, Some(length)));
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let ((network, size), (address, other)) = (bits(network.parse().ok()?), bits(address.parse().ok()?));
    let length = length.map_or(Some(size), |length| length.parse().ok().filter(|length| *length <= size))?;
    let host = size - length;
    Some(size == other && (host == 128 || network >> host == address >> host))
}

/// Stands for an asterisk that is no wildcard.
const ASTERISK: char = '\u{e000}';
/// Stands for a question mark that is no wildcard.
const QUESTION_MARK: char = '\u{e001}';

/// A text in which no character is a wildcard.
pub(super) fn literal(text: &str) -> String {
    text.replace('*', &ASTERISK.to_string()).replace('?', &QUESTION_MARK.to_string())
}

/// A value of a policy with its variables replaced; `None` if one is not known and has no default. Without `variables`, as in
/// policies of version 2008-10-17, nothing is replaced.
pub(super) fn substituted(text: &str, variables: Option<&Keys>) -> Option<String> {
    let Some(keys) = variables else { return Some(text.to_owned()) };
    let (mut result, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}')?;
        result.push_str(before);
        let (name, default) =
            variable.split_once(',').map_or((variable, None), |(name, default)| (name, Some(default)));
        let default = default.map(|default| default.trim().trim_matches('\'').to_owned());
        let value = match name.trim() {
            "*" | "?" | "$" => name.trim().to_owned(),
            name => keys.get(name).and_then(|values| values.first()).cloned().or(default)?,
        };
        result.push_str(&literal(&value));
        rest = after;
    }
    Some(result + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(condition: &str, keys: &[(&str, &[&str])]) -> Option<bool> {
        let add = |all: Keys, (name, values): &(&str, &[&str])| {
            all.with_all(name, values.iter().map(|value| (*value).to_owned()))
        };
        let keys = keys.iter().fold(Keys::default(), add);
        let conditions: Conditions = serde_json::from_str(condition).unwrap();
        conditions.hold(&keys, Some(&keys))
    }

    #[test]
    fn operators_decide_as_documented() {
        let one = |condition: &str, value: &str| test(condition, &[("aws:k", &[value])]);
        for (condition, value, holds) in [
            (r#"{"StringEquals":{"AWS:K":["a","b"]}}"#, "b", true),
            (r#"{"StringEquals":{"aws:k":"a*"}}"#, "ab", false),
            (r#"{"StringLike":{"aws:k":"a*c?"}}"#, "abbcd", true),
            (r#"{"StringNotLike":{"aws:k":["x*","a*"]}}"#, "ab", false),
            (r#"{"StringEqualsIgnoreCase":{"aws:k":"AB"}}"#, "ab", true),
            (r#"{"Bool":{"aws:k":true}}"#, "true", true),
            (r#"{"IpAddress":{"aws:k":["10.0.0.0/8","203.0.113.7"]}}"#, "10.200.0.1", true),
            (r#"{"NotIpAddress":{"aws:k":"2001:db8::/32"}}"#, "2001:db8::1", false),
            (r#"{"ArnLike":{"aws:k":"arn:aws:s3:::a*"}}"#, "arn:aws:s3:::abc", true),
            (r#"{"ArnLike":{"aws:k":"arn:*:abc"}}"#, "arn:aws:s3:::abc", false),
            (r#"{"NumericLessThanEquals":{"aws:k":"10"}}"#, "9.5", true),
            (r#"{"DateGreaterThan":{"aws:k":"2026-01-01T00:00:00Z"}}"#, "2025-12-31T23:59:59Z", false),
            (r#"{"Null":{"aws:k":"false"}}"#, "x", true),
        ] {
            assert_eq!(one(condition, value), Some(holds), "{condition} {value}");
        }
        assert_eq!(one(r#"{"StringSimilar":{"aws:k":"a"}}"#, "a"), None);
    }

    #[test]
    fn absent_keys_and_keys_with_several_values_decide_as_documented() {
        for (condition, holds) in [
            (r#"{"StringEquals":{"aws:none":"a"}}"#, false),
            (r#"{"StringNotEquals":{"aws:none":"a"}}"#, true),
            (r#"{"StringEqualsIfExists":{"aws:none":"a"}}"#, true),
            (r#"{"Null":{"aws:none":"true"}}"#, true),
            (r#"{"ForAllValues:StringEquals":{"aws:none":"a"}}"#, true),
            (r#"{"ForAnyValue:StringEquals":{"aws:none":"a"}}"#, false),
            (r#"{"ForAllValues:StringLike":{"aws:TagKeys":["a*","b"]}}"#, true),
            (r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a1"]}}"#, false),
            (r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["b"]}}"#, true),
        ] {
            assert_eq!(test(condition, &[("aws:TagKeys", &["a1", "b"])]), Some(holds), "{condition}");
        }
    }

    #[test]
    fn variables_are_replaced_and_their_values_are_no_patterns() {
        let keys = Keys::default().with("aws:username", "ann").with("aws:PrincipalTag/team", "*");
        let like = |pattern: &str, text: &str| {
            substituted(pattern, Some(&keys)).is_some_and(|pattern| glob(&pattern, &literal(text)))
        };
        assert!(like("home/${aws:username}/*", "home/ann/x") && !like("home/${aws:username}/*", "home/bob/x"));
        assert!(like("t/${aws:PrincipalTag/team}", "t/*") && !like("t/${aws:PrincipalTag/team}", "t/web"));
        assert!(like("${aws:userid, 'nobody'}", "nobody") && !like("x${aws:userid}", "x"));
        assert!(like("a${*}b", "a*b") && !like("a${*}b", "axb"));
        assert_eq!(substituted("${aws:username}", None).unwrap(), "${aws:username}");
    }
}
