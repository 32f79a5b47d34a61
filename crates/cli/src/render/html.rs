//! The report of a drill as one self-contained HTML page without scripts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use twinsite_site::drill::{
    Change, DrillHistory, DrillResult, FailoverPath, Measured, Outcome, PastDrill, Sample, ServedBy, Verdict,
};

use super::drill::{after, between, detected, kept, moment, place, promise, seen, short_verdict, verdict};

const STYLE: &str = include_str!("report.css");

/// The beginning of a page up to its heading. `head` is HTML for its head.
pub(super) fn opening(title: &str, head: &str) -> String {
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{head}\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    )
}

pub(super) fn page(drill: &DrillResult, history: &DrillHistory) -> String {
    let DrillResult { domain, mode, outage, started, marks, .. } = drill;
    let (bound, objective) = (drill.bound_seconds, drill.objective_seconds);
    let place = place(drill);
    let class = if drill.verdict() == Verdict::Met { "met" } else { "missed" };
    let mut html = opening(&format!("Failover drill of {domain}"), "");
    let _ = write!(
        html,
        "<p class=\"{class}\">{}</p>\n\
         <p>{started}, on {place}. Mode <b>{mode}</b>, outage <b>{outage}</b>; what was broken is restored.</p>\n",
        escaped(verdict(drill.path, drill.verdict()))
    );
    let _ = write!(
        html,
        "<dl>\n<div><dt>Detected</dt><dd>{}</dd></div>\n<div><dt>Failed over</dt><dd>{}</dd></div>\n\
         <div><dt>Restored</dt><dd>{}</dd></div>\n<div><dt>Failed back</dt><dd>{}</dd></div>\n\
         <div><dt>Bound</dt><dd>{bound} s</dd></div>\n<div><dt>Objective</dt><dd>{objective} s</dd></div>\n\
         </dl>\n",
        detected(drill),
        after(marks.failed_over),
        after(marks.restored),
        between(marks.restored, marks.failed_back)
    );
    promises(&mut html, drill);
    chart(&mut html, drill);
    trend(&mut html, drill, history);
    table(&mut html, &drill.timeline);
    html.push_str(
        "<footer>Visitors are simulated: one request a second over each protocol, by a resolver that honours the TTL. The bound \
         follows from interval and threshold of the health checks and the TTL. Written by twinsite.</footer>\n</main>\n</body>\n</html>\n",
    );
    html
}

