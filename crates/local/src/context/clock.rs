//! The clock of the embedded cloud, and how long its services take to propagate a change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep as SdkSleep};
use tokio::time::Instant;
use twinsite_core::{Sleep, Timer};

use super::{DelayModel, WeatherSettings};

/// The time, and how long changes take. Clones share both.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    mode: ClockMode,
    delays: Delays,
    /// Draws the delays instead, if the weather is not calm.
    model: Option<DelayModel>,
    /// When those who sleep on a clock that skips want to be woken, by their number.
    sleepers: BTreeMap<u64, SystemTime>,
    /// How many sleeps have begun or ended, and how many requests have arrived.
    activity: u64,
}

#[derive(Clone, Copy, Debug)]
enum ClockMode {
    /// Follows the machine's clock.
    System,
    /// Stopped; only `advance` moves it.
    Manual(SystemTime),
    /// Showed `start` at the runtime's `anchor` and has run `speed` times faster since.
    Scaled { start: SystemTime, anchor: Instant, speed: u32 },
    /// Stands still while anything happens, and skips to when the first sleeper is to be woken once everybody sleeps.
    Skipping(SystemTime),
}

/// How long changes take to propagate. AWS needs minutes; the defaults are fractions of a second, so that pending states can
/// be observed without slowing tests down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Until a distribution is `Deployed`.
    pub distribution: Duration,
    /// Until an invalidation is `Completed`.
    pub invalidation: Duration,
    /// Until a change of record sets is `INSYNC`.
    pub records: Duration,
    /// Until `DescribeCertificate` returns the validation records.
    pub certificate: Duration,
    /// From the request of a certificate until ACM has looked up its validation records.
    pub validation: Duration,
    /// Until a new distribution is listed.
    pub listing: Duration,
    /// Until a custom domain name of API Gateway is `AVAILABLE`.
    pub domain_name: Duration,
    /// Until edges see a changed key of a key value store, and until a new store is ready.
    pub store: Duration,
    /// Until a new object version is replicated.
    pub replication: Duration,
}

impl Delays {
    /// No delays.
    pub const NONE: Self = Self {
        distribution: Duration::ZERO,
        invalidation: Duration::ZERO,
        records: Duration::ZERO,
        certificate: Duration::ZERO,
        validation: Duration::ZERO,
        listing: Duration::ZERO,
        domain_name: Duration::ZERO,
        store: Duration::ZERO,
        replication: Duration::ZERO,
    };
    /// The default: long enough to be observed, short enough to wait for.
    pub const BRIEF: Self = Self {
        distribution: Duration::from_millis(500),
        invalidation: Duration::from_millis(300),
        records: Duration::from_millis(200),
        certificate: Duration::from_millis(100),
        validation: Duration::ZERO,
        listing: Duration::ZERO,
        domain_name: Duration::from_millis(200),
        store: Duration::from_millis(200),
        replication: Duration::from_millis(100),
    };
}

/// The time of a request, and the delays in force.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The time.
    pub time: SystemTime,
    /// How long changes take.
    pub delays: Delays,
}

