//! Progress bars, when a terminal is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use twinsite_core::{Event, Phase, Side, Watch};

use super::events::line;

/// A bar for each phase of each side.
#[derive(Clone)]
pub(super) struct Progress {
    all: MultiProgress,
    bars: Arc<Mutex<HashMap<(Phase, Option<Side>), Bar>>>,
}

struct Bar {
    bar: ProgressBar,
    objects: u64,
    done: u64,
}

const BYTES: &str = "{prefix:>17} {bar:24} {bytes:>10}/{total_bytes:<10} {bytes_per_sec:>12} {eta:>4} left  {msg}";
const SPIN: &str = "{prefix:>17} {spinner}";

impl Progress {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), bars: Arc::default() }
    }

    pub(super) fn close(&self) {
        for (_, bar) in self.bars().drain() {
            bar.bar.finish_and_clear();
        }
    }

    fn bars(&self) -> MutexGuard<'_, HashMap<(Phase, Option<Side>), Bar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, phase: Phase, side: Option<Side>, objects: Option<u64>, bytes: Option<u64>) {
        let bar = self.all.add(ProgressBar::new(bytes.unwrap_or_default()));
        let template = if bytes.is_some() { BYTES } else { SPIN };
        // The templates are fixed; should one not parse, the default style does.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(format!("{} {}", side.map_or("", Side::as_str), phase.as_str()));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bars().insert((phase, side), Bar { bar, objects: objects.unwrap_or_default(), done: 0 });
    }

    fn advance(&self, phase: Phase, side: Option<Side>, objects: u64, bytes: u64) {
        if let Some(bar) = self.bars().get_mut(&(phase, side)) {
            bar.done += objects;
            bar.bar.inc(bytes);
            bar.bar.set_message(format!("{}/{} files", bar.done, bar.objects));
        }
    }
}

impl Watch for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::PhaseStarted { phase, side, objects, bytes } => self.start(*phase, *side, *objects, *bytes),
            Event::Progress { phase, side, objects, bytes } => self.advance(*phase, *side, *objects, *bytes),
            Event::PhaseDone { phase, side, .. } => {
                if let Some(bar) = self.bars().remove(&(*phase, *side)) {
                    bar.bar.finish_and_clear();
                }
            }
            other => {
                let text = line(other);
                if !text.is_empty() {
                    // A terminal that is gone shows nothing.
                    drop(self.all.println(text));
                }
            }
        }
    }
}
