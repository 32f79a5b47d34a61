//! What has a name that nothing else of its kind may have: origin access controls, response headers policies, functions.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{CloudFront, Element, Fault, matches};

/// A resource that is little but a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its configuration, whole.
    pub config: Element,
    /// Changes with every update.
    pub etag: String,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// A function: what is being worked on, and what is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its configuration, whole.
    pub config: Element,
    /// Its code in base64, as it was sent.
    pub code: String,
    /// Changes with every update.
    pub etag: String,
    /// The configuration and code that requests run through.
    pub live: Option<(Element, String)>,
    /// When it was created.
    pub created: SystemTime,
    /// When it was last changed.
    pub modified: SystemTime,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl Function {
    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{}:function/{}", super::super::ACCOUNT, self.name)
    }
}

/// A kind of [`Named`], with its error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Origin access controls.
    Control,
    /// Response headers policies.
    Headers,
}

impl Kind {
    fn codes(self) -> [&'static str; 3] {
        match self {
            Self::Control => {
                ["NoSuchOriginAccessControl", "OriginAccessControlAlreadyExists", "OriginAccessControlInUse"]
            }
            Self::Headers => {
                ["NoSuchResponseHeadersPolicy", "ResponseHeadersPolicyAlreadyExists", "ResponseHeadersPolicyInUse"]
            }
        }
    }
}

impl CloudFront {
    /// All of a kind by id.
    pub fn all(&self, kind: Kind) -> &BTreeMap<String, Named> {
        match kind {
            Kind::Control => &self.controls,
            Kind::Headers => &self.headers,
        }
    }

    fn all_mut(&mut self, kind: Kind) -> &mut BTreeMap<String, Named> {
        match kind {
            Kind::Control => &mut self.controls,
            Kind::Headers => &mut self.headers,
        }
    }

    /// One of a kind.
    pub fn named(&self, kind: Kind, id: &str) -> Result<&Named, Fault> {
        let [missing, ..] = kind.codes();
        self.all(kind).get(id).ok_or_else(|| Fault::new(missing, 404, format!("{id} does not exist.")))
    }

    fn unique(&self, kind: Kind, config: &Element, but: Option<&str>) -> Result<(), Fault> {
        let [_, exists, _] = kind.codes();
        let name = config.at("Name");
        if name.is_empty() || name.len() > 128 {
            return Err(Fault::new("InvalidArgument", 400, "The name is missing or too long."));
        }
        let mut others = self.all(kind).values().filter(|there| Some(there.id.as_str()) != but);
        match others.find(|there| there.config.at("Name") == name) {
            Some(_) => Err(Fault::new(exists, 409, format!("{name} exists already."))),
            None => Ok(()),
        }
    }

    /// Creates one.
    pub fn create_named(&mut self, kind: Kind, config: Element, now: SystemTime) -> Result<Named, Fault> {
        self.unique(kind, &config, None)?;
        let id = match kind {
            Kind::Control => format!("E{}", self.next()),
            Kind::Headers => format!("00000000-0000-4000-8000-{}", &self.next()[1..]),
        };
        let made = Named { id, config, etag: format!("E{}", self.next()), modified: now };
        self.all_mut(kind).insert(made.id.clone(), made.clone());
        Ok(made)
    }

    /// Replaces one's configuration.
    pub fn update_named(
        &mut self,
        (kind, id): (Kind, &str),
        etag: Option<&str>,
        config: Element,
        now: SystemTime,
    ) -> Result<Named, Fault> {
        matches(etag, &self.named(kind, id)?.etag)?;
        self.unique(kind, &config, Some(id))?;
        let changed = Named { id: id.to_owned(), config, etag: format!("E{}", self.next()), modified: now };
        self.all_mut(kind).insert(id.to_owned(), changed.clone());
        Ok(changed)
    }

    /// Deletes one that no distribution names.
    pub fn delete_named(&mut self, kind: Kind, id: &str, etag: Option<&str>) -> Result<(), Fault> {
        let [_, _, in_use] = kind.codes();
        matches(etag, &self.named(kind, id)?.etag)?;
        if self.distributions().any(|distribution| distribution.config.print().contains(&format!(">{id}<"))) {
            return Err(Fault::new(in_use, 409, format!("{id} is in use by a distribution.")));
        }
        self.all_mut(kind).remove(id);
        Ok(())
    }

    /// One function.
    pub fn function(&self, name: &str) -> Result<&Function, Fault> {
        let missing = || Fault::new("NoSuchFunctionExists", 404, "The specified function does not exist.");
        self.functions.get(name).ok_or_else(missing)
    }

    /// Creates or replaces a function's code; live is what was published.
    pub fn put_function(
        &mut self,
        name: &str,
        etag: Option<Option<&str>>,
        (config, code): (Element, String),
        now: SystemTime,
    ) -> Result<Function, Fault> {
        let there = self.functions.get(name).cloned();
        match (&there, etag) {
            (Some(_), None) => {
                return Err(Fault::new("FunctionAlreadyExists", 409, format!("A function {name} exists already.")));
            }
            (Some(there), Some(etag)) => matches(etag, &there.etag)?,
            (None, Some(_)) => drop(self.function(name)?),
            (None, None) => {}
        }
        // Ten kilobytes of code are four thirds of that in base64.
        if code.len() > 10 * 1024 * 4 / 3 + 4 {
            return Err(Fault::new("FunctionSizeLimitExceeded", 413, "The function is too large."));
        }
        let (live, created, tags) = there.map_or((None, now, BTreeMap::new()), |f| (f.live, f.created, f.tags));
        let etag = format!("ETVPDK{}", self.next());
        let function = Function { name: name.to_owned(), config, code, etag, live, created, modified: now, tags };
        self.functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// Makes what is being worked on live.
    pub fn publish(&mut self, name: &str, etag: Option<&str>) -> Result<Function, Fault> {
        let mut function = self.function(name)?.clone();
        matches(etag, &function.etag)?;
        function.live = Some((function.config.clone(), function.code.clone()));
        self.functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// Deletes a function that no distribution names.
    pub fn delete_function(&mut self, name: &str, etag: Option<&str>) -> Result<(), Fault> {
        let function = self.function(name)?;
        matches(etag, &function.etag)?;
        let arn = function.arn();
        if self.distributions().any(|distribution| distribution.config.print().contains(&arn)) {
            return Err(Fault::new("FunctionInUse", 409, format!("The function {name} is in use.")));
        }
        self.functions.remove(name);
        Ok(())
    }
}