/// What visitors were promised over each protocol, and what they got.
fn promises(html: &mut String, drill: &DrillResult) {
    html.push_str(
        "<table>\n<thead><tr><th>Visitors</th><th>Promised</th><th>Seen</th><th>Kept</th></tr></thead>\n<tbody>\n",
    );
    for (name, protocol) in [("HTTP", &drill.visitors.http), ("HTTPS", &drill.visitors.https)] {
        let (promise, seen, kept) = (promise(protocol.promised), seen(protocol), kept(protocol));
        let _ = writeln!(html, "<tr><td>{name}</td><td>{promise}</td><td>{seen}</td><td>{kept}</td></tr>");
    }
    html.push_str("</tbody>\n</table>\n");
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The state that a lane shows at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LaneState {
    /// The CSS class of its colour.
    class: &'static str,
    label: &'static str,
}

const FAILED: LaneState = LaneState { class: "nothing", label: "failed" };

fn served_by(side: Option<ServedBy>) -> LaneState {
    match side {
        Some(ServedBy::Primary) => LaneState { class: "primary", label: "the primary" },
        Some(ServedBy::Backup) => LaneState { class: "backup", label: "the backup" },
        Some(ServedBy::Either) => LaneState { class: "either", label: "the site" },
        None => FAILED,
    }
}

type Lane<'a> = Box<dyn Fn(&Sample) -> LaneState + 'a>;

/// A period in which a lane shows the same state.
struct Period {
    from: f64,
    to: f64,
    state: LaneState,
}

fn chart(html: &mut String, drill: &DrillResult) {
    let samples = &drill.samples;
    let last = samples.last().map_or(0.0, |sample| sample.at).max(1.0);
    // A sample stands for the time until the next one: without it, what the last one observed would have no width.
    let end = last + (last * 0.02).max(1.0);
    let percent = |at: f64| (at.max(0.0) / end * 100.0).min(100.0);
    html.push_str(
        "<h2>Timeline</h2>\n<div id=\"chart\" role=\"img\" aria-label=\"What served requests, second by second\">\n",
    );
    let mut lanes: Vec<(String, Lane<'_>)> = Vec::new();
    let checks: BTreeSet<&String> = samples.iter().flat_map(|sample| sample.health.keys()).collect();
    for check in checks {
        let reports: Vec<HealthReport> = health_reports(samples, check);
        let state = move |sample: &Sample| match reports.iter().rev().find(|report| report.at <= sample.at) {
            Some(report) if report.healthy => LaneState { class: "either", label: "healthy" },
            Some(_) => LaneState { class: "nothing", label: "unhealthy" },
            None => LaneState { class: "unknown", label: "not asked yet" },
        };
        lanes.push((format!("Check: {}", escaped(check)), Box::new(state)));
    }
    lanes.push(("DNS leads to".into(), Box::new(|sample| served_by(sample.dns))));
    lanes.push(("Visitors, HTTP".into(), Box::new(|sample| served_by(side_of(&sample.http)))));
    lanes.push(("Visitors, HTTPS".into(), Box::new(|sample| served_by(side_of(&sample.https)))));
    lanes.push((
        "Backup itself".into(),
        Box::new(|sample| if sample.backup { LaneState { class: "backup", label: "in sync" } } else { FAILED }),
    ));
    for (name, lane) in lanes {
        let _ = write!(html, "<div class=\"lane\"><span>{name}</span><div class=\"bar\">");
        for Period { from, to, state: LaneState { class, label } } in periods(samples, &lane, end) {
            let (left, width) = (percent(from), percent(to) - percent(from));
            let _ = write!(
                html,
                "<i class=\"{class}\" style=\"left:{left:.2}%;width:{width:.2}%\" title=\"{from:.0} s to {to:.0} s: {label}\"></i>"
            );
        }
        html.push_str("</div></div>\n");
    }
    marks(html, drill, &percent);
    html.push_str("</div>\n");
    html.push_str(
        "<p class=\"legend\"><i class=\"primary\"></i> primary <i class=\"backup\"></i> backup <i class=\"either\"></i> healthy, or \
         either side <i class=\"nothing\"></i> failed</p>\n",
    );
}

/// The axis with the marks.
fn marks(html: &mut String, drill: &DrillResult, percent: &dyn Fn(f64) -> f64) {
    html.push_str("<div class=\"lane marks\"><span>Seconds</span><div class=\"bar\">");
    let marks = [
        ("broken", Some(0.0)),
        ("failed over", drill.marks.failed_over),
        ("restored", drill.marks.restored),
        ("failed back", drill.marks.failed_back),
    ];
    for (row, (name, mark)) in marks.into_iter().enumerate() {
        let Some(mark) = mark else { continue };
        let place = if percent(mark) > 70.0 {
            format!("right:{:.2}%", 100.0 - percent(mark))
        } else {
            format!("left:{:.2}%", percent(mark))
        };
        let _ = write!(html, "<b class=\"row{row}\" style=\"{place}\">{name} {mark:.0}</b>");
    }
    let bound = percent(Duration::from_secs(drill.bound_seconds).as_secs_f64());
    let _ = write!(html, "<em style=\"left:{bound:.2}%\" title=\"bound: {} s\"></em>", drill.bound_seconds);
    html.push_str("</div></div>\n");
}

/// What the checkers of a health check reported.
struct HealthReport {
    at: f64,
    healthy: bool,
}

fn health_reports(samples: &[Sample], check: &str) -> Vec<HealthReport> {
    let report = |sample: &Sample| Some(HealthReport { at: sample.at, healthy: *sample.health.get(check)? });
    samples.iter().filter_map(report).collect()
}

fn side_of(outcome: &Outcome) -> Option<ServedBy> {
    match outcome {
        Outcome::Served(side) => Some(*side),
        Outcome::Failed(_) => None,
    }
}

/// Consecutive samples with the same state.
fn periods(samples: &[Sample], lane: &Lane<'_>, end: f64) -> Vec<Period> {
    let mut all: Vec<Period> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.at >= 0.0) {
        let state = lane(sample);
        if let Some(last) = all.last_mut() {
            last.to = sample.at;
        }
        if all.last().is_none_or(|last| last.state != state) {
            all.push(Period { from: if all.is_empty() { 0.0 } else { sample.at }, to: sample.at, state });
        }
    }
    if let Some(last) = all.last_mut() {
        last.to = end;
    }
    all
}

/// How many drills a trend shows.
pub(super) const TREND: usize = 20;

/// The drills of the same kind, this one included, if there is another one.
pub(super) fn trend_of<'a>(drill: &'a DrillResult, history: &'a DrillHistory) -> Vec<(&'a PastDrill, &'a Measured)> {
    let alike = history.of_kind(drill).filter_map(|past| Some((past, past.measured.as_ref()?)));
    let alike: Vec<_> = alike.collect();
    if alike.len() < 2 { Vec::new() } else { alike[alike.len().saturating_sub(TREND)..].to_vec() }
}

/// The name of the mark that a trend compares.
pub(super) fn trend_mark(path: FailoverPath) -> &'static str {
    if path == FailoverPath::None { "Fell behind" } else { "Failed over" }
}

