//! Events as lines of text and of JSON.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use twinsite_site::{Event, Side, Watch};

use super::printable::one_line;
use super::wording::size;
use super::{JsonLine, eprint, print_json, with_flags};

/// Writes events as lines to stderr.
#[derive(Default)]
pub(super) struct EventLines {
    /// Whether every object is listed.
    objects: bool,
    /// Appended to commands in hints.
    flags: String,
    /// When each wait was last reported.
    waits: Mutex<HashMap<String, Duration>>,
}

impl EventLines {
    pub(super) fn new(objects: bool, flags: String) -> Self {
        Self { objects, flags, ..Self::default() }
    }

    /// A wait is reported when it begins, and then whenever its duration has doubled, so that logs stay short.
    fn is_due(&self, what: &str, since: Duration) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let due = waits.get(what).is_none_or(|last| since < *last || since >= (*last * 2).max(Duration::from_secs(10)));
        if due {
            waits.insert(what.to_owned(), since);
        }
        due
    }
}

impl Watch for EventLines {
    fn event(&self, event: &Event) {
        let text = match event {
            Event::Object { verb, side, key, reason, bytes } if self.objects => {
                let bytes = if *bytes > 0 { format!(" ({})", size(*bytes)) } else { String::new() };
                format!("{} {verb:<7} {}  {reason}{bytes}", side_name(*side), one_line(key))
            }
            Event::Warnings { text, items, hint } if self.objects => {
                warnings(text, items, items.len(), hint.as_deref())
            }
            Event::Waiting { what, since, .. } if !self.is_due(what, *since) => String::new(),
            other => line(other),
        };
        eprint(&with_flags(&text, &self.flags));
    }
}

fn side_name(side: Option<Side>) -> &'static str {
    side.map_or("", Side::as_str)
}

/// How many things a warning names, unless everything is to be shown.
const SHOWN: usize = 3;

fn warnings(text: &str, items: &[String], shown: usize, hint: Option<&str>) -> String {
    let mut lines = vec![format!("warning: {text}")];
    lines.extend(items.iter().take(shown).map(|item| format!("  {item}")));
    if items.len() > shown {
        lines.push(format!("  and {} more; -v shows them", items.len() - shown));
    }
    lines.extend(hint.map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

/// The line of an event; empty if it has none.
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
        Event::Warnings { text, items, hint } => warnings(text, items, SHOWN, hint.as_deref()),
        _ => String::new(),
    }
}

/// Writes each event as a line of JSON.
pub(super) struct JsonEvents {
    /// Appended to commands in hints.
    pub(super) flags: String,
}

impl Watch for JsonEvents {
    fn event(&self, event: &Event) {
        if let Some(mut record) = EventRecord::new(event) {
            if let EventRecord::Warning { hint: Some(hint), .. } = &mut record {
                *hint = with_flags(hint, &self.flags);
            }
            print_json(&JsonLine::Event(record));
        }
    }
}

/// An event as a line of `--json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum EventRecord {
    /// A step of a plan.
    Step {
        /// Whether it has started, completed or failed.
        state: Progressing,
        /// The step.
        step: String,
        /// `create`, `update`, `delete` or `wait`.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<&'static str>,
        /// How long it took.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// The command is waiting.
    Waiting {
        /// What it waits for.
        what: String,
        /// For how long so far.
        seconds: f64,
    },
    /// A phase of publishing or copying.
    Phase {
        /// Whether it has started or completed.
        state: Progressing,
        /// `list`, `hash`, `transfer`, `copy` or `verify`.
        phase: &'static str,
        /// `primary` or `backup`.
        side: Option<&'static str>,
        /// The number of objects, if known.
        #[serde(skip_serializing_if = "Option::is_none")]
        objects: Option<u64>,
        /// Their size in bytes, if known.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// How long it took.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
    /// An object was put, rewritten, copied or deleted, or a file was withheld.
    Object {
        /// `put`, `rewrite`, `copy`, `delete` or `withhold`.
        verb: &'static str,
        /// `primary` or `backup`.
        side: Option<&'static str>,
        /// The key.
        key: String,
        /// Why: `absent`, `size`, `content`, `metadata`, `forced`, `extraneous`, `late`, `version`; what a withheld file is.
        reason: &'static str,
        /// Bytes uploaded.
        bytes: u64,
    },
    /// An observation of a drill.
    Drill {
        /// Seconds since the outage began.
        at: f64,
        /// What was observed.
        what: String,
    },
    /// A warning.
    Warning {
        /// What.
        text: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// The state of a step or phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Progressing {
    /// It has started.
    Started,
    /// It has completed.
    Done,
    /// It has failed.
    Failed,
}

impl EventRecord {
    fn new(event: &Event) -> Option<Self> {
        let side = |side: &Option<Side>| side.map(Side::as_str);
        Some(match event {
            Event::StepStarted { step, action } => Self::Step {
                state: Progressing::Started,
                step: step.to_string(),
                action: Some(action.as_str()),
                seconds: None,
                error: None,
            },
            Event::StepDone { step, action, took } => Self::Step {
                state: Progressing::Done,
                step: step.to_string(),
                action: Some(action.as_str()),
                seconds: Some(took.as_secs_f64()),
                error: None,
            },
            Event::StepFailed { step, error } => Self::Step {
                state: Progressing::Failed,
                step: step.to_string(),
                action: None,
                seconds: None,
                error: Some(error.clone()),
            },
            Event::Waiting { what, since, .. } => Self::Waiting { what: what.clone(), seconds: since.as_secs_f64() },
            Event::PhaseStarted { phase, side: of, objects, bytes } => Self::Phase {
                state: Progressing::Started,
                phase: phase.as_str(),
                side: side(of),
                objects: *objects,
                bytes: *bytes,
                seconds: None,
            },
            Event::PhaseDone { phase, side: of, took } => Self::Phase {
                state: Progressing::Done,
                phase: phase.as_str(),
                side: side(of),
                objects: None,
                bytes: None,
                seconds: Some(took.as_secs_f64()),
            },
            Event::Object { verb, side: of, key, reason, bytes } => {
                Self::Object { verb: verb.as_str(), side: side(of), key: key.clone(), reason, bytes: *bytes }
            }
            Event::Drill { at, what } => Self::Drill { at: at.as_secs_f64(), what: what.clone() },
            Event::Warning { text, hint } => Self::Warning { text: text.clone(), hint: hint.clone() },
            Event::Warnings { text, items, hint } => {
                Self::Warning { text: format!("{text}\n{}", items.join("\n")), hint: hint.clone() }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_reported_less_and_less_often() {
        let lines = EventLines::new(false, String::new());
        let said = (0..600).filter(|second| lines.is_due("x", Duration::from_secs(*second))).collect::<Vec<_>>();
        assert_eq!(said, [0, 10, 20, 40, 80, 160, 320]);
        assert!(lines.is_due("y", Duration::ZERO) && lines.is_due("x", Duration::ZERO), "a new wait is news");
    }
}
