//! Settings of a distribution that owners of companies have: left as they are unless the configuration names them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use twinsite_core::{Invalid, Mode, Region};

/// A setting that is managed only if it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OwnerSetting<T> {
    /// It is left as it is.
    #[default]
    AsItIs,
    /// It is removed, if there is one.
    None,
    /// It is set to this.
    Value(T),
}

impl<T> OwnerSetting<T> {
    /// The value, if it is set to one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::AsItIs | Self::None => None,
        }
    }

    /// True if it is left as it is.
    pub fn is_as_it_is(&self) -> bool {
        matches!(self, Self::AsItIs)
    }
}

/// Settings that are passed on to the distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerSettings {
    /// The security policy of HTTPS.
    pub minimum_tls: MinimumTls,
    /// The web ACL of AWS WAF.
    pub web_acl: OwnerSetting<WebAclArn>,
    /// The countries whose visitors are served.
    pub geo_restriction: OwnerSetting<GeoRestriction>,
    /// The region of Origin Shield, of both origins.
    pub origin_shield: OwnerSetting<ShieldRegion>,
    /// Standard logging (legacy) to an S3 bucket.
    pub logging: OwnerSetting<Logging>,
}

impl OwnerSettings {
    /// Checks what health checks of Route 53 need: they connect with TLS 1.0 to 1.2, from eight regions, of which more than 18 % have to
    /// report success. <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html>
    ///
    /// # Errors
    /// [`Invalid`] with the name of the setting that health checks through the distribution cannot pass.
    pub fn check(&self, mode: Mode) -> Result<(), Invalid> {
        if mode == Mode::Dns {
            return Ok(());
        }
        if self.minimum_tls == MinimumTls::Tls13V2025 {
            let why = format!(
                "is not possible in mode `{mode}`: Route 53 checks the distribution with TLS 1.2 at most, so it would be unhealthy"
            );
            return Err(Invalid::new("minimum_tls", self.minimum_tls.as_str(), why));
        }
        if let Some(restriction) = self.geo_restriction.value() {
            let served = CHECKERS.iter().filter(|(country, _)| restriction.serves(country));
            if served.map(|(_, regions)| regions).sum::<usize>() < 2 {
                let why = format!(
                    "keeps Route 53's health checkers out, which are in US, IE, SG, AU, JP and BR: in mode `{mode}` the distribution would \
                     be unhealthy; serve US or two of the others, or restrict countries with a web ACL that admits the checkers"
                );
                return Err(Invalid::new("geo_restriction", restriction.to_string(), why));
            }
        }
        Ok(())
    }
}

/// The countries of Route 53's health checkers, and how many of its eight regions are there.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html>
const CHECKERS: [(&str, usize); 6] = [("US", 3), ("IE", 1), ("SG", 1), ("AU", 1), ("JP", 1), ("BR", 1)];

/// The security policies of distributions with SNI: the oldest version of TLS, and the ciphers.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MinimumTls {
    /// `TLSv1`.
    Tls1,
    /// `TLSv1_2016`.
    Tls1V2016,
    /// `TLSv1.1_2016`.
    Tls11V2016,
    /// `TLSv1.2_2018`.
    Tls12V2018,
    /// `TLSv1.2_2019`.
    Tls12V2019,
    /// `TLSv1.2_2021`.
    #[default]
    Tls12V2021,
    /// `TLSv1.2_2025`.
    Tls12V2025,
    /// `TLSv1.3_2025`.
    Tls13V2025,
}

impl MinimumTls {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Tls1,
        Self::Tls1V2016,
        Self::Tls11V2016,
        Self::Tls12V2018,
        Self::Tls12V2019,
        Self::Tls12V2021,
        Self::Tls12V2025,
        Self::Tls13V2025,
    ];

    /// The name in CloudFront's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls1 => "TLSv1",
            Self::Tls1V2016 => "TLSv1_2016",
            Self::Tls11V2016 => "TLSv1.1_2016",
            Self::Tls12V2018 => "TLSv1.2_2018",
            Self::Tls12V2019 => "TLSv1.2_2019",
            Self::Tls12V2021 => "TLSv1.2_2021",
            Self::Tls12V2025 => "TLSv1.2_2025",
            Self::Tls13V2025 => "TLSv1.3_2025",
        }
    }
}

