//! The report of a drill as one page: nothing is loaded from anywhere, and nothing needs a script.

use std::fmt::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::drill::{at, since, verdict};
use crate::ops::drill::report::{Change, Drilled, secs, timeline};
use crate::ops::drill::timeline::{Look, Sample, Seen};

const STYLE: &str = include_str!("report.css");

/// The page.
pub(crate) fn page(drilled: &Drilled) -> String {
    let Drilled { domain, mode, how, local, speed, started, marks, lost, budget, objective, .. } = drilled;
    let when = i64::try_from(*started).ok().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let when = when.and_then(|when| when.format(&Rfc3339).ok()).unwrap_or_default();
    let place = if *local { format!("the embedded cloud, time {speed} times as fast") } else { "AWS".to_owned() };
    let class = if drilled.missed() { "missed" } else { "met" };
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Failover drill of {domain}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Failover drill of {domain}</h1>\n\
         <p class=\"{class}\">{}</p>\n\
         <p>{when}, on {place}. Mode <b>{mode}</b>; the primary was broken by <b>{how}</b> and put back.</p>\n",
        escaped(verdict(drilled))
    );
    let _ = write!(
        html,
        "<dl>\n<div><dt>Detected</dt><dd>{}</dd></div>\n<div><dt>Failed over</dt><dd>{}</dd></div>\n\
         <div><dt>Put back</dt><dd>{}</dd></div>\n<div><dt>Failed back</dt><dd>{}</dd></div>\n\
         <div><dt>Budget</dt><dd>{budget} s</dd></div>\n<div><dt>Objective</dt><dd>{objective} s</dd></div>\n\
         <div><dt>Lost over HTTP</dt><dd>{} of {} requests</dd></div>\n<div><dt>Lost over HTTPS</dt><dd>{}</dd></div>\n</dl>\n",
        at(marks.detected),
        at(marks.failed_over),
        at(marks.restored),
        since(marks.failed_back, marks.restored),
        lost.http,
        lost.of,
        lost.https
    );
    chart(&mut html, drilled);
    table(&mut html, &timeline(&drilled.samples));
    html.push_str(
        "<footer>A visitor keeps a name for as long as its TTL says, and asks once a second. The budget follows from the \
         interval and the threshold of the health checks and from the TTL. Written by twinsite.</footer>\n</main>\n</body>\n</html>\n",
    );
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What one lane shows at a time: a class for its colour, and words.
type Colour = (&'static str, &'static str);

const NOTHING: Colour = ("nothing", "nothing");

fn of_side(side: Option<Seen>) -> Colour {
    match side {
        Some(Seen::Primary) => ("primary", "the primary"),
        Some(Seen::Backup) => ("backup", "the backup"),
        Some(Seen::Either) => ("either", "the site"),
        None => NOTHING,
    }
}

type Lane<'a> = &'a dyn Fn(&Sample) -> Colour;

