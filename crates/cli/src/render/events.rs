//! Events as lines: for people without a terminal, and for programs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use twinsite_core::{Event, Side, Watch};

use super::human::size;
use super::{data, people};

/// Plain lines; objects only when asked for.
#[derive(Default)]
pub(super) struct Lines {
    objects: bool,
    /// When a wait was last spoken of, by what is waited for.
    waits: Mutex<HashMap<String, Duration>>,
}

impl Lines {
    pub(super) fn new(objects: bool) -> Self {
        Self { objects, ..Self::default() }
    }

    /// A log is not a clock: a wait is spoken of when it begins, and then each time it has become twice as long.
    fn is_news(&self, what: &str, since: Duration) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let news =
            waits.get(what).is_none_or(|last| since < *last || since >= (*last * 2).max(Duration::from_secs(10)));
        if news {
            waits.insert(what.to_owned(), since);
        }
        news
    }
}

impl Watch for Lines {
    fn event(&self, event: &Event) {
        let text = match event {
            Event::Object { verb, side, key, reason, bytes } if self.objects => {
                let bytes = if *bytes > 0 { format!(" ({})", size(*bytes)) } else { String::new() };
                format!("{} {verb:<7} {key}  {reason}{bytes}", of(*side))
            }
            Event::Waiting { what, since, .. } if !self.is_news(what, *since) => String::new(),
            other => line(other),
        };
        people(&text);
    }
}

fn of(side: Option<Side>) -> &'static str {
    side.map_or("", Side::as_str)
}

/// What is worth a line of its own; empty when it is not.
pub(super) fn line(event: &Event) -> String {
    match event {
        Event::StepDone { step, action, took } => format!("{} {step} ({:.1} s)", action.symbol(), took.as_secs_f64()),
        Event::StepFailed { step, error } => format!("! {step}: {error}"),
        Event::Waiting { what, since, usually } => {
            let usually = usually.map(|usually| format!(", usually {usually}")).unwrap_or_default();
            format!("… waiting for {what} ({} s{usually})", since.as_secs())
        }
        Event::Drill { at, what } => format!("{:>6.0} s  {what}", at.as_secs_f64()),
        Event::Warning { text, hint } => {
            let hint = hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            format!("warning: {text}{hint}")
        }
        _ => String::new(),
    }
}

/// One JSON object a line.
pub(super) struct Ndjson;

impl Watch for Ndjson {
    fn event(&self, event: &Event) {
        if let Some(value) = value(event) {
            data(&value.to_string());
        }
    }
}

fn value(event: &Event) -> Option<Value> {
    let side = |side: &Option<Side>| side.map(Side::as_str);
    Some(match event {
        Event::StepStarted { step, action } => {
            json!({"event": "step", "state": "started", "step": step.as_str(), "action": action.as_str()})
        }
        Event::StepDone { step, action, took } => json!({
            "event": "step", "state": "done", "step": step.as_str(), "action": action.as_str(),
            "seconds": took.as_secs_f64(),
        }),
        Event::StepFailed { step, error } => {
            json!({"event": "step", "state": "failed", "step": step.as_str(), "error": error})
        }
        Event::Waiting { what, since, .. } => {
            json!({"event": "waiting", "what": what, "seconds": since.as_secs_f64()})
        }
        Event::PhaseStarted { phase, side: at, objects, bytes } => json!({
            "event": "phase", "state": "started", "phase": phase.as_str(), "side": side(at), "objects": objects,
            "bytes": bytes,
        }),
        Event::PhaseDone { phase, side: at, took } => json!({
            "event": "phase", "state": "done", "phase": phase.as_str(), "side": side(at),
            "seconds": took.as_secs_f64(),
        }),
        Event::Object { verb, side: at, key, reason, bytes } => json!({
            "event": "object", "verb": verb.as_str(), "side": side(at), "key": key, "reason": reason, "bytes": bytes,
        }),
        Event::Drill { at, what } => json!({"event": "moment", "at": at.as_secs_f64(), "what": what}),
        Event::Warning { text, hint } => json!({"event": "warning", "text": text, "hint": hint}),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_spoken_of_ever_more_seldom() {
        let lines = Lines::new(false);
        let said = (0..600).filter(|second| lines.is_news("x", Duration::from_secs(*second))).collect::<Vec<_>>();
        assert_eq!(said, [0, 10, 20, 40, 80, 160, 320]);
        assert!(lines.is_news("y", Duration::ZERO) && lines.is_news("x", Duration::ZERO), "a new wait is news");
    }
}
