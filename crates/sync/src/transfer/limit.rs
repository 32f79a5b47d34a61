//! How many requests are under way at once: more while all goes well, half when S3 asks for less.

use std::time::Duration;

/// Additive increase, multiplicative decrease, as TCP does it. It increases only where answers take their time: more requests at
/// once make a far store faster, and a near one no more than fuller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConcurrencyLimit {
    width: usize,
    done: usize,
    /// How long those took together.
    took: Duration,
    throttled: u64,
}

impl ConcurrencyLimit {
    /// Enough for a small change to be a round trip or two.
    const START: usize = 64;
    const LEAST: usize = 2;
    /// A thousand small files a second over a link of 160 ms.
    const MOST: usize = 160;
    /// A store whose answers take so long is far away.
    const FAR: Duration = Duration::from_millis(25);

    /// The pace to start with, given how often the store has throttled so far.
    pub(crate) fn new(throttled: u64) -> Self {
        Self { width: Self::START, done: 0, took: Duration::ZERO, throttled }
    }

    /// How many requests may be under way.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// One request is done, and took so long; the store has throttled this often by now.
    pub(crate) fn tick(&mut self, throttled: u64, took: Duration) {
        self.done += 1;
        self.took += took;
        let halved = throttled > self.throttled;
        if !halved && self.done < self.width {
            return;
        }
        let far = self.took > Self::FAR * u32::try_from(self.done).unwrap_or(u32::MAX);
        self.width = match (halved, far) {
            (true, _) => (self.width / 2).max(Self::LEAST),
            (false, true) => (self.width + 16).min(Self::MOST),
            // What was halved comes back all the same.
            (false, false) => (self.width + 4).min(Self::START.max(self.width)),
        };
        (self.done, self.took, self.throttled) = (0, Duration::ZERO, throttled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Duration = Duration::from_millis(2);
    const FAR: Duration = Duration::from_millis(60);

    #[test]
    fn it_halves_at_once_and_comes_back_slowly() {
        let mut pace = ConcurrencyLimit::new(0);
        pace.tick(3, NEAR);
        assert_eq!(pace.width(), 32);
        pace.tick(3, NEAR);
        assert_eq!(pace.width(), 32);
        (0..31).for_each(|_| pace.tick(3, NEAR));
        assert_eq!(pace.width(), 36);
        (0..20).for_each(|n| pace.tick(4 + n, NEAR));
        assert_eq!(pace.width(), ConcurrencyLimit::LEAST);
        (0..100_000).for_each(|_| pace.tick(100, NEAR));
        assert_eq!(pace.width(), ConcurrencyLimit::START);
    }

    #[test]
    fn it_grows_where_answers_come_from_afar_and_only_there() {
        let mut pace = ConcurrencyLimit::new(0);
        (0..10_000).for_each(|_| pace.tick(0, NEAR));
        assert_eq!(pace.width(), ConcurrencyLimit::START);
        (0..64).for_each(|_| pace.tick(0, FAR));
        assert_eq!(pace.width(), 80);
        (0..10_000).for_each(|_| pace.tick(0, FAR));
        assert_eq!(pace.width(), ConcurrencyLimit::MOST);
        (0..10_000).for_each(|_| pace.tick(0, NEAR));
        assert_eq!(pace.width(), ConcurrencyLimit::MOST);
    }
}