/// How long visitors needed to reach the backup in earlier drills of the same kind: a bar for each, and a table.
fn trend(html: &mut String, drill: &DrillResult, history: &DrillHistory) {
    let drills = trend_of(drill, history);
    if drills.is_empty() {
        return;
    }
    let mark = trend_mark(drill.path);
    let seconds = |measured: &Measured| measured.marks.failed_over.unwrap_or(0.0);
    let most = drills.iter().map(|(_, measured)| seconds(measured)).fold(1.0, f64::max);
    let _ = writeln!(
        html,
        "<h2>Drills of this outage</h2>\n<svg class=\"trend\" viewBox=\"0 0 {} 62\" role=\"img\" aria-label=\"{mark}, in seconds, \
         by drill; the longest took {most:.0}\">",
        drills.len() * 12
    );
    for (index, (past, measured)) in drills.iter().enumerate() {
        let class = if measured.verdict == Verdict::Met { "kept" } else { "lost" };
        let height = (seconds(measured) / most * 58.0).max(2.0);
        let _ = writeln!(
            html,
            "<rect class=\"{class}\" x=\"{}\" y=\"{:.1}\" width=\"10\" height=\"{height:.1}\"><title>{}: {}</title></rect>",
            index * 12 + 1,
            60.0 - height,
            escaped(&past.started),
            after(measured.marks.failed_over)
        );
    }
    let _ = writeln!(
        html,
        "</svg>\n<table>\n<thead><tr><th>Drill</th><th>Detected</th><th>{mark}</th><th>HTTPS lost</th><th>Verdict</th></tr></thead>\n<tbody>"
    );
    for (past, measured) in drills.iter().rev() {
        let Measured { verdict, marks, visitors, .. } = measured;
        let _ = writeln!(
            html,
            "<tr><td class=\"date\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&past.started),
            after(marks.detected),
            after(marks.failed_over),
            visitors.https.lost,
            short_verdict(*verdict)
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

fn table(html: &mut String, changes: &[Change]) {
    html.push_str(
        "<h2>Changes</h2>\n<table>\n<thead><tr><th>At</th><th>Observer</th><th>Observed</th></tr></thead>\n<tbody>\n",
    );
    for change in changes {
        let Change { observer, observed, .. } = change;
        let at = moment(change);
        let _ = writeln!(html, "<tr><td>{at}</td><td>{}</td><td>{}</td></tr>", escaped(observer), escaped(observed));
    }
    html.push_str("</tbody>\n</table>\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use twinsite_site::drill::{ByProtocol, Lost, Marks, Promise, Protocol, timeline};

    use super::*;

    fn protocol(promised: Promise) -> Protocol {
        Protocol { promised, served: 2, lost: 1, lost_despite_promise: 0, longest_wait: 0.1, kept: true }
    }

    fn drill() -> DrillResult {
        let site = Outcome::Served;
        let sample = |at, dns, http, https| Sample {
            at,
            asked: at,
            waited: ByProtocol::default(),
            dns: Some(dns),
            http,
            https,
            backup: true,
            health: BTreeMap::from([("primary".into(), at < 5.0)]),
        };
        let (primary, backup) = (ServedBy::Primary, ServedBy::Backup);
        let failed = || Outcome::Failed("HTTP status 404 <&>".into());
        let samples = vec![
            sample(-1.0, primary, site(primary), site(primary)),
            sample(1.0, primary, failed(), failed()),
            sample(90.0, backup, site(backup), failed()),
            sample(200.0, primary, site(primary), site(primary)),
        ];
        let marks =
            Marks { detected: Some(1.0), failed_over: Some(90.0), restored: Some(100.0), failed_back: Some(200.0) };
        DrillResult {
            domain: "www.example.com".into(),
            mode: "dns".into(),
            outage: "website",
            path: FailoverPath::Dns,
            embedded: true,
            speed: 10,
            started: "2026-11-23T10:00:00Z".into(),
            marks,
            checkers_readable: true,
            visitors: ByProtocol { http: protocol(Promise::AfterFailover), https: protocol(Promise::None) },
            lost: Lost { http: 1, https: 2, https_after_bound: 0, of: 3 },
            bound_seconds: 198,
            objective_seconds: 198,
            timeline: timeline(&samples),
            samples,
        }
    }

    #[test]
    fn the_page_is_self_contained_and_shows_the_timeline() {
        let html = page(&drill(), &DrillHistory::default());
        for part in ["id=\"chart\"", "objective met", "after 90 s", "100 s after that", "2026-11-23T", "&lt;&amp;&gt;"]
        {
            assert!(html.contains(part), "no `{part}` in {html}");
        }
        for strange in ["<script", "http://", "https://", "@import", "url("] {
            assert!(!html.contains(strange), "`{strange}`");
        }
        let missed = DrillResult { objective_seconds: 60, ..drill() };
        assert!(
            page(&missed, &DrillHistory::default()).contains("class=\"missed\"")
                && missed.verdict() == Verdict::TooLate
        );
    }
}
