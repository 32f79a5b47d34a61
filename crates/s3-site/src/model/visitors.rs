//! What a bucket's settings that others made do to requests of visitors, judged without sending one.

use std::fmt;

use serde_json::Value;
use twinsite_core::probe;

use super::policy::{is_managed, normalized, statements};
use super::{Desired, WebsiteSnapshot, bucket_arn};
use twinsite_core::Side;

/// Who reads objects for visitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// Anybody over plain HTTP, at a website endpoint.
    Website,
    /// The service principal of CloudFront, over TLS.
    CloudFront,
}

/// A statement that is not managed and denies what visitors read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The `Sid` of the statement, or which one it is.
    pub statement: String,
    /// Which requests it denies, in words.
    pub requests: &'static str,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Never,
    /// For some visitors, as their address or the object says.
    Sometimes,
    Always,
}

/// What the statements of a policy that are not managed deny to visitors; none if it is no policy document.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
pub fn denials(desired: &Desired, side: Side, policy: &str) -> Vec<Denial> {
    let reader = if desired.site.mode.public_buckets() { Reader::Website } else { Reader::CloudFront };
    let bucket = bucket_arn(&desired.site, side);
    let all = statements(policy).unwrap_or_default();
    let others = all.iter().enumerate().filter(|(_, one)| !is_managed(one) && one["Effect"] == "Deny");
    let judged = others.filter_map(|(index, statement)| {
        let statement = normalized(statement);
        if !(names_reader(&statement, reader) && denies_reading(&statement) && covers_objects(&statement, &bucket)) {
            return None;
        }
        let conditions = statement.get("Condition").and_then(Value::as_object);
        let conditions = conditions.into_iter().flatten().flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(move |(key, value)| holds(operator, key, value, reader))
        });
        let requests = match conditions.min().unwrap_or(Holds::Always) {
            Holds::Never => return None,
            Holds::Sometimes => "requests of some visitors, or for some objects",
            Holds::Always if denies_plain_http_only(&statement) => "every request without TLS",
            Holds::Always => "every request",
        };
        let sid = statement.get("Sid").and_then(Value::as_str);
        let statement = sid.map_or_else(|| format!("statement {}, without Sid", index + 1), str::to_owned);
        Some(Denial { statement, requests })
    });
    judged.collect()
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one],
        _ => Vec::new(),
    }
}

/// Whether the statement is about whoever reads for visitors. A principal that is excluded is anybody else.
fn names_reader(statement: &Value, reader: Reader) -> bool {
    let is_reader = |principal: &Value| {
        strings(principal).contains(&"*")
            || (reader == Reader::CloudFront && strings(&principal["Service"]).contains(&"cloudfront.amazonaws.com"))
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principal), _) => is_reader(principal),
        (None, Some(excluded)) => !is_reader(excluded),
        (None, None) => false,
    }
}

fn denies_reading(statement: &Value) -> bool {
    let matches = |patterns: &Value| {
        strings(patterns).iter().any(|pattern| is_like(&pattern.to_ascii_lowercase(), "s3:getobject"))
    };
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => matches(actions),
        (None, Some(allowed)) => !matches(allowed),
        (None, None) => false,
    }
}

/// Whether it covers pages. One of a prefix that no site uses for pages would not be told from one that does, so it counts.
fn covers_objects(statement: &Value, bucket: &str) -> bool {
    let page = format!("{bucket}/index.html");
    let matches = |patterns: &Value| {
        let own = |pattern: &&str| pattern.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('/'));
        strings(patterns).iter().any(|pattern| is_like(pattern, &page) || own(pattern))
    };
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(resources), _) => matches(resources),
        (None, Some(excluded)) => !strings(excluded).iter().any(|pattern| is_like(pattern, &page)),
        (None, None) => false,
    }
}

fn denies_plain_http_only(statement: &Value) -> bool {
    statement["Condition"].to_string().contains("SecureTransport")
}

/// Whether a text matches a pattern with `*` and `?`. Others write the pattern, so that the time it takes has a bound: the product of both
/// lengths.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut in_pattern, mut in_text) = (0, 0);
    // The last `*`, and where in the text what follows it was tried.
    let mut last_star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match (pattern.get(in_pattern), last_star) {
            (Some('*'), _) => {
                last_star = Some((in_pattern, in_text));
                in_pattern += 1;
            }
            (Some(letter), _) if *letter == '?' || *letter == text[in_text] => {
                in_pattern += 1;
                in_text += 1;
            }
            (_, Some((star, tried))) => {
                last_star = Some((star, tried + 1));
                (in_pattern, in_text) = (star + 1, tried + 1);
            }
            (_, None) => return false,
        }
    }
    pattern[in_pattern..].iter().all(|letter| *letter == '*')
}

