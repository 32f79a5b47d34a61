//! Redirects of a website endpoint as rules of the configuration.

use std::collections::BTreeMap;

use twinsite_rules::{ConfiguredRedirect, Place, Redirects};
use twinsite_s3_site::{RoutingRule, WebsiteRedirect};

/// A rule of `[[redirects]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) status: u16,
    pub(super) force: bool,
}

impl Rule {
    /// A rule that the configuration accepts.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) fn checked(self) -> Result<Self, String> {
        let place = Place { file: "twinsite.toml", line: 1 };
        let Self { from, to, status, force } = &self;
        let query = BTreeMap::new();
        let configured = ConfiguredRedirect { place, from, to, status: *status, force: *force, query };
        Redirects::default().add(&configured).map_err(|unsupported| unsupported.reason)?;
        Ok(self)
    }
}

/// The rule of a website that redirects every request: with the path, and with the request's protocol if it names none. Visitors come over
/// HTTPS, so that it is what they keep. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>
pub(super) fn of_website(redirect: &WebsiteRedirect) -> Result<Rule, String> {
    let protocol = redirect.protocol.as_deref().unwrap_or("https");
    // A host may be followed by a path.
    let host = redirect.host.trim_end_matches('/');
    Rule { from: "/*".to_owned(), to: format!("{protocol}://{host}/:splat"), status: 301, force: true }.checked()
}

/// A routing rule. Rules on a key prefix apply whether or not there is an object; rules on a status apply if there is none.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html#advanced-conditional-redirects>
pub(super) fn of_routing_rule(rule: &RoutingRule) -> Result<Rule, String> {
    let RoutingRule { if_error, if_prefix, host, code, protocol, prefix: new_prefix, key } = rule;
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let force = match set(if_error).as_deref() {
        None => true,
        Some("404" | "403") => false,
        Some(status) => return Err(format!("redirects on status {status} have no equivalent")),
    };
    let status = set(code).map_or(Ok(301), |code| code.parse::<u16>().map_err(|_| format!("`{code}` is no status")))?;
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Err(format!("status {status} is not supported"));
    }
    let prefix = set(if_prefix).unwrap_or_default();
    if !prefix.is_empty() && !prefix.ends_with('/') {
        return Err(format!(
            "it applies to every key that begins with `{prefix}`; add a rule for the paths that are meant: `/{prefix}`, or `/{prefix}/*`"
        ));
    }
    let target = match (set(key), new_prefix) {
        (Some(key), _) => path(&key)?,
        (None, Some(new)) => format!("{}:splat", path(new)?),
        (None, None) => format!("{}:splat", path(&prefix)?),
    };
    let to = match set(host) {
        Some(host) => format!("{}://{host}/{target}", set(protocol).unwrap_or_else(|| "https".to_owned())),
        None if set(key).is_none() && new_prefix.as_deref().unwrap_or(&prefix) == prefix => {
            return Err("it redirects to the same path".to_owned());
        }
        None => format!("/{target}"),
    };
    Rule { from: format!("/{}*", path(&prefix)?), to, status, force }.checked()
}

/// A key or prefix as a part of a path.
fn path(key: &str) -> Result<String, String> {
    match key.find(|c: char| c.is_control() || c.is_whitespace() || ":*?#\\".contains(c)) {
        Some(_) => Err(format!("`{key}` has a character that means something else in a rule")),
        None => Ok(key.trim_start_matches('/').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_rules_become_rules_with_the_same_answer_or_are_told_apart() {
        let text = |text: &str| Some(text.to_owned());
        // The examples of the user guide.
        let renamed = RoutingRule { if_prefix: text("docs/"), prefix: text("documents/"), ..RoutingRule::default() };
        let rule =
            |from: &str, to: &str, status, force| Rule { from: from.to_owned(), to: to.to_owned(), status, force };
        assert_eq!(of_routing_rule(&renamed), Ok(rule("/docs/*", "/documents/:splat", 301, true)));
        let deleted =
            RoutingRule { if_prefix: text("images/"), key: text("folderdeleted.html"), ..RoutingRule::default() };
        assert_eq!(of_routing_rule(&deleted), Ok(rule("/images/*", "/folderdeleted.html", 301, true)));
        let moved = RoutingRule {
            if_error: text("404"),
            host: text("old.example.com"),
            protocol: text("http"),
            code: text("302"),
            ..RoutingRule::default()
        };
        assert_eq!(of_routing_rule(&moved), Ok(rule("/*", "http://old.example.com/:splat", 302, false)));
        let all = WebsiteRedirect { host: "example.com".to_owned(), protocol: None };
        assert_eq!(of_website(&all), Ok(rule("/*", "https://example.com/:splat", 301, true)));
        for (odd, why) in [
            (RoutingRule { if_prefix: text("docs"), prefix: text("d/"), ..RoutingRule::default() }, "begins with"),
            (
                RoutingRule { if_error: text("404"), prefix: text("#!/"), ..RoutingRule::default() },
                "means something else",
            ),
            (RoutingRule { if_error: text("503"), key: text("x"), ..RoutingRule::default() }, "503"),
            (RoutingRule { if_prefix: text("a:b/"), key: text("x"), ..RoutingRule::default() }, "means something else"),
            (RoutingRule { if_prefix: text("a/"), protocol: text("https"), ..RoutingRule::default() }, "same path"),
        ] {
            let told = of_routing_rule(&odd).unwrap_err();
            assert!(told.contains(why), "{odd:?}: {told}");
        }
    }
}
