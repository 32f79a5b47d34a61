//! How many requests are under way at once: more while all goes well, half when S3 asks for less.

/// Additive increase, multiplicative decrease, as TCP does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    width: usize,
    done: usize,
    throttled: u64,
}

impl Pace {
    /// Enough for a small change to be one round trip.
    const START: usize = 96;
    const LEAST: usize = 2;
    /// A thousand small files a second over a link of 160 ms.
    const MOST: usize = 160;

    /// The pace to start with, given how often the store has throttled so far.
    pub(crate) fn new(throttled: u64) -> Self {
        Self { width: Self::START, done: 0, throttled }
    }

    /// How many requests may be under way.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// One request is done; the store has throttled this often by now.
    pub(crate) fn tick(&mut self, throttled: u64) {
        self.done += 1;
        if throttled > self.throttled {
            self.throttled = throttled;
            self.width = (self.width / 2).max(Self::LEAST);
            self.done = 0;
        } else if self.done >= self.width {
            self.width = (self.width + 4).min(Self::MOST);
            self.done = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_slowly_and_halves_at_once() {
        let mut pace = Pace::new(0);
        (0..96).for_each(|_| pace.tick(0));
        assert_eq!(pace.width(), 100);
        pace.tick(3);
        assert_eq!(pace.width(), 50);
        pace.tick(3);
        assert_eq!(pace.width(), 50);
        (0..20).for_each(|n| pace.tick(4 + n));
        assert_eq!(pace.width(), Pace::LEAST);
        (0..100_000).for_each(|_| pace.tick(100));
        assert_eq!(pace.width(), Pace::MOST);
    }
}
