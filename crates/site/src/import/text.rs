//! The text of a configuration.

use std::fmt::Write as _;

use toml::Value;

use super::ImportedSetting;
use super::redirects::Rule;

/// Tables in the order of the file, each with its keys in order.
#[derive(Debug, Default)]
pub(super) struct Document {
    keys: Vec<Key>,
    redirects: Vec<Rule>,
}

#[derive(Debug)]
struct Key {
    table: &'static str,
    name: &'static str,
    value: Value,
    from: String,
}

/// The tables in their order.
const TABLES: [&str; 6] = ["site", "primary", "backup", "cdn", "dns", "publish"];

impl Document {
    /// Sets a key; what it was read from is told beside it.
    pub(super) fn set(&mut self, table: &'static str, name: &'static str, value: Value, from: impl Into<String>) {
        self.keys.push(Key { table, name, value: literal(value), from: from.into() });
    }

    pub(super) fn redirect(&mut self, rule: Rule) {
        self.redirects.push(rule);
    }

    /// The keys that were set.
    pub(super) fn settings(&self) -> Vec<ImportedSetting> {
        let mut settings = Vec::new();
        for table in TABLES {
            settings.extend(self.keys.iter().filter(|key| key.table == table).map(|key| ImportedSetting {
                key: format!("{table}.{}", key.name),
                value: key.value.to_string(),
                from: key.from.clone(),
            }));
        }
        settings.extend(self.redirects.iter().map(|rule| ImportedSetting {
            key: "redirects".to_owned(),
            value: format!("{} -> {} ({})", rule.from, rule.to, rule.status),
            from: "redirects of the website or the distribution".to_owned(),
        }));
        settings
    }

    pub(super) fn text(&self, heading: &str) -> String {
        let mut text = String::new();
        for line in heading.lines() {
            let _ = writeln!(text, "# {}", one_line(line));
        }
        for table in TABLES {
            let mut keys = self.keys.iter().filter(|key| key.table == table).peekable();
            if keys.peek().is_some() {
                let _ = writeln!(text, "\n[{table}]");
            }
            for Key { name, value, from, .. } in keys {
                let comment = if from.is_empty() { String::new() } else { format!(" # {}", one_line(from)) };
                let _ = writeln!(text, "{name} = {value}{comment}");
            }
        }
        for Rule { from, to, status, force } in &self.redirects {
            let quoted = |text: &str| literal(Value::String(text.to_owned())).to_string();
            let _ = writeln!(text, "\n[[redirects]]\nfrom = {}\nto = {}\nstatus = {status}", quoted(from), quoted(to));
            if *force {
                text.push_str("force = true\n");
            }
        }
        text
    }
}

/// Text of others must not end a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `${` in a value would be a variable: `$${` stands for it.
fn literal(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("${", "$${")),
        Value::Array(values) => Value::Array(values.into_iter().map(literal).collect()),
        Value::Table(table) => Value::Table(table.into_iter().map(|(key, value)| (key, literal(value))).collect()),
        other => other,
    }
}
