//! Environments of a site, such as one for staging, and variables: both are resolved before the file is read as a whole, so that errors
//! show the line in which a value was written.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use twinsite_core::nearest;

use super::file::Place;

/// The table of environments.
const ENVIRONMENTS: &str = "env";
/// The table of variables.
const VARIABLES: &str = "vars";

/// Where values of variables come from, and which environment is meant.
pub(super) struct Resolver<'a> {
    /// The environment, if one was named.
    pub(super) environment: Option<&'a str>,
    /// Reads a variable of the process.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
}

impl Resolver<'_> {
    /// The file with the tables of the environment in place of those that they override, and with the values of variables.
    ///
    /// # Errors
    /// Malformed TOML, environments and variables that do not exist, and environments with the domain of another one.
    pub(super) fn resolve<'t>(&self, text: &'t str) -> Result<Spanned<DeTable<'t>>, String> {
        let place = Place { text };
        let mut document = DeTable::parse(text).map_err(|error| error.to_string())?;
        let root = document.get_mut();
        let mut variables = take_table(root, VARIABLES, &place)?;
        let in_process = |name: &str| (self.variable)(name);
        fill_table(&mut variables, &in_process, &place)?;
        let known = |name: &str| match variables.get(name).map(Spanned::get_ref) {
            Some(DeValue::String(value)) => Some(value.to_string()),
            Some(_) | None => in_process(name),
        };
        let environments = take_table(root, ENVIRONMENTS, &place)?;
        if let Some(name) = self.environment {
            merge_environment(root, environments, name, &place)?;
        }
        fill_table(root, &known, &place)?;
        Ok(document)
    }
}

/// Takes a table out of the document; an empty one if it is not there.
fn take_table<'t>(root: &mut DeTable<'t>, name: &str, place: &Place<'_>) -> Result<DeTable<'t>, String> {
    let Some(value) = root.remove(name) else { return Ok(DeTable::new()) };
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Ok(table),
        _ => Err(place.fault(&Spanned::new(span, ()), &format!("`{name}` is a table: `[{name}]`"))),
    }
}

fn merge_environment<'t>(
    root: &mut DeTable<'t>,
    mut environments: DeTable<'t>,
    name: &str,
    place: &Place<'_>,
) -> Result<(), String> {
    let Some(chosen) = environments.remove(name) else {
        let names: Vec<&str> = environments.keys().map(|key| key.get_ref().as_ref()).collect();
        return Err(match (nearest(name, names.iter().copied()), names.is_empty()) {
            (Some(meant), _) => format!("there is no environment `{name}`: did you mean `{meant}`?"),
            (None, true) => {
                format!("there is no environment `{name}`: add a table `[env.{name}.site]` with its domain")
            }
            (None, false) => format!("there is no environment `{name}`; there are `{}`", names.join("`, `")),
        });
    };
    let span = chosen.span();
    let DeValue::Table(chosen) = chosen.into_inner() else {
        let fault = format!("an environment has tables: `[env.{name}.site]`");
        return Err(place.fault(&Spanned::new(span, ()), &fault));
    };
    // Everything in AWS is named after the domain: with the same one, it would be the same site.
    let others = environments.values().filter_map(|other| domain(other.get_ref().as_table()?));
    let others: Vec<String> = others.chain(domain(root)).map(str::to_lowercase).collect();
    match domain(&chosen) {
        Some(own) if !others.contains(&own.to_lowercase()) => {}
        Some(own) => {
            let fault =
                format!("the domain `{own}` of the environment `{name}` is that of the site or of another environment");
            return Err(place.fault(&Spanned::new(span, ()), &fault));
        }
        None => {
            let fault = format!("the environment `{name}` needs a domain of its own: `domain` in `[env.{name}.site]`");
            return Err(place.fault(&Spanned::new(span, ()), &fault));
        }
    }
    drop_aliases(root, &chosen);
    merge(root, chosen);
    Ok(())
}

/// The aliases of the site are names of the site alone: an environment has those that it names itself.
fn drop_aliases(root: &mut DeTable<'_>, chosen: &DeTable<'_>) {
    let has = |table: &str, key: &str| {
        let table = chosen.get(table).and_then(|table| table.get_ref().as_table());
        table.is_some_and(|table| table.get(key).is_some())
    };
    for (table, key) in [("site", "aliases"), ("dns", "alias_zones")] {
        if !has(table, key)
            && let Some(DeValue::Table(table)) = root.get_mut(table).map(Spanned::get_mut)
        {
            table.remove(key);
        }
    }
}

fn domain<'d>(table: &'d DeTable<'_>) -> Option<&'d str> {
    table.get("site")?.get_ref().as_table()?.get("domain")?.get_ref().as_str()
}

