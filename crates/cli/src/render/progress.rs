//! Progress bars on a terminal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use twinsite_core::Phase;
use twinsite_site::{Event, Side, Watch};

use super::events::line;

/// The visible bars.
type Bars = HashMap<(Phase, Option<Side>), Bar>;

#[derive(Clone)]
pub(super) struct Progress {
    all: MultiProgress,
    bars: Arc<Mutex<Bars>>,
}

struct Bar {
    shown: ProgressBar,
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
            bar.shown.finish_and_clear();
        }
    }

    fn bars(&self) -> MutexGuard<'_, Bars> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, phase: Phase, side: Option<Side>, objects: Option<u64>, bytes: Option<u64>) {
        let bar = self.all.add(ProgressBar::new(bytes.unwrap_or_default()));
        let template = if bytes.is_some() { BYTES } else { SPIN };
        // The templates are constants; the default style would do as well.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(format!("{} {}", side.map_or("", Side::as_str), phase.as_str()));
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bars().insert((phase, side), Bar { shown: bar, objects: objects.unwrap_or_default(), done: 0 });
    }

    fn advance(&self, phase: Phase, side: Option<Side>, objects: u64, bytes: u64) {
        if let Some(bar) = self.bars().get_mut(&(phase, side)) {
            bar.done += objects;
            bar.shown.inc(bytes);
            bar.shown.set_message(format!("{}/{} files", bar.done, bar.objects));
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
                    bar.shown.finish_and_clear();
                }
            }
            other => {
                let text = line(other);
                if !text.is_empty() {
                    // A closed terminal cannot be written to.
                    drop(self.all.println(text));
                }
            }
        }
    }
}
