//! The file's own shape. Unknown keys are errors: a misspelt one must not be silently ignored.
//!
//! The documentation of the fields is for users: the schema of the file and the reference of its keys are generated from it.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use twinsite_core::Invalid;
use twinsite_site::{
    ConfiguredRedirect, HeaderRule, PasswordHash, ProtectedPath, Protection, Redirects, Setting, Syntax,
};

/// What twinsite publishes, and where.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The site.
    pub(super) site: Site,
    /// The primary bucket, which serves visitors unless a failover has happened.
    pub(super) primary: Primary,
    /// The backup bucket.
    pub(super) backup: Backup,
    /// CloudFront and the certificate.
    #[serde(default)]
    pub(super) cdn: Front,
    /// Route 53: hosted zone, records and health checks.
    #[serde(default)]
    pub(super) dns: Dns,
    /// CloudWatch alarms on health, replication and the certificate.
    #[serde(default)]
    pub(super) alerts: Alerts,
    /// What is published, and how.
    #[serde(default)]
    pub(super) publish: Publish,
    /// Redirect rules. They come after those of the file `_redirects`; the first that matches applies.
    #[serde(default)]
    #[schemars(with = "Vec<Redirect>")]
    pub(super) redirects: Vec<Spanned<Redirect>>,
    /// Paths that ask for a user name and a password, in mode `origin`.
    #[serde(default)]
    pub(super) auth: Vec<Auth>,
    /// Variables: `${NAME}` in a value stands for one of these or, if it is not here, for a variable of the process. `${NAME:-DEFAULT}` has
    /// a default, and `$${` is written for `${`.
    #[serde(default)]
    #[expect(dead_code, reason = "variables are filled in before; the schema and the reference name them")]
    pub(super) vars: BTreeMap<String, String>,
    /// Environments: tables that override those of the file for `--env NAME`. Each needs a domain of its own, in `[env.NAME.site]`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, serde_json::Value>>")]
    #[expect(dead_code, reason = "environments are merged before; the schema and the reference name them")]
    pub(super) env: BTreeMap<String, toml::Table>,
}

/// A path that asks for a user name and a password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    /// Path that is protected: `*` at the end stands for everything below it. Of several that match, the longest applies.
    #[schemars(with = "String", example = &"/admin/*")]
    pub(super) path: Spanned<String>,
    /// Hash of the password of each user, as `twinsite auth hash` prints it.
    #[schemars(with = "BTreeMap<String, String>", extend("minProperties" = 1))]
    pub(super) users: BTreeMap<String, Spanned<String>>,
}

pub(super) fn protection(paths: &[Auth], place: &Place<'_>) -> Result<Protection, String> {
    let mut protection = Protection::default();
    for Auth { path, users } in paths {
        let mut hashes = BTreeMap::new();
        for (name, hash) in users {
            let parsed: PasswordHash = hash
                .get_ref()
                .parse()
                .map_err(|fault: String| place.fault_unshown(hash, &format!("the value of `{name}`: {fault}")))?;
            hashes.insert(name.clone(), parsed);
        }
        let checked = ProtectedPath::new(path.get_ref(), hashes).and_then(|path| protection.add(path));
        checked.map_err(|fault| place.fault(path, &fault))?;
    }
    Ok(protection)
}

/// A redirect rule.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redirect {
    /// Path that it matches: `:name` stands for a part of it, and `*` at the end for the rest.
    #[schemars(example = &"/old/*")]
    from: String,
    /// Path or URL of the same or another site. `:name` and `:splat` are replaced by what they stood for.
    #[schemars(example = &"/new/:splat")]
    to: String,
    /// Status: 301, 302, 303, 307 or 308; 200 serves another path under the same URL.
    #[serde(default = "permanently")]
    status: u16,
    /// Whether it applies where the site has a file.
    #[serde(default)]
    force: bool,
    /// Parameters that the query must have. `:name` takes any value.
    #[serde(default)]
    query: BTreeMap<String, String>,
}

/// The status of redirects that have none, as in Netlify's files.
fn permanently() -> u16 {
    Syntax::Netlify.default_status()
}

