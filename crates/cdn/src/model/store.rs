//! The key value store that the viewer-request function reads, and what is in it.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/kvs-with-functions.html>

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use twinsite_aws::Tags;
use twinsite_core::{Arn, Domain, Invalid};

/// The key with the domain of the site. It proves that a store is the site's: only who may write to the store can put it.
pub const SITE_KEY: &str = "site";
/// The key with the [`OriginChoice`].
pub const ORIGIN_KEY: &str = "origin";

/// From which origin the viewer-request function has visitors served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OriginChoice {
    /// From the origin group: the primary, and the backup where the primary fails.
    #[default]
    Primary,
    /// From the backup alone.
    Backup,
    /// So many of a hundred visitors as by [`Self::Primary`], and the others as by [`Self::Backup`]: 1 to 99.
    PrimaryShare(PrimaryShare),
}

/// A percentage of visitors: 1 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrimaryShare(u8);

impl OriginChoice {
    /// The choice that so many of a hundred visitors are served by the primary; `None` above 100.
    pub fn of_percent(percent: u8) -> Option<Self> {
        match percent {
            0 => Some(Self::Backup),
            1..=99 => Some(Self::PrimaryShare(PrimaryShare(percent))),
            100 => Some(Self::Primary),
            _ => None,
        }
    }

    /// How many of a hundred visitors are served by the primary.
    pub fn primary_percent(self) -> u8 {
        match self {
            Self::Primary => 100,
            Self::Backup => 0,
            Self::PrimaryShare(PrimaryShare(percent)) => percent,
        }
    }
}

impl fmt::Display for OriginChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.pad("primary"),
            Self::Backup => f.pad("backup"),
            Self::PrimaryShare(PrimaryShare(percent)) => f.pad(&format!("{percent}% primary")),
        }
    }
}

impl FromStr for OriginChoice {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let share = || {
            let digits = text.strip_suffix("% primary")?;
            let is_canonical = digits.len() <= 2 && !digits.starts_with(['0', '+']);
            let percent: u8 = is_canonical.then(|| digits.parse().ok())??;
            Self::of_percent(percent)
        };
        let choice = match text {
            "primary" => Some(Self::Primary),
            "backup" => Some(Self::Backup),
            _ => share(),
        };
        let rule = "is neither `primary`, `backup` nor a percentage such as `10% primary`";
        choice.ok_or_else(|| Invalid::new("origin choice", text, rule))
    }
}

/// A key value store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Store {
    /// Its ARN.
    pub arn: Arn,
    /// False while it is being provisioned.
    pub ready: bool,
    /// Its tags.
    pub tags: Tags,
    /// The site that its keys name.
    pub site: Option<String>,
    /// The value that says from which origin visitors are served; not necessarily an [`OriginChoice`].
    pub origin: Option<String>,
    /// The value that says which users of protected paths it has.
    pub users: Option<String>,
}

/// What is in a store, with the entity tag that a change must name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreContents {
    /// The entity tag of the store's keys.
    pub etag: String,
    /// The site that its keys name.
    pub site: Option<String>,
    /// The value that says from which origin visitors are served.
    pub origin: Option<String>,
}

/// Keys to put, with their values.
pub type StoreKeys = BTreeMap<String, String>;

/// The keys of a new store.
pub(crate) fn initial_keys(domain: &Domain) -> StoreKeys {
    let keys = [(SITE_KEY, domain.to_string()), (ORIGIN_KEY, OriginChoice::Primary.to_string())];
    keys.map(|(key, value)| (key.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written_and_nothing_else_is() {
        for percent in 0..=100 {
            let choice = OriginChoice::of_percent(percent).unwrap();
            assert_eq!((choice.to_string().parse(), choice.primary_percent()), (Ok(choice), percent));
        }
        assert_eq!(OriginChoice::of_percent(101), None);
        for garbage in
            ["", "Backup", "0% primary", "100% primary", "07% primary", "+7% primary", "7 % primary", "7%", "backup\n"]
        {
            assert!(garbage.parse::<OriginChoice>().is_err(), "{garbage}");
        }
    }
}
