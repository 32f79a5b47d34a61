//! The result of a drill as text.

use std::fmt::Write;

use twinsite_site::drill::{
    Change, DamagedDrill, DrillEnd, DrillHistory, DrillResult, FailoverPath, Measured, PastDrill, Promise, Protocol,
    Verdict,
};

use super::printable::one_line;
use crate::result::DrilledResult;

/// The result.
pub(super) fn drill(drilled: &DrilledResult) -> String {
    let DrilledResult { drill, verdict } = drilled;
    let DrillResult { domain, mode, outage, path, embedded, speed, marks, visitors, .. } = drill;
    let mut text = format!("\ndrill of {domain}, mode {mode}, outage: {outage}");
    if *embedded {
        let _ = write!(text, " (embedded cloud, {speed} times real time)");
    }
    let _ = write!(text, "\n\n  detected     {}", detected(drill));
    let failed_over = match path {
        FailoverPath::Dns | FailoverPath::OriginGroup => format!("failed over  {} (bound", after(marks.failed_over)),
        FailoverPath::None => format!("fell behind  {} (to catch up: bound", after(marks.failed_over)),
    };
    let (bound, objective) = (drill.bound_seconds, drill.objective_seconds);
    let _ = write!(text, "\n  {failed_over} {bound} s, objective {objective} s)");
    let _ = write!(text, "\n  restored     {}", after(marks.restored));
    let back = if *path == FailoverPath::None { "caught up    " } else { "failed back  " };
    let _ = write!(text, "\n  {back}{}", between(marks.restored, marks.failed_back));
    for (name, protocol) in [("HTTP", &visitors.http), ("HTTPS", &visitors.https)] {
        let _ = write!(
            text,
            "\n  {name:<11}  promised: {}\n               seen: {}",
            promise(protocol.promised),
            seen(protocol)
        );
    }
    let _ = write!(text, "\n\n{}", self::verdict(*path, *verdict));
    text
}

/// When the outage was detected, and how that is known if not from the health checkers.
pub(super) fn detected(drill: &DrillResult) -> String {
    let how = match drill.path {
        _ if drill.checkers_readable => "",
        FailoverPath::Dns => " (by DNS: the API of Route 53 was out, too)",
        FailoverPath::OriginGroup | FailoverPath::None => {
            " (reported when the API of Route 53, which was out, too, was back)"
        }
    };
    format!("{}{how}", after(drill.marks.detected))
}

/// What the mode promises.
pub(super) fn promise(promise: Promise) -> &'static str {
    match promise {
        Promise::Uninterrupted => "served all the while",
        Promise::AfterFailover => "served once DNS has moved",
        Promise::None => "nothing, until DNS leads to the primary again",
    }
}

/// Whether a promise was kept; a protocol that nothing is promised for has none.
pub(super) fn kept(protocol: &Protocol) -> &'static str {
    match (protocol.promised, protocol.kept) {
        (Promise::None, _) => "—",
        (_, true) => "yes",
        (_, false) => "no",
    }
}

/// What visitors got.
pub(super) fn seen(protocol: &Protocol) -> String {
    let Protocol { promised: _, served, lost, lost_despite_promise, longest_wait, kept } = protocol;
    let against = if *kept { String::new() } else { format!(", {lost_despite_promise} against the promise") };
    // A fraction of a second is the machine's.
    let wait = if *longest_wait >= 2.0 { format!(", after up to {longest_wait:.0} s") } else { String::new() };
    format!("{served} served{wait}, {lost} lost{against}")
}

