//! The URLs of odd names, as Python and a real browser make them; a part of `cargo xtask report`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::process::{command, root};

/// Names and paths, one pair a line.
const TABLE: &str = "crates/core/tests/url_paths.tsv";

/// Asks the page about every pair: whether a browser sends the path as it is, and what it makes of the plain name in a link. Names with
/// characters that mean something in a link, and those with a space at the end, cannot be written plainly.
const QUESTIONS: &str = r"
const link = document.createElement('a'), wrong = [];
for (const [name, path] of pairs) {
  link.href = 'https://www.example.com' + path;
  if (link.pathname !== path || link.search || link.hash) wrong.push(path + ' is sent as ' + link.pathname);
  if (decodeURIComponent(path) !== '/' + name) wrong.push(path + ' is not ' + name);
  link.href = 'https://www.example.com/' + name;
  const plain = !/[%\\#?+]|^ $| $|^\//.test(name);
  // Browsers before 2024 send `^` as it is, and not all encode `|`.
  const sent = link.pathname.replaceAll('^', '%5E').replaceAll('|', '%7C');
  if (plain && sent !== path) wrong.push(name + ' is sent as ' + link.pathname);
}
document.documentElement.dataset.wrong = JSON.stringify(wrong);
document.documentElement.dataset.asked = pairs.length;
";

/// The table is what the script beside it prints.
pub(crate) fn by_python() -> Result<()> {
    let script = root().join(TABLE).with_extension("py");
    let output = command("python3").arg(&script).output().context("run python3")?;
    ensure!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let table = fs::read(root().join(TABLE))?;
    ensure!(output.stdout == table, "{TABLE} is not what {} prints", script.display());
    Ok(())
}

/// The page that asks a browser.
fn page() -> Result<String> {
    let table = fs::read_to_string(root().join(TABLE))?;
    let pairs: Vec<Vec<&str>> = table.lines().map(|line| line.split('\t').collect()).collect();
    // `<` would end the script.
    let pairs = serde_json::to_string(&pairs)?.replace('<', "\\u003c");
    Ok(format!("<!doctype html><meta charset=utf-8><script>const pairs = {pairs};{QUESTIONS}</script>"))
}

/// Has Chromium answer.
pub(crate) fn by_browser(dir: &Path) -> Result<()> {
    let file = dir.join("urls.html");
    fs::write(&file, page()?)?;
    let mut chromium = command("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    let output = chromium.arg(format!("file://{}", file.display())).output()?;
    let dom = String::from_utf8_lossy(&output.stdout);
    ensure!(dom.contains("data-asked="), "the page did not answer: {}", String::from_utf8_lossy(&output.stderr));
    ensure!(
        dom.contains("data-wrong=\"[]\""),
        "a browser sends other paths: {}",
        dom.lines().next().unwrap_or_default()
    );
    eprintln!("report: a browser sends the paths of all odd names as they are");
    Ok(())
}
