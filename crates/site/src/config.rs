//! The configuration of a site as checked values.

use std::collections::{BTreeMap, BTreeSet};

use twinsite_cdn::{OwnerSettings, PriceClass};
use twinsite_core::{Arn, Domain, Invalid, Mode, Pair, Region, Side, Site, did_you_mean};
use twinsite_dns_failover::{FailoverTiming, ZoneId};
use twinsite_rules::{Redirects, Syntax};
use twinsite_sync::{Encryption, EncryptionAlgorithm, Guard, HeaderRule, Prefix, RetentionPolicy, Rules, SourceChecks};

use crate::error::Error;

/// The configuration of a site. [`Config::new`] gives every setting its default; change fields as needed.
///
/// The command line reads it from `twinsite.toml`; the settings have the same names and meaning there.
#[derive(Clone, Debug)]
pub struct Config {
    /// The domain name of the site.
    pub domain: Domain,
    /// How the site survives the loss of a region.
    pub mode: Mode,
    /// The regions of the two buckets.
    pub regions: Pair<Region>,
    /// Regions that are newer than this release: they are used although it does not know them.
    pub new_regions: BTreeSet<Region>,
    /// The index document of every folder.
    pub index: String,
    /// The key of the error document; `None` for S3's own error page.
    pub not_found: Option<String>,
    /// What is published with which headers.
    pub publish: PublishConfig,
    /// The key of KMS of each side, as its id or ARN, if objects are encrypted with one. A key belongs to a region.
    pub kms_keys: Pair<Option<String>>,
    /// CloudFront.
    pub cdn: CdnConfig,
    /// Route 53.
    pub dns: DnsConfig,
    /// E-mail addresses that are subscribed to alarms.
    pub emails: Vec<String>,
    /// Whether objects put into the backup bucket replicate to the primary.
    pub replicate_back: bool,
    /// Whether S3 Replication Time Control is on.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-time-control.html>
    pub time_control: bool,
    /// An existing role that S3 assumes to replicate, and for batch jobs, instead of roles that twinsite creates.
    pub replication_role: Option<Arn>,
    /// The permissions boundary of the roles that twinsite creates. If `None`, AWS's managed policy `AmazonS3FullAccess`.
    pub permissions_boundary: Option<Arn>,
    /// Tags that every resource gets when it is created.
    pub tags: BTreeMap<String, String>,
}

/// How directories are published.
#[derive(Clone, Debug)]
pub struct PublishConfig {
    /// The part of the buckets that is published on its own: what is below this prefix. The main site if `None`. Only the operations on
    /// objects and releases look at it.
    pub prefix: Option<Prefix>,
    /// Header rules; later ones take precedence.
    pub headers: Vec<HeaderRule>,
    /// Redirect rules, which come after those of `_redirects`.
    pub redirects: Redirects,
    /// Whose syntax `_redirects` has.
    pub redirects_syntax: Syntax,
    /// Whether pages can be reached without `.html` at the end of their names: `about.html` at `/about`.
    pub clean_urls: bool,
    /// Patterns of files that are not published, in gitignore syntax.
    pub ignore: Vec<String>,
    /// How objects are encrypted; as each bucket does by default if `None`.
    pub encryption: Option<EncryptionAlgorithm>,
    /// What is required of a directory before it is published.
    pub checks: SourceChecks,
    /// The limit beyond which a deploy refuses to delete.
    pub guard: Guard,
    /// Which releases are kept for rollback.
    pub keep: RetentionPolicy,
    /// Backfills of more objects than this use S3 Batch Replication.
    pub batch_above: usize,
    /// Whether every deploy checks the entry pages as a visitor.
    pub probe: bool,
}

/// Settings of CloudFront; `None` selects the default of the mode.
#[derive(Clone, Debug, Default)]
pub struct CdnConfig {
    /// An existing certificate in us-east-1, instead of one that is found or requested.
    pub certificate: Option<Arn>,
    /// The edge locations that serve the site.
    pub price_class: PriceClass,
    /// Whether HTTP requests are redirected to HTTPS.
    pub redirect_to_https: Option<bool>,
    /// Whether CloudFront's managed security headers, HSTS among them, are added.
    pub security_headers: Option<bool>,
    /// Accepts that the standby serves HTTP only although browsers may insist on HTTPS.
    pub accept_http_standby: bool,
    /// The security policy, and what is left as it is unless it is configured: web ACL, geo restriction, Origin Shield, logging.
    pub owner_settings: OwnerSettings,
}

/// Settings of Route 53.
#[derive(Clone, Debug, Default)]
pub struct DnsConfig {
    /// The hosted zone, instead of the one with the longest matching name.
    pub zone_id: Option<ZoneId>,
    /// Health checks and TTL.
    pub health: FailoverTiming,
    /// Hosted zone ids of S3 website endpoints in regions that were added after this release.
    pub website_zones: BTreeMap<Region, ZoneId>,
}

impl Default for PublishConfig {
    fn default() -> Self {
        Self {
            prefix: None,
            headers: Vec::new(),
            redirects: Redirects::default(),
            redirects_syntax: Syntax::default(),
            clean_urls: false,
            ignore: Vec::new(),
            encryption: None,
            checks: SourceChecks::default(),
            guard: Guard::default(),
            keep: RetentionPolicy { releases: 10, days: 0 },
            batch_above: 1_000_000,
            probe: false,
        }
    }
}

