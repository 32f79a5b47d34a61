//! The file's own shape. Unknown keys are errors: a misspelt one must not be silently ignored.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use toml::Spanned;
use twinsite_sync::{HeaderRule, Setting};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) site: Site,
    pub(super) primary: Primary,
    pub(super) backup: Backup,
    #[serde(default)]
    pub(super) cdn: Front,
    #[serde(default)]
    pub(super) dns: Dns,
    #[serde(default)]
    pub(super) alerts: Alerts,
    #[serde(default)]
    pub(super) publish: Publish,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alerts {
    pub(super) email: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Front {
    pub(super) certificate_arn: Option<Spanned<String>>,
    pub(super) price_class: Option<Spanned<String>>,
    pub(super) redirect_to_https: Option<bool>,
    pub(super) security_headers: Option<bool>,
    pub(super) accept_http_standby: bool,
    pub(super) minimum_tls: Option<Spanned<String>>,
    pub(super) web_acl_arn: Option<Spanned<String>>,
    pub(super) geo_restriction: Option<Spanned<GeoRestriction>>,
    pub(super) origin_shield_region: Option<Spanned<String>>,
    pub(super) log_bucket: Option<Spanned<String>>,
    pub(super) log_prefix: Option<Spanned<String>>,
}

/// `"none"`, or a table with one of two lists.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum GeoRestriction {
    Word(String),
    Countries(Countries),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Countries {
    pub(super) allow: Option<Vec<String>>,
    pub(super) deny: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dns {
    pub(super) zone_id: Option<Spanned<String>>,
    pub(super) health_interval: Option<Spanned<u64>>,
    pub(super) failure_threshold: Option<Spanned<u32>>,
    pub(super) ttl: Option<Spanned<u64>>,
    pub(super) website_zones: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) domain: Spanned<String>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) permissions_boundary: Option<Spanned<String>>,
    pub(super) replication_role: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Primary {
    pub(super) region: Spanned<String>,
    pub(super) kms_key: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    pub(super) region: Spanned<String>,
    pub(super) kms_key: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) replicate_back: bool,
    #[serde(default)]
    pub(super) replication_time_control: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Publish {
    pub(super) index: String,
    pub(super) not_found: Option<String>,
    pub(super) ignore: Vec<Spanned<String>>,
    pub(super) encryption: Option<Spanned<String>>,
    pub(super) max_delete: usize,
    pub(super) max_delete_percent: u8,
    pub(super) max_delete_pages_percent: u8,
    pub(super) require_index: bool,
    pub(super) refuse_project_root: bool,
    pub(super) keep_releases: usize,
    pub(super) keep_days: u32,
    pub(super) batch_above: usize,
    pub(super) probe: bool,
    pub(super) headers: Vec<Headers>,
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
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Headers {
    r#match: Spanned<String>,
    content_type: Option<String>,
    cache_control: Option<String>,
    content_encoding: Option<String>,
    content_disposition: Option<String>,
    content_language: Option<String>,
    redirect: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    unset: Vec<Spanned<String>>,
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
                other => return Err(place.fault(name, &format!("`{other}` cannot be unset"))),
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
