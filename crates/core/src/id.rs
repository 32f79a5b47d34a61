//! Names that have rules: each is checked once, where it enters, and then carried as proof.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The name of a step in a plan: `primary/bucket`, `backup/policy`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(String);
text!(StepId);

impl StepId {
    /// Names a step.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl From<&str> for StepId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for StepId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<&Self> for StepId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

/// A host name that visitors type: lower-case letters, digits and hyphens in at least two labels.
///
/// Rules: [RFC 1123 §2.1](https://www.rfc-editor.org/rfc/rfc1123#page-13), and, since the backup bucket
/// bears the name in the website modes, [S3's bucket naming rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);
text!(Domain);

impl Domain {
    /// The longest name that can still be a bucket's, in bytes.
    pub const MAX_LEN: usize = 63;

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether a name in a certificate covers it: the same name, or a wildcard, which stands for one label.
    /// <https://docs.aws.amazon.com/acm/latest/userguide/acm-concepts.html#concept-wildcard>
    pub fn is_covered_by(&self, name: &str) -> bool {
        let parent = self.0.split_once('.').map(|(_, rest)| rest);
        name == self.0 || name.strip_prefix("*.").is_some_and(|rest| Some(rest) == parent)
    }
}

impl FromStr for Domain {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let no = |rule: &str| Err(Invalid::new("domain", text, rule));
        if text.contains("://") || text.contains('/') {
            return no("is an address, not a name: write it as `www.example.com`");
        }
        if !text.is_ascii() {
            return no("has characters outside ASCII: write it in its `xn--` form (punycode)");
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return no("has capitals: CloudFront and S3 take lower case only");
        }
        if text.len() > Self::MAX_LEN {
            return no("is longer than the 63 characters a bucket name may have");
        }
        if text.split('.').count() < 2 {
            return no("has no dot: give the whole name, as in `www.example.com`");
        }
        if let Some(rule) = text.split('.').find_map(label_fault) {
            return no(rule);
        }
        if text.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit())) {
            return no("is an IP address, not a name");
        }
        Ok(Self(text.to_owned()))
    }
}

fn label_fault(label: &str) -> Option<&'static str> {
    if label.is_empty() {
        return Some("has an empty label (two dots in a row, or one at an end)");
    }
    if label.len() > 63 {
        return Some("has a label of more than 63 characters");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Some("has a label that starts or ends with a hyphen");
    }
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (!label.bytes().all(legal)).then_some("may have only letters, digits, hyphens and dots")
}

/// The name of an S3 bucket.
///
/// Rules: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);
text!(BucketName);

impl BucketName {
    /// The longest name S3 takes, in bytes.
    pub const MAX_LEN: usize = 63;
}

impl FromStr for BucketName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let no = |rule: &str| Err(Invalid::new("bucket name", text, rule));
        if !(3..=Self::MAX_LEN).contains(&text.len()) {
            return no("must have 3 to 63 characters");
        }
        if let Some(rule) = text.split('.').find_map(label_fault) {
            return no(rule);
        }
        if text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok()) {
            return no("looks like an IP address");
        }
        if ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|prefix| text.starts_with(prefix)) {
            return no("starts with a prefix that S3 keeps for itself");
        }
        if ["-s3alias", "--ol-s3", ".mrap", "--x-s3"].iter().any(|suffix| text.ends_with(suffix)) {
            return no("ends with a suffix that S3 keeps for itself");
        }
        Ok(Self(text.to_owned()))
    }
}

/// A twelve-digit AWS account id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);
text!(AccountId);

impl FromStr for AccountId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("account id", text, "must have twelve digits"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_checked_where_they_enter() {
        let fault = |text: &str| text.parse::<Domain>().err().map(|e| e.to_string()).unwrap_or_default();
        for good in ["www.example.com", "example.com", "a.b", "xn--bcher-kva.example", "1.example.com"] {
            assert_eq!(fault(good), "", "{good}");
        }
        for (bad, part) in [
            ("https://www.example.com", "is an address"),
            ("www.example.com/docs", "is an address"),
            ("WWW.example.com", "capitals"),
            ("example", "no dot"),
            ("a..b", "empty label"),
            ("www.example.com.", "empty label"),
            ("-a.example.com", "hyphen"),
            ("a_b.example.com", "only letters"),
            ("bücher.example", "punycode"),
            ("10.0.0.1", "IP address"),
            ("", "no dot"),
        ] {
            assert!(fault(bad).contains(part), "{bad}: {}", fault(bad));
        }
        assert!(fault(&format!("{}.com", "a".repeat(60))).contains("63"));
    }

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        for good in ["abc", "www.example.com", "site-000000000000-us-east-1"] {
            assert!(good.parse::<BucketName>().is_ok(), "{good}");
        }
        for bad in ["ab", "Abc", "a..b", "192.168.5.4", "xn--abc", "abc--x-s3", "-abc", "a_bc"] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn account_ids_have_twelve_digits() {
        assert!("111122223333".parse::<AccountId>().is_ok());
        assert!("11112222333".parse::<AccountId>().is_err());
        assert!("11112222333x".parse::<AccountId>().is_err());
    }
}
