//! What is published, and what it is served with.

mod cache;
mod content;
mod hashed;
mod headers;
mod ignored;
mod kinds;
mod types;
mod waves;
mod withheld;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use twinsite_core::Invalid;

use crate::{Body, Headers, Key, Place, Prefix, SourceObject, Stamp, Wave};
pub(crate) use hashed::Evidence;
pub use headers::{HeaderRule, Setting};
pub use ignored::IgnoreRule;
pub(crate) use ignored::{Ignored, Malformed, Verdict};
use kinds::Kind;

/// What is published, and what it is served with.
#[derive(Clone, Debug)]
pub struct Rules {
    headers: Vec<HeaderRule>,
    ignore: Vec<String>,
    index: String,
    not_found: Option<String>,
    /// Keys are judged by what they are called below it.
    below: Option<Prefix>,
}

impl Rules {
    /// The defaults for a web site: `index.html`, `404.html`, types by extension, text as UTF-8, and `Cache-Control` so that
    /// pages and data are checked each time, assets with a digest in their name are kept for a year and others for an hour.
    pub fn web() -> Self {
        let not_found = Some("404.html".to_owned());
        Self { headers: Vec::new(), ignore: Vec::new(), index: "index.html".to_owned(), not_found, below: None }
    }

    /// Names the index and error documents, which are published last.
    #[must_use]
    pub fn entry(self, index: impl Into<String>, not_found: Option<String>) -> Self {
        Self { index: index.into(), not_found, ..self }
    }

    /// The same for a source that is published below a prefix: keys are judged by what they are called there, so that patterns and entry
    /// documents are those of the directory.
    #[must_use]
    pub fn below(self, prefix: Option<Prefix>) -> Self {
        Self { below: prefix, ..self }
    }

    /// The prefix below which sources are published.
    pub fn prefix(&self) -> Option<&Prefix> {
        self.below.as_ref()
    }

    /// What a key is called below the prefix.
    pub(crate) fn relative<'k>(&self, key: &'k Key) -> Cow<'k, Key> {
        let relative = self.below.as_ref().and_then(|prefix| prefix.relative(key));
        relative.map_or(Cow::Borrowed(key), Cow::Owned)
    }

    /// Adds a rule for headers. Of two rules that set the same header of an object, the later one counts.
    #[must_use]
    pub fn header(mut self, rule: HeaderRule) -> Self {
        self.headers.push(rule);
        self
    }

    /// Adds rules for headers before those that are there, which take precedence.
    #[must_use]
    pub fn earlier_headers(mut self, rules: Vec<HeaderRule>) -> Self {
        self.headers.splice(0..0, rules);
        self
    }

    /// Leaves out what matches a pattern, in gitignore syntax.
    pub fn ignore(mut self, pattern: &str) -> Result<Self, Invalid> {
        ignored::check(pattern)?;
        self.ignore.push(pattern.to_owned());
        Ok(self)
    }

    pub(crate) fn ignored(&self) -> Ignored {
        Ignored::new(&self.ignore)
    }

    /// The key of the index document at the top.
    pub(crate) fn index(&self) -> &str {
        &self.index
    }

    fn kind(&self, key: &Key) -> Kind {
        kinds::kind_of(&self.relative(key), &self.index)
    }

    /// When an object of this name is sent.
    pub fn wave(&self, key: &Key) -> Wave {
        if key.is_redirect_table() {
            return Wave::Pages;
        }
        let key = &*self.relative(key);
        waves::wave_of(key, kinds::kind_of(key, &self.index), &self.index, self.not_found.as_deref())
    }

    /// True for what visitors open.
    pub(crate) fn is_page(&self, key: &Key) -> bool {
        self.kind(key) == Kind::Page && !key.is_redirect_table()
    }

    /// True for what an open page may still ask for after the site has ceased to refer to it. Documents and data are not kept for
    /// that, and still less what is withheld.
    pub(crate) fn is_asset_of_pages(&self, key: &Key) -> bool {
        let kind = self.kind(key);
        let asset = self.wave(key) == Wave::Assets && kind != Kind::Document;
        asset && !key.is_redirect_table() && withheld::reason_for_path(Path::new(self.relative(key).as_str())).is_none()
    }

    /// What a file becomes.
    pub(crate) fn object(&self, key: Key, file: FoundFile, sets: &mut Sets) -> SourceObject {
        let FoundFile { place, stamp, head } = file;
        let (wave, headers) = (self.wave(&key), self.headers_of(&key, &head));
        SourceObject { key, body: Body::File { place, stamp }, size: stamp.size, headers: sets.shared(headers), wave }
    }

    /// The headers that an object of this name may have, as far as the name tells; of several lifetimes, the longest.
    pub(crate) fn headers(&self, key: &Key) -> Headers {
        let key = &*self.relative(key);
        let mut headers = self.headers_of(key, &[]);
        if self.may_be_kept_for_a_year(key) {
            headers.cache_control = Some(cache::IMMUTABLE.to_owned());
        }
        headers
    }

    fn headers_of(&self, key: &Key, head: &[u8]) -> Headers {
        let served = types::served(key, head);
        let mut headers = Headers {
            content_type: Some(served.content_type),
            content_encoding: served.content_encoding.map(str::to_owned),
            cache_control: Some(cache::default_for(key, self.kind(key)).to_owned()),
            ..Headers::default()
        };
        for rule in self.headers.iter().filter(|rule| rule.matches(key)) {
            rule.apply(&mut headers);
        }
        headers
    }

    fn may_be_kept_for_a_year(&self, key: &Key) -> bool {
        let ruled = self.headers.iter().any(|rule| rule.sets_cache_control() && rule.matches(key));
        !ruled && self.kind(key).is_bundled()
    }

    /// Lets browsers keep an object whose name turned out to carry a digest, unless a rule says something else.
    pub(crate) fn keep_for_a_year(&self, object: &mut SourceObject, sets: &mut Sets) {
        if self.may_be_kept_for_a_year(&object.key) {
            let cache_control = Some(cache::IMMUTABLE.to_owned());
            object.headers = sets.shared(Headers { cache_control, ..Headers::clone(&object.headers) });
        }
    }
}

/// A file of the source.
#[derive(Debug)]
pub(crate) struct FoundFile {
    pub(crate) place: Place,
    pub(crate) stamp: Stamp,
    /// Its beginning, where the name does not tell what it is.
    pub(crate) head: Vec<u8>,
}

/// Reads the beginning of a file, where its name does not tell what it is.
pub(crate) fn read_head(path: &Path, key: &Key) -> io::Result<Vec<u8>> {
    content::read(path, content::needed(key))
}

/// Why a file is withheld, by its content.
pub(crate) fn withheld_content(key: &Key, head: &[u8]) -> Option<&'static str> {
    let extension = key.extension();
    if withheld::may_be_key(&extension) { withheld::reason_of_content(&extension, head) } else { None }
}

/// The sets of headers that objects share.
#[derive(Debug, Default)]
pub(crate) struct Sets(HashSet<Arc<Headers>>);

impl Sets {
    fn shared(&mut self, headers: Headers) -> Arc<Headers> {
        if let Some(known) = self.0.get(&headers) {
            return Arc::clone(known);
        }
        let new = Arc::new(headers);
        self.0.insert(Arc::clone(&new));
        new
    }
}