/// The redirect rules in their order.
pub(super) fn redirects(rules: &[Spanned<Redirect>], place: &Place<'_>) -> Result<Redirects, String> {
    let mut redirects = Redirects::default();
    for rule in rules {
        let Redirect { from, to, status, force, query } = rule.get_ref();
        let line = place.text[..rule.span().start.min(place.text.len())].matches('\n').count() + 1;
        let rule_place = twinsite_site::Place { file: "twinsite.toml", line };
        let (status, force, query) = (*status, *force, query.clone());
        let configured = ConfiguredRedirect { place: rule_place, from, to, status, force, query };
        redirects.add(&configured).map_err(|unsupported| place.fault(rule, &unsupported.reason))?;
    }
    Ok(redirects)
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alerts {
    /// Addresses that are notified by alarms. Each must confirm its subscription.
    #[schemars(with = "Vec<String>", example = ["ops@example.com"])]
    pub(super) email: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Front {
    /// ARN of the certificate in ACM, in us-east-1. By default one that covers the domain is looked for; if there is none, one is
    /// requested and validated by DNS.
    #[schemars(
        with = "Option<String>",
        example = &"arn:aws:acm:us-east-1:111122223333:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
    )]
    pub(super) certificate_arn: Option<Spanned<String>>,
    /// CloudFront's price class. By default `100`.
    #[schemars(with = "Option<PriceClassName>")]
    pub(super) price_class: Option<Spanned<String>>,
    /// Whether CloudFront redirects HTTP to HTTPS. By default it does, except in mode `dns`, where visitors are served over HTTP during
    /// every failover; in that mode it requires `accept_http_standby`.
    pub(super) redirect_to_https: Option<bool>,
    /// Whether CloudFront adds the headers of its managed policy `SecurityHeadersPolicy`, with HSTS. By default only in mode `origin`;
    /// the others require `accept_http_standby`.
    pub(super) security_headers: Option<bool>,
    /// Confirms that `https://` fails for visitors during a DNS failover, whose target serves HTTP only.
    pub(super) accept_http_standby: bool,
    /// CloudFront's security policy, which names the least TLS version of visitors. By default `TLSv1.2_2021`.
    #[schemars(with = "Option<String>", example = &"TLSv1.2_2021")]
    pub(super) minimum_tls: Option<Spanned<String>>,
    /// ARN of a web ACL of AWS WAF, in us-east-1. Without it, the distribution's is left as it is; `none` removes it.
    #[schemars(with = "Option<String>")]
    pub(super) web_acl_arn: Option<Spanned<String>>,
    /// Countries that are served, or are not, as ISO 3166-1 alpha-2. Without it, the distribution's are left as they are; `none` removes them.
    #[schemars(with = "Option<GeoRestriction>")]
    pub(super) geo_restriction: Option<Spanned<GeoRestriction>>,
    /// Region of Origin Shield for both origins, which is charged by requests. Without it, the distribution's is left as it is; `none`
    /// removes it.
    #[schemars(with = "Option<String>", example = &"us-east-2")]
    pub(super) origin_shield_region: Option<Spanned<String>>,
    /// Bucket for standard logs (legacy), which must have ACLs. Without it, the distribution's is left as it is; `none` ends logging.
    #[schemars(with = "Option<String>")]
    pub(super) log_bucket: Option<Spanned<String>>,
    /// Prefix of the keys of logs.
    #[schemars(with = "Option<String>", example = &"cdn/")]
    pub(super) log_prefix: Option<Spanned<String>>,
}

/// `"none"`, or a table with one of two lists.
#[derive(Debug, JsonSchema)]
#[serde(untagged)]
pub(super) enum GeoRestriction {
    /// `none`.
    Word(String),
    /// Either list.
    Countries(Countries),
}

