//! The clock of the embedded cloud.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Says what time it is. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hands>>);

#[derive(Clone, Copy, Debug)]
enum Hands {
    System,
    Set(SystemTime),
    /// Started at a moment of both clocks, and runs so many times faster.
    Fast {
        world: SystemTime,
        machine: Instant,
        speed: u32,
    },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(Hands::System)))
    }

    /// A clock that stands still until it is moved.
    pub fn standing_at(time: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Hands::Set(time))))
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "the clock is where time is read")]
    pub fn now(&self) -> SystemTime {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Hands::System => SystemTime::now(),
            Hands::Set(time) => time,
            Hands::Fast { world, machine, speed } => world + machine.elapsed() * speed,
        }
    }

    /// Has the clock run so many times faster than the machine's, from now on.
    pub fn run_at(&self, speed: u32) {
        let world = self.now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Hands::Fast { world, machine: Instant::now(), speed };
    }

    /// Puts the clock forward to a moment, should it be behind.
    pub fn not_before(&self, world: SystemTime) {
        if self.now() < world {
            let hands = Hands::Fast { world, machine: Instant::now(), speed: 1 };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = hands;
        }
    }

    /// How long the machine's clock takes for a stretch of this one's.
    pub fn real(&self, stretch: Duration) -> Duration {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Hands::Fast { speed, .. } => stretch / speed.max(1),
            Hands::System | Hands::Set(_) => stretch,
        }
    }

    /// Waits for a stretch of this clock's time.
    #[expect(clippy::disallowed_methods, reason = "what takes time in the world takes time here")]
    pub async fn sleep(&self, stretch: Duration) {
        tokio::time::sleep(self.real(stretch)).await;
    }

    /// The time now in whole seconds, as `Last-Modified` has it.
    pub fn second(&self) -> SystemTime {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }

    /// Moves a standing clock; one that follows the machine stands still from then on.
    pub fn advance(&self, by: Duration) {
        let time = self.now() + by;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Hands::Set(time);
    }
}
