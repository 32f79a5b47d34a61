//! `twinsite.toml`: read, checked, and turned into values that prove it.

mod file;
mod services;
mod template;

use std::path::Path;

use twinsite_core::{Domain, Mode, Pair, Region};
use twinsite_sync::{Guard, HeaderRule, Keep, Rules};

use crate::error::Failure;
use file::{File, Place};
pub(crate) use template::{Answers, text};

/// A checked configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) domain: Domain,
    pub(crate) mode: Mode,
    pub(crate) regions: Pair<Region>,
    pub(crate) index: String,
    pub(crate) not_found: Option<String>,
    pub(crate) keep: Keep,
    pub(crate) batch_above: usize,
    pub(crate) probe: bool,
    pub(crate) cdn: services::Cdn,
    pub(crate) dns: services::Dns,
    pub(crate) emails: Vec<String>,
    pub(crate) replicate_back: bool,
    pub(crate) time_control: bool,
    pub(crate) guard: Guard,
    headers: Vec<HeaderRule>,
    ignore: Vec<String>,
}

impl Config {
    /// Reads a configuration.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let what = format!("read `{}`", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(&what, error)
                .hint("write one with `twinsite init`, or name it with --config; to try things out, add --local")
        })?;
        Self::parse(&text).map_err(|fault| Failure::usage(&what, fault))
    }

    /// What is used with `--local` when there is no configuration.
    pub(crate) fn example() -> Self {
        let answers = Answers::default();
        Self::parse(&text(&answers)).unwrap_or_else(|fault| unreachable!("the template is tested: {fault}"))
    }

    /// Reads a configuration from its text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let File { site, primary, backup, cdn, dns, alerts, publish } = file;
        let place = Place { text };
        let regions = Pair::new(place.check(&primary.region)?, place.check(&backup.region)?);
        if regions.primary == regions.backup {
            let same = "is both the primary and the backup: losing it would lose both";
            return Err(place.fault(&backup.region, &format!("region `{}` {same}", regions.backup)));
        }
        let headers = publish.headers.iter().map(|rule| rule.rule(&place)).collect::<Result<_, _>>()?;
        for pattern in &publish.ignore {
            Rules::web().ignore(pattern.get_ref()).map_err(|invalid| place.fault(pattern, &invalid.to_string()))?;
        }
        Ok(Self {
            domain: place.check(&site.domain)?,
            mode: site.mode.as_ref().map(|mode| place.check(mode)).transpose()?.unwrap_or_default(),
            regions,
            index: publish.index,
            not_found: publish.not_found.filter(|key| !key.is_empty()),
            keep: Keep { releases: publish.keep_releases.max(1), days: publish.keep_days },
            batch_above: publish.batch_above,
            probe: publish.probe,
            cdn: services::cdn(&cdn, &place)?,
            dns: services::dns(&dns, &place)?,
            emails: services::emails(&alerts, &place)?,
            replicate_back: backup.replicate_back,
            time_control: backup.replication_time_control,
            guard: Guard { count: publish.max_delete, percent: publish.max_delete_percent.min(100) },
            headers,
            ignore: publish.ignore.into_iter().map(toml::Spanned::into_inner).collect(),
        })
    }

    /// What is published, and what it is served with.
    pub(crate) fn rules(&self) -> Result<Rules, Failure> {
        let mut rules = Rules::web().entry(self.index.clone(), self.not_found.clone());
        for rule in &self.headers {
            rules = rules.header(rule.clone());
        }
        for pattern in &self.ignore {
            rules = rules.ignore(pattern).map_err(|invalid| Failure::usage("use the configuration", invalid))?;
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Config::parse(text).unwrap_err()
    }

    const BASE: &str =
        "[site]\ndomain = \"www.example.com\"\n[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";

    #[test]
    fn defaults_are_filled_in() {
        let config = Config::parse(BASE).unwrap();
        assert_eq!((config.mode, config.index.as_str(), config.guard), (Mode::Layered, "index.html", Guard::default()));
    }

    #[test]
    fn the_readmes_example_is_a_configuration() {
        let readme = include_str!("../../../README.md");
        let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = Config::parse(example).unwrap();
        assert_eq!((config.cdn.accept_http_standby, config.dns.health), (true, Default::default()));
    }

    #[test]
    fn faults_say_where_and_what() {
        let unknown = fault(&BASE.replace("[primary]", "moed = \"dns\"\n[primary]"));
        assert!(unknown.contains("line 3") && unknown.contains("moed") && unknown.contains("mode"), "{unknown}");
        let domain = fault(&BASE.replace("www.example.com", "https://www.example.com"));
        assert!(domain.contains("line 2") && domain.contains("is an address"), "{domain}");
        let same = fault(&BASE.replace("us-west-2", "us-east-1"));
        assert!(same.contains("line 6") && same.contains("both the primary and the backup"), "{same}");
        let mode = fault(&BASE.replace("[primary]", "mode = \"triple\"\n[primary]"));
        assert!(mode.contains("`dns`, `origin`, `layered`"), "{mode}");
        let rule = format!("{BASE}[[publish.headers]]\nmatch = \"a[\"\ncache_control = \"no-store\"\n");
        assert!(fault(&rule).contains("line 8"), "{}", fault(&rule));
    }

    #[test]
    fn header_rules_are_read() {
        let text = format!(
            "{BASE}[[publish.headers]]\nmatch = \"*.html\"\ncache_control = \"no-store\"\nunset = [\"content-language\"]\n\
             metadata = {{ team = \"web\" }}\n"
        );
        assert_eq!(Config::parse(&text).unwrap().headers.len(), 1);
        let odd = text.replace("content-language", "host");
        assert!(fault(&odd).contains("`host`"), "{}", fault(&odd));
    }
}