/// Not by `serde(untagged)`, which does not say what is wrong with either form.
impl<'de> Deserialize<'de> for GeoRestriction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = GeoRestriction;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\" or a table with `allow` or `deny`")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<GeoRestriction, E> {
                Ok(GeoRestriction::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GeoRestriction, A::Error> {
                Countries::deserialize(MapAccessDeserializer::new(map)).map(GeoRestriction::Countries)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

/// One list of countries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Countries {
    /// Only these are served.
    pub(super) allow: Option<Vec<String>>,
    /// These are not served.
    pub(super) deny: Option<Vec<String>>,
}

/// The names of price classes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema names them; they are parsed in checks.rs")]
enum PriceClassName {
    /// North America, Europe and Israel.
    #[serde(rename = "100")]
    Class100,
    /// All but South America, Australia and New Zealand.
    #[serde(rename = "200")]
    Class200,
    /// All edge locations.
    #[serde(rename = "all")]
    All,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dns {
    /// Id of the hosted zone. By default the public one with the longest name that contains the domain.
    #[schemars(with = "Option<String>", example = &"Z0123456789ABCDEFGHIJ")]
    pub(super) zone_id: Option<Spanned<String>>,
    /// Ids of the hosted zones of aliases, by alias. By default as for the domain.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) alias_zones: BTreeMap<String, Spanned<String>>,
    /// Seconds between two requests of a health checker: 30 or 10. By default 30.
    #[schemars(with = "Option<u64>", extend("enum" = [10, 30]))]
    pub(super) health_interval: Option<Spanned<u64>>,
    /// How many requests in a row must fail before a health check is unhealthy. By default 3.
    #[schemars(with = "Option<u32>", range(min = 1, max = 10))]
    pub(super) failure_threshold: Option<Spanned<u32>>,
    /// Seconds for which resolvers may keep the records that fail over. By default 60.
    #[schemars(with = "Option<u64>", range(min = 1, max = 3600))]
    pub(super) ttl: Option<Spanned<u64>>,
    /// Hosted zone ids of S3 website endpoints by region, for regions that are newer than this release.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) website_zones: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    /// Canonical domain name of the site, without a scheme.
    #[schemars(with = "String", example = &"www.example.com")]
    pub(super) domain: Spanned<String>,
    /// Further names of the site, also of other hosted zones; at most 9. They are in the certificate and the distribution, and visitors are
    /// redirected from them to the domain.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 9), example = ["example.com"])]
    pub(super) aliases: Vec<Spanned<String>>,
    /// Which failures are survived, and by which mechanism. By default `layered`.
    #[schemars(with = "Option<ModeName>")]
    pub(super) mode: Option<Spanned<String>>,
    /// Regions of AWS that are newer than this release. A region that it does not know is refused otherwise.
    #[serde(default)]
    #[schemars(with = "Vec<String>", example = ["ap-southeast-9"])]
    pub(super) new_regions: Vec<Spanned<String>>,
    /// ARN of the permissions boundary of the roles that `apply` creates and S3 assumes. By default AWS's managed policy
    /// `AmazonS3FullAccess`. Not together with `replication_role`.
    #[schemars(with = "Option<String>", example = &"arn:aws:iam::111122223333:policy/boundary")]
    pub(super) permissions_boundary: Option<Spanned<String>>,
    /// ARN of an existing role for replication. twinsite then creates none.
    #[schemars(with = "Option<String>", example = &"arn:aws:iam::111122223333:role/replication")]
    pub(super) replication_role: Option<Spanned<String>>,
    /// Tags of everything that is created; at most 7.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("maxProperties" = 7))]
    pub(super) tags: BTreeMap<String, Spanned<String>>,
}

/// The names of modes.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema names them; they are parsed by `Mode`")]
enum ModeName {
    /// DNS fails over to the backup, over HTTP.
    Dns,
    /// CloudFront fails over to the backup; both buckets are private.
    Origin,
    /// CloudFront fails over to the backup, and DNS does if CloudFront fails.
    Layered,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Primary {
    /// Region of the primary bucket.
    #[schemars(with = "String", example = &"us-east-1")]
    pub(super) region: Spanned<String>,
    /// ARN or id of the KMS key in this region, with `encryption = "aws:kms"` in `[publish]`. No alias.
    #[schemars(with = "Option<String>")]
    pub(super) kms_key: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    /// Region of the backup bucket; another one than that of the primary.
    #[schemars(with = "String", example = &"us-west-2")]
    pub(super) region: Spanned<String>,
    /// ARN or id of the KMS key in this region, with `encryption = "aws:kms"` in `[publish]`. No alias.
    #[schemars(with = "Option<String>")]
    pub(super) kms_key: Option<Spanned<String>>,
    /// Whether objects that are put into the backup are replicated to the primary.
    #[serde(default)]
    pub(super) replicate_back: bool,
    /// S3 Replication Time Control, which is charged for.
    #[serde(default)]
    pub(super) replication_time_control: bool,
    /// What serves visitors after a DNS failover, in the modes `layered` and `dns`. `http`: the website endpoint of the backup, over HTTP
    /// only. `https`: an HTTP API of API Gateway in the region of the backup, over HTTPS only; nobody has proven it on a live account yet,
    /// so `apply` visits it before DNS leads to it. Without the key it is `http`; `"http"` also removes a standby that was `https`.
    #[schemars(with = "Option<String>", example = &"https")]
    pub(super) standby: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
pub(super) struct Publish {
    /// Name of the index document of a folder.
    pub(super) index: String,
    /// Key of the error document for missing pages; an empty string for none.
    pub(super) not_found: Option<String>,
    /// Patterns of files that are not published, in the syntax of gitignore. `.twinsiteignore` files are read as well.
    #[schemars(with = "Vec<String>", example = ["*.map"])]
    pub(super) ignore: Vec<Spanned<String>>,
    /// How objects are encrypted. By default as each bucket does. The algorithms of KMS need `kms_key` in `[primary]` and `[backup]`, and
    /// mode `origin`.
    #[schemars(with = "Option<EncryptionName>")]
    pub(super) encryption: Option<Spanned<String>>,
    /// A deploy that would delete more objects than this is refused, if they are also more than `max_delete_percent` of all.
    pub(super) max_delete: usize,
    /// See `max_delete`.
    #[schemars(range(min = 0, max = 100))]
    pub(super) max_delete_percent: u8,
    /// A deploy that would delete more than this share of the pages, and more than two, is refused.
    #[schemars(range(min = 0, max = 100))]
    pub(super) max_delete_pages_percent: u8,
    /// Whether a directory without index document at its top is refused.
    pub(super) require_index: bool,
    /// Whether a directory is refused that has `package.json`, `.git` and the like at its top.
    pub(super) refuse_project_root: bool,
    /// How many releases are kept for rollback. Older versions of objects are deleted.
    #[schemars(range(min = 1))]
    pub(super) keep_releases: usize,
    /// Releases that were live within this number of days are kept, too.
    pub(super) keep_days: u32,
    /// Backfills of more objects than this use S3 Batch Replication.
    pub(super) batch_above: usize,
    /// Whether the entry pages are requested and compared after every deploy, as with `--probe`.
    pub(super) probe: bool,
    /// Headers of some objects. Later rules take precedence.
    pub(super) headers: Vec<Headers>,
    /// Whether pages can be reached without `.html` at the end of their names: `about.html` at `/about`. They are published under both names.
    pub(super) clean_urls: bool,
    /// Whether paths of pages end with a slash. `add`: with `clean_urls`, `about.html` is at `/about/`. `remove`: `docs/index.html` is at
    /// `/docs`. `keep`: folders end with a slash and files do not. By default `keep`.
    #[schemars(with = "Option<TrailingSlashName>")]
    pub(super) trailing_slash: Option<Spanned<String>>,
    /// Whether the site is a single-page application: navigations to paths that it does not have get its index document with status 200.
    /// Missing files, such as scripts and images, stay missing.
    pub(super) spa: bool,
    /// Syntax of the file `_redirects`.
    #[schemars(with = "Option<RedirectsSyntax>")]
    pub(super) redirects_syntax: Option<Spanned<String>>,
}

/// What becomes of slashes at the end of paths.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema names them; they are parsed by `TrailingSlash`")]
enum TrailingSlashName {
    /// Folders end with a slash, and files do not.
    Keep,
    /// Pages end with a slash.
    Add,
    /// No page ends with a slash.
    Remove,
}

/// The syntaxes of `_redirects`.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "the schema names them; they are parsed by `Syntax`")]
enum RedirectsSyntax {
    Netlify,
    CloudflarePages,
}

/// The algorithms that S3 knows.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema names them; they are parsed by `Encryption`")]
enum EncryptionName {
    #[serde(rename = "AES256")]
    S3,
    #[serde(rename = "aws:kms")]
    Kms,
    #[serde(rename = "aws:kms:dsse")]
    KmsDsse,
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            index: "index.html".to_owned(),
            not_found: Some("404.html".to_owned()),
            ignore: Vec::new(),
            encryption: None,
            max_delete: 100,
            max_delete_percent: 25,
            max_delete_pages_percent: 50,
            require_index: true,
            refuse_project_root: true,
            keep_releases: 10,
            keep_days: 0,
            batch_above: 1_000_000,
            probe: false,
            headers: Vec::new(),
            clean_urls: false,
            trailing_slash: None,
            spa: false,
            redirects_syntax: None,
        }
    }
}

/// The headers of some objects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    /// Pattern of the keys: `*` within a folder, `**` across folders. Without a slash it matches in every folder.
    #[schemars(with = "String", example = &"assets/**")]
    r#match: Spanned<String>,
    /// `Content-Type`.
    content_type: Option<String>,
    /// `Cache-Control`.
    #[schemars(example = &"public, max-age=31536000, immutable")]
    cache_control: Option<String>,
    /// `Content-Encoding`.
    content_encoding: Option<String>,
    /// `Content-Disposition`.
    content_disposition: Option<String>,
    /// `Content-Language`.
    content_language: Option<String>,
    /// Where the object redirects to (`x-amz-website-redirect-location`), from website endpoints.
    redirect: Option<String>,
    /// User-defined metadata (`x-amz-meta-…`).
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// Headers that earlier rules or defaults set, and that these objects do not get.
    #[serde(default)]
    #[schemars(with = "Vec<UnsetHeader>")]
    unset: Vec<Spanned<String>>,
}

/// Headers that can be unset.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "the schema names them; they are parsed by `Headers::rule`")]
enum UnsetHeader {
    CacheControl,
    ContentLanguage,
    ContentEncoding,
    ContentDisposition,
}

impl Headers {
    pub(super) fn rule(&self, place: &Place<'_>) -> Result<HeaderRule, String> {
        let mut settings = Vec::new();
        for name in &self.unset {
            settings.push(match name.get_ref().as_str() {
                "cache-control" => Setting::CacheControl(None),
                "content-language" => Setting::ContentLanguage(None),
                "content-encoding" => Setting::ContentEncoding(None),
                "content-disposition" => Setting::ContentDisposition(None),
                other => {
                    let known = ["cache-control", "content-language", "content-encoding", "content-disposition"];
                    let fault = Invalid::unknown("header", other, &known).to_string();
                    return Err(place.fault(name, &format!("{fault} that can be unset")));
                }
            });
        }
        let text = |value: &Option<String>| value.clone().map(Some);
        settings.extend(text(&self.content_type).map(Setting::ContentType));
        settings.extend(text(&self.cache_control).map(Setting::CacheControl));
        settings.extend(text(&self.content_encoding).map(Setting::ContentEncoding));
        settings.extend(text(&self.content_disposition).map(Setting::ContentDisposition));
        settings.extend(text(&self.content_language).map(Setting::ContentLanguage));
        settings.extend(text(&self.redirect).map(Setting::WebsiteRedirect));
        settings.extend(self.metadata.clone().into_iter().map(|(name, value)| Setting::Metadata(name, value)));
        let rule = HeaderRule::new(self.r#match.get_ref(), settings);
        rule.map_err(|invalid| place.fault(&self.r#match, &invalid.to_string()))
    }
}

/// Where in the file a value is.
pub(super) struct Place<'a> {
    pub(super) text: &'a str,
}

impl Place<'_> {
    /// Parses a value, or says in which line it is wrong.
    pub(super) fn check<T>(&self, value: &Spanned<String>) -> Result<T, String>
    where
        T: FromStr,
        T::Err: Display,
    {
        value.get_ref().parse().map_err(|error: T::Err| self.fault(value, &error.to_string()))
    }

    /// The same, for the name of one of a few values: the nearest of them is suggested.
    pub(super) fn check_known<T: FromStr>(&self, value: &Spanned<String>, known: &[&str]) -> Result<T, String> {
        let name = value.get_ref();
        name.parse().map_err(|_| self.fault(value, &Invalid::unknown("value", name, known).to_string()))
    }

    /// A fault of a value that is not shown, because it may be a secret.
    pub(super) fn fault_unshown<T>(&self, value: &Spanned<T>, fault: &str) -> String {
        let line = self.text[..value.span().start.min(self.text.len())].matches('\n').count() + 1;
        format!("error at line {line}\n{fault}")
    }

    /// A number within bounds.
    pub(super) fn within<T: Copy + PartialOrd + Display>(
        &self,
        value: &Spanned<T>,
        rule: (bool, &str),
    ) -> Result<T, String> {
        let (fits, rule) = rule;
        if fits { Ok(*value.get_ref()) } else { Err(self.fault(value, &format!("{} {rule}", value.get_ref()))) }
    }

    /// The fault in the form that TOML's own faults have.
    pub(super) fn fault<T>(&self, value: &Spanned<T>, fault: &str) -> String {
        let start = value.span().start.min(self.text.len());
        let before = &self.text[..start];
        let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().map_or(0, str::len) + 1);
        let shown = self.text.lines().nth(line - 1).unwrap_or_default();
        let margin = " ".repeat(line.to_string().len());
        let arrow = " ".repeat(column - 1) + &"^".repeat(value.span().len().max(1));
        format!("error at line {line}, column {column}\n{margin} |\n{line} | {shown}\n{margin} | {arrow}\n{fault}")
    }
}
