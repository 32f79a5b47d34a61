//! `twinsite.toml`: parsed and checked. Errors show line and column.

mod checks;
mod environment;
mod file;
mod suggestion;
mod template;

use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use twinsite_site::{Config, Error, Guard, Pair, PublishConfig, RetentionPolicy, SourceChecks};
use twinsite_sync::Rules;

use crate::args::Global;
use environment::Resolver;
use file::{File, Place};
use suggestion::suggestion;
pub(crate) use template::{Answers, text};

/// The configuration; with `--local`, an example if there is no file.
pub(crate) fn read_config(global: &Global) -> Result<Config, Error> {
    let environment = global.env.as_deref();
    if global.local && environment.is_none() && !global.config.exists() {
        Ok(example())
    } else {
        read(&global.config, environment)
    }
}

/// Reads a configuration file, for one of its environments if one is named.
pub(crate) fn read(path: &Path, environment: Option<&str>) -> Result<Config, Error> {
    let operation = format!("read `{}`", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(&operation, error.to_string())
            .hint("create it with `twinsite init`, or name another file with --config; to try it out, add --local")
    })?;
    parse_for(&text, environment).map_err(|fault| Error::usage(&operation, fault))
}

/// The configuration that `--local` uses without a file.
fn example() -> Config {
    let answers = Answers::default();
    parse(&text(&answers)).unwrap_or_else(|fault| unreachable!("the template is tested: {fault}"))
}

/// Parses the text of a configuration file.
pub(crate) fn parse(text: &str) -> Result<Config, String> {
    parse_for(text, None)
}

