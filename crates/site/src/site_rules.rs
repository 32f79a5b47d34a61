//! The redirect rules and header rules of a deploy: those of `_redirects` and `_headers` in the published directory, and the redirect rules
//! of the configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_core::{Event, Mode, Run};
use twinsite_rules::{
    Answer, Files, FindingKind, HeaderLine, HeaderParts, HeaderRule as FileHeaderRule, NotHonored, ParseErrors,
    ParsedHeaders, Paths, Place, Redirects, Table, TableSource, Target, WebsiteRedirects, parse_headers,
    parse_redirects,
};
use twinsite_sync::{HeaderRule, Headers, Key, Setting, Source, SourceObject, Wave};

use crate::config::Config;
use crate::error::{Context, Error};

const OPERATION: &str = "read the rules of the site";

/// The file with redirect rules, at the top of the published directory.
pub(crate) const REDIRECTS_FILE: &str = "_redirects";
/// The file with header rules, at the top of the published directory.
pub(crate) const HEADERS_FILE: &str = "_headers";

/// The largest file of rules that is read; the parsers read less.
const MAX_BYTES: u64 = 16 << 20;

/// How many rules a warning names.
const SHOWN: usize = 5;

/// What became of the redirect rules and header rules of a deploy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RulesResult {
    /// The number of redirect rules.
    pub redirects: usize,
    /// The number of header rules of `_headers`.
    pub headers: usize,
    /// The number of pages that are published a second time without `.html` at the end of their names, because of `publish.clean_urls`.
    pub clean_urls: usize,
    /// Rules that are not honoured, or not everywhere, or not exactly.
    pub not_honored: Vec<UnhonoredRule>,
}

/// A rule that is not honoured, or not everywhere, or not exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnhonoredRule {
    /// The rule as it was written.
    pub rule: String,
    /// The file and the line.
    pub place: String,
    /// What does not honour it: `cloudfront` or `website-endpoint`; `null` if nothing does.
    pub target: Option<&'static str>,
    /// Why.
    pub reason: String,
    /// Whether the target redirects all the same, only not exactly as the rule says.
    pub in_part: bool,
}

/// The rules of a deploy, compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteRules {
    redirects: Redirects,
    files: Files,
    /// Whether CloudFront has to be told what every path means, and its key value store has no room for that.
    lacks_paths: bool,
    /// How many objects of a prefix CloudFront takes for folders.
    without_dot: usize,
    pub(crate) result: RulesResult,
}

/// The header rules of a `_headers` file; `None` if there is no such file.
pub(crate) struct HeadersFile {
    parsed: Result<ParsedHeaders, ParseErrors>,
}

impl HeadersFile {
    /// Reads the file of a directory. What cannot be read is left to the walk, which says so.
    pub(crate) fn read(dir: &Path) -> Option<Self> {
        let path = dir.join(HEADERS_FILE);
        let metadata = path.metadata().ok()?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return None;
        }
        Some(Self { parsed: parse_headers(std::fs::read(path).ok()?) })
    }

    /// The rules as header rules of objects, and those that cannot be stored with objects.
    ///
    /// # Errors
    /// The lines that cannot be understood.
    pub(crate) fn header_rules(self, index: &str) -> Result<FileHeaders, Error> {
        let parsed = self.parsed.map_err(|errors| malformed(&errors))?;
        let mut found = FileHeaders::default();
        for rule in parsed.rules {
            match object_headers(&rule, index) {
                Ok((rules, unhonored)) => {
                    found.rules.extend(rules);
                    found.not_honored.extend(unhonored);
                    found.parsed.push(rule);
                }
                Err(reason) => {
                    found.not_honored.push(UnhonoredRule::by_nothing(rule.path.clone(), &rule.place, reason));
                }
            }
        }
        Ok(found)
    }
}

/// The header rules of a file.
#[derive(Debug, Default)]
pub(crate) struct FileHeaders {
    /// Those for objects.
    pub(crate) rules: Vec<HeaderRule>,
    /// As they were written.
    parsed: Vec<FileHeaderRule>,
    not_honored: Vec<UnhonoredRule>,
}

