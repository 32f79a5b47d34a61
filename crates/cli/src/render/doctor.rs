//! The results of `doctor`: what is wrong comes last, where a terminal ends.

use std::fmt::Write;

use twinsite_site::{Check, CheckResult, Doctor};

use super::printable::one_line;
use super::with_flags;
use super::wording::{count, wrapped};

/// The width of the names of checks.
const NAMES: usize = 20;

/// `flags` are appended to commands.
pub(super) fn doctor(doctor: &Doctor, flags: &str) -> String {
    let mut text = String::new();
    let mut checks: Vec<&Check> = doctor.checks.iter().collect();
    // Stable: within a result in the order in which one depends on the other.
    checks.sort_by_key(|check| check.result);
    for Check { check, result, text: found, next, .. } in checks {
        let mark = match result {
            CheckResult::Ok => "ok      ",
            CheckResult::Warning => "warning ",
            CheckResult::Unknown => "UNKNOWN ",
            CheckResult::Problem => "PROBLEM ",
        };
        let name = serde_json::to_value(check).ok().and_then(|name| name.as_str().map(|name| name.replace('-', " ")));
        let label = format!("{mark}{:<NAMES$}", name.unwrap_or_default());
        let _ = writeln!(text, "{}", wrapped(&label, &with_flags(&one_line(found), flags)));
        if let Some(next) = next {
            let label = format!("{:width$}next: ", "", width = mark.len() + NAMES);
            let _ = writeln!(text, "{}", wrapped(&label, &with_flags(&one_line(next), flags)));
        }
    }
    let number = |result| doctor.checks.iter().filter(|check| check.result == result).count();
    let (problems, unknown, warnings) =
        (number(CheckResult::Problem), number(CheckResult::Unknown), number(CheckResult::Warning));
    let mut counts = Vec::new();
    if problems > 0 {
        counts.push(count(problems, "problem"));
    }
    if unknown > 0 {
        counts.push(format!("{unknown} could not be asked"));
    }
    if warnings > 0 {
        counts.push(count(warnings, "warning"));
    }
    let verdict = if counts.is_empty() { "nothing is wrong".to_owned() } else { counts.join(", ") };
    let site = match (&doctor.domain, &doctor.mode) {
        (Some(domain), Some(mode)) => format!("{domain}, mode {mode}"),
        _ => "no configuration".to_owned(),
    };
    let _ = writeln!(text, "\n{site}: {verdict}");
    text
}
