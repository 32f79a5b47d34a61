//! The time that an operation goes by.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

/// A pause.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Measures time, and lets it pass: that of this machine, or that of an embedded cloud whose clock runs faster.
pub trait Timer: Debug + Send + Sync {
    /// The time since a fixed point, which never goes back.
    fn now(&self) -> Duration;

    /// A pause.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The time of this machine.
#[derive(Clone, Copy, Debug)]
pub struct MachineTime {
    start: Instant,
}

impl MachineTime {
    /// The time since now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Timer for MachineTime {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "all waits go through this")]
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}