/// The drills of the past, the newest first.
pub(super) fn drills(history: &DrillHistory) -> String {
    let mut text = String::new();
    for past in history.drills.iter().rev() {
        let PastDrill { started, mode, outage, .. } = past;
        let place = if past.embedded { "embedded cloud" } else { "AWS" };
        let _ = writeln!(text, "{started}  {outage:<11}  {mode:<7}  {place}");
        let Some(Measured { verdict, marks, visitors, .. }) = &past.measured else {
            let _ = writeln!(text, "    {}", ended(past));
            continue;
        };
        let compared = past.compared.as_ref();
        let (detected, failed_over) =
            (compared.and_then(|compared| compared.detected), compared.and_then(|compared| compared.failed_over));
        let lost = visitors.https.lost;
        let _ = writeln!(
            text,
            "    {}; detected {}{}, visitors served {}{}, HTTPS lost {lost}{}",
            short_verdict(*verdict),
            after(marks.detected),
            difference(detected),
            after(marks.failed_over),
            difference(failed_over),
            count_difference(compared.map(|compared| compared.lost_https)),
        );
    }
    for DamagedDrill { key, reason, .. } in &history.damaged {
        let _ = writeln!(text, "`{}` is no record of a drill: {}", one_line(key), one_line(reason));
    }
    if history.truncated {
        text.push_str("there are more objects beside the records than were listed\n");
    }
    match history.drills.len() {
        0 => text + "no drill has been recorded",
        number => {
            let noun = if number == 1 { "drill" } else { "drills" };
            let _ = write!(text, "{number} {noun}; in parentheses: compared with the one of the same kind before");
            text
        }
    }
}

/// How a drill ended that has measured nothing.
fn ended(past: &PastDrill) -> String {
    match (past.ended, &past.error) {
        (DrillEnd::Failed, Some(error)) => format!("failed: {}", one_line(error)),
        (DrillEnd::Completed | DrillEnd::Failed, _) => "failed".to_owned(),
        (DrillEnd::Interrupted, _) => "interrupted, and restored at once".to_owned(),
        (DrillEnd::Restored, _) => "killed, and restored later".to_owned(),
    }
}

/// By how many seconds a mark differs from the one of the drill before.
fn difference(seconds: Option<f64>) -> String {
    seconds.map_or_else(String::new, |seconds| format!(" ({:+.0} s)", seconds + 0.0))
}

fn count_difference(count: Option<i64>) -> String {
    count.map_or_else(String::new, |count| format!(" ({count:+})"))
}

/// A verdict in a table.
pub(super) fn short_verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "objective met",
        Verdict::NotFailedOver => "missed: no failover",
        Verdict::TooLate => "missed: too late",
        Verdict::HttpsLost => "missed: HTTPS lost",
        Verdict::HttpLost => "missed: HTTP lost",
        Verdict::NotDetected => "missed: not detected",
        Verdict::NotFailedBack => "missed: no failback",
    }
}

/// Where the drill ran.
pub(super) fn place(drill: &DrillResult) -> String {
    if drill.embedded { format!("the embedded cloud at {} times real time", drill.speed) } else { "AWS".to_owned() }
}

/// When a change was observed.
pub(super) fn moment(change: &Change) -> String {
    if change.at < 0.0 { "before".to_owned() } else { format!("{:.0} s", change.at) }
}

/// A mark as text.
pub(super) fn after(mark: Option<f64>) -> String {
    mark.map_or_else(|| "never".to_owned(), |at| format!("after {at:.0} s"))
}

/// The time between two marks.
pub(super) fn between(from: Option<f64>, to: Option<f64>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{:.0} s after that", to - from),
        _ => "never".to_owned(),
    }
}

pub(super) fn verdict(path: FailoverPath, verdict: Verdict) -> &'static str {
    match (path, verdict) {
        (FailoverPath::None, Verdict::Met) => {
            "objective met: the backup falls behind without replication, and catches up with it"
        }
        (FailoverPath::None, Verdict::NotFailedOver) => {
            "objective missed: the backup never fell behind; something else keeps it in sync"
        }
        (FailoverPath::None, _) => "objective missed: the backup did not catch up",
        (FailoverPath::OriginGroup, Verdict::Met) => {
            "objective met: visitors are served, over HTTPS too, while the primary is unavailable"
        }
        (_, Verdict::Met) => "objective met: visitors are served while the primary is unavailable",
        (_, Verdict::HttpsLost) => "objective missed: HTTPS requests failed that the mode promises to serve",
        (_, Verdict::HttpLost) => "objective missed: HTTP requests failed that the mode promises to serve",
        (_, Verdict::NotDetected) => "objective missed: the health checkers never reported the outage",
        (_, Verdict::NotFailedOver) => "objective missed: visitors never reached the backup",
        (_, Verdict::TooLate) => "objective missed: the failover took too long",
        (_, Verdict::NotFailedBack) => "objective missed: visitors did not return to the primary",
    }
}