impl FromStr for MinimumTls {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| Invalid::unknown("minimum_tls", text, &Self::ALL.map(Self::as_str)))
    }
}

/// The ARN of a web ACL that a distribution can have: of AWS WAF, in the scope CLOUDFRONT, which is in us-east-1.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/cloudfront-features.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAclArn(String);

impl WebAclArn {
    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebAclArn {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let fault = match parts[..] {
            ["arn", _, "wafv2", "us-east-1", _, resource] => {
                let path: Vec<&str> = resource.split('/').collect();
                let is_global =
                    matches!(path[..], ["global", "webacl", name, id] if !name.is_empty() && !id.is_empty());
                (!is_global).then_some("is not a web ACL of the scope CLOUDFRONT (`global/webacl/NAME/ID`)")
            }
            ["arn", _, "wafv2", ..] => Some("is not in us-east-1, where web ACLs for CloudFront are"),
            _ => Some("is not the ARN of a web ACL: arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID"),
        };
        fault.map_or_else(|| Ok(Self(text.to_owned())), |why| Err(Invalid::new("web_acl_arn", text, why)))
    }
}

/// Countries whose visitors are served, or are not.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/georestrictions.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeoRestriction {
    /// Whether only these countries are served, or all others.
    pub kind: GeoRestrictionKind,
    codes: BTreeSet<String>,
}

/// What the countries of a restriction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeoRestrictionKind {
    /// The ones that are served.
    Allow,
    /// The ones that are not served.
    Deny,
}

impl GeoRestrictionKind {
    /// The name in CloudFront's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "whitelist",
            Self::Deny => "blacklist",
        }
    }
}

impl GeoRestriction {
    /// A restriction to, or of, countries by their codes of ISO 3166-1 alpha-2.
    ///
    /// # Errors
    /// [`Invalid`] for a code that no country has, and for no codes at all.
    pub fn new(kind: GeoRestrictionKind, codes: impl IntoIterator<Item = String>) -> Result<Self, Invalid> {
        let codes: BTreeSet<String> = codes.into_iter().collect();
        if codes.is_empty() {
            return Err(Invalid::new("geo_restriction", "[]", "names no countries"));
        }
        let unknown = codes.iter().find(|code| !COUNTRIES.split(' ').any(|known| known == *code));
        match unknown {
            Some(code) => {
                let upper = code.to_uppercase();
                let is_lower = COUNTRIES.split(' ').any(|known| known == upper);
                let why = if is_lower {
                    format!("is no code of ISO 3166-1 alpha-2; did you mean `{upper}`?")
                } else if code == "UK" {
                    "is no code of ISO 3166-1 alpha-2; did you mean `GB`?".to_owned()
                } else {
                    "is no code of ISO 3166-1 alpha-2, such as `DE` or `US`".to_owned()
                };
                Err(Invalid::new("geo_restriction", code, why))
            }
            None => Ok(Self { kind, codes }),
        }
    }

    /// The codes, in order.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.codes.iter().map(String::as_str)
    }

    /// Whether visitors of a country are served.
    pub fn serves(&self, country: &str) -> bool {
        self.codes.contains(country) == (self.kind == GeoRestrictionKind::Allow)
    }
}

impl fmt::Display for GeoRestriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind.as_str())?;
        self.codes.iter().try_for_each(|code| write!(f, " {code}"))
    }
}

/// The assigned codes of ISO 3166-1 alpha-2. <https://www.iso.org/obp/ui/#search/code/>
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
                         CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
                         GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO \
                         JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR \
                         MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO \
                         RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
                         TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The regions that have Origin Shield.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html>
const SHIELD_REGIONS: [&str; 13] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
    "me-central-1",
];

/// A region that has Origin Shield.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShieldRegion(Region);

impl ShieldRegion {
    /// The region.
    pub fn region(&self) -> &Region {
        &self.0
    }
}

