//! The bucket policy: everybody may read a website bucket, the distribution a private one, and neither twinsite's own corner.

use std::fmt;

use serde_json::{Value, json};
use twinsite_core::{Arn, Deferred, Need, Outputs};

use crate::want::Desired;

/// The statement by which a drill keeps visitors out.
pub(crate) const DRILL: &str = "TwinsiteDrill";

/// The statements that are ours.
const SIDS: [&str; 6] = [
    "TwinsitePublicRead",
    "TwinsitePrivateCorner",
    "TwinsiteCloudFrontRead",
    "TwinsiteCloudFrontList",
    "TwinsiteTransport",
    // Not wanted in any policy: what a drill has left there goes with the next apply.
    DRILL,
];

/// Stands for an ARN that is known only after the distribution was made. It cannot be part of any ARN.
const READER: &str = "{distribution}";

/// A policy document, whose one unknown may be the distribution's ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: String,
    reader: Option<Deferred<Arn>>,
}

impl Document {
    pub(crate) fn need(&self) -> Option<Need> {
        self.reader.as_ref().and_then(Deferred::need)
    }

    /// The text, now that the distribution is there; `None` when it is not.
    pub(crate) fn resolve(&self, outputs: &Outputs) -> Option<String> {
        let Some(reader) = &self.reader else { return Some(self.text.clone()) };
        reader.resolve(outputs).map(|arn| self.text.replace(READER, arn.as_str()))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reader {
            Some(reader) => f.write_str(&self.text.replace(READER, &reader.to_string())),
            None => f.write_str(&self.text),
        }
    }
}

/// Why a policy cannot be added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd;

/// Our statements for a bucket; none where it is private.
///
/// The deny is on the *absence* of the owner's account: an anonymous request has no `aws:PrincipalAccount`, which is not equal
/// to anything. Never a deny on plain HTTP here: website endpoints speak nothing else.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html>
fn ours(want: &Desired, bucket: &str) -> Vec<Value> {
    let site = &want.site;
    let partition = site.regions.primary.partition().as_str();
    let arn = format!("arn:{partition}:s3:::{bucket}");
    if !site.mode.public_buckets() {
        return if want.reader.is_some() { private(&arn) } else { Vec::new() };
    }
    vec![
        json!({
            "Sid": SIDS[0], "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"),
        }),
        json!({
            "Sid": SIDS[1], "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{arn}/.twinsite/*"),
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": site.account.as_str()}},
        }),
    ]
}

/// The distribution may read and list, so that a missing page is 404 and a 403 means that it really was denied; nobody
/// reads without TLS.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>
fn private(arn: &str) -> Vec<Value> {
    let cloudfront = json!({"Service": "cloudfront.amazonaws.com"});
    let only = json!({"StringEquals": {"AWS:SourceArn": READER}});
    vec![
        json!({
            "Sid": SIDS[2], "Effect": "Allow", "Principal": cloudfront, "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"), "Condition": only,
        }),
        json!({
            "Sid": SIDS[3], "Effect": "Allow", "Principal": cloudfront, "Action": "s3:ListBucket",
            "Resource": arn, "Condition": only,
        }),
        json!({
            "Sid": SIDS[1], "Effect": "Deny", "Principal": cloudfront, "Action": "s3:GetObject",
            "Resource": format!("{arn}/.twinsite/*"),
        }),
        json!({
            "Sid": SIDS[4], "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")], "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }),
    ]
}

/// The policy that a bucket should have, others' statements first and untouched. `None` when it has that already.
pub(crate) fn wanted(want: &Desired, bucket: &str, have: Option<&str>) -> Result<Option<Document>, Odd> {
    let ours = ours(want, bucket);
    let there = have.map(statements).transpose()?.unwrap_or_default();
    let (mine, others): (Vec<Value>, Vec<Value>) = there.into_iter().partition(is_ours);
    let known: Vec<Value> = match &want.reader {
        Some(Deferred::Known(arn)) => ours.iter().map(|statement| with_reader(statement, arn)).collect(),
        Some(Deferred::After(_)) | None => ours.clone(),
    };
    if same(&mine, &known) {
        return Ok(None);
    }
    let reader = want.reader.clone().filter(|_| !want.site.mode.public_buckets());
    let all: Vec<Value> = others.into_iter().chain(ours).collect();
    Ok(Some(Document { text: document(&all), reader }))
}

