//! What is published, and what it is served with.

mod cache;
mod headers;
mod ignored;
mod types;
mod waves;

use std::collections::HashSet;
use std::sync::Arc;

use twinsite_core::Invalid;

use crate::{Body, Headers, Key, Place, SourceObject, Stamp, Wave};
pub use headers::{HeaderRule, Setting};
pub(crate) use ignored::Ignored;

/// What is published, and what it is served with.
#[derive(Clone, Debug)]
pub struct Rules {
    headers: Vec<HeaderRule>,
    ignore: Vec<String>,
    index: String,
    not_found: Option<String>,
}

impl Rules {
    /// The defaults for a web site: `index.html`, `404.html`, types by extension, text as UTF-8, and `Cache-Control` so that
    /// pages are checked each time, assets with a hash in their name are kept for a year and others for an hour.
    pub fn web() -> Self {
        let not_found = Some("404.html".to_owned());
        Self { headers: Vec::new(), ignore: Vec::new(), index: "index.html".to_owned(), not_found }
    }

    /// Names the index and error documents, which are published last.
    #[must_use]
    pub fn entry(self, index: impl Into<String>, not_found: Option<String>) -> Self {
        Self { index: index.into(), not_found, ..self }
    }

    /// Adds a rule for headers. Of two rules that set the same header of an object, the later one counts.
    #[must_use]
    pub fn header(mut self, rule: HeaderRule) -> Self {
        self.headers.push(rule);
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

    /// When an object of this name is sent.
    pub fn wave(&self, key: &Key) -> Wave {
        waves::wave_of(key, &self.index, self.not_found.as_deref())
    }

    /// What a file becomes.
    pub(crate) fn object(&self, key: Key, (place, stamp): (Place, Stamp), sets: &mut Sets) -> SourceObject {
        let (wave, headers) = (self.wave(&key), self.headers(&key));
        SourceObject { key, body: Body::File { place, stamp }, size: stamp.size, headers: sets.shared(headers), wave }
    }

    /// The headers of an object of this name.
    pub(crate) fn headers(&self, key: &Key) -> Headers {
        let mut headers = Headers {
            content_type: Some(types::content_type(key)),
            cache_control: Some(cache::default_for(key, self.wave(key)).to_owned()),
            ..Headers::default()
        };
        for rule in self.headers.iter().filter(|rule| rule.matches(key)) {
            rule.apply(&mut headers);
        }
        headers
    }
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
