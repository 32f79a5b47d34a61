//! Bucket policies: everybody may read a website bucket, the distribution a private one, and nobody outside the account the
//! reserved prefix.

use std::fmt;

use serde_json::{Value, json};
use twinsite_core::{Arn, Deferred, Need, Outputs, Side, Site};

use super::{Desired, bucket_arn};

const PUBLIC_READ: &str = "TwinsitePublicRead";
const RESERVED_PREFIX: &str = "TwinsitePrivateCorner";
const CLOUDFRONT_READ: &str = "TwinsiteCloudFrontRead";
const CLOUDFRONT_LIST: &str = "TwinsiteCloudFrontList";
const TLS_ONLY: &str = "TwinsiteTransport";
/// The statement by which a drill denies reads.
const DRILL: &str = "TwinsiteDrill";

/// The ids of the managed statements. That of a drill is desired in no policy: the next apply removes it.
const MANAGED: [&str; 6] = [PUBLIC_READ, RESERVED_PREFIX, CLOUDFRONT_READ, CLOUDFRONT_LIST, TLS_ONLY, DRILL];

/// The placeholder for the ARN of a distribution that does not exist yet. It cannot be part of an ARN.
const DISTRIBUTION: &str = "{distribution}";

/// A policy document in which the ARN of the distribution may be known only after apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketPolicy {
    text: String,
    distribution: Option<Deferred<Arn>>,
}

impl BucketPolicy {
    pub(crate) fn need(&self) -> Option<Need> {
        self.distribution.as_ref().and_then(Deferred::need)
    }

    /// The document; `None` if the distribution was not created.
    pub(crate) fn resolve(&self, outputs: &Outputs) -> Option<String> {
        let Some(distribution) = &self.distribution else { return Some(self.text.clone()) };
        distribution.resolve(outputs).map(|arn| self.text.replace(DISTRIBUTION, arn.as_str()))
    }
}

impl fmt::Display for BucketPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.distribution {
            Some(distribution) => f.write_str(&self.text.replace(DISTRIBUTION, &distribution.to_string())),
            None => f.write_str(&self.text),
        }
    }
}

/// A text that is not a policy document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidPolicy {
    #[error("the policy is not JSON")]
    Json(#[from] serde_json::Error),
    #[error("the policy has no statements")]
    NoStatements,
}

