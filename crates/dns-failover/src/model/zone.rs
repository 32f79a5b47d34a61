//! Hosted zones, and the one that a domain belongs to.

use std::fmt;
use std::str::FromStr;

use twinsite_core::{Domain, Invalid};

use super::record::normalized_name;

/// The id of a hosted zone, without `/hostedzone/`: 1 to 32 ASCII letters and digits.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(String);

impl ZoneId {
    /// The maximum length in bytes.
    pub const MAX_LEN: usize = 32;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id of AWS's own zones, which a test checks.
    pub(super) fn from_table(id: &'static str) -> Self {
        Self(id.to_owned())
    }
}

impl FromStr for ZoneId {
    type Err = Invalid;

    /// Accepts the form with `/hostedzone/` in front, too.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
        if (1..=Self::MAX_LEN).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(id.to_owned()))
        } else {
            Err(Invalid::new("hosted zone id", text, "must have 1 to 32 letters and digits"))
        }
    }
}

impl fmt::Display for ZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id.
    pub id: ZoneId,
    /// Its name, with or without the trailing dot.
    pub name: String,
    /// True if it is visible in VPCs only.
    pub private: bool,
    /// How many record sets it has, if Route 53 says so.
    pub record_sets: Option<u64>,
}

/// Why no hosted zone was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneChoiceError {
    /// The domain is in no public zone of the account.
    #[error("no public hosted zone of this account contains `{0}`")]
    NotFound(Domain),
    /// The domain is in several zones of the same name, of which the registrar delegates to one.
    #[error("`{domain}` is in several hosted zones: {}", .ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// The domain.
        domain: Domain,
        /// The zones.
        ids: Vec<ZoneId>,
    },
}

/// The public hosted zone with the longest name that contains the domain.
pub fn choose_hosted_zone<'a>(domain: &Domain, zones: &'a [HostedZone]) -> Result<&'a HostedZone, ZoneChoiceError> {
    let containing = zones.iter().filter(|zone| !zone.private && zone_contains(&zone.name, domain.as_str()));
    let mut best: Vec<&HostedZone> = Vec::new();
    for zone in containing {
        let length = |zone: &HostedZone| normalized_name(&zone.name).len();
        match best.first().map(|first| length(first).cmp(&length(zone))) {
            Some(std::cmp::Ordering::Greater) => {}
            Some(std::cmp::Ordering::Equal) => best.push(zone),
            Some(std::cmp::Ordering::Less) | None => best = vec![zone],
        }
    }
    match best[..] {
        [] => Err(ZoneChoiceError::NotFound(domain.clone())),
        [zone] => Ok(zone),
        _ => {
            let ids = best.iter().map(|zone| zone.id.clone()).collect();
            Err(ZoneChoiceError::Ambiguous { domain: domain.clone(), ids })
        }
    }
}

/// True if a name is the apex of a zone or below it.
pub(crate) fn zone_contains(zone: &str, name: &str) -> bool {
    let zone = normalized_name(zone);
    name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, private: bool) -> HostedZone {
        HostedZone { id: id.parse().unwrap(), name: name.to_owned(), private, record_sets: None }
    }

    #[test]
    fn the_longest_public_suffix_is_chosen() {
        let zones =
            [zone("Z1", "example.com.", false), zone("Z2", "docs.example.com.", false), zone("Z3", "ample.com", false)];
        let chosen = |domain: &str| choose_hosted_zone(&domain.parse().unwrap(), &zones).map(|zone| zone.id.as_str());
        assert_eq!(chosen("www.docs.example.com"), Ok("Z2"));
        assert_eq!(chosen("www.example.com"), Ok("Z1"));
        assert_eq!(chosen("example.com"), Ok("Z1"));
        assert!(matches!(chosen("example.org"), Err(ZoneChoiceError::NotFound(_))));
    }

    #[test]
    fn private_zones_are_ignored_and_ambiguous_ones_are_listed() {
        let zones =
            [zone("Z1", "example.com", true), zone("Z2", "example.com", false), zone("Z3", "example.com", false)];
        let domain = "www.example.com".parse().unwrap();
        let error = choose_hosted_zone(&domain, &zones).unwrap_err();
        assert_eq!(error.to_string(), "`www.example.com` is in several hosted zones: Z2, Z3");
        assert_eq!(choose_hosted_zone(&domain, &zones[..2]).unwrap().id.as_str(), "Z2");
    }

    #[test]
    fn zone_ids_are_parsed_with_and_without_their_prefix() {
        assert_eq!("/hostedzone/Z1".parse::<ZoneId>().unwrap(), "Z1".parse().unwrap());
        for bad in ["", "/hostedzone/", "Z 1", "Z1/x", &"Z".repeat(33)] {
            assert!(bad.parse::<ZoneId>().is_err(), "{bad}");
        }
    }
}