/// Takes out `Strict-Transport-Security`: browsers that have seen it refuse the standby, which speaks HTTP.
fn take_hsts(rules: &mut [FileHeaderRule]) -> Vec<UnhonoredRule> {
    let mut unhonored = Vec::new();
    for rule in rules {
        let is_hsts = |line: &mut HeaderLine| line.name.eq_ignore_ascii_case("strict-transport-security");
        let taken: Vec<HeaderLine> = rule.lines.extract_if(.., is_hsts).collect();
        unhonored.extend(taken.into_iter().filter(|line| line.value.is_some()).map(|line| {
            let reason = "browsers would remember it and refuse the standby, which speaks HTTP; `cdn.accept_http_standby = true` sends it";
            UnhonoredRule::by_nothing(format!("{} {}", rule.path, line.name), &line.place, reason)
        }));
    }
    unhonored
}

/// The headers of a rule that S3 does not store, as rules that are not honoured.
fn unstored(rules: &[FileHeaderRule], target: Option<Target>) -> Vec<UnhonoredRule> {
    let lines = rules.iter().flat_map(|rule| rule.parts().edge.into_iter().map(move |line| (rule, line)));
    let unhonored = lines.map(|(rule, line)| UnhonoredRule {
        rule: format!("{} {}", rule.path, line.name),
        place: line.place.to_string(),
        target: target.map(Target::as_str),
        reason: match target {
            Some(_) => "they send only headers that S3 stores with objects".to_owned(),
            None => format!("S3 does not store the header `{}` with objects", line.name),
        },
        in_part: false,
    });
    unhonored.collect()
}

/// A rule of `_headers` as header rules of objects, one for each glob.
fn object_headers(rule: &FileHeaderRule, index: &str) -> Result<(Vec<HeaderRule>, Vec<UnhonoredRule>), String> {
    let globs = rule.globs(index)?;
    let HeaderParts { stored, unsupported, .. } = rule.parts();
    let settings: Vec<Setting> = stored
        .into_iter()
        .filter_map(|setting| match setting.name {
            "cache-control" => Some(Setting::CacheControl(setting.value)),
            "content-type" => Some(Setting::ContentType(setting.value)),
            "content-disposition" => Some(Setting::ContentDisposition(setting.value)),
            "content-encoding" => Some(Setting::ContentEncoding(setting.value)),
            "content-language" => Some(Setting::ContentLanguage(setting.value)),
            _ => None,
        })
        .collect();
    let mut rules = Vec::new();
    for glob in globs.iter().filter(|_| !settings.is_empty()) {
        // A glob with a slash is matched from the top, and one without in any folder: `/` says that it is from the top.
        let rule = HeaderRule::new(&format!("/{glob}"), settings.clone());
        rules.push(rule.map_err(|invalid| invalid.to_string())?);
    }
    let unhonored = unsupported.into_iter().map(|one| UnhonoredRule::by_nothing(one.text, &one.place, one.reason));
    Ok((rules, unhonored.collect()))
}

