//! What the owner wants, in the words of the domain.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{AccountId, BucketName, Domain, Invalid, Pair, Region, Side};

/// How a site survives the loss of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// DNS failover to the backup's website endpoint, as in the published recipe.
    Dns,
    /// One distribution with an origin group over two private buckets.
    Origin,
    /// Both: an origin group, and DNS failover should the edge itself be lost.
    #[default]
    Layered,
}

impl Mode {
    /// The word used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Origin => "origin",
            Self::Layered => "layered",
        }
    }

    /// True when visitors may be sent to website endpoints, which serve public objects only.
    pub fn public_buckets(self) -> bool {
        match self {
            Self::Dns | Self::Layered => true,
            Self::Origin => false,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "dns" => Ok(Self::Dns),
            "origin" => Ok(Self::Origin),
            "layered" => Ok(Self::Layered),
            _ => Err(Invalid::unknown("mode", text, &["dns", "origin", "layered"])),
        }
    }
}

/// One static site in two regions.
///
/// Every name that twinsite chooses in AWS is derived from this value and the account, so no state file is needed to find
/// a resource again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The canonical name, under which visitors are served.
    pub domain: Domain,
    /// Further names, whose visitors are redirected to the canonical one.
    pub aliases: Vec<Domain>,
    /// How it survives.
    pub mode: Mode,
    /// The account that owns it.
    pub account: AccountId,
    /// Where the two buckets are.
    pub regions: Pair<Region>,
    /// The two buckets.
    pub buckets: Pair<BucketName>,
}

impl Site {
    /// A site whose buckets have the names that twinsite derives.
    ///
    /// # Errors
    /// [`Invalid`] when both regions are the same, or in different partitions.
    pub fn new(domain: Domain, mode: Mode, account: AccountId, regions: Pair<Region>) -> Result<Self, Invalid> {
        let Pair { primary, backup } = &regions;
        if primary == backup {
            let rule = "is both the primary and the backup: losing it would lose both";
            return Err(Invalid::new("region", primary.as_str(), rule));
        }
        if primary.partition() != backup.partition() {
            let rule =
                format!("is not in the same partition as `{primary}`, and objects cannot replicate between the two");
            return Err(Invalid::new("region", backup.as_str(), rule));
        }
        let name = |side| bucket_name(&domain, mode, &account, side, regions.get(side));
        let buckets = Pair { primary: name(Side::Primary)?, backup: name(Side::Backup)? };
        Ok(Self { domain, aliases: Vec::new(), mode, account, regions, buckets })
    }

    /// How many aliases a site may have: a certificate covers ten names, unless ACM has raised the quota.
    /// <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html>
    pub const MAX_ALIASES: usize = 9;

    /// The same site with further names, whose visitors are redirected to the canonical one.
    ///
    /// # Errors
    /// [`Invalid`] for the canonical name, a name that is there twice, more names than a certificate covers, and a name that no bucket can
    /// have in a mode whose redirect buckets bear the names of the aliases.
    pub fn with_aliases(self, aliases: Vec<Domain>) -> Result<Self, Invalid> {
        let wrong = |alias: &Domain, rule: String| Err(Invalid::new("alias", alias.as_str(), rule));
        for (index, alias) in aliases.iter().enumerate() {
            if *alias == self.domain {
                return wrong(alias, "is the domain of the site already".to_owned());
            }
            if aliases[..index].contains(alias) {
                return wrong(alias, "is there twice".to_owned());
            }
            if index >= Self::MAX_ALIASES {
                let rule = format!(
                    "is one too many: a certificate of ACM covers ten names, the domain and {} aliases",
                    Self::MAX_ALIASES
                );
                return wrong(alias, rule);
            }
            if let (true, Err(invalid)) = (self.mode.public_buckets(), redirect_bucket(alias)) {
                return wrong(alias, format!("cannot be the name of its redirect bucket ({})", invalid.rule));
            }
        }
        Ok(Self { aliases, ..self })
    }

    /// Every name of the site, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &Domain> {
        std::iter::once(&self.domain).chain(&self.aliases)
    }

    /// Names that this site's buckets have in other modes and not in this one: a change of mode leaves such buckets behind.
    pub fn former_buckets(&self) -> Vec<(Side, BucketName)> {
        let modes = [Mode::Dns, Mode::Origin, Mode::Layered].into_iter();
        // A name that cannot be is not the name of a bucket.
        let others = modes
            .filter_map(|mode| Self::new(self.domain.clone(), mode, self.account.clone(), self.regions.clone()).ok());
        let names = others.flat_map(|other| Side::BOTH.map(|side| (side, other.buckets.get(side).clone())));
        let mut former: Vec<_> = names.filter(|(side, name)| self.buckets.get(*side) != name).collect();
        former.sort();
        former.dedup();
        former
    }

    /// The site's name as one word without dots: for names in services that allow none.
    pub fn slug(&self) -> String {
        slug(&self.domain, 40)
    }

    /// The website endpoint's host of one side: the bucket's name in front of the region's website host.
    pub fn website_host(&self, side: Side) -> String {
        format!("{}.{}", self.buckets.get(side), self.regions.get(side).website_host())
    }
}

