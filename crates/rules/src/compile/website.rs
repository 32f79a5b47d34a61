//! Redirects of website endpoints: objects with `x-amz-website-redirect-location`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>

use std::collections::BTreeMap;

use super::{NotHonored, Target};
use crate::files::Files;
use crate::model::{Redirect, Redirects};

/// The longest key, in bytes.
const MAX_KEY: usize = 1024;

/// The longest location, in bytes.
const MAX_LOCATION: usize = 2048;

/// An empty object that redirects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectObject {
    /// Its key.
    pub key: String,
    /// The value of `x-amz-website-redirect-location`.
    pub location: String,
}

/// What website endpoints make of a rule set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebsiteRedirects {
    /// The objects, in the order of their keys.
    pub objects: Vec<RedirectObject>,
    /// The rules that are not honoured, or not exactly.
    pub not_honored: Vec<NotHonored>,
}

impl WebsiteRedirects {
    /// Compiles rules for website endpoints, whose index document is `index`.
    ///
    /// An object redirects one path, always with status 301, and takes the place of a file. Routing rules could redirect by prefix; they
    /// are part of the configuration of the bucket, which a publish does not change.
    pub fn compile(redirects: &Redirects, files: &Files, index: &str) -> Self {
        let (mut objects, mut not_honored) = (BTreeMap::new(), Vec::new());
        for (at, rule) in redirects.0.iter().enumerate() {
            if let Err(reason) = Self::check(rule, files) {
                not_honored.push(NotHonored::new(rule, Target::WebsiteEndpoint, reason));
                continue;
            }
            let path = rule.from.path();
            // What an earlier rule may answer, this one must not.
            if let Some(earlier) = redirects.0[..at].iter().find(|earlier| may_match(earlier, rule)) {
                if !earlier.is_exact() || !earlier.query.is_empty() || earlier.status != 301 {
                    let reason =
                        format!("the rule of {}, which comes first, is not honoured there either", earlier.place);
                    not_honored.push(NotHonored::new(rule, Target::WebsiteEndpoint, reason));
                }
                continue;
            }
            let decoded = percent_encoding::percent_decode_str(path.trim_start_matches('/')).decode_utf8_lossy();
            let folder = if decoded.is_empty() { index.to_owned() } else { format!("{decoded}/{index}") };
            let keys = match (rule.strict_slash, rule.from.slash) {
                _ if decoded.is_empty() => vec![folder],
                (true, false) => vec![decoded.into_owned()],
                (true, true) => vec![folder],
                (false, _) => vec![decoded.into_owned(), folder],
            };
            if keys.iter().any(|key| key.len() > MAX_KEY) || rule.to.len() > MAX_LOCATION {
                let reason = format!("a key has at most {MAX_KEY} bytes and a location {MAX_LOCATION}");
                not_honored.push(NotHonored::new(rule, Target::WebsiteEndpoint, reason));
                continue;
            }
            for key in keys {
                objects.entry(key).or_insert_with(|| rule.to.clone());
            }
            if path.contains("%2B") {
                let reason = "they take a `+` in a path for a space: only `%2B` is redirected";
                let in_part = NotHonored::new(rule, Target::WebsiteEndpoint, reason);
                not_honored.push(NotHonored { in_part: true, ..in_part });
            }
            if !rule.to.contains('?') {
                let reason = "they redirect without the query of the request";
                let in_part = NotHonored::new(rule, Target::WebsiteEndpoint, reason);
                not_honored.push(NotHonored { in_part: true, ..in_part });
            }
        }
        let objects = objects.into_iter().map(|(key, location)| RedirectObject { key, location }).collect();
        Self { objects, not_honored }
    }

    fn check(rule: &Redirect, files: &Files) -> Result<(), String> {
        if rule.status == 200 {
            return Err("they do not rewrite paths".to_owned());
        }
        if !rule.query.is_empty() {
            return Err("they do not look at the query".to_owned());
        }
        if !rule.is_exact() {
            return Err("they redirect single paths only, without placeholders and `*`".to_owned());
        }
        if rule.status != 301 {
            return Err(format!("they redirect with status 301 only, and not {}", rule.status));
        }
        if files.has(&rule.from.path()) {
            return Err("the site has a file at this path, which they serve".to_owned());
        }
        Ok(())
    }
}

/// Whether an earlier rule may apply to the path of a rule that is about one path.
fn may_match(earlier: &Redirect, rule: &Redirect) -> bool {
    let without_conditions = Redirect { query: BTreeMap::new(), ..earlier.clone() };
    let path = rule.from.path();
    let paths = if rule.strict_slash && rule.from.slash { vec![format!("{path}/")] } else { vec![path] };
    let earlier = Redirects(vec![without_conditions]);
    paths.iter().any(|path| earlier.resolve(path, "", &Files::default()).is_some())
}