impl FromStr for ShieldRegion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let region: Region = text.parse()?;
        if SHIELD_REGIONS.contains(&region.as_str()) {
            return Ok(Self(region));
        }
        let why = format!("has no Origin Shield: these have: {}", SHIELD_REGIONS.join(", "));
        Err(Invalid::new("origin_shield_region", text, why))
    }
}

/// Standard logging (legacy): access logs as objects in a bucket with ACLs.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// The name of the bucket.
    pub bucket: twinsite_core::BucketName,
    /// The prefix of the keys; may be empty.
    pub prefix: String,
}

impl Logging {
    /// Logs to a bucket, with a prefix that does not begin with a slash.
    ///
    /// # Errors
    /// [`Invalid`] for a prefix that CloudFront refuses.
    pub fn new(bucket: twinsite_core::BucketName, prefix: String) -> Result<Self, Invalid> {
        if prefix.starts_with('/') || prefix.len() > 256 {
            return Err(Invalid::new("log_prefix", &prefix, "begins with a slash, or has more than 256 bytes"));
        }
        Ok(Self { bucket, prefix })
    }

    /// The host by which CloudFront names the bucket.
    pub(crate) fn host(&self) -> String {
        format!("{}.s3.amazonaws.com", self.bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geo(kind: GeoRestrictionKind, codes: &[&str]) -> Result<GeoRestriction, Invalid> {
        GeoRestriction::new(kind, codes.iter().map(|code| (*code).to_owned()))
    }

    #[test]
    fn values_that_cloudfront_refuses_are_refused() {
        for policy in MinimumTls::ALL {
            assert_eq!(policy.as_str().parse(), Ok(policy));
        }
        for bad in ["SSLv3", "TLSv1.2", "tlsv1.2_2021"] {
            assert!(bad.parse::<MinimumTls>().unwrap_err().to_string().contains("TLSv1.2_2021"), "{bad}");
        }
        "arn:aws:wafv2:us-east-1:111122223333:global/webacl/site/a1b2".parse::<WebAclArn>().unwrap();
        for (bad, part) in [
            ("arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/site/a1b2", "us-east-1"),
            ("arn:aws:wafv2:us-east-1:111122223333:regional/webacl/site/a1b2", "scope CLOUDFRONT"),
            ("a1b2", "is not the ARN"),
        ] {
            assert!(bad.parse::<WebAclArn>().unwrap_err().to_string().contains(part), "{bad}");
        }
        for (codes, part) in
            [(&["de"][..], "did you mean `DE`"), (&["UK"], "`GB`"), (&["XX"], "alpha-2"), (&[], "no countries")]
        {
            assert!(geo(GeoRestrictionKind::Allow, codes).unwrap_err().to_string().contains(part), "{codes:?}");
        }
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert!("eu-central-1".parse::<ShieldRegion>().is_ok());
        assert!("eu-north-1".parse::<ShieldRegion>().unwrap_err().to_string().contains("eu-west-1"));
    }

    #[test]
    fn what_keeps_health_checkers_out_is_refused_where_they_ask_the_distribution() {
        let settings = |restriction| OwnerSettings {
            geo_restriction: OwnerSetting::Value(restriction),
            ..OwnerSettings::default()
        };
        let allow = |codes: &[&str]| settings(geo(GeoRestrictionKind::Allow, codes).unwrap());
        assert!(allow(&["DE"]).check(Mode::Dns).is_ok());
        for mode in [Mode::Layered, Mode::Origin] {
            assert!(allow(&["DE"]).check(mode).unwrap_err().to_string().contains("health checkers"));
            assert!(allow(&["IE", "GB"]).check(mode).is_err());
            assert!(allow(&["US"]).check(mode).is_ok() && allow(&["IE", "JP"]).check(mode).is_ok());
            assert!(settings(geo(GeoRestrictionKind::Deny, &["RU"]).unwrap()).check(mode).is_ok());
            let tls = OwnerSettings { minimum_tls: MinimumTls::Tls13V2025, ..OwnerSettings::default() };
            assert!(tls.check(mode).unwrap_err().to_string().contains("TLS 1.2 at most"));
        }
    }
}
