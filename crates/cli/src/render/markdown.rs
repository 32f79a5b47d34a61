//! The report of a drill as Markdown, for a pull request or the summary of a job.

use std::fmt::Write;

use twinsite_site::drill::{Change, DrillHistory, DrillResult, FailoverPath, Measured, Verdict};

use super::drill::{after, between, detected, kept, moment, place, promise, seen, short_verdict, verdict};
use super::html::{trend_mark, trend_of};

/// The report. What the table of changes shows is folded, as it is long.
pub(super) fn page(drill: &DrillResult, history: &DrillHistory) -> String {
    let DrillResult { domain, mode, outage, path, started, marks, visitors, timeline, .. } = drill;
    let (bound, objective) = (drill.bound_seconds, drill.objective_seconds);
    let place = place(drill);
    let mark = if drill.verdict() == Verdict::Met { "✅" } else { "❌" };
    let (over, back) = match path {
        FailoverPath::None => ("Fell behind", "Caught up"),
        FailoverPath::Dns | FailoverPath::OriginGroup => ("Failed over", "Failed back"),
    };
    let rows = [
        ("Detected", detected(drill)),
        (over, format!("{} (bound {bound} s, objective {objective} s)", after(marks.failed_over))),
        ("Restored", after(marks.restored)),
        (back, between(marks.restored, marks.failed_back)),
    ];
    let mut text = format!(
        "## Failover drill of {}\n\n{mark} **{}**\n\n{started}, on {place}; mode `{mode}`, outage `{outage}`.\n\n| | |\n|---|---|\n",
        cell(domain),
        verdict(*path, drill.verdict())
    );
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push_str("\n| visitors | promised | seen | kept |\n|---|---|---|---|\n");
    for (name, protocol) in [("HTTP", &visitors.http), ("HTTPS", &visitors.https)] {
        let (promise, seen, kept) = (promise(protocol.promised), seen(protocol), kept(protocol));
        let _ = writeln!(text, "| {name} | {promise} | {seen} | {kept} |");
    }
    let drills = trend_of(drill, history);
    if !drills.is_empty() {
        let mark = trend_mark(*path).to_lowercase();
        let _ = writeln!(
            text,
            "\n### Drills of this outage\n\n| drill | detected | {mark} | HTTPS lost | verdict |\n|---|---|---|---|---|"
        );
        for (past, Measured { verdict, marks, visitors, .. }) in drills.iter().rev() {
            let (detected, over, lost) = (after(marks.detected), after(marks.failed_over), visitors.https.lost);
            let _ = writeln!(
                text,
                "| {} | {detected} | {over} | {lost} | {} |",
                cell(&past.started),
                short_verdict(*verdict)
            );
        }
    }
    text.push_str(
        "\n<details>\n<summary>What changed, and when</summary>\n\n| at | observer | observed |\n|---|---|---|\n",
    );
    for change in timeline {
        let Change { observer, observed, .. } = change;
        let at = moment(change);
        let _ = writeln!(text, "| {at} | {} | {} |", cell(observer), cell(observed));
    }
    text.push_str("\n</details>\n");
    text
}

/// Text that nothing in a cell takes for markup.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\n' | '\r' => safe.push(' '),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '@' | '#' | '~' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_have_no_markup() {
        assert_eq!(cell("a|b\n<i>`x`</i> [l](u)"), r"a\|b &lt;i&gt;\`x\`&lt;/i&gt; \[l\](u)");
    }
}
