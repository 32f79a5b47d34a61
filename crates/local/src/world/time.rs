//! The clock of the embedded cloud.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Says what time it is. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hands>>);

#[derive(Clone, Copy, Debug)]
enum Hands {
    System,
    Set(SystemTime),
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
        }
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
