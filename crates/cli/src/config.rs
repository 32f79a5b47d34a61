//! `twinsite.toml`: parsed and checked. Errors show line and column.

mod checks;
mod file;
mod template;

use std::path::Path;

use twinsite_site::{Config, Error, Guard, Pair, PublishConfig, RetentionPolicy, SourceChecks};
use twinsite_sync::Rules;

use crate::args::Global;
use file::{File, Place};
pub(crate) use template::{Answers, text};

/// The configuration; with `--local`, an example if there is no file.
pub(crate) fn read_config(global: &Global) -> Result<Config, Error> {
    if global.local && !global.config.exists() { Ok(example()) } else { read(&global.config) }
}

/// Reads a configuration file.
pub(crate) fn read(path: &Path) -> Result<Config, Error> {
    let operation = format!("read `{}`", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(&operation, error.to_string())
            .hint("create it with `twinsite init`, or name another file with --config; to try it out, add --local")
    })?;
    parse(&text).map_err(|fault| Error::usage(&operation, fault))
}

/// The configuration that `--local` uses without a file.
fn example() -> Config {
    let answers = Answers::default();
    parse(&text(&answers)).unwrap_or_else(|fault| unreachable!("the template is tested: {fault}"))
}

/// Parses the text of a configuration file.
pub(crate) fn parse(text: &str) -> Result<Config, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let File { site, primary, backup, cdn, dns, alerts, publish } = file;
    let place = Place { text };
    let regions = Pair::new(place.check(&primary.region)?, place.check(&backup.region)?);
    if regions.primary == regions.backup {
        let same = "is both the primary and the backup: its loss would take both";
        return Err(place.fault(&backup.region, &format!("region `{}` {same}", regions.backup)));
    }
    let headers = publish.headers.iter().map(|rule| rule.rule(&place)).collect::<Result<_, _>>()?;
    for pattern in &publish.ignore {
        Rules::web().ignore(pattern.get_ref()).map_err(|invalid| place.fault(pattern, &invalid.to_string()))?;
    }
    let mut config = Config::new(place.check(&site.domain)?, regions);
    config.mode = site.mode.as_ref().map(|mode| place.check(mode)).transpose()?.unwrap_or_default();
    config.index = publish.index;
    config.not_found = publish.not_found.filter(|key| !key.is_empty());
    config.publish = PublishConfig {
        headers,
        ignore: publish.ignore.into_iter().map(toml::Spanned::into_inner).collect(),
        checks: SourceChecks { index: publish.require_index, output_only: publish.refuse_project_root },
        guard: Guard {
            count: publish.max_delete,
            percent: publish.max_delete_percent.min(100),
            pages_percent: publish.max_delete_pages_percent.min(100),
        },
        keep: RetentionPolicy { releases: publish.keep_releases.max(1), days: publish.keep_days },
        batch_above: publish.batch_above,
        probe: publish.probe,
    };
    config.permissions_boundary = checks::iam_arn(site.permissions_boundary.as_ref(), "policy", &place)?;
    config.replication_role = checks::iam_arn(site.replication_role.as_ref(), "role", &place)?;
    if let (Some(boundary), Some(_)) = (&site.permissions_boundary, &site.replication_role) {
        let fault = "has no effect together with `replication_role`: twinsite then creates no role";
        return Err(place.fault(boundary, fault));
    }
    config.tags = checks::tags(&site.tags, &place)?;
    config.cdn = checks::cdn(&cdn, &place)?;
    config.dns = checks::dns(&dns, &place)?;
    config.emails = checks::emails(&alerts, &place)?;
    config.replicate_back = backup.replicate_back;
    config.time_control = backup.replication_time_control;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use twinsite_site::Mode;

    use super::*;

    fn fault(text: &str) -> String {
        parse(text).unwrap_err()
    }

    const BASE: &str =
        "[site]\ndomain = \"www.example.com\"\n[primary]\nregion = \"us-east-1\"\n[backup]\nregion = \"us-west-2\"\n";

    #[test]
    fn defaults_are_filled_in() {
        let config = parse(BASE).unwrap();
        assert_eq!(
            (config.mode, config.index.as_str(), config.publish.guard),
            (Mode::Layered, "index.html", Guard::default())
        );
    }

    #[test]
    fn the_readmes_example_is_a_configuration() {
        let readme = include_str!("../../../README.md");
        let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let config = parse(example).unwrap();
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
    fn roles_boundaries_and_tags_are_checked() {
        let with = |lines: &str| BASE.replace("[primary]", &format!("{lines}\n[primary]"));
        let config =
            parse(&with("replication_role = \"arn:aws:iam::111122223333:role/x/r\"\ntags = { team = \"web\" }"))
                .unwrap();
        assert_eq!(config.replication_role.unwrap().as_str(), "arn:aws:iam::111122223333:role/x/r");
        assert_eq!(config.tags["team"], "web");
        let policy = "permissions_boundary = \"arn:aws:iam::111122223333:policy/b\"";
        assert!(parse(&with(policy)).unwrap().permissions_boundary.is_some());
        for (lines, part) in [
            ("permissions_boundary = \"arn:aws:iam::111122223333:role/r\"", "is not the ARN of an IAM policy"),
            ("replication_role = \"replication\"", "line 3"),
            (&format!("{policy}\nreplication_role = \"arn:aws:iam::111122223333:role/r\""), "no effect"),
            ("tags = { \"aws:x\" = \"y\" }", "reserved"),
            ("tags = { \"twinsite:site\" = \"y\" }", "reserved"),
            (
                "tags = { a = \"1\", b = \"1\", c = \"1\", d = \"1\", e = \"1\", f = \"1\", g = \"1\", h = \"1\" }",
                "7 tags",
            ),
        ] {
            assert!(fault(&with(lines)).contains(part), "{}", fault(&with(lines)));
        }
    }

    #[test]
    fn header_rules_are_read() {
        let text = format!(
            "{BASE}[[publish.headers]]\nmatch = \"*.html\"\ncache_control = \"no-store\"\nunset = [\"content-language\"]\n\
             metadata = {{ team = \"web\" }}\n"
        );
        assert_eq!(parse(&text).unwrap().publish.headers.len(), 1);
        let odd = text.replace("content-language", "host");
        assert!(fault(&odd).contains("`host`"), "{}", fault(&odd));
    }
}