impl SiteRules {
    /// Takes `_redirects` and `_headers` out of a source that was read, and adds what their rules and those of the configuration become:
    /// the redirect table and, for website endpoints, redirect objects.
    ///
    /// # Errors
    /// Lines that cannot be understood, and rules that lead in a circle.
    pub(crate) fn compile(config: &Config, source: &mut Source, headers: FileHeaders) -> Result<Self, Error> {
        if config.publish.prefix.is_some() {
            return Self::compile_below_prefix(config, source, headers);
        }
        let FileHeaders { parsed: mut headers, mut not_honored, .. } = headers;
        if config.mode == Mode::Layered && !config.cdn.accept_http_standby {
            not_honored.extend(take_hsts(&mut headers));
        }
        let mut result = RulesResult { headers: headers.len(), not_honored, ..RulesResult::default() };
        match config.mode {
            Mode::Dns => result.not_honored.extend(unstored(&headers, None)),
            Mode::Layered => result.not_honored.extend(unstored(&headers, Some(Target::WebsiteEndpoint))),
            Mode::Origin => {}
        }
        let key = |name: &str| name.parse::<Key>().context(OPERATION);
        source.remove(&key(HEADERS_FILE)?);
        let mut redirects = Redirects::default();
        if let Some(file) = source.remove(&key(REDIRECTS_FILE)?) {
            let text = read_file(&file).context(OPERATION)?;
            let parsed =
                parse_redirects(&text, config.publish.redirects_syntax).map_err(|errors| malformed(&errors))?;
            redirects.append(parsed.redirects);
            let unsupported = parsed.unsupported.into_iter();
            result
                .not_honored
                .extend(unsupported.map(|one| UnhonoredRule::by_nothing(one.text, &one.place, one.reason)));
        }
        redirects.append(config.publish.redirects.clone());
        if config.publish.clean_urls {
            result.clean_urls = add_clean_urls(config, source);
        }
        let reason = "a rule cannot add or remove a trailing slash: both paths are the same to it";
        let slash_rules = redirects.take_slash_rules().into_iter();
        let unhonored = slash_rules.map(|rule| UnhonoredRule::by_nothing(rule.text(), rule.place(), reason));
        result.not_honored.extend(unhonored);
        let files = Files::of_keys(source.objects().iter().map(|object| object.key.as_str()), &config.index);
        let findings = redirects.findings(&files, config.domain.as_str());
        let loops = findings.iter().filter(|finding| finding.kind.is_loop());
        let loops: Vec<String> = loops.map(|one| format!("{}: `{}` {}", one.place, one.text, one.kind)).collect();
        if !loops.is_empty() {
            let error = Error::usage(OPERATION, loops.join("\n"));
            return Err(error.hint("change the target, or the order of the rules: the first that matches applies"));
        }
        // No target honours these: that a single one does not is nothing new.
        let told: BTreeSet<Place> = findings.iter().map(|finding| finding.place.clone()).collect();
        let is_new = |rule: &NotHonored| !told.contains(&rule.place);
        let unhonored = findings.into_iter().map(|one| {
            let advice = match one.kind {
                FindingKind::File if config.mode != Mode::Dns => "; `!` after the status forces the rule",
                _ => "",
            };
            UnhonoredRule::by_nothing(one.text, &one.place, format!("{}{advice}", one.kind))
        });
        result.not_honored.extend(unhonored);
        result.redirects = redirects.rules().len();

        // S3's REST API, which serves private buckets, does not know index documents.
        let paths = if config.mode == Mode::Origin { Paths::Listed } else { Paths::Unlisted };
        // In mode `dns`, no function reads a table.
        let headers = if config.mode == Mode::Dns { &[] } else { &headers[..] };
        let (table, not_honored) = Table::compile(TableSource { redirects: &redirects, files: &files, headers, paths });
        let lacks_paths = paths == Paths::Listed && !table.has_paths();
        if config.mode != Mode::Dns {
            result.not_honored.extend(not_honored.into_iter().filter(is_new).map(UnhonoredRule::from));
        }
        if !table.is_empty() {
            let served = Headers { content_type: Some("application/json".to_owned()), ..Headers::default() };
            let (key, text) = (Key::redirect_table(), table.to_text());
            source.insert(SourceObject::in_memory(key, text.into(), Arc::new(served), Wave::Pages));
        }
        if config.mode.public_buckets() {
            let website = WebsiteRedirects::compile(&redirects, &files, &config.index);
            result.not_honored.extend(website.not_honored.into_iter().filter(is_new).map(UnhonoredRule::from));
            let objects = website.objects.into_iter().map(|object| {
                let key: Key = object.key.parse().context(OPERATION)?;
                let served = Headers {
                    content_type: Some("text/plain; charset=utf-8".to_owned()),
                    website_redirect: Some(object.location),
                    ..Headers::default()
                };
                Ok(SourceObject::in_memory(key, Default::default(), Arc::new(served), Wave::Pages))
            });
            source.extend(objects.collect::<Result<Vec<_>, Error>>()?);
        }
        Ok(Self { redirects, files, lacks_paths, without_dot: 0, result })
    }