impl Config {
    /// A site with default settings: mode `layered`, `index.html`, `404.html`.
    pub fn new(domain: Domain, regions: Pair<Region>) -> Self {
        Self {
            domain,
            mode: Mode::default(),
            regions,
            new_regions: BTreeSet::new(),
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            publish: PublishConfig::default(),
            kms_keys: Pair::default(),
            cdn: CdnConfig::default(),
            dns: DnsConfig::default(),
            emails: Vec::new(),
            replicate_back: false,
            time_control: false,
            replication_role: None,
            permissions_boundary: None,
            tags: BTreeMap::new(),
        }
    }

    /// Checks the encryption of objects.
    ///
    /// # Errors
    /// [`Invalid`]: encryption with a key of KMS in a mode with website endpoints, which cannot serve such objects to visitors
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>); no key for a side, or one of another region; a
    /// key without that encryption.
    pub fn check_encryption(&self) -> Result<(), Invalid> {
        let algorithm = self.publish.encryption.filter(|algorithm| algorithm.is_kms());
        let Some(algorithm) = algorithm else {
            let key = self.kms_keys.iter().find_map(|(side, key)| Some((side, key.as_ref()?)));
            return match key {
                None => Ok(()),
                Some((side, key)) => {
                    let why =
                        format!("is the {side}'s key, and publish.encryption is neither `aws:kms` nor `aws:kms:dsse`");
                    Err(Invalid::new("kms_key", key, why))
                }
            };
        };
        let name = algorithm.as_str();
        if self.mode.public_buckets() {
            let why = format!(
                "is not possible in mode `{}`: its website endpoints answer visitors with an error for objects that are encrypted with a \
                 key of KMS, because such requests need a signature; set mode = \"origin\", or `AES256`",
                self.mode
            );
            return Err(Invalid::new("encryption", name, why));
        }
        for (side, key) in self.kms_keys.iter() {
            let region = self.regions.get(side);
            let Some(key) = key else {
                let why = format!(
                    "needs `kms_key` in [{side}], a key in {region}: CloudFront cannot be allowed to use the key that AWS manages for S3"
                );
                return Err(Invalid::new("encryption", name, why));
            };
            let arn = key.strip_prefix("arn:").map(|rest| rest.split(':').collect::<Vec<_>>());
            match arn.as_deref() {
                Some([_, "kms", there, _, resource]) if resource.starts_with("key/") => {
                    if *there != region.as_str() {
                        return Err(Invalid::new(
                            "kms_key",
                            key,
                            format!("is in {there}, and the {side} bucket in {region}"),
                        ));
                    }
                }
                None if !key.is_empty() && !key.contains(['/', ':', ' ', '*']) => {}
                Some(_) | None => {
                    let why = "is neither the id nor the ARN of a key of KMS; policies know no aliases";
                    return Err(Invalid::new("kms_key", key, why));
                }
            }
        }
        Ok(())
    }

    /// The ARNs of the keys of KMS that objects are encrypted with, if they are.
    pub(crate) fn kms_key_arns(&self, site: &Site) -> Option<Pair<String>> {
        self.publish.encryption.filter(|algorithm| algorithm.is_kms())?;
        Some(Pair::from_fn(|side| {
            let key = self.kms_keys.get(side).as_deref().unwrap_or_default();
            let region = self.regions.get(side);
            let arn = || format!("arn:{}:kms:{region}:{}:key/{key}", region.partition(), site.account);
            if key.starts_with("arn:") { key.to_owned() } else { arn() }
        }))
    }

    /// How objects of one side are encrypted, if that is configured.
    pub(crate) fn encryption(&self, side: Side, site: &Site) -> Option<Encryption> {
        let algorithm = self.publish.encryption?;
        Some(Encryption { algorithm, kms_key: self.kms_key_arns(site).map(|keys| keys.get(side).clone()) })
    }

    /// Fails for a region that this release does not know, unless it is among the [new ones](Self::new_regions). A misspelt region is a
    /// region without a host: everything in it would seem to be out of reach.
    pub(crate) fn check_regions(&self) -> Result<(), Error> {
        for (side, region) in self.regions.iter() {
            let place = format!("under [{side}]");
            check_region(region, &self.new_regions, &format!("of the {side}"), &place)?;
        }
        Ok(())
    }

    /// What is published, with which headers and in which order.
    ///
    /// # Errors
    /// [`Invalid`] for a malformed ignore pattern.
    pub fn rules(&self) -> Result<Rules, Invalid> {
        self.publish.rules(&self.index, self.not_found.as_deref())
    }
}

/// Fails for a region that is neither known nor declared to be new.
pub(crate) fn check_region(region: &Region, new: &BTreeSet<Region>, whose: &str, place: &str) -> Result<(), Error> {
    if region.is_known() || new.contains(region) {
        return Ok(());
    }
    let meant = did_you_mean(region.nearest_known());
    let why = format!("the region `{region}` {whose} is not known to this version of twinsite{meant}");
    Err(Error::usage("use the configuration", why).hint(format!(
        "correct it {place}; if AWS has opened it since (`aws account list-regions`), add new_regions = [\"{region}\"] under [site]"
    )))
}

impl PublishConfig {
    /// What is published, with which headers and in which order, for these index and error documents.
    ///
    /// # Errors
    /// [`Invalid`] for a malformed ignore pattern.
    pub(crate) fn rules(&self, index: &str, not_found: Option<&str>) -> Result<Rules, Invalid> {
        let mut rules = Rules::web().entry(index.to_owned(), not_found.map(str::to_owned));
        for rule in &self.headers {
            rules = rules.header(rule.clone());
        }
        for pattern in &self.ignore {
            rules = rules.ignore(pattern)?;
        }
        Ok(rules.below(self.prefix.clone()))
    }
}
