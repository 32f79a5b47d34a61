//! The result of a drill as text.

use std::fmt::Write;

use twinsite_site::drill::{Change, DrillResult, FailoverPath, Verdict};

use crate::result::DrilledResult;

/// The result.
pub(super) fn drill(drilled: &DrilledResult) -> String {
    let DrilledResult { drill, verdict } = drilled;
    let DrillResult { domain, mode, outage, path, embedded, speed, marks, lost, .. } = drill;
    let mut text = format!("\ndrill of {domain}, mode {mode}, outage: {outage}");
    if *embedded {
        let _ = write!(text, " (embedded cloud, {speed} times real time)");
    }
    let _ = write!(text, "\n\n  detected     {}", after(marks.detected));
    let failed_over = match path {
        FailoverPath::Dns | FailoverPath::OriginGroup => format!("failed over  {} (bound", after(marks.failed_over)),
        FailoverPath::None => format!("fell behind  {} (to catch up: bound", after(marks.failed_over)),
    };
    let (bound, objective) = (drill.bound_seconds, drill.objective_seconds);
    let _ = write!(text, "\n  {failed_over} {bound} s, objective {objective} s)");
    let _ = write!(text, "\n  restored     {}", after(marks.restored));
    let back = if *path == FailoverPath::None { "caught up    " } else { "failed back  " };
    let _ = write!(text, "\n  {back}{}", between(marks.restored, marks.failed_back));
    let _ = write!(text, "\n  lost         {} of {} requests over HTTP, {} over HTTPS", lost.http, lost.of, lost.https);
    if *path == FailoverPath::Dns {
        text.push_str("\n               (website endpoints do not support HTTPS: it is unavailable while failed over)");
    }
    let _ = write!(text, "\n\n{}", self::verdict(*path, *verdict));
    text
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
        (_, Verdict::HttpsLost) => "objective missed: HTTPS requests failed while the primary was unavailable",
        (_, Verdict::NotDetected) => "objective missed: the health checkers never reported the outage",
        (_, Verdict::NotFailedOver) => "objective missed: visitors never reached the backup",
        (_, Verdict::TooLate) => "objective missed: the failover took too long",
        (_, Verdict::NotFailedBack) => "objective missed: visitors did not return to the primary",
    }
}