    /// The same for a source below a prefix. CloudFront has one redirect table, which is that of the main site: of the rules of a prefix,
    /// those for headers that S3 stores with objects are honoured.
    fn compile_below_prefix(config: &Config, source: &mut Source, headers: FileHeaders) -> Result<Self, Error> {
        let FileHeaders { parsed, mut not_honored, .. } = headers;
        not_honored.extend(unstored(&parsed, None).into_iter().map(|rule| {
            let reason = format!("{}, and only the main site has header rules that CloudFront honours", rule.reason);
            UnhonoredRule { reason, ..rule }
        }));
        let mut result = RulesResult { headers: parsed.len(), not_honored, ..RulesResult::default() };
        source.remove(&key_below(config, HEADERS_FILE)?);
        if let Some(file) = source.remove(&key_below(config, REDIRECTS_FILE)?) {
            let text = read_file(&file).context(OPERATION)?;
            let parsed = parse_redirects(&text, config.publish.redirects_syntax);
            let parsed = parsed.map_err(|errors| malformed(&errors))?;
            let reason =
                "only the main site has redirect rules: write it in the main site's `_redirects` or in `twinsite.toml`";
            let rules = parsed.redirects.rules().iter();
            let rules = rules.map(|rule| UnhonoredRule::by_nothing(rule.text(), rule.place(), reason));
            result.not_honored.extend(rules);
            let unsupported = parsed.unsupported.into_iter();
            result
                .not_honored
                .extend(unsupported.map(|one| UnhonoredRule::by_nothing(one.text, &one.place, one.reason)));
        }
        // In mode `origin`, the function takes a name without a dot for a folder, unless the main site's table has it.
        let is_origin = config.mode == Mode::Origin;
        if config.publish.clean_urls && !is_origin {
            result.clean_urls = add_clean_urls(config, source);
        }
        let has_no_dot = |object: &&std::sync::Arc<SourceObject>| !object.key.name().contains('.');
        let without_dot = if is_origin { source.objects().iter().filter(has_no_dot).count() } else { 0 };
        Ok(Self { without_dot, result, ..Self::default() })
    }

    /// Whether visitors of a path get a redirect or another path.
    pub(crate) fn answers(&self, path: &str) -> bool {
        let answer = self.redirects.resolve(path, "", &self.files);
        matches!(answer, Some(Answer::Redirect { .. } | Answer::Rewrite { .. }))
    }

    /// Tells which rules are not honoured, by what and why.
    pub(crate) fn tell(&self, mode: Mode, run: &Run) {
        if self.lacks_paths {
            let text = "CloudFront's key value store has no room for all paths of the site: names without a dot are taken for folders, and \
                        names with one for files"
                .to_owned();
            let hint =
                "link to folders with a slash at the end; in mode `layered`, website endpoints find index documents"
                    .to_owned();
            run.emit(&Event::Warning { text, hint: Some(hint) });
        }
        if self.without_dot > 0 {
            let text = format!(
                "visitors cannot request the files whose names have no dot ({}): in mode `origin`, below a prefix, such a name is that of a folder",
                self.without_dot
            );
            let hint = Some("give them an extension, or publish them with the main site".to_owned());
            run.emit(&Event::Warning { text, hint });
        }
        let mut groups: Vec<(String, Vec<&UnhonoredRule>)> = Vec::new();
        for rule in &self.result.not_honored {
            let what = rule.group();
            match groups.iter_mut().find(|(group, _)| *group == what) {
                Some((_, rules)) => rules.push(rule),
                None => groups.push((what, vec![rule])),
            }
        }
        for (what, rules) in groups {
            let mut text = what;
            for rule in rules.iter().take(SHOWN) {
                let _ = write!(text, "\n  {}: {}", rule.place, rule.rule);
            }
            if rules.len() > SHOWN {
                let _ = write!(text, "\n  and {} more", rules.len() - SHOWN);
            }
            let hint = match (rules[0].target, mode) {
                (Some("website-endpoint"), Mode::Layered) => {
                    Some("visitors reach a website endpoint only after a DNS failover; CloudFront honours these rules".to_owned())
                }
                (Some("website-endpoint"), _) => {
                    Some("in mode `dns` website endpoints serve the site; CloudFront honours these rules, in the modes `origin` and `layered`".to_owned())
                }
                (Some(_) | None, _) => None,
            };
            run.emit(&Event::Warning { text, hint });
        }
    }
}

