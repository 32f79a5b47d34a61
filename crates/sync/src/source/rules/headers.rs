//! Header rules: patterns over keys, and what matching objects are served with.

use globset::{GlobBuilder, GlobMatcher};
use twinsite_core::Invalid;

use crate::{Headers, Key};

/// Sets or unsets headers of the objects that match a pattern.
#[derive(Clone, Debug)]
pub struct HeaderRule {
    glob: GlobMatcher,
    settings: Vec<Setting>,
}

/// One header of a rule; `None` takes a default away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `Content-Type`.
    ContentType(Option<String>),
    /// `Cache-Control`.
    CacheControl(Option<String>),
    /// `Content-Encoding`.
    ContentEncoding(Option<String>),
    /// `Content-Disposition`.
    ContentDisposition(Option<String>),
    /// `Content-Language`.
    ContentLanguage(Option<String>),
    /// `x-amz-website-redirect-location`.
    WebsiteRedirect(Option<String>),
    /// `x-amz-meta-NAME`.
    Metadata(String, String),
}

impl HeaderRule {
    /// A rule for the keys that match a glob: `assets/**`, `*.html`. Without a slash it matches the name in any folder.
    ///
    /// # Errors
    /// [`Invalid`] when the pattern is not a glob, or a value cannot be a header's.
    pub fn new(pattern: &str, settings: Vec<Setting>) -> Result<Self, Invalid> {
        let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
        let glob = GlobBuilder::new(anywhere.trim_start_matches('/')).literal_separator(true).build();
        let glob =
            glob.map_err(|error| Invalid::new("pattern", pattern, format!("is not a glob: {}", error.kind())))?;
        settings.iter().try_for_each(check)?;
        Ok(Self { glob: glob.compile_matcher(), settings })
    }

    pub(super) fn matches(&self, key: &Key) -> bool {
        self.glob.is_match(key.as_str())
    }

    pub(super) fn sets_cache_control(&self) -> bool {
        self.settings.iter().any(|setting| matches!(setting, Setting::CacheControl(_)))
    }

    pub(super) fn apply(&self, headers: &mut Headers) {
        for setting in self.settings.iter().cloned() {
            match setting {
                Setting::ContentType(value) => headers.content_type = value,
                Setting::CacheControl(value) => headers.cache_control = value,
                Setting::ContentEncoding(value) => headers.content_encoding = value,
                Setting::ContentDisposition(value) => headers.content_disposition = value,
                Setting::ContentLanguage(value) => headers.content_language = value,
                Setting::WebsiteRedirect(value) => headers.website_redirect = value,
                Setting::Metadata(name, value) => drop(headers.metadata.insert(name.to_lowercase(), value)),
            }
        }
    }
}

fn check(setting: &Setting) -> Result<(), Invalid> {
    let (name, value) = match setting {
        Setting::ContentType(value) => ("Content-Type", value.as_deref()),
        Setting::CacheControl(value) => ("Cache-Control", value.as_deref()),
        Setting::ContentEncoding(value) => ("Content-Encoding", value.as_deref()),
        Setting::ContentDisposition(value) => ("Content-Disposition", value.as_deref()),
        Setting::ContentLanguage(value) => ("Content-Language", value.as_deref()),
        Setting::WebsiteRedirect(value) => ("x-amz-website-redirect-location", value.as_deref()),
        Setting::Metadata(_, value) => ("metadata", Some(value.as_str())),
    };
    let Some(value) = value else { return Ok(()) };
    if value.is_empty() {
        return Err(Invalid::new(name, value, "is empty"));
    }
    if !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Err(Invalid::new(name, value, "may have only printable ASCII characters"));
    }
    if value.len() > 2048 {
        return Err(Invalid::new(name, value, "is longer than the 2 KB that S3 keeps"));
    }
    let redirects = ["/", "http://", "https://"];
    if name.starts_with("x-amz-website") && !redirects.iter().any(|start| value.starts_with(start)) {
        return Err(Invalid::new(name, value, "must start with `/`, `http://` or `https://`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        HeaderRule::new(pattern, vec![]).unwrap().matches(&key.parse().unwrap())
    }

    #[test]
    fn patterns_match_names_anywhere_and_paths_from_the_top() {
        assert!(matches("*.html", "a/b/c.html") && matches("*.html", "c.html"));
        assert!(matches("assets/**", "assets/a/b.css") && !matches("assets/**", "x/assets/a.css"));
        assert!(matches("/index.html", "index.html") && !matches("a/*", "a/b/c"));
    }

    #[test]
    fn values_that_cannot_be_headers_are_refused() {
        let refused = |value: &str| HeaderRule::new("*", vec![Setting::CacheControl(Some(value.into()))]).is_err();
        assert!(refused("") && refused("a\nb") && refused("ü") && !refused("no-store"));
        assert!(HeaderRule::new("a[", vec![]).is_err());
        assert!(HeaderRule::new("*", vec![Setting::WebsiteRedirect(Some("about".into()))]).is_err());
    }
}