fn chart(html: &mut String, drilled: &Drilled) {
    let samples = &drilled.samples;
    let end = samples.last().map_or(1.0, |sample| sample.at).max(1.0);
    let percent = |at: f64| (at.max(0.0) / end * 100.0).min(100.0);
    html.push_str(
        "<h2>What was seen</h2>\n<div id=\"chart\" role=\"img\" aria-label=\"Who answered, second by second\">\n",
    );
    let checked = checked(samples);
    let lanes: [(&str, Lane<'_>); 5] = [
        ("Health checks", &|sample| match checked.iter().rev().find(|(at, _)| *at <= sample.at) {
            Some((_, true)) => ("either", "see it well"),
            _ => ("nothing", "see it failing"),
        }),
        ("DNS leads to", &|sample| of_side(sample.dns)),
        ("Visitors, HTTP", &|sample| of_look(&sample.http)),
        ("Visitors, HTTPS", &|sample| of_look(&sample.https)),
        ("Backup itself", &|sample| if sample.backup { ("backup", "has it") } else { NOTHING }),
    ];
    for (name, colour) in lanes {
        let _ = write!(html, "<div class=\"lane\"><span>{name}</span><div class=\"bar\">");
        for (from, to, (class, words)) in stretches(samples, colour, end) {
            let (left, width) = (percent(from), percent(to) - percent(from));
            let _ = write!(
                html,
                "<i class=\"{class}\" style=\"left:{left:.2}%;width:{width:.2}%\" title=\"{from:.0} s to {to:.0} s: {words}\"></i>"
            );
        }
        html.push_str("</div></div>\n");
    }
    moments(html, drilled, &percent);
    html.push_str("</div>\n");
    html.push_str(
        "<p class=\"legend\"><i class=\"primary\"></i> primary <i class=\"backup\"></i> backup <i class=\"either\"></i> well, or \
         either side <i class=\"nothing\"></i> nothing</p>\n",
    );
}

/// The axis, with what happened when.
fn moments(html: &mut String, drilled: &Drilled, percent: &dyn Fn(f64) -> f64) {
    html.push_str("<div class=\"lane marks\"><span>Seconds</span><div class=\"bar\">");
    let marks = [
        ("broken", Some(0.0)),
        ("over", drilled.marks.failed_over),
        ("put back", drilled.marks.restored),
        ("back", drilled.marks.failed_back),
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
    let budget = percent(secs(drilled.budget));
    let _ = write!(html, "<em style=\"left:{budget:.2}%\" title=\"budget: {} s\"></em>", drilled.budget);
    html.push_str("</div></div>\n");
}

/// What the checkers last said of what DNS goes by, whenever they were asked.
fn checked(samples: &[Sample]) -> Vec<(f64, bool)> {
    let asked = samples.iter().filter(|sample| !sample.health.is_empty());
    asked
        .map(|sample| (sample.at, sample.health.get("serving").or(sample.health.get("primary")) != Some(&false)))
        .collect()
}

fn of_look(look: &Look) -> Colour {
    of_side(look.side())
}

/// Samples that show the same, put together.
fn stretches(samples: &[Sample], colour: Lane<'_>, end: f64) -> Vec<(f64, f64, Colour)> {
    let mut all: Vec<(f64, f64, Colour)> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.at >= 0.0) {
        let now = colour(sample);
        if let Some(last) = all.last_mut() {
            last.1 = sample.at;
        }
        if all.last().is_none_or(|last| last.2 != now) {
            all.push((if all.is_empty() { 0.0 } else { sample.at }, sample.at, now));
        }
    }
    if let Some(last) = all.last_mut() {
        last.1 = end;
    }
    all
}

fn table(html: &mut String, changes: &[Change]) {
    html.push_str(
        "<h2>What changed</h2>\n<table>\n<thead><tr><th>At</th><th>Who</th><th>Saw</th></tr></thead>\n<tbody>\n",
    );
    for Change { at, who, what } in changes {
        let at = if *at < 0.0 { "before".to_owned() } else { format!("{at:.0} s") };
        let _ = writeln!(html, "<tr><td>{at}</td><td>{}</td><td>{}</td></tr>", escaped(who), escaped(what));
    }
    html.push_str("</tbody>\n</table>\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use twinsite_core::Mode;
    use twinsite_s3_site::How;

    use super::*;
    use crate::ops::drill::timeline::{Way, lost, marks};

    fn drilled() -> Drilled {
        let site = |side| Look::Site(side);
        let sample = |at, dns, http, https| Sample {
            at,
            dns: Some(dns),
            http,
            https,
            backup: true,
            health: BTreeMap::from([("primary".into(), at < 5.0)]),
        };
        let (primary, backup) = (Seen::Primary, Seen::Backup);
        let none = || Look::Failed("HTTP status 404 <&>".into());
        let samples = vec![
            sample(-1.0, primary, site(primary), site(primary)),
            sample(1.0, primary, none(), none()),
            sample(90.0, backup, site(backup), none()),
            sample(200.0, primary, site(primary), site(primary)),
        ];
        let (marks, lost) = (marks(&samples, Way::Dns, Some(100.0)), lost(&samples));
        Drilled {
            domain: "www.example.com".into(),
            mode: Mode::Dns,
            how: How::Website,
            way: Way::Dns,
            local: true,
            speed: 10,
            started: 1_795_440_000,
            samples,
            marks,
            lost,
            budget: 198,
            objective: 198,
        }
    }

    #[test]
    fn the_page_needs_nothing_from_anywhere_and_shows_what_was_seen() {
        let html = page(&drilled());
        for part in
            ["id=\"chart\"", "the objective is met", "after 90 s", "100 s after that", "2026-11-23T", "&lt;&amp;&gt;"]
        {
            assert!(html.contains(part), "no `{part}` in {html}");
        }
        for strange in ["<script", "http://", "https://", "@import", "url("] {
            assert!(!html.contains(strange), "`{strange}`");
        }
        let missed = Drilled { objective: 60, ..drilled() };
        assert!(page(&missed).contains("class=\"missed\"") && missed.missed());
    }
}
