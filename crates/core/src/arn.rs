//! Amazon resource names.

use std::fmt;
use std::str::FromStr;

use crate::Invalid;

/// An Amazon resource name, taken apart: `arn:partition:service:region:account:resource`.
///
/// Form: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: String,
    // Byte offsets of the five colons.
    colons: [usize; 5],
}

impl Arn {
    fn part(&self, index: usize) -> &str {
        &self.text[self.colons[index] + 1..self.colons[index + 1]]
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.part(0)
    }

    /// The service: `s3`, `iam`, `cloudfront`.
    pub fn service(&self) -> &str {
        self.part(1)
    }

    /// The region; empty for global resources.
    pub fn region(&self) -> &str {
        self.part(2)
    }

    /// The account; empty for buckets.
    pub fn account(&self) -> &str {
        self.part(3)
    }

    /// Everything behind the fifth colon: `distribution/E2EXAMPLE`, `my-bucket`.
    pub fn resource(&self) -> &str {
        &self.text[self.colons[4] + 1..]
    }

    /// The ARN of a function of CloudFront's, which follows from its name.
    pub fn cloudfront_function(account: &crate::AccountId, name: &str) -> Self {
        let text = format!("arn:aws:cloudfront::{account}:function/{name}");
        // `arn`, `aws`, `cloudfront`, no region, an account of twelve digits.
        let colons = [3, 7, 18, 19, 32];
        Self { text, colons }
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Arn {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let no = |rule: &str| Err(Invalid::new("ARN", text, rule));
        if !text.starts_with("arn:") {
            return no("does not start with `arn:`");
        }
        let mut found = text.match_indices(':').map(|(at, _)| at);
        let mut colons = [0; 5];
        for colon in &mut colons {
            let Some(at) = found.next() else {
                return no("has fewer than six parts");
            };
            *colon = at;
        }
        let arn = Self { text: text.to_owned(), colons };
        if arn.partition().is_empty() || arn.service().is_empty() || arn.resource().is_empty() {
            return no("lacks its partition, service or resource");
        }
        Ok(arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart() {
        let arn: Arn = "arn:aws:sns:us-east-1:111122223333:topic:with:colons".parse().unwrap();
        assert_eq!(
            [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()],
            ["aws", "sns", "us-east-1", "111122223333", "topic:with:colons"],
        );
        let bucket: Arn = "arn:aws:s3:::www.example.com".parse().unwrap();
        assert_eq!((bucket.region(), bucket.resource()), ("", "www.example.com"));
    }

    #[test]
    fn what_is_not_an_arn_is_refused() {
        for bad in ["", "aws:s3:::b", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b"] {
            assert!(bad.parse::<Arn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_functions_arn_is_one_that_parses() {
        let arn = Arn::cloudfront_function(&"111122223333".parse().unwrap(), "twinsite-www");
        assert_eq!(arn.as_str().parse(), Ok(arn.clone()));
        assert_eq!((arn.account(), arn.resource()), ("111122223333", "function/twinsite-www"));
    }
}
