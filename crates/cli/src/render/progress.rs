//! Progress bars on a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use twinsite_core::Phase;
use twinsite_site::{Event, Side, Watch};

use super::events::line;
use super::printable::{one_line, printable};
use super::with_flags;

/// The visible bars.
type Bars = HashMap<(Phase, Option<Side>), Bar>;

#[derive(Clone)]
pub(super) struct Progress {
    all: MultiProgress,
    bars: Arc<Mutex<Bars>>,
    /// One line for each pending wait, redrawn in place.
    waits: Arc<Mutex<HashMap<String, ProgressBar>>>,
    /// Appended to commands in hints.
    flags: String,
}

struct Bar {
    shown: ProgressBar,
    objects: u64,
    done: u64,
}

/// Without the message, which is cut at the edge of the terminal, these are at most 60 columns wide.
const BYTES: &str = "{prefix:>16} {bar:8} {bytes:>10} {bytes_per_sec:>12} {eta:>4} left {wide_msg}";
const SPIN: &str = "{prefix:>16} {spinner}";
const WAIT: &str = "{spinner} {wide_msg}";
const TICK: Duration = Duration::from_millis(200);

impl Progress {
    pub(super) fn new(flags: String) -> Self {
        Self { all: MultiProgress::new(), bars: Arc::default(), waits: Arc::default(), flags }
    }

    pub(super) fn close(&self) {
        for (_, bar) in self.bars().drain() {
            bar.shown.finish_and_clear();
        }
        self.end_waits();
    }

    /// Writes text above the bars. A closed terminal cannot be written to.
    pub(super) fn note(&self, text: &str) {
        drop(self.all.println(printable(text)));
    }

    fn bars(&self) -> MutexGuard<'_, Bars> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, phase: Phase, side: Option<Side>, objects: Option<u64>, bytes: Option<u64>) {
        let bar = self.add(bytes.unwrap_or_default(), if bytes.is_some() { BYTES } else { SPIN });
        bar.set_prefix(format!("{} {}", side.map_or("", Side::as_str), phase.as_str()));
        bar.enable_steady_tick(TICK);
        self.bars().insert((phase, side), Bar { shown: bar, objects: objects.unwrap_or_default(), done: 0 });
    }

    fn advance(&self, phase: Phase, side: Option<Side>, objects: u64, bytes: u64) {
        if let Some(bar) = self.bars().get_mut(&(phase, side)) {
            bar.done += objects;
            bar.shown.inc(bytes);
            bar.shown.set_message(format!("{}/{} files", bar.done, bar.objects));
        }
    }

    fn add(&self, length: u64, template: &str) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new(length));
        // The templates are constants; the default style would do as well.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar
    }

    /// Shows or redraws the line of a wait.
    fn wait(&self, what: &str, text: &str) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = waits.entry(what.to_owned()).or_insert_with(|| self.add(0, WAIT));
        bar.set_message(one_line(text).into_owned());
        bar.enable_steady_tick(TICK);
    }

    /// Something else has happened: whoever still waits says so again.
    fn end_waits(&self) {
        for (_, bar) in self.waits.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::PhaseStarted { phase, side, objects, bytes } => {
                self.end_waits();
                self.start(*phase, *side, *objects, *bytes);
            }
            Event::Progress { phase, side, objects, bytes } => self.advance(*phase, *side, *objects, *bytes),
            Event::PhaseDone { phase, side, .. } => {
                if let Some(bar) = self.bars().remove(&(*phase, *side)) {
                    bar.shown.finish_and_clear();
                }
            }
            Event::Waiting { what, .. } => self.wait(what, &line(event)),
            other => {
                let text = line(other);
                if !text.is_empty() {
                    self.end_waits();
                    self.note(&with_flags(&text, &self.flags));
                }
            }
        }
    }
}
