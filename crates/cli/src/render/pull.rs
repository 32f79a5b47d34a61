//! The results of `pull` and `diff` as text.

use std::fmt::Write;

use twinsite_site::{LeftOutObject, PullPlanSummary, PullResult};

use super::printable::{one_line, printable};
use super::text::SHOWN;
use super::wording::{count, size};
use crate::result::DiffResult;

/// How many changed lines of a file are shown without `--verbose`.
const SHOWN_LINES: usize = 60;

/// How much of a line is shown without `--verbose`: minified files have very long ones.
const SHOWN_CHARS: usize = 240;

pub(super) fn pull_plan(plan: &PullPlanSummary, verbose: bool) -> String {
    let shown = if verbose { usize::MAX } else { SHOWN };
    let mut text = String::new();
    let keys = plan.new.iter().map(|key| ("new", key)).chain(plan.replaced.iter().map(|key| ("replaced", key)));
    for (what, key) in keys.take(shown) {
        let _ = writeln!(text, "{what:<9} {}", one_line(key));
    }
    let total = plan.new.len() + plan.replaced.len();
    if total > shown {
        let _ = writeln!(text, "… and {} more (-v lists all)", total - shown);
    }
    text.push_str(&left_out(&plan.left_out, shown));
    let _ = write!(
        text,
        "{}: {} to write into {} ({}), {} unchanged{}",
        source(plan.release),
        count(total, "file"),
        printable(&plan.directory),
        size(plan.bytes),
        plan.unchanged,
        redirects(plan.redirects)
    );
    if !plan.replaced.is_empty() {
        let _ = write!(
            text,
            "\n{} have other content, and are replaced with --force only",
            count(plan.replaced.len(), "file")
        );
    }
    text + "\ndry run: nothing was changed"
}

pub(super) fn pulled(pulled: &PullResult, verbose: bool) -> String {
    let shown = if verbose { usize::MAX } else { SHOWN };
    let mut text = left_out(&pulled.left_out, shown);
    for key in pulled.missing.iter().take(shown) {
        let _ = writeln!(text, "missing   {}  no bucket has this version any more", one_line(key));
    }
    let _ = write!(
        text,
        "{}: {} written into {} ({}), {} unchanged{}",
        source(pulled.release),
        count(pulled.written, "file"),
        printable(&pulled.directory),
        size(pulled.bytes),
        pulled.unchanged,
        redirects(pulled.redirects)
    );
    if !pulled.missing.is_empty() {
        let _ = write!(text, "; {} missing", pulled.missing.len());
    }
    text
}

fn source(release: Option<u64>) -> String {
    release.map_or_else(|| "current objects".to_owned(), |id| format!("release {id}"))
}

fn redirects(redirects: usize) -> String {
    if redirects == 0 { String::new() } else { format!(", {} left out", count(redirects, "redirect")) }
}

fn left_out(left_out: &[LeftOutObject], shown: usize) -> String {
    let mut text = String::new();
    for LeftOutObject { key, reason, .. } in left_out.iter().take(shown) {
        let _ = writeln!(text, "left out  {}  {}", one_line(key), one_line(reason));
    }
    if left_out.len() > shown {
        let _ = writeln!(text, "… and {} more (-v lists all)", left_out.len() - shown);
    }
    text
}

pub(super) fn diff(diff: &DiffResult, verbose: bool) -> String {
    let DiffResult { differences, names_only, .. } = diff;
    let mut text = String::new();
    for file in &differences.files {
        let headers = if file.headers.is_empty() { String::new() } else { format!("  {}", file.headers.join(", ")) };
        let _ = writeln!(text, "{:<8} {}{headers}", file.kind, one_line(&file.key));
        let Some(lines) = file.diff.as_ref().filter(|_| !names_only) else { continue };
        let total = lines.lines().count();
        let shown = if verbose { total } else { SHOWN_LINES };
        for line in lines.lines().take(shown) {
            let line = if verbose { line.to_owned() } else { line.chars().take(SHOWN_CHARS).collect() };
            let _ = writeln!(text, "  {}", printable(&line));
        }
        if total > shown {
            let _ = writeln!(text, "  … and {} more lines (-v shows all)", total - shown);
        }
    }
    let unchanged = count(differences.unchanged, "file");
    match differences.files.len() {
        0 => text + &format!("no differences: {unchanged} live as they are"),
        files => text + &format!("{} in {}, {unchanged} unchanged", count(files, "difference"), differences.bucket),
    }
}
