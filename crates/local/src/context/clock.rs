//! The clock of the embedded cloud, and how long its services take to propagate a change.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The time, and how long changes take. Clones share both.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    mode: ClockMode,
    delays: Delays,
}

#[derive(Clone, Copy, Debug)]
enum ClockMode {
    /// Follows the machine's clock.
    System,
    /// Stopped; only `advance` moves it.
    Manual(SystemTime),
    /// Showed `start` at the machine's `anchor` and has run `speed` times faster since.
    Scaled { start: SystemTime, anchor: Instant, speed: u32 },
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
        replication: Duration::ZERO,
    };
    /// The default: long enough to be observed, short enough to wait for.
    pub const BRIEF: Self = Self {
        distribution: Duration::from_millis(500),
        invalidation: Duration::from_millis(300),
        records: Duration::from_millis(200),
        certificate: Duration::from_millis(100),
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
        Self(Arc::new(Mutex::new(State { mode: ClockMode::System, delays: Delays::BRIEF })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current time.
    #[expect(clippy::disallowed_methods, reason = "the clock is where time is read")]
    pub fn now(&self) -> SystemTime {
        match self.state().mode {
            ClockMode::System => SystemTime::now(),
            ClockMode::Manual(time) => time,
            ClockMode::Scaled { start, anchor, speed } => start + anchor.elapsed() * speed,
        }
    }

    /// The current time and delays.
    pub fn snapshot(&self) -> Now {
        Now { time: self.now(), delays: self.delays() }
    }

    /// The delays in force.
    pub fn delays(&self) -> Delays {
        self.state().delays
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
            ClockMode::System | ClockMode::Manual(_) => duration,
        }
    }

    /// Sleeps for `duration` on this clock.
    #[expect(clippy::disallowed_methods, reason = "emulated services take time; nothing here polls")]
    pub async fn sleep(&self, duration: Duration) {
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