#[expect(clippy::disallowed_methods, reason = "the file refers to variables of the process")]
fn parse_for(text: &str, environment: Option<&str>) -> Result<Config, String> {
    let variable = |name: &str| std::env::var(name).ok();
    let document = Resolver { environment, variable: &variable }.resolve(text)?;
    let file = File::deserialize(toml::Deserializer::from(document)).map_err(|mut error| {
        error.set_input(Some(text));
        let fault = error.to_string().trim_end().to_owned();
        suggestion(error.message()).map(|meant| format!("{fault}\n{meant}")).unwrap_or(fault)
    })?;
    let File { site, primary, backup, cdn, dns, alerts, publish, redirects, .. } = file;
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
    config.new_regions = site.new_regions.iter().map(|region| place.check(region)).collect::<Result<_, _>>()?;
    config.index = publish.index;
    config.not_found = publish.not_found.filter(|key| !key.is_empty());
    let syntaxes = ["netlify", "cloudflare-pages"];
    let syntax = publish.redirects_syntax.as_ref().map(|syntax| place.check_known(syntax, &syntaxes)).transpose()?;
    config.publish = PublishConfig {
        prefix: None,
        headers,
        redirects: file::redirects(&redirects, &place)?,
        redirects_syntax: syntax.unwrap_or_default(),
        clean_urls: publish.clean_urls,
        encryption: publish.encryption.as_ref().map(|algorithm| place.check(algorithm)).transpose()?,
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
    let key = |key: &Option<Spanned<String>>| key.as_ref().map(|key| key.get_ref().clone());
    config.kms_keys = Pair::new(key(&primary.kms_key), key(&backup.kms_key));
    config.check_encryption().map_err(|invalid| {
        // What is wrong may be one of three values; the first that is there shows where to look.
        let values = [&publish.encryption, &primary.kms_key, &backup.kms_key];
        let shown = values.into_iter().flatten().find(|value| *value.get_ref() == invalid.value);
        match shown {
            Some(value) => place.fault(value, &invalid.to_string()),
            None => invalid.to_string(),
        }
    })?;
    config.cdn = checks::cdn(&cdn, config.mode, &place)?;
    config.dns = checks::dns(&dns, &place)?;
    config.emails = checks::emails(&alerts, &place)?;
    config.replicate_back = backup.replicate_back;
    config.time_control = backup.replication_time_control;
    Ok(config)
}

/// The JSON schema of the file, for editors. TOML has no null: keys that have no default are left out instead.
#[cfg(test)]
#[cfg(feature = "local")]
pub(crate) fn schema() -> serde_json::Value {
    fn without_null(value: &mut serde_json::Value) {
        let is_null = |value: &serde_json::Value| value.is_null() || *value == serde_json::json!({ "type": "null" });
        if let Some(object) = value.as_object_mut() {
            object.retain(|key, value| key != "default" || !value.is_null());
            for key in ["enum", "anyOf"] {
                if let Some(list) = object.get_mut(key).and_then(serde_json::Value::as_array_mut) {
                    list.retain(|value| !is_null(value));
                }
            }
            if let Some(types) = object.get("type").and_then(serde_json::Value::as_array) {
                let kept = types.iter().find(|name| *name != "null").cloned();
                object.extend(kept.map(|name| ("type".to_owned(), name)));
            }
            if let Some([one]) = object.get("anyOf").and_then(serde_json::Value::as_array).map(Vec::as_slice) {
                let one = one.as_object().cloned().unwrap_or_default();
                object.remove("anyOf");
                object.extend(one);
            }
            object.values_mut().for_each(without_null);
        }
        value.as_array_mut().into_iter().flatten().for_each(without_null);
    }
    let mut schema = schemars::schema_for!(File).to_value();
    without_null(&mut schema);
    schema["title"] = "twinsite.toml".into();
    schema
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
    fn the_example_in_the_documentation_is_a_configuration() {
        let page = include_str!("../../../docs/src/reference/configuration.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
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

    /// Every key of every table, misspelt in three ways; and in a table that it does not belong in.
    #[test]
    fn unknown_keys_come_with_the_key_that_was_meant() {
        let mut tried = 0;
        let root = schema();
        let tables = root["properties"].as_object().unwrap();
        // The keys of variables and environments are anybody's.
        for (table, properties) in tables.iter().filter(|(table, _)| !["vars", "env"].contains(&table.as_str())) {
            let (open, of) = match properties["items"]["$ref"].as_str() {
                Some(of) => (format!("[[{table}]]"), of),
                None => (format!("[{table}]"), properties["$ref"].as_str().unwrap()),
            };
            let keys = root["$defs"][of.rsplit('/').next().unwrap()]["properties"].as_object().unwrap();
            for key in keys.keys() {
                let mut letters: Vec<char> = key.chars().collect();
                let last = letters.len() - 1;
                letters.swap(last - 1, last);
                let swapped: String = letters.into_iter().collect();
                for typo in [swapped, format!("{key}x"), key.replace('_', "-").to_uppercase()] {
                    if keys.contains_key(&typo) || typo == *key {
                        continue;
                    }
                    let text = if BASE.contains(&open) {
                        BASE.replace(&open, &format!("{open}\n{typo} = 1"))
                    } else {
                        format!("{BASE}{open}\n{typo} = 1\n")
                    };
                    let said = fault(&text);
                    let line = text.lines().position(|line| line.starts_with(&typo)).unwrap() + 1;
                    assert!(said.contains(&format!("line {line}, column 1")), "{typo} in {open}: {said}");
                    assert!(said.contains(&format!("{typo} = 1")), "the line is not shown: {said}");
                    assert!(said.ends_with(&format!("did you mean `{key}`?")), "{typo} in {open}: {said}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 100, "{tried}");
        for (text, meant) in [
            (BASE.replace("[primary]", "keep_releases = 3\n[primary]"), "`keep_releases` belongs in `[publish]`"),
            (
                BASE.replace("[primary]", "region = \"us-east-1\"\n[primary]"),
                "`region` belongs in `[backup]` or `[primary]`",
            ),
            (BASE.replace("[primary]", "keep_relases = 3\n[primary]"), "did you mean `keep_releases` in `[publish]`?"),
            (format!("{BASE}[pubilsh]\n"), "did you mean `publish`?"),
            (
                format!("{BASE}[[publish.headers]]\nmatch = \"a\"\ncache-control = \"no-store\"\n"),
                "did you mean `cache_control`?",
            ),
            (format!("{BASE}[cdn]\ngeo_restriction = {{ alow = [\"DE\"] }}\n"), "did you mean `allow`?"),
        ] {
            let said = fault(&text);
            assert!(said.ends_with(meant), "{meant}: {said}");
        }
        assert!(!fault(&format!("{BASE}[cdn]\nbreakfast = 1\n")).contains("did you mean"));
    }

    #[test]
    fn unknown_values_come_with_the_value_that_was_meant() {
        let mode = |mode: &str| BASE.replace("[primary]", &format!("mode = \"{mode}\"\n[primary]"));
        for (text, meant) in [
            (mode("layerd"), "layered"),
            (mode("DNS"), "dns"),
            (BASE.replace("us-west-2", "us-wset-2"), "us-west-2"),
            (format!("{BASE}[publish]\nencryption = \"aws:ksm\"\n"), "aws:kms"),
            (format!("{BASE}[publish]\nredirects_syntax = \"cloudflare-page\"\n"), "cloudflare-pages"),
            (format!("{BASE}[cdn]\nprice_class = \"All\"\n"), "all"),
            (format!("{BASE}[cdn]\nminimum_tls = \"TLS1.2_2021\"\n"), "TLSv1.2_2021"),
            (format!("{BASE}[[publish.headers]]\nmatch = \"a\"\nunset = [\"cache-controll\"]\n"), "cache-control"),
        ] {
            let said = fault(&text);
            assert!(said.contains(&format!("did you mean `{meant}`?")), "{meant}: {said}");
            assert!(said.contains("error at line"), "{said}");
        }
        assert!(!fault(&mode("triple")).contains("did you mean"));
    }

    #[test]
    fn redirects_are_checked_and_faults_say_where() {
        let rule = |lines: &str| format!("{BASE}[[redirects]]\n{lines}\n");
        let config = parse(&rule("from = \"/old/*\"\nto = \"/new/:splat\"\nstatus = 302\nforce = true")).unwrap();
        let rules = config.publish.redirects.rules();
        assert_eq!((rules.len(), rules[0].status(), rules[0].text()), (1, 302, "/old/* /new/:splat 302"));
        assert_eq!(rules[0].place().to_string(), "twinsite.toml:7");
        let config = parse(&rule("from = \"/store\"\nto = \"/shop/:id\"\nquery = { id = \":id\" }")).unwrap();
        assert_eq!(config.publish.redirects.rules()[0].status(), 301);
        for (lines, part) in [
            ("from = \"old\"\nto = \"/new\"", "starts with `/`"),
            ("from = \"/old\"\nto = \"/new\"\nstatus = 418", "418"),
            ("from = \"/old\"\nto = \"https://a.example/\"\nstatus = 200", "proxying"),
            ("from = \"/o\"\nto = \"/new/:splat\"", ":splat"),
        ] {
            let text = fault(&rule(lines));
            assert!(text.contains(part) && text.contains("line 7"), "{text}");
        }
        let syntax = format!("{BASE}[publish]\nredirects_syntax = \"cloudflare-pages\"\n");
        assert_eq!(parse(&syntax).unwrap().publish.redirects_syntax, twinsite_site::Syntax::CloudflarePages);
        assert!(fault(&syntax.replace("cloudflare-pages", "apache")).contains("is not one of `netlify`"));
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
    fn encryption_is_checked_with_the_mode_and_the_keys() {
        let origin = BASE.replace("[primary]", "mode = \"origin\"\n[primary]");
        let with = |base: &str, publish: &str| format!("{base}[publish]\nencryption = \"{publish}\"\n");
        let keys = |base: &str, primary: &str, backup: &str| {
            let base = base.replace("\"us-east-1\"", &format!("\"us-east-1\"\nkms_key = \"{primary}\""));
            base.replace("\"us-west-2\"", &format!("\"us-west-2\"\nkms_key = \"{backup}\""))
        };
        parse(&with(BASE, "AES256")).unwrap();
        for algorithm in ["aws:kms", "aws:kms:dsse"] {
            let arn = "arn:aws:kms:us-west-2:111122223333:key/1234abcd";
            parse(&with(&keys(&origin, "1234abcd", arn), algorithm)).unwrap();
            let public = fault(&with(&keys(BASE, "1234abcd", arn), algorithm));
            assert!(public.contains("line 10") && public.contains("mode `layered`"), "{public}");
            assert!(public.contains("website endpoints") && public.contains("signature"), "{public}");
            let missing = fault(&with(&origin, algorithm));
            assert!(missing.contains("`kms_key` in [primary]") && missing.contains("CloudFront"), "{missing}");
            let region = fault(&with(&keys(&origin, arn, arn), algorithm));
            assert!(region.contains("line 6") && region.contains("is in us-west-2"), "{region}");
            let alias = fault(&with(&keys(&origin, "alias/site", arn), algorithm));
            assert!(alias.contains("aliases"), "{alias}");
        }
        let customer = fault(&with(&origin, "SSE-C"));
        assert!(customer.contains("line 9") && customer.contains("key of the customer"), "{customer}");
        let useless = fault(&with(&keys(&origin, "1234abcd", "5678"), "AES256"));
        assert!(useless.contains("publish.encryption is neither"), "{useless}");
    }

    #[test]
    fn settings_of_the_distribution_are_checked_when_they_are_read() {
        let with = |lines: &str| format!("{BASE}[cdn]\n{lines}\n");
        let all = "minimum_tls = \"TLSv1.2_2025\"\norigin_shield_region = \"us-east-2\"\nlog_bucket = \"logs-of-us\"\n\
                   log_prefix = \"cdn/\"\ngeo_restriction = { allow = [\"US\", \"DE\"] }\n\
                   web_acl_arn = \"arn:aws:wafv2:us-east-1:111122223333:global/webacl/site/a1b2\"";
        let settings = parse(&with(all)).unwrap().cdn.owner_settings;
        assert_eq!(settings.geo_restriction.value().unwrap().to_string(), "whitelist DE US");
        assert_eq!(settings.logging.value().unwrap().prefix, "cdn/");
        let none = "web_acl_arn = \"none\"\ngeo_restriction = \"none\"\norigin_shield_region = \"none\"\nlog_bucket = \"none\"";
        let settings = parse(&with(none)).unwrap().cdn.owner_settings;
        assert!(settings.web_acl.value().is_none() && !settings.web_acl.is_as_it_is());
        assert!(parse(BASE).unwrap().cdn.owner_settings.logging.is_as_it_is());
        for (lines, part) in [
            ("minimum_tls = \"TLSv1.3\"", "TLSv1.2_2021"),
            ("minimum_tls = \"TLSv1.3_2025\"", "TLS 1.2 at most"),
            ("geo_restriction = { allow = [\"DE\"] }", "health checkers"),
            ("geo_restriction = { allow = [\"us\"] }", "did you mean `US`"),
            ("geo_restriction = { allow = [\"US\"], deny = [\"RU\"] }", "must be"),
            ("geo_restriction = \"DE\"", "must be"),
            ("origin_shield_region = \"eu-north-1\"", "has no Origin Shield"),
            ("web_acl_arn = \"arn:aws:wafv2:eu-west-1:1:regional/webacl/a/b\"", "us-east-1"),
            ("log_prefix = \"cdn/\"", "without `log_bucket`"),
            ("log_bucket = \"Logs\"", "line 8"),
            ("log_bucket = \"logs-of-us\"\nlog_prefix = \"/cdn\"", "slash"),
        ] {
            let fault = fault(&with(lines));
            assert!(fault.contains(part) && fault.contains("error at line"), "{lines}: {fault}");
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