impl Clock {
    /// A clock that follows the machine's, with [`Delays::BRIEF`].
    pub fn system() -> Self {
        let (mode, delays) = (ClockMode::System, Delays::BRIEF);
        let state = State { mode, delays, model: None, sleepers: BTreeMap::new(), activity: 0 };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current time.
    #[expect(clippy::disallowed_methods, reason = "the clock is where time is read")]
    pub fn now(&self) -> SystemTime {
        let state = self.state();
        match state.mode {
            ClockMode::System => SystemTime::now(),
            ClockMode::Manual(time) | ClockMode::Skipping(time) => time,
            ClockMode::Scaled { start, anchor, speed } => start + anchor.elapsed() * speed,
        }
    }

    /// The current time and delays.
    pub fn snapshot(&self) -> Now {
        Now { time: self.now(), delays: self.delays() }
    }

    /// The delays of a change that is made now.
    pub fn delays(&self) -> Delays {
        let mut state = self.state();
        let fixed = state.delays;
        state.model.as_mut().map_or(fixed, DelayModel::next)
    }

    /// Lets the delays follow the weather from now on.
    pub(crate) fn set_weather(&self, settings: WeatherSettings) {
        self.state().model = DelayModel::new(settings);
    }

    /// Sets the delays of changes made from now on.
    pub fn set_delays(&self, delays: Delays) {
        self.state().delays = delays;
    }

    /// Makes the clock run `speed` times faster than the machine's from now on.
    pub fn set_speed(&self, speed: u32) {
        let start = self.now();
        self.state().mode = ClockMode::Scaled { start, anchor: Instant::now(), speed };
    }

    /// Notes a request: a clock that skips stands still for it.
    pub(crate) fn note_request(&self) {
        self.state().activity += 1;
    }

    /// Makes the clock skip all waiting from now on: it stands still while anything happens, and moves to the end of the first sleep
    /// once everybody sleeps. Everybody is who sleeps by this clock, in a runtime of one thread.
    pub fn skip_waiting(&self) {
        let now = self.now();
        self.state().mode = ClockMode::Skipping(now);
    }

    /// This clock as that of the SDK's pauses between attempts.
    pub fn sdk_sleep(&self) -> SharedAsyncSleep {
        SharedAsyncSleep::new(self.clone())
    }

    /// Sleeps by a clock that skips waiting.
    async fn sleep_skipping(&self, duration: Duration) {
        /// How often everybody else may go on before the clock skips: more than a task has futures that wake one another.
        const TURNS: u32 = 32;
        let until = self.now() + duration;
        let sleeper = Sleeper::new(self, until);
        while self.now() < until {
            let mut before = self.state().activity;
            let mut idle = 0;
            while idle < TURNS {
                tokio::task::yield_now().await;
                let after = self.state().activity;
                idle = if after == before { idle + 1 } else { 0 };
                before = after;
            }
            let mut state = self.state();
            let first = state.sleepers.iter().min_by_key(|(number, until)| (**until, **number));
            let is_first = first.is_some_and(|(number, _)| *number == sleeper.number);
            if let (ClockMode::Skipping(time), true) = (&mut state.mode, is_first) {
                *time = until.max(*time);
            } else if !matches!(state.mode, ClockMode::Skipping(_)) {
                return;
            }
        }
    }

    /// Sets the clock forward to `time` if it is behind.
    pub fn not_before(&self, time: SystemTime) {
        if self.now() < time {
            self.state().mode = ClockMode::Scaled { start: time, anchor: Instant::now(), speed: 1 };
        }
    }

    /// How long `duration` on this clock takes on the machine's.
    pub fn real(&self, duration: Duration) -> Duration {
        match self.state().mode {
            ClockMode::Scaled { speed, .. } => duration / speed.max(1),
            ClockMode::System | ClockMode::Manual(_) | ClockMode::Skipping(_) => duration,
        }
    }

    /// Sleeps for `duration` on this clock.
    #[expect(clippy::disallowed_methods, reason = "emulated services take time; nothing here polls")]
    pub async fn sleep(&self, duration: Duration) {
        if matches!(self.state().mode, ClockMode::Skipping(_)) {
            return self.sleep_skipping(duration).await;
        }
        tokio::time::sleep(self.real(duration)).await;
    }

    /// The current time in whole seconds, the resolution of `Last-Modified`.
    pub fn now_in_seconds(&self) -> SystemTime {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }

    /// Moves the clock forward and stops it there.
    pub fn advance(&self, by: Duration) {
        let time = self.now() + by;
        self.state().mode = ClockMode::Manual(time);
    }
}

/// One who sleeps on a clock that skips, until it is dropped.
struct Sleeper<'a> {
    clock: &'a Clock,
    number: u64,
}

impl<'a> Sleeper<'a> {
    fn new(clock: &'a Clock, until: SystemTime) -> Self {
        let mut state = clock.state();
        state.activity += 1;
        let number = state.activity;
        state.sleepers.insert(number, until);
        Self { clock, number }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut state = self.clock.state();
        state.activity += 1;
        state.sleepers.remove(&self.number);
    }
}

/// Operations that wait by this clock wait as long as its services take, however fast it runs.
impl Timer for Clock {
    fn now(&self) -> Duration {
        Self::now(self).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clone();
        Box::pin(async move { Self::sleep(&clock, duration).await })
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> SdkSleep {
        let clock = self.clone();
        SdkSleep::new(async move { Self::sleep(&clock, duration).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_that_skips_wakes_sleepers_in_order_and_takes_no_time() {
        let (clock, started) = (Clock::system(), Instant::now());
        clock.skip_waiting();
        let begun = clock.now();
        let nap = async |seconds: u64, times: u64| {
            for _ in 0..times {
                clock.sleep(Duration::from_secs(seconds)).await;
            }
            clock.now().duration_since(begun).unwrap().as_secs()
        };
        let all = futures::join!(nap(3600, 2), nap(7, 3), nap(1, 1), nap(0, 5));
        assert_eq!(all, (7200, 21, 1, 0));
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}