/// Whether a condition holds for a reader. Keys that its requests do not have fulfil negated operators and those with `IfExists`, and no
/// others. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
fn holds(operator: &str, key: &str, value: &Value, reader: Reader) -> Holds {
    let operator = operator.rsplit(':').next().unwrap_or(operator).to_ascii_lowercase();
    let if_exists = operator.ends_with("ifexists");
    let operator = operator.trim_end_matches("ifexists");
    let is_negated = operator.contains("not");
    let wanted: Vec<String> = match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let key = key.to_ascii_lowercase();
    let known = match key.as_str() {
        "aws:securetransport" => Some(if reader == Reader::Website { "false" } else { "true" }),
        "aws:principalisawsservice" if reader == Reader::CloudFront => Some("true"),
        "aws:principalservicename" if reader == Reader::CloudFront => Some("cloudfront.amazonaws.com"),
        "aws:principaltype" if reader == Reader::Website => Some("Anonymous"),
        _ => None,
    };
    // These depend on the visitor, on the object, or on the distribution.
    let varies = ["aws:sourceip", "aws:referer", "aws:useragent", "aws:currenttime", "aws:epochtime", "s3:tlsversion"];
    let varies = varies.contains(&key.as_str())
        || key.starts_with("s3:existingobjecttag/")
        || (reader == Reader::CloudFront && ["aws:sourcearn", "aws:sourceaccount"].contains(&key.as_str()));
    let always = |holds: bool| if holds { Holds::Always } else { Holds::Never };
    if varies {
        return if key == "s3:tlsversion" && reader == Reader::Website && !if_exists {
            Holds::Never
        } else {
            Holds::Sometimes
        };
    }
    match (known, operator) {
        (present, "null") => always(wanted.iter().any(|one| (one == "true") == present.is_none())),
        (Some(actual), _) => {
            let matches = wanted.iter().any(|one| is_like(&one.to_ascii_lowercase(), &actual.to_ascii_lowercase()));
            always(matches != is_negated)
        }
        (None, _) => always(is_negated || if_exists),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a lifecycle rule that is not managed does to the site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleRisk {
    /// The id of the rule.
    pub rule: String,
    /// The objects that it is about: `every object`, `objects below logs/`.
    pub scope: String,
    /// What it does.
    pub effect: LifecycleEffect,
}

/// What a lifecycle rule does to objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LifecycleEffect {
    /// It deletes current objects.
    Expires {
        /// When: `30 days after creation`.
        when: String,
    },
    /// It moves current objects to a storage class from which they cannot be read without being restored first.
    Archives {
        /// The storage class.
        class: String,
        /// When.
        when: String,
    },
    /// It deletes noncurrent versions, which rollback copies from.
    ExpiresVersions {
        /// How many days after they became noncurrent.
        days: i32,
    },
}

impl fmt::Display for LifecycleEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expires { when } => write!(f, "deletes them {when}"),
            Self::Archives { class, when } => write!(f, "moves them to {class} {when}"),
            Self::ExpiresVersions { days } => write!(f, "deletes their noncurrent versions after {days} days"),
        }
    }
}

/// The storage classes whose objects have to be restored before they can be read.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html>
pub const ARCHIVED_CLASSES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

impl WebsiteSnapshot {
    /// The routing rule that redirects requests for what health checks look for when it is missing, as the failover switch is.
    /// Rules without a condition redirect every request and are left to [`WebsiteSnapshot::redirects_everything`].
    pub(crate) fn redirects_missing_probes(&self) -> Option<String> {
        let is_set = |condition: &Option<String>| condition.as_deref().is_some_and(|text| !text.is_empty());
        let rule = self.routing_rules.iter().find(|rule| {
            let covers = rule.if_prefix.as_deref().is_none_or(|prefix| probe::STOP.starts_with(prefix));
            let is_missing =
                rule.if_error.as_deref().is_none_or(|code| code.is_empty() || ["403", "404"].contains(&code));
            covers && is_missing && (is_set(&rule.if_error) || is_set(&rule.if_prefix))
        })?;
        let conditions = [("KeyPrefixEquals", &rule.if_prefix), ("HttpErrorCodeReturnedEquals", &rule.if_error)];
        let conditions = conditions.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_deref()?)));
        Some(format!("a RoutingRule with {}", conditions.collect::<Vec<_>>().join(" and ")))
    }
}

#[cfg(test)]
mod tests {
    use twinsite_core::{Mode, Pair, Site};

    use super::*;

