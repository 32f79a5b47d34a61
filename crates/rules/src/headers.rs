//! Header rules: which of their headers S3 stores with objects, and which CloudFront can add to responses.

use crate::model::Place;
use crate::path::location;

/// A header that a rule sets, or with `!` takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine {
    /// Where it was written.
    pub place: Place,
    /// Its name as it was written.
    pub name: String,
    /// Its value; `None` takes it away.
    pub value: Option<String>,
}

/// Headers of the paths that match a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    /// Where its path was written.
    pub place: Place,
    /// The path, with `*` and placeholders.
    pub path: String,
    /// What it sets, in its order.
    pub lines: Vec<HeaderLine>,
}

/// A header that S3 stores with an object and serves with it, also from a website endpoint.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSetting {
    /// The name in lower case: `cache-control`, `content-type`, `content-disposition`, `content-encoding` or `content-language`.
    pub name: &'static str,
    /// The value; `None` takes it away.
    pub value: Option<String>,
}

/// The headers of a rule by what sends them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderParts {
    /// What S3 stores with objects.
    pub stored: Vec<HeaderSetting>,
    /// What a function in CloudFront adds to responses or takes away.
    pub edge: Vec<HeaderLine>,
    /// What neither can do.
    pub unsupported: Vec<UnsupportedHeader>,
}

/// A header that nothing can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedHeader {
    /// Where it was written.
    pub place: Place,
    /// The path and the header.
    pub text: String,
    /// Why, as a sentence without a full stop.
    pub reason: String,
}

/// The headers that S3 stores.
const STORED: [&str; 5] =
    ["cache-control", "content-type", "content-disposition", "content-encoding", "content-language"];