/// Values of `over` take the place of those of `base`; tables are merged.
fn merge<'t>(base: &mut DeTable<'t>, over: DeTable<'t>) {
    for (key, value) in over {
        let name = key.get_ref().clone();
        match (base.get_mut(&*name).map(Spanned::get_mut), value) {
            (Some(DeValue::Table(below)), value) if value.get_ref().is_table() => {
                if let DeValue::Table(above) = value.into_inner() {
                    merge(below, above);
                }
            }
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

type Variable<'v> = dyn Fn(&str) -> Option<String> + 'v;

fn fill_table(table: &mut DeTable<'_>, variable: &Variable<'_>, place: &Place<'_>) -> Result<(), String> {
    table.iter_mut().try_for_each(|(_, value)| fill(value, variable, place))
}

/// Puts the values of variables into the strings of a value.
fn fill(value: &mut Spanned<DeValue<'_>>, variable: &Variable<'_>, place: &Place<'_>) -> Result<(), String> {
    let span = value.span();
    match value.get_mut() {
        DeValue::String(text) if text.contains('$') => {
            let filled = filled(text, variable).map_err(|fault| place.fault(&Spanned::new(span, ()), &fault))?;
            *text = filled.into();
            Ok(())
        }
        DeValue::Table(table) => fill_table(table, variable, place),
        DeValue::Array(values) => values.iter_mut().try_for_each(|value| fill(value, variable, place)),
        _ => Ok(()),
    }
}

/// A text with values for `${NAME}` and `${NAME:-DEFAULT}`; `$${` is written for `${`.
fn filled(text: &str, variable: &Variable<'_>) -> Result<String, String> {
    let mut rest = text;
    let mut filled = String::new();
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        filled.push_str(&rest[..at]);
        let end = rest[at..].find('}').ok_or("`${` has no `}`; write `$${` for the text `${`")?;
        let (name, default) = match rest[at + 2..at + end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&rest[at + 2..at + end], None),
        };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(format!("`{name}` is not the name of a variable; write `$${{` for the text `${{`"));
        }
        match (variable(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => filled.push_str(&value),
            (None, Some(default)) => filled.push_str(default),
            (None, None) => {
                return Err(format!(
                    "the variable `{name}` is not set, neither in `[vars]` nor in the environment of the process"
                ));
            }
        }
        rest = &rest[at + end + 1..];
    }
    Ok(filled + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[vars]\nname = \"${BRANCH:-main}\"\n\n[site]\ndomain = \"www.example.com\"\nmode = \"layered\"\n\n\
                        [primary]\nregion = \"us-east-1\"\n\n[publish]\nignore = [\"${name}.map\", \"$${name}\"]\n\n\
                        [env.staging.site]\ndomain = \"${name}.example.com\"\n\n[env.staging.publish]\nkeep_releases = 2\n\
                        ignore = []\n\n[env.same.site]\ndomain = \"WWW.example.com\"\n\n[env.without.publish]\nprobe = true\n";

    fn resolved(text: &str, environment: Option<&str>) -> Result<String, String> {
        let variable = |name: &str| (name == "BRANCH").then(|| "feature".to_owned());
        let table = Resolver { environment, variable: &variable }.resolve(text)?;
        Ok(format!("{:?}", table.get_ref()))
    }

    #[test]
    fn environments_override_and_variables_are_filled_in() {
        let base = resolved(FILE, None).unwrap();
        assert!(base.contains("www.example.com") && base.contains("feature.map") && base.contains("${name}"), "{base}");
        assert!(!base.contains("staging") && !base.contains("vars"), "{base}");
        let staging = resolved(FILE, Some("staging")).unwrap();
        assert!(staging.contains("feature.example.com") && staging.contains("layered"), "{staging}");
        assert!(!staging.contains("www.example.com") && !staging.contains("feature.map"), "{staging}");
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (environment, fault) in [
            ("stagin", "did you mean `staging`?"),
            ("production", "there are `same`, `staging`, `without`"),
            ("same", "`WWW.example.com` of the environment `same` is that of the site"),
            ("without", "the environment `without` needs a domain of its own"),
        ] {
            let error = resolved(FILE, Some(environment)).unwrap_err();
            assert!(error.contains(fault), "{environment}: {error}");
        }
        for (value, fault) in [
            ("${UNSET}", "the variable `UNSET` is not set"),
            ("${a b}", "`a b` is not the name of a variable"),
            ("${BRANCH", "`${` has no `}`"),
        ] {
            let error = resolved(&format!("[site]\ndomain = \"{value}\"\n"), None).unwrap_err();
            assert!(error.contains(fault) && error.contains("line 2, column 10"), "{value}: {error}");
        }
        assert!(resolved("env = 1\n", None).unwrap_err().contains("`env` is a table"));
    }
}
