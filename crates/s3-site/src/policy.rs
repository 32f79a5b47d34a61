//! The bucket policy of a website bucket: everybody may read, except twinsite's own corner.

use serde_json::{Value, json};
use twinsite_core::Site;

/// The statements that are ours.
const SIDS: [&str; 2] = ["TwinsitePublicRead", "TwinsitePrivateCorner"];

/// Why a policy cannot be added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd;

/// Our statements for a bucket; none where it is private.
///
/// The deny is on the *absence* of the owner's account: an anonymous request has no `aws:PrincipalAccount`, which is not equal
/// to anything. Never a deny on plain HTTP here: website endpoints speak nothing else.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html>
fn ours(site: &Site, bucket: &str) -> Vec<Value> {
    if !site.mode.public_buckets() {
        return Vec::new();
    }
    let partition = site.regions.primary.partition().as_str();
    let arn = format!("arn:{partition}:s3:::{bucket}");
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

/// The policy that a bucket should have, others' statements first and untouched. `None` when it has that already.
pub(crate) fn wanted(site: &Site, bucket: &str, have: Option<&str>) -> Result<Option<String>, Odd> {
    let ours = ours(site, bucket);
    let there = have.map(statements).transpose()?.unwrap_or_default();
    let (mine, others): (Vec<Value>, Vec<Value>) = there.into_iter().partition(is_ours);
    if same(&mine, &ours) {
        return Ok(None);
    }
    let all: Vec<Value> = others.into_iter().chain(ours).collect();
    Ok(Some(document(&all)))
}

/// A policy without our statements; `None` when nothing is left.
pub(crate) fn without_ours(have: &str) -> Result<Option<String>, Odd> {
    let others: Vec<Value> = statements(have)?.into_iter().filter(|statement| !is_ours(statement)).collect();
    Ok((!others.is_empty()).then(|| document(&others)))
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

fn flat(value: &Value) -> Value {
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
    use twinsite_core::{Mode, Pair};

    use super::*;

    fn site(mode: Mode) -> Site {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        Site::new("www.example.com".parse().unwrap(), mode, "111122223333".parse().unwrap(), regions).unwrap()
    }

    #[test]
    fn others_statements_stay_and_ours_are_added_once() {
        let foreign =
            r#"{"Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}}"#;
        let first = wanted(&site(Mode::Dns), "b", Some(foreign)).unwrap().unwrap();
        assert!(first.contains("Theirs") && first.contains("TwinsitePublicRead"));
        assert_eq!(wanted(&site(Mode::Dns), "b", Some(&first)), Ok(None));
        let rest = without_ours(&first).unwrap().unwrap();
        assert!(rest.contains("Theirs") && !rest.contains("Twinsite"));
        assert_eq!(without_ours(&wanted(&site(Mode::Dns), "b", None).unwrap().unwrap()), Ok(None));
    }

    #[test]
    fn other_forms_of_the_same_are_the_same_and_changes_are_found() {
        let ours = wanted(&site(Mode::Dns), "b", None).unwrap().unwrap();
        let listed = ours.replace(r#""s3:GetObject""#, r#"["s3:GetObject"]"#);
        let principal = listed.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"*"}"#);
        assert_eq!(wanted(&site(Mode::Dns), "b", Some(&principal)), Ok(None));
        let wider = ours.replace("s3:GetObject", "s3:*");
        assert_eq!(wanted(&site(Mode::Dns), "b", Some(&wider)), Ok(Some(ours)));
    }

    #[test]
    fn private_buckets_have_no_statement_of_ours_and_odd_policies_are_left_alone() {
        assert_eq!(wanted(&site(Mode::Origin), "b", None), Ok(None));
        assert_eq!(wanted(&site(Mode::Dns), "b", Some("no json")), Err(Odd));
    }
}