/// Headers that functions cannot set, and prefixes of such; `set-cookie` is no header to them. In lower case.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html>
const REFUSED: [&str; 33] = [
    "connection",
    "content-length",
    "content-range",
    "date",
    "etag",
    "expect",
    "host",
    "keep-alive",
    "last-modified",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amzn-auth",
    "x-amzn-cf-",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-",
    "x-amzn-lambda-",
    "x-amzn-requestid",
    "x-cache",
    "x-edge-",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Why a function cannot add this header or take it away; `None` if it can.
fn refusal(line: &HeaderLine) -> Option<String> {
    let HeaderLine { name, value, .. } = line;
    let lower = name.to_ascii_lowercase();
    let is_refused = |one: &&str| lower == *one || one.ends_with('-') && lower.starts_with(one);
    let is_visible = |value: &String| value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if REFUSED.iter().any(is_refused) || lower.starts_with("x-amz-cf-") {
        Some(format!("neither S3 nor CloudFront lets the header `{name}` be set"))
    } else if !value.as_ref().is_none_or(is_visible) {
        Some(format!("the value of `{name}` has characters other than ASCII"))
    } else {
        None
    }
}

impl HeaderRule {
    /// What sends the headers of this rule.
    pub fn parts(&self) -> HeaderParts {
        let HeaderParts { stored: mut settings, mut edge, mut unsupported } = HeaderParts::default();
        for line in &self.lines {
            let HeaderLine { place, name, value } = line;
            let mut refuse = |reason: String| {
                let text = format!("{} {name}", self.path);
                unsupported.push(UnsupportedHeader { place: place.clone(), text, reason });
            };
            let stored = STORED.iter().find(|stored| name.eq_ignore_ascii_case(stored));
            match (stored, value) {
                (None, _) => match refusal(line) {
                    Some(reason) => refuse(reason),
                    None => edge.push(line.clone()),
                },
                (Some(&"content-type"), None) => refuse("an object always has a `Content-Type`".to_owned()),
                (Some(stored), Some(value)) => match settings.iter_mut().find(|setting| setting.name == *stored) {
                    // A header that is there several times is one with all values.
                    Some(HeaderSetting { value: Some(first), .. }) => first.extend([", ", value.as_str()]),
                    _ => settings.push(HeaderSetting { name: stored, value: Some(value.clone()) }),
                },
                (Some(stored), None) => {
                    settings.retain(|setting| setting.name != *stored);
                    settings.push(HeaderSetting { name: stored, value: None });
                }
            }
        }
        HeaderParts { stored: settings, edge, unsupported }
    }

    /// Globs over keys, in which `*` does not match a slash and `**` does; `index` is the index document of folders.
    ///
    /// # Errors
    /// Why the path cannot be one of keys.
    pub fn globs(&self, index: &str) -> Result<Vec<String>, String> {
        let path =
            self.path.strip_prefix('/').ok_or("rules for other hosts are not supported: start the path with `/`")?;
        let mut globs = vec![String::new()];
        let segments: Vec<&str> = path.split('/').collect();
        for (at, segment) in segments.iter().enumerate() {
            let is_last = at + 1 == segments.len();
            let next: Vec<String> = match segment.split_once('*') {
                _ if *segment == "*" && is_last => vec!["**".to_owned()],
                Some((_, rest)) if rest.contains('*') => return Err("has `*` twice in a segment".to_owned()),
                Some(("", rest)) if is_last => vec![format!("**/*{}", escaped(rest)?)],
                Some((start, "")) if is_last => {
                    vec![format!("{}*", escaped(start)?), format!("{}*/**", escaped(start)?)]
                }
                Some((start, rest)) if is_last => vec![format!("{}*{}", escaped(start)?, escaped(rest)?)],
                Some(_) => return Err("`*` is supported in the last segment of a path only".to_owned()),
                None if segment.starts_with(':') => vec!["*".to_owned()],
                None if segment.is_empty() && is_last => vec![escaped(index)?],
                None => vec![escaped(segment)?],
            };
            let join = |start: &String| {
                let slash = if at == 0 { "" } else { "/" };
                next.iter().map(|end| format!("{start}{slash}{end}")).collect::<Vec<_>>()
            };
            globs = globs.iter().flat_map(join).collect();
        }
        // A folder is requested with and without a slash; what is served is its index document.
        let is_plain = !path.is_empty() && !path.ends_with('/') && !path.contains('*');
        if is_plain && !path.rsplit('/').next().unwrap_or_default().contains('.') {
            let index = escaped(index)?;
            globs.extend(globs.clone().iter().map(|glob| format!("{glob}/{index}")));
        }
        Ok(globs)
    }
}

/// A segment of a path as text in a glob.
fn escaped(segment: &str) -> Result<String, String> {
    let text = percent_encoding::percent_decode_str(segment).decode_utf8();
    let text = text.map_err(|_| format!("`{}` is not UTF-8", location(segment)))?;
    Ok(text.chars().fold(String::new(), |mut glob, letter| {
        if "*?[]{}!\\".contains(letter) {
            glob.push('\\');
        }
        glob.push(letter);
        glob
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, lines: &[(&str, Option<&str>)]) -> HeaderRule {
        let place = Place { file: "_headers", line: 1 };
        let line = |(name, value): &(&str, Option<&str>)| HeaderLine {
            place: place.clone(),
            name: (*name).to_owned(),
            value: value.map(str::to_owned),
        };
        HeaderRule { lines: lines.iter().map(line).collect(), path: path.to_owned(), place: place.clone() }
    }

    #[test]
    fn paths_are_globs_over_keys() {
        for (path, expected) in [
            ("/*", vec!["**"]),
            ("/", vec!["index.html"]),
            ("/a/", vec!["a/index.html"]),
            ("/a", vec!["a", "a/index.html"]),
            ("/a.css", vec!["a.css"]),
            ("/a/*", vec!["a/**"]),
            ("/*.jpg", vec!["**/*.jpg"]),
            ("/img*", vec!["img*", "img*/**"]),
            ("/:lang/feed.xml", vec!["*/feed.xml"]),
            ("/a%20b/[x].js", vec!["a b/\\[x\\].js"]),
        ] {
            assert_eq!(rule(path, &[]).globs("index.html").unwrap(), expected, "{path}");
        }
        for wrong in ["https://a.example/*", "/*/a", "/a*b*c", "/%ff"] {
            assert!(rule(wrong, &[]).globs("index.html").is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_s3_stores_is_a_setting_and_the_rest_is_for_cloudfront_or_told() {
        let rule = rule(
            "/*",
            &[
                ("X-Frame-Options", Some("DENY")),
                ("Cache-control", Some("public")),
                ("cache-control", Some("max-age=60")),
                ("Content-Language", None),
                ("Content-Type", None),
                ("X-Edge-Location", Some("here")),
                ("Transfer-Encoding", Some("chunked")),
                ("X-Poem", Some("\u{e9}t\u{e9}")),
                ("Server", None),
            ],
        );
        let HeaderParts { stored: settings, edge, unsupported } = rule.parts();
        let expected = [
            HeaderSetting { name: "cache-control", value: Some("public, max-age=60".to_owned()) },
            HeaderSetting { name: "content-language", value: None },
        ];
        assert_eq!(settings, expected);
        let told: Vec<&str> = unsupported.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(told, ["/* Content-Type", "/* X-Edge-Location", "/* Transfer-Encoding", "/* X-Poem"]);
        assert_eq!(edge.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["X-Frame-Options", "Server"]);
    }
}
