//! Regions, partitions, and the hosts that follow from them.

use std::fmt;
use std::str::FromStr;

use strsim::levenshtein;

use crate::{Invalid, nearest};

/// A group of regions with its own accounts, endpoints and ARN prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partition {
    /// Commercial AWS.
    Aws,
    /// China.
    China,
    /// `GovCloud` (US).
    GovCloud,
}

impl Partition {
    /// The second part of every ARN in this partition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
        }
    }

    fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An AWS region's code.
///
/// Only the form is checked, and the words for misspellings: regions open faster than tools are released, so AWS itself decides
/// which exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

/// The regions whose website host is `s3-website-REGION`; all others write `s3-website.REGION`.
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints>
const DASHED: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
    "us-gov-west-1",
];

/// The regions that every account of commercial AWS has; all that came after March 2019 must be enabled.
const ENABLED: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The regions of commercial AWS that this version knows.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const KNOWN: [&str; 34] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The first words of regions. <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const AREAS: [&str; 10] = ["af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us"];
/// The words before their numbers.
const DIRECTIONS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

/// What was probably meant by a word that is none of those known: a word that two letters tell from it.
fn meant(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let is_close = |other: &&&str| word.len().abs_diff(other.len()) <= 1 && levenshtein(word, other) <= 2;
    if known.contains(&word) {
        None
    } else {
        known.iter().filter(is_close).min_by_key(|other| levenshtein(word, other)).copied()
    }
}

/// A known code with the misspelled words of another one corrected; `None` if nothing is misspelled.
fn corrected(words: &[&str], number: &str) -> Option<String> {
    let (area, direction) = (words.first()?, words.last()?);
    let turned: String = area.chars().rev().collect();
    let right_area = AREAS.into_iter().find(|known| turned == *known && !AREAS.contains(area));
    let right_direction = meant(direction, &DIRECTIONS);
    if right_area.is_none() && right_direction.is_none() {
        return None;
    }
    let middle = words.get(1..words.len() - 1)?;
    let all = std::iter::once(right_area.unwrap_or(area)).chain(middle.iter().copied());
    let all: Vec<&str> = all.chain([right_direction.unwrap_or(direction), number]).collect();
    Some(all.join("-"))
}

impl Region {
    /// The region's code: `us-east-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that holds `CloudFront`'s certificates and the global services' control planes.
    pub fn us_east_1() -> Self {
        Self("us-east-1".into())
    }

    /// The partition the region belongs to.
    pub fn partition(&self) -> Partition {
        match self.0.split('-').next() {
            Some("cn") => Partition::China,
            _ if self.0.starts_with("us-gov-") => Partition::GovCloud,
            _ => Partition::Aws,
        }
    }

    /// True if this version knows the region. A region that it does not know is new, or misspelled.
    pub fn is_known(&self) -> bool {
        self.partition() != Partition::Aws || KNOWN.contains(&self.0.as_str())
    }

    /// The known region whose code is nearest to this one, if one was probably meant.
    pub fn nearest_known(&self) -> Option<&'static str> {
        nearest(&self.0, KNOWN)
    }

    /// True when an account has to enable the region before anything can be done there.
    /// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>
    pub fn is_opt_in(&self) -> bool {
        self.partition() == Partition::Aws && !ENABLED.contains(&self.0.as_str())
    }

    /// What `CreateBucket` takes as `LocationConstraint`: nothing in us-east-1, where naming the region is an error.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html>
    pub fn location_constraint(&self) -> Option<&str> {
        (self.0 != "us-east-1").then_some(self.0.as_str())
    }

    /// The host of S3's website endpoints in this region, without a bucket's name.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html>
    pub fn website_host(&self) -> String {
        let dot = if DASHED.contains(&self.0.as_str()) { '-' } else { '.' };
        format!("s3-website{dot}{}.{}", self.0, self.partition().dns_suffix())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let no = |rule: &str| Err(Invalid::new("region", text, rule));
        let parts: Vec<_> = text.split('-').collect();
        if !(3..=4).contains(&parts.len()) {
            return no("is not a region's code, such as `us-east-1`");
        }
        let (number, words) = parts.split_last().unwrap_or((&"", &[]));
        let lower = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        if !words.iter().all(lower) || number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return no("is not a region's code, such as `us-east-1`");
        }
        match corrected(words, number) {
            Some(right) => no(&format!("is misspelled: did you mean `{right}`?")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        text.parse().unwrap()
    }

    #[test]
    fn website_hosts_follow_the_table_of_aws() {
        for (code, host) in [
            ("us-east-1", "s3-website-us-east-1.amazonaws.com"),
            ("us-east-2", "s3-website.us-east-2.amazonaws.com"),
            ("eu-west-1", "s3-website-eu-west-1.amazonaws.com"),
            ("eu-central-1", "s3-website.eu-central-1.amazonaws.com"),
            ("cn-north-1", "s3-website.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "s3-website-us-gov-west-1.amazonaws.com"),
            ("us-gov-east-1", "s3-website.us-gov-east-1.amazonaws.com"),
        ] {
            assert_eq!(region(code).website_host(), host);
        }
    }

    #[test]
    fn regions_that_are_not_known_are_told_from_those_that_are() {
        assert!(ENABLED.iter().chain(&DASHED).all(|known| region(known).is_known()));
        assert!(["eu-central-9", "us-east-3", "xx-newplace-12"].iter().all(|unknown| !region(unknown).is_known()));
    }

    #[test]
    fn us_east_1_has_no_location_constraint() {
        assert_eq!(region("us-east-1").location_constraint(), None);
        assert_eq!(region("us-west-2").location_constraint(), Some("us-west-2"));
    }

    #[test]
    fn misspelled_regions_are_refused_with_a_suggestion() {
        for (text, right) in [
            ("us-esat-1", "us-east-1"),
            ("us-wets-2", "us-west-2"),
            ("eu-cental-1", "eu-central-1"),
            ("ue-west-1", "eu-west-1"),
            ("ap-southeats-2", "ap-southeast-2"),
            ("us-gov-esat-1", "us-gov-east-1"),
        ] {
            let error = text.parse::<Region>().unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean `{right}`?")), "{error}");
        }
        for new in ["ap-southeast-9", "nz-north-1", "us-southwest-1", "xx-newplace-12", "eusc-de-east-1"] {
            assert!(new.parse::<Region>().is_ok(), "{new}");
        }
    }

    #[test]
    fn only_the_form_of_a_region_is_checked() {
        for good in ["us-east-1", "us-gov-west-1", "mx-central-1", "xx-newplace-12"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in ["", "us-east", "us-east-1a", "US-EAST-1", "useast1", "us--1", "us-east-"] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
    }
}
