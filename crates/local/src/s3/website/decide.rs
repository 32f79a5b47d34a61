//! The response of a website endpoint, as a pure function of its configuration and objects.

use std::sync::Arc;

use super::config::{Rule, Website};
use crate::s3::Version;

/// What an anonymous request finds at a key.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Object(Arc<Version>),
    Missing,
    Denied,
}

/// Finds objects by key.
pub(super) trait Objects {
    fn find(&self, key: &str) -> Found;
}

/// The response.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Object(Arc<Version>),
    Error { status: u16, key: String, document: Arc<Version> },
    Redirect { status: u16, location: String },
    Failure { status: u16, key: String },
}

pub(super) fn decide(site: &Website, bucket: &impl Objects, path: &str, host: &str) -> Answer {
    if let Some(all) = &site.redirect_all_requests_to {
        let protocol = all.protocol.as_deref().unwrap_or("http");
        return Answer::Redirect { status: 301, location: format!("{protocol}://{}/{}", all.host_name, encoded(path)) };
    }
    if let Some(rule) = site.rule(path, None) {
        return follow(rule, path, host);
    }
    let folder = path.is_empty() || path.ends_with('/');
    let key = if folder { format!("{path}{}", site.index()) } else { path.to_owned() };
    let status = match bucket.find(&key) {
        Found::Object(version) => return serve(version),
        Found::Missing => 404,
        Found::Denied => 403,
    };
    if !folder && matches!(bucket.find(&format!("{path}/{}", site.index())), Found::Object(_)) {
        return Answer::Redirect { status: 302, location: format!("/{}/", encoded(path)) };
    }
    if let Some(rule) = site.rule(path, Some(status)) {
        return follow(rule, path, host);
    }
    match site.error().map(|key| bucket.find(key)) {
        Some(Found::Object(document)) => Answer::Error { status, key, document },
        Some(Found::Missing | Found::Denied) | None => Answer::Failure { status, key },
    }
}

fn serve(version: Arc<Version>) -> Answer {
    match &version.headers.website_redirect {
        Some(location) => Answer::Redirect { status: 301, location: location.clone() },
        None => Answer::Object(version),
    }
}

fn follow(rule: &Rule, path: &str, host: &str) -> Answer {
    let redirect = &rule.redirect;
    let status = redirect.http_redirect_code.unwrap_or(301);
    let target = encoded(&rule.target(path));
    let protocol = redirect.protocol.as_deref().unwrap_or("http");
    let host = match (&redirect.host_name, &redirect.protocol) {
        (Some(name), _) => name,
        (None, None) => host,
        // Another protocol is at another port.
        (None, Some(_)) => host.split(':').next().unwrap_or(host),
    };
    Answer::Redirect { status, location: format!("{protocol}://{host}/{target}") }
}

fn encoded(path: &str) -> String {
    const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'!')
        .remove(b'$')
        .remove(b'&')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')')
        .remove(b'*')
        .remove(b'+')
        .remove(b',')
        .remove(b';')
        .remove(b'=')
        .remove(b':')
        .remove(b'@');
    percent_encoding::utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Keys(Vec<(&'static str, Option<&'static str>)>);

    impl Objects for Keys {
        fn find(&self, key: &str) -> Found {
            let found = self.0.iter().find(|(name, _)| *name == key);
            found.map_or(Found::Missing, |(name, redirect)| Found::Object(Arc::new(version(name, *redirect))))
        }
    }

    struct Private;

    impl Objects for Private {
        fn find(&self, _: &str) -> Found {
            Found::Denied
        }
    }

    fn version(key: &str, redirect: Option<&str>) -> Version {
        let headers = crate::s3::Headers { website_redirect: redirect.map(str::to_owned), ..Default::default() };
        Version {
            key: key.to_owned(),
            id: "null".into(),
            modified: std::time::SystemTime::UNIX_EPOCH,
            etag: String::new(),
            headers,
            tags: Default::default(),
            checksums: Default::default(),
            parts: Some(vec![]),
            replicated: None,
            kms: None,
        }
    }

    fn site(rules: &str) -> Website {
        Website::parse(&format!(
            "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument>\
             <ErrorDocument><Key>404.html</Key></ErrorDocument>{rules}</WebsiteConfiguration>"
        ))
        .unwrap()
    }

    fn ask(site: &Website, path: &str) -> String {
        let keys = Keys(vec![
            ("index.html", None),
            ("about/index.html", None),
            ("404.html", None),
            ("old", Some("/about/")),
            ("a b", None),
        ]);
        match decide(site, &keys, path, "site.test") {
            Answer::Object(version) => format!("200 {}", version.key),
            Answer::Error { status, document, .. } => format!("{status} {}", document.key),
            Answer::Redirect { status, location } => format!("{status} {location}"),
            Answer::Failure { status, key } => format!("{status} ! {key}"),
        }
    }

    #[test]
    fn folders_have_index_documents() {
        let site = site("");
        for (path, answer) in [
            ("", "200 index.html"),
            ("about/", "200 about/index.html"),
            ("about", "302 /about/"),
            ("a b", "200 a b"),
            ("nothing", "404 404.html"),
            ("nothing/", "404 404.html"),
            ("old", "301 /about/"),
        ] {
            assert_eq!(ask(&site, path), answer, "{path}");
        }
    }

    #[test]
    fn private_objects_are_forbidden() {
        assert_eq!(decide(&site(""), &Private, "x", "h"), Answer::Failure { status: 403, key: "x".into() });
    }

    #[test]
    fn routing_rules_redirect_by_prefix_and_by_error() {
        let rules = "<RoutingRules>\
            <RoutingRule><Condition><KeyPrefixEquals>docs/</KeyPrefixEquals></Condition>\
            <Redirect><ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith></Redirect></RoutingRule>\
            <RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>\
            <Redirect><HostName>old.example.com</HostName><HttpRedirectCode>302</HttpRedirectCode></Redirect>\
            </RoutingRule></RoutingRules>";
        let site = site(rules);
        assert_eq!(ask(&site, "docs/a"), "301 http://site.test/documents/a");
        assert_eq!(ask(&site, "nothing"), "302 http://old.example.com/nothing");
    }

    #[test]
    fn all_requests_can_be_redirected() {
        let all = Website::parse(
            "<WebsiteConfiguration><RedirectAllRequestsTo><HostName>example.com</HostName>\
             <Protocol>https</Protocol></RedirectAllRequestsTo></WebsiteConfiguration>",
        );
        assert_eq!(ask(&all.unwrap(), "x y"), "301 https://example.com/x%20y");
    }
}