/// Publishes pages under their names without `.html`, too, where no file and no folder has that name; returns their number. An object is
/// the same to CloudFront, to website endpoints and after every failover. A name with another dot stays as it is: without `.html`, it would
/// look like a file of another type, such as an asset, which is kept when its page is deleted.
fn add_clean_urls(config: &Config, source: &mut Source) -> usize {
    let not_found = config.not_found.as_deref().and_then(|name| key_below(config, name).ok());
    let not_found = not_found.as_ref().map(Key::as_str);
    let pages = source.objects().iter().filter_map(|object| {
        let key = object.key.as_str();
        let name = key.strip_suffix(".html").filter(|name| !name.is_empty() && !name.ends_with('/'))?;
        let has_dot = name.rsplit('/').next().is_some_and(|last| last.contains('.'));
        let is_page = not_found != Some(key) && !is_index(key, &config.index);
        let is_page = is_page && !has_dot && !name.starts_with(".well-known/");
        let is_free = |key: &str| key.parse::<Key>().is_ok_and(|key| source.get(&key).is_none());
        (is_page && is_free(name) && is_free(&format!("{name}/{}", config.index))).then_some((object, name))
    });
    let copies: Vec<SourceObject> = pages.filter_map(|(page, name)| Some(page.copy_to(name.parse().ok()?))).collect();
    let count = copies.len();
    source.extend(copies);
    count
}

/// The key of a file at the top of the directory that is published.
pub(crate) fn key_below(config: &Config, name: &str) -> Result<Key, Error> {
    let key: Key = name.parse().context(OPERATION)?;
    match &config.publish.prefix {
        None => Ok(key),
        Some(prefix) => prefix.join(&key).context(OPERATION),
    }
}

fn is_index(key: &str, index: &str) -> bool {
    key.strip_suffix(index).is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
}

impl UnhonoredRule {
    /// A rule that no target honours.
    fn by_nothing(rule: impl Into<String>, place: &Place, reason: impl Into<String>) -> Self {
        Self { rule: rule.into(), place: place.to_string(), target: None, reason: reason.into(), in_part: false }
    }

    /// What a warning says of all rules with the same reason.
    fn group(&self) -> String {
        let target = match self.target {
            Some("website-endpoint") => Target::WebsiteEndpoint.to_string(),
            Some(_) => Target::CloudFront.to_string(),
            None => return format!("rules that are not honoured: {}", self.reason),
        };
        let degree = if self.in_part { "honour in part" } else { "do not honour" };
        format!("rules that {target} {degree}: {}", self.reason)
    }
}

impl From<NotHonored> for UnhonoredRule {
    fn from(rule: NotHonored) -> Self {
        let NotHonored { place, text, target, reason, in_part } = rule;
        Self { rule: text, place: place.to_string(), target: Some(target.as_str()), reason, in_part }
    }
}

fn malformed(errors: &ParseErrors) -> Error {
    Error::usage(OPERATION, errors.to_string())
        .hint("correct these lines; if the file is not meant for twinsite, leave it out with `publish.ignore`")
}

fn read_file(object: &SourceObject) -> io::Result<Vec<u8>> {
    match object.file() {
        Some((path, stamp)) if stamp.size <= MAX_BYTES => std::fs::read(path),
        Some(_) => Err(io::Error::other(format!("`{}` is larger than {MAX_BYTES} bytes", object.key))),
        None => Ok(Vec::new()),
    }
}

/// Warns of files of rules that are published as files, because there is no site whose rules they could be.
pub(crate) fn tell_of_files(source: &Source, run: &Run) {
    let has = |name: &&&str| name.parse::<Key>().is_ok_and(|key| source.get(&key).is_some());
    let names: Vec<&str> = [REDIRECTS_FILE, HEADERS_FILE].iter().filter(has).copied().collect();
    if !names.is_empty() {
        let text = format!(
            "published as files: {}; their rules are honoured only for sites with a configuration",
            names.join(", ")
        );
        let hint = Some("leave them out with an ignore rule, or publish with `twinsite.toml`".to_owned());
        run.emit(&Event::Warning { text, hint });
    }
}