/// Route 53 can only point a name at a website bucket *of that name*, so the backup bears the domain wherever DNS may fail
/// over to it. All other buckets carry account and region, which makes a name that nobody else is likely to hold.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/RoutingToS3Bucket.html>
fn bucket_name(
    domain: &Domain,
    mode: Mode,
    account: &AccountId,
    side: Side,
    region: &Region,
) -> Result<BucketName, Invalid> {
    if mode.public_buckets() && side == Side::Backup {
        let rule = |e: Invalid| format!("cannot be the backup bucket's name ({}): set mode = \"origin\"", e.rule);
        return domain.as_str().parse().map_err(|e| Invalid::new("domain", domain.as_str(), rule(e)));
    }
    let tail = format!("-{account}-{region}");
    format!("{}{tail}", slug(domain, BucketName::MAX_LEN - tail.len())).parse()
}

/// The bucket that redirects visitors of an alias after a DNS failover. As with the backup bucket, Route 53 can point the alias only at a
/// website bucket of that name.
///
/// # Errors
/// [`Invalid`] if no bucket can have the name.
pub fn redirect_bucket(alias: &Domain) -> Result<BucketName, Invalid> {
    alias.as_str().parse()
}

/// A domain with hyphens for dots, cut to `most` characters; a cut or ambiguous one ends in a digest that keeps it unique.
fn slug(domain: &Domain, most: usize) -> String {
    let plain = domain.as_str().replace('.', "-");
    let reserved = plain.starts_with("xn--") || plain.starts_with("sthree-") || plain.starts_with("amzn-s3-demo-");
    let plain = if reserved { format!("s-{plain}") } else { plain };
    if plain.len() <= most && !domain.as_str().contains('-') {
        return plain;
    }
    let digest = hex::encode(&Sha256::digest(domain.as_str())[..4]);
    let kept = plain[..plain.len().min(most - digest.len() - 1)].trim_end_matches('-');
    format!("{kept}-{digest}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn site(domain: &str, mode: Mode, primary: &str, backup: &str) -> Result<Site, Invalid> {
        let regions = Pair::new(primary.parse()?, backup.parse()?);
        Site::new(domain.parse()?, mode, "111122223333".parse()?, regions)
    }

    #[test]
    fn the_backup_bears_the_domain_where_dns_may_fail_over_to_it() {
        let layered = site("www.example.com", Mode::Layered, "us-east-1", "us-west-2").unwrap();
        assert_eq!(layered.buckets.primary.as_str(), "www-example-com-111122223333-us-east-1");
        assert_eq!(layered.buckets.backup.as_str(), "www.example.com");
        assert_eq!(layered.website_host(Side::Backup), "www.example.com.s3-website-us-west-2.amazonaws.com");
        let origin = site("www.example.com", Mode::Origin, "us-east-1", "us-west-2").unwrap();
        assert_eq!(origin.buckets.backup.as_str(), "www-example-com-111122223333-us-west-2");
        assert_eq!(origin.former_buckets(), [(Side::Backup, layered.buckets.backup.clone())]);
        assert_eq!(layered.former_buckets(), [(Side::Backup, origin.buckets.backup)]);
    }

    #[test]
    fn one_region_twice_and_two_partitions_are_refused() {
        let same = site("www.example.com", Mode::Dns, "us-east-1", "us-east-1").unwrap_err();
        assert!(same.to_string().contains("is both the primary and the backup"), "{same}");
        let apart = site("www.example.com", Mode::Dns, "us-east-1", "cn-north-1").unwrap_err();
        assert!(apart.to_string().contains("same partition"), "{apart}");
    }

    #[test]
    fn a_hyphen_and_a_dot_do_not_make_the_same_slug() {
        let slug = |d: &str| site(d, Mode::Origin, "us-east-1", "us-west-2").unwrap().slug();
        assert_ne!(slug("a-b.example.com"), slug("a.b.example.com"));
    }

    #[test]
    fn aliases_are_other_names_and_no_more_than_a_certificate_covers() {
        let aliased = |names: &[&str], mode| {
            let names = names.iter().map(|name| name.parse().unwrap()).collect();
            let aliased = site("www.example.com", mode, "us-east-1", "us-west-2").unwrap().with_aliases(names);
            aliased
                .map(|site| site.names().map(ToString::to_string).collect::<Vec<_>>())
                .map_err(|error| error.to_string())
        };
        let names = aliased(&["example.com", "www.example.org"], Mode::Layered).unwrap();
        assert_eq!(names, ["www.example.com", "example.com", "www.example.org"]);
        assert!(aliased(&["www.example.com"], Mode::Origin).unwrap_err().contains("is the domain of the site"));
        assert!(aliased(&["example.com", "example.com"], Mode::Origin).unwrap_err().contains("twice"));
        let ten: Vec<String> = (0..10).map(|number| format!("a{number}.example.com")).collect();
        let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
        assert!(aliased(&ten[..9], Mode::Origin).is_ok());
        assert!(aliased(&ten, Mode::Origin).unwrap_err().contains("ten names"));
    }

    proptest! {
        #[test]
        fn derived_bucket_names_are_legal(domain in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z]([a-z0-9-]{0,10}[a-z0-9])?){1,3}") {
            prop_assume!(domain.parse::<Domain>().is_ok());
            for mode in [Mode::Dns, Mode::Origin] {


                let Ok(site) = site(&domain, mode, "ap-northeast-1", "ap-southeast-2") else {
                    prop_assert!(mode == Mode::Dns && domain.parse::<BucketName>().is_err());
                    continue;
                };
                for (_, bucket) in site.buckets.iter() {
                    prop_assert!(bucket.as_str().parse::<BucketName>().is_ok());
                }
                prop_assert!(!site.buckets.primary.as_str().contains('.'));
            }
        }
    }
}