/// A policy without our statements; `None` when nothing is left.
pub(crate) fn without_ours(have: &str) -> Result<Option<String>, Odd> {
    let others: Vec<Value> = statements(have)?.into_iter().filter(|statement| !is_ours(statement)).collect();
    Ok((!others.is_empty()).then(|| document(&others)))
}

fn with_reader(value: &Value, arn: &Arn) -> Value {
    match value {
        Value::String(text) if text == READER => json!(arn.as_str()),
        Value::Array(list) => Value::Array(list.iter().map(|value| with_reader(value, arn)).collect()),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), with_reader(value, arn))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn statements(text: &str) -> Result<Vec<Value>, Odd> {
    let policy: Value = serde_json::from_str(text).map_err(|_| Odd)?;
    match policy.get("Statement") {
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(one @ Value::Object(_)) => Ok(vec![one.clone()]),
        _ => Err(Odd),
    }
}

fn is_ours(statement: &Value) -> bool {
    statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| SIDS.contains(&sid))
}

/// Equal but for the forms that AWS may answer in: one value or a list of one, `*` or `{"AWS": "*"}`.
fn same(mine: &[Value], ours: &[Value]) -> bool {
    let canonical = |list: &[Value]| {
        let mut texts: Vec<String> = list.iter().map(|statement| flat(statement).to_string()).collect();
        texts.sort();
        texts
    };
    canonical(mine) == canonical(ours)
}

pub(crate) fn flat(value: &Value) -> Value {
    match value {
        Value::Array(list) if list.len() == 1 => flat(&list[0]),
        Value::Array(list) => Value::Array(list.iter().map(flat).collect()),
        Value::Object(map) if map.len() == 1 && map.contains_key("AWS") => flat(&map["AWS"]),
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), flat(value))).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair, Site};

    use super::*;

    fn site(mode: Mode) -> Desired {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap())
    }

    fn text(want: &Desired, have: Option<&str>) -> Option<String> {
        wanted(want, "b", have).unwrap().map(|document| document.to_string())
    }

    #[test]
    fn others_statements_stay_and_ours_are_added_once() {
        let foreign =
            r#"{"Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}}"#;
        let first = text(&site(Mode::Dns), Some(foreign)).unwrap();
        assert!(first.contains("Theirs") && first.contains("TwinsitePublicRead"));
        assert_eq!(text(&site(Mode::Dns), Some(&first)), None);
        let rest = without_ours(&first).unwrap().unwrap();
        assert!(rest.contains("Theirs") && !rest.contains("Twinsite"));
        assert_eq!(without_ours(&text(&site(Mode::Dns), None).unwrap()), Ok(None));
    }

    #[test]
    fn other_forms_of_the_same_are_the_same_and_changes_are_found() {
        let ours = text(&site(Mode::Dns), None).unwrap();
        let listed = ours.replace(r#""s3:GetObject""#, r#"["s3:GetObject"]"#);
        let principal = listed.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#);
        assert_eq!(text(&site(Mode::Dns), Some(&principal)), None);
        let wider = ours.replace("s3:GetObject", "s3:*");
        assert_eq!(text(&site(Mode::Dns), Some(&wider)), Some(ours));
    }

    #[test]
    fn private_buckets_are_read_by_their_distribution_only_and_odd_policies_are_left_alone() {
        let mut want = site(Mode::Origin);
        assert_eq!(text(&want, None), None);
        want.reader = Some(Deferred::After("cdn/distribution".into()));
        let unknown = wanted(&want, "b", None).unwrap().unwrap();
        assert!(unknown.to_string().contains("(known after cdn/distribution)") && unknown.need().is_some());
        assert_eq!(unknown.resolve(&Outputs::default()), None);
        let arn: Arn = "arn:aws:cloudfront::111122223333:distribution/E1".parse().unwrap();
        want.reader = Some(Deferred::Known(arn));
        let known = wanted(&want, "b", None).unwrap().unwrap().resolve(&Outputs::default()).unwrap();
        assert!(known.contains("distribution/E1") && !known.contains(READER));
        assert_eq!(text(&want, Some(&known)), None);
        assert!(text(&want, Some(&known.replace("E1", "E2"))).is_some());
        assert_eq!(wanted(&site(Mode::Dns), "b", Some("no json")), Err(Odd));
    }
}
