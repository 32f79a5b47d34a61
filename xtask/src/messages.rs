//! The messages that the documentation explains are those of the code.

use std::path::Path;

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// The page whose headings are messages, if they begin with a small letter. `…` stands for anything.
const PAGE: &str = "docs/src/troubleshooting.md";

/// One message that the code does not have, per entry.
pub(crate) fn findings(root: &Path) -> Result<Vec<String>> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("read {PAGE}"))?;
    let mut code = String::new();
    for entry in WalkDir::new(root.join("crates")) {
        let path = entry?.into_path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        if is_source && path.components().any(|part| part.as_os_str() == "src") {
            code += &std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        }
    }
    Ok(page_findings(&page, &code))
}

fn page_findings(page: &str, code: &str) -> Vec<String> {
    let code = joined(code);
    let headings = page.lines().enumerate().filter_map(|(index, line)| Some((index + 1, line.strip_prefix("### ")?)));
    let messages = headings.filter(|(_, text)| text.starts_with(char::is_lowercase));
    let unknown =
        messages.filter(|(_, text)| !text.split('…').all(|part| code.contains(part.trim_matches([' ', '`']))));
    unknown.map(|(line, text)| format!("{PAGE}:{line}: no message of the code has `{text}`")).collect()
}

/// The code, with string literals of several lines in one.
fn joined(code: &str) -> String {
    let mut lines = code.split("\\\n");
    let mut joined = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        joined.push_str(line.trim_start());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_that_no_message_has_are_found() {
        let code = "\"the proxy in `{variable}` is wrong: set \\\n    the clock\"";
        let page = "# Page\n### the proxy in `…`\n### set the clock\n### Not a message\n### the proxy of\n";
        assert_eq!(
            page_findings(page, code),
            ["docs/src/troubleshooting.md:5: no message of the code has `the proxy of`"]
        );
    }
}