/// The managed statements for a bucket; none if it is private and has no distribution.
///
/// The deny is on the *absence* of the owner's account: an anonymous request has no `aws:PrincipalAccount`, which is not equal
/// to anything. There is no deny of plain HTTP for website buckets, because website endpoints support nothing else.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html>
fn managed_statements(desired: &Desired, side: Side) -> Vec<Value> {
    let site = &desired.site;
    let arn = bucket_arn(site, side);
    if !site.mode.public_buckets() {
        return if desired.distribution_arn.is_some() { private_statements(&arn) } else { Vec::new() };
    }
    vec![
        json!({
            "Sid": PUBLIC_READ, "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"),
        }),
        json!({
            "Sid": RESERVED_PREFIX, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{arn}/.twinsite/*"),
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": site.account.as_str()}},
        }),
    ]
}

/// The distribution may read and list, so that a missing page is a 404 and a 403 is a denial; nobody reads without TLS.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>
fn private_statements(arn: &str) -> Vec<Value> {
    let cloudfront = json!({"Service": "cloudfront.amazonaws.com"});
    let only_distribution = json!({"StringEquals": {"AWS:SourceArn": DISTRIBUTION}});
    vec![
        json!({
            "Sid": CLOUDFRONT_READ, "Effect": "Allow", "Principal": cloudfront, "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"), "Condition": only_distribution,
        }),
        json!({
            "Sid": CLOUDFRONT_LIST, "Effect": "Allow", "Principal": cloudfront, "Action": "s3:ListBucket",
            "Resource": arn, "Condition": only_distribution,
        }),
        json!({
            "Sid": RESERVED_PREFIX, "Effect": "Deny", "Principal": cloudfront, "Action": "s3:GetObject",
            "Resource": format!("{arn}/.twinsite/*"),
        }),
        json!({
            "Sid": TLS_ONLY, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")], "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }),
    ]
}

/// The desired policy of a bucket, with unmanaged statements first and unchanged; `None` if the actual policy has the desired
/// statements.
pub(crate) fn desired_policy(
    desired: &Desired,
    side: Side,
    actual: Option<&str>,
) -> Result<Option<BucketPolicy>, InvalidPolicy> {
    let managed = managed_statements(desired, side);
    let existing = actual.map(statements).transpose()?.unwrap_or_default();
    let (outdated, others): (Vec<Value>, Vec<Value>) = existing.into_iter().partition(is_managed);
    let known: Vec<Value> = match &desired.distribution_arn {
        Some(Deferred::Known(arn)) => managed.iter().map(|statement| with_distribution(statement, arn)).collect(),
        Some(Deferred::After(_)) | None => managed.clone(),
    };
    if are_equivalent(&outdated, &known) {
        return Ok(None);
    }
    let distribution = desired.distribution_arn.clone().filter(|_| !desired.site.mode.public_buckets());
    let all: Vec<Value> = others.into_iter().chain(managed).collect();
    Ok(Some(BucketPolicy { text: document(&all), distribution }))
}

/// A policy without the managed statements; `None` if nothing remains.
pub(crate) fn without_managed_statements(policy: &str) -> Result<Option<String>, InvalidPolicy> {
    let others: Vec<Value> = statements(policy)?.into_iter().filter(|statement| !is_managed(statement)).collect();
    Ok((!others.is_empty()).then(|| document(&others)))
}

/// A policy of the primary with a statement that denies reads from outside the account.
pub(crate) fn with_deny_statement(site: &Site, policy: Option<&str>) -> Result<String, InvalidPolicy> {
    let mut document: Value = match policy {
        Some(policy) => serde_json::from_str(policy)?,
        None => json!({"Version": "2012-10-17", "Statement": []}),
    };
    let deny = json!({
        "Sid": DRILL, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("{}/*", bucket_arn(site, Side::Primary)),
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": site.account.as_str()}},
    });
    match document.get_mut("Statement") {
        Some(Value::Array(statements)) => {
            statements.retain(|statement| statement["Sid"] != DRILL);
            statements.push(deny);
        }
        Some(one @ Value::Object(_)) => *one = json!([one.clone(), deny]),
        _ => return Err(InvalidPolicy::NoStatements),
    }
    Ok(document.to_string())
}

/// Whether a policy has the statement of a drill.
pub(crate) fn has_deny_statement(policy: &str) -> Result<bool, InvalidPolicy> {
    Ok(statements(policy)?.iter().any(|statement| statement["Sid"] == DRILL))
}

/// The policy without the statement of a drill; `None` if nothing else is left of it.
pub(crate) fn without_deny_statement(policy: &str) -> Result<Option<String>, InvalidPolicy> {
    let mut document: Value = serde_json::from_str(policy)?;
    let mut left = statements(policy)?;
    left.retain(|statement| statement["Sid"] != DRILL);
    if left.is_empty() {
        return Ok(None);
    }
    document["Statement"] = Value::Array(left);
    Ok(Some(document.to_string()))
}

fn with_distribution(value: &Value, arn: &Arn) -> Value {
    match value {
        Value::String(text) if text == DISTRIBUTION => json!(arn.as_str()),
        Value::Array(list) => Value::Array(list.iter().map(|value| with_distribution(value, arn)).collect()),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), with_distribution(value, arn))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

pub(super) fn statements(text: &str) -> Result<Vec<Value>, InvalidPolicy> {
    let policy: Value = serde_json::from_str(text)?;
    match policy.get("Statement") {
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(one @ Value::Object(_)) => Ok(vec![one.clone()]),
        _ => Err(InvalidPolicy::NoStatements),
    }
}

pub(super) fn is_managed(statement: &Value) -> bool {
    statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| MANAGED.contains(&sid))
}

fn are_equivalent(actual: &[Value], desired: &[Value]) -> bool {
    let normalized = |list: &[Value]| {
        let mut texts: Vec<String> = list.iter().map(|statement| normalized(statement).to_string()).collect();
        texts.sort();
        texts
    };
    normalized(actual) == normalized(desired)
}

/// True if two policy documents are equal except for the forms that AWS may return.
pub(crate) fn is_same_document(actual: &str, desired: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok().map(|value| normalized(&value));
    parse(actual).is_some() && parse(actual) == parse(desired)
}

/// One form for what AWS may return in several: a value or a list of one, `*` or `{"AWS": "*"}`.
pub(super) fn normalized(value: &Value) -> Value {
    match value {
        Value::Array(list) if list.len() == 1 => normalized(&list[0]),
        Value::Array(list) => Value::Array(list.iter().map(normalized).collect()),
        Value::Object(map) if map.len() == 1 && map.contains_key("AWS") => normalized(&map["AWS"]),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), normalized(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair};

    use super::*;

    fn desired(mode: Mode) -> Desired {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap())
    }

    fn text(desired: &Desired, actual: Option<&str>) -> Option<String> {
        desired_policy(desired, Side::Backup, actual).unwrap().map(|policy| policy.to_string())
    }

    #[test]
    fn unmanaged_statements_are_kept_and_managed_ones_added_once() {
        let foreign =
            r#"{"Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}}"#;
        let first = text(&desired(Mode::Dns), Some(foreign)).unwrap();
        assert!(first.contains("Theirs") && first.contains("TwinsitePublicRead"));
        assert_eq!(text(&desired(Mode::Dns), Some(&first)), None);
        let rest = without_managed_statements(&first).unwrap().unwrap();
        assert!(rest.contains("Theirs") && !rest.contains("Twinsite"));
        assert_eq!(without_managed_statements(&text(&desired(Mode::Dns), None).unwrap()).unwrap(), None);
    }

    #[test]
    fn equivalent_forms_are_equal_and_changes_are_found() {
        let managed = text(&desired(Mode::Dns), None).unwrap();
        let listed = managed.replace(r#""s3:GetObject""#, r#"["s3:GetObject"]"#);
        let principal = listed.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#);
        assert_eq!(text(&desired(Mode::Dns), Some(&principal)), None);
        let wider = managed.replace("s3:GetObject", "s3:*");
        assert_eq!(text(&desired(Mode::Dns), Some(&wider)), Some(managed));
    }

    #[test]
    fn private_buckets_are_read_by_their_distribution_only_and_invalid_policies_are_refused() {
        let mut private = desired(Mode::Origin);
        assert_eq!(text(&private, None), None);
        private.distribution_arn = Some(Deferred::After("distribution".into()));
        let unknown = desired_policy(&private, Side::Backup, None).unwrap().unwrap();
        assert!(unknown.to_string().contains("(known after distribution)") && unknown.need().is_some());
        assert_eq!(unknown.resolve(&Outputs::default()), None);
        let arn: Arn = "arn:aws:cloudfront::111122223333:distribution/E1".parse().unwrap();
        private.distribution_arn = Some(Deferred::Known(arn));
        let known =
            desired_policy(&private, Side::Backup, None).unwrap().unwrap().resolve(&Outputs::default()).unwrap();
        assert!(known.contains("distribution/E1") && !known.contains(DISTRIBUTION));
        assert_eq!(text(&private, Some(&known)), None);
        assert!(text(&private, Some(&known.replace("E1", "E2"))).is_some());
        assert!(desired_policy(&desired(Mode::Dns), Side::Backup, Some("no json")).is_err());
    }

    #[test]
    fn the_deny_statement_is_added_once_and_beside_the_others() {
        let site = desired(Mode::Dns).site;
        let once = with_deny_statement(&site, Some(r#"{"Statement":{"Sid":"Theirs","Effect":"Allow"}}"#)).unwrap();
        assert_eq!(with_deny_statement(&site, Some(&once)).unwrap(), once);
        let sids: Vec<Value> =
            statements(&once).unwrap().into_iter().map(|statement| statement["Sid"].clone()).collect();
        assert_eq!(sids, ["Theirs", DRILL]);
        assert!(with_deny_statement(&site, None).unwrap().contains("111122223333"));
        assert!(with_deny_statement(&site, Some("[]")).is_err());
    }
}
