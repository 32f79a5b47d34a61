//! The report of a drill, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::ops::drill::report::{Drilled, secs, timeline};
use crate::ops::drill::timeline::Way;

/// A moment in words.
pub(super) fn at(mark: Option<f64>) -> String {
    mark.map_or_else(|| "never".to_owned(), |at| format!("after {at:.0} s"))
}

/// How long something took from another moment on.
pub(super) fn since(mark: Option<f64>, from: Option<f64>) -> String {
    match (mark, from) {
        (Some(mark), Some(from)) => format!("{:.0} s after that", mark - from),
        _ => "never".to_owned(),
    }
}

pub(super) fn text(drilled: &Drilled) -> String {
    let Drilled { domain, mode, how, way, local, speed, marks, lost, budget, objective, .. } = drilled;
    let mut text = format!("\ndrill of {domain}, mode {mode}, broken by: {how}");
    if *local {
        let _ = write!(text, " (embedded cloud, time {speed} times as fast)");
    }
    let _ = write!(text, "\n\n  detected     {}", at(marks.detected));
    let over = match way {
        Way::Dns | Way::Origin => format!("failed over  {} (budget", at(marks.failed_over)),
        Way::Stay => format!("fell behind  {} (to catch up: budget", at(marks.failed_over)),
    };
    let _ = write!(text, "\n  {over} {budget} s, objective {objective} s)");
    let _ = write!(text, "\n  restored     {}", at(marks.restored));
    let back = if *way == Way::Stay { "caught up    " } else { "failed back  " };
    let _ = write!(text, "\n  {back}{}", since(marks.failed_back, marks.restored));
    let _ = write!(text, "\n  lost         {} of {} requests over HTTP, {} over HTTPS", lost.http, lost.of, lost.https);
    if *way == Way::Dns {
        text.push_str("\n               (website endpoints speak no TLS: while failed over, HTTPS is down)");
    }
    let _ = write!(text, "\n\n{}", verdict(drilled));
    text
}

/// What it comes to.
pub(super) fn verdict(drilled: &Drilled) -> &'static str {
    if drilled.way == Way::Stay {
        return match (drilled.missed(), drilled.marks.failed_over) {
            (false, _) => "the objective is met: the backup falls behind without replication, and catches up with it",
            (true, None) => "the objective is missed: the backup never fell behind: something else keeps it level",
            (true, Some(_)) => "the objective is missed: the backup did not catch up",
        };
    }
    match (drilled.missed(), drilled.marks.failed_over) {
        (false, _) => "the objective is met: visitors survive the loss of the primary",
        (true, None) => "the objective is missed: visitors never reached the backup",
        (true, Some(over)) if over > secs(drilled.objective) => "the objective is missed: it took too long",
        (true, Some(_)) => "the objective is missed: visitors did not come back to the primary",
    }
}

pub(super) fn json(drilled: &Drilled) -> Value {
    let Drilled { domain, mode, how, way: _, local, speed, started, samples, marks, lost, budget, objective } = drilled;
    json!({
        "event": "drilled", "domain": domain, "mode": mode.as_str(), "how": how.as_str(), "local": local, "speed": speed,
        "started": started, "detected": marks.detected, "failed_over": marks.failed_over, "restored": marks.restored,
        "failed_back": marks.failed_back, "lost": lost, "budget": budget, "objective": objective,
        "missed": drilled.missed(), "timeline": timeline(samples),
    })
}