    #[test]
    fn patterns_match_in_bounded_time() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("?", "", false),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("*Object", "s3:GetObjectVersionObject", true),
            ("a*b?c", "aXXbYbZc", true),
            ("a*b?c", "aXXbYbZ", false),
            ("**", "any", true),
            ("*", "*", true),
        ] {
            assert_eq!(is_like(pattern, text), matches, "{pattern} {text}");
        }
        assert!(!is_like(&"*a".repeat(40), &"a".repeat(39)));
    }

    fn judged(mode: Mode, statement: &str) -> Vec<&'static str> {
        let regions = Pair::new("us-east-1".parse().unwrap(), "us-west-2".parse().unwrap());
        let account = "111122223333".parse().unwrap();
        let desired = Desired::new(Site::new("www.example.com".parse().unwrap(), mode, account, regions).unwrap());
        let policy = format!("{{\"Version\": \"2012-10-17\", \"Statement\": [{statement}]}}");
        denials(&desired, Side::Backup, &policy).into_iter().map(|denial| denial.requests).collect()
    }

    const ALL: [&str; 1] = ["every request"];
    const SOME: [&str; 1] = ["requests of some visitors, or for some objects"];

    /// Statements as they stand in AWS's own documentation and baselines.
    #[test]
    fn denies_of_others_are_judged_as_iam_evaluates_them() {
        let deny = |condition: &str| {
            format!(
                "{{\"Sid\": \"X\", \"Effect\": \"Deny\", \"Principal\": {{\"AWS\": [\"*\"]}}, \"Action\": [\"s3:*\"], \
                 \"Resource\": [\"arn:aws:s3:::*\", \"arn:aws:s3:::*/*\"], \"Condition\": {condition}}}"
            )
        };
        let tls = deny("{\"Bool\": {\"aws:SecureTransport\": \"false\"}}");
        assert_eq!(judged(Mode::Layered, &tls), ["every request without TLS"]);
        assert_eq!(judged(Mode::Origin, &tls), [""; 0]);
        let endpoint = deny("{\"StringNotEquals\": {\"aws:SourceVpce\": \"vpce-1\"}}");
        assert_eq!(judged(Mode::Layered, &endpoint), ALL);
        let organization = deny(
            "{\"StringNotEqualsIfExists\": {\"aws:PrincipalOrgID\": \"o-1\"}, \"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}}",
        );
        assert_eq!(judged(Mode::Layered, &organization), ALL);
        assert_eq!(judged(Mode::Origin, &organization), [""; 0], "CloudFront is a service of AWS");
        let address = deny("{\"NotIpAddress\": {\"aws:SourceIp\": \"192.0.2.0/24\"}}");
        assert_eq!(judged(Mode::Dns, &address), SOME);
        let old_tls = deny("{\"NumericLessThan\": {\"s3:TlsVersion\": \"1.2\"}}");
        assert_eq!(judged(Mode::Layered, &old_tls), [""; 0], "requests without TLS have no version");
        let tag = deny("{\"StringNotEquals\": {\"s3:ExistingObjectTag/public\": \"yes\"}}");
        assert_eq!(judged(Mode::Origin, &tag), SOME);
        for harmless in [
            tls.replace("Deny", "Allow"),
            tls.replace("s3:*", "s3:Put*"),
            tls.replace("\"AWS\": [\"*\"]", "\"AWS\": \"arn:aws:iam::1:root\""),
            tls.replace("arn:aws:s3:::*", "arn:aws:s3:::other"),
            tls.replace("\"X\"", "\"TwinsiteTransport\""),
            deny("{\"StringEquals\": {\"aws:PrincipalOrgID\": \"o-1\"}}"),
        ] {
            assert_eq!(judged(Mode::Layered, &harmless), [""; 0], "{harmless}");
        }
        let except = "{\"Effect\": \"Deny\", \"NotPrincipal\": {\"AWS\": \"arn:aws:iam::1:root\"}, \"NotAction\": \"s3:List*\", \
                      \"NotResource\": \"arn:aws:s3:::other/*\"}";
        assert_eq!(judged(Mode::Origin, except), ALL);
        assert_eq!(judged(Mode::Layered, "\"nonsense\""), [""; 0]);
    }

    #[test]
    fn rules_that_redirect_missing_probes_are_found() {
        let found = |error: Option<&str>, prefix: Option<&str>| {
            let (if_error, if_prefix) = (error.map(str::to_owned), prefix.map(str::to_owned));
            let rule = crate::model::RoutingRule { if_error, if_prefix, ..Default::default() };
            WebsiteSnapshot { routing_rules: vec![rule], ..WebsiteSnapshot::default() }.redirects_missing_probes()
        };
        assert_eq!(found(Some("404"), None).as_deref(), Some("a RoutingRule with HttpErrorCodeReturnedEquals 404"));
        assert!(found(None, Some(".well-known/")).is_some() && found(Some("403"), Some(".")).is_some());
        for harmless in [found(Some("404"), Some("docs/")), found(Some("416"), None), found(None, None)] {
            assert_eq!(harmless, None);
        }
    }
}
