//! Chance that can be repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A sequence of numbers that follows from its seed: `SplitMix64`. <https://prng.di.unimi.it/splitmix64.c>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A number from 0 up to, and without, 1.
    fn fraction(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }

    /// A duration between two, each as likely as the others.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + most.saturating_sub(least).mul_f64(self.fraction())
    }

    /// A duration whose logarithm is normally distributed, by its median and 99th percentile.
    pub(crate) fn around(&mut self, median: Duration, p99: Duration) -> Duration {
        /// The 99th percentile of the standard normal distribution.
        const NORMAL_P99: f64 = 2.326;
        let deviation = (p99.as_secs_f64() / median.as_secs_f64()).ln() / NORMAL_P99;
        // The Box-Muller transform.
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.fraction()).cos();
        median.mul_f64((deviation * normal).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_as_asked_for() {
        let (mut random, seconds) = (Random::new(1), Duration::from_secs);
        let mut all: Vec<Duration> = (0..10_000).map(|_| random.around(seconds(15), seconds(60))).collect();
        all.sort_unstable();
        let (median, p99) = (all[5_000].as_secs_f64(), all[9_900].as_secs_f64());
        assert!((14.0..16.0).contains(&median) && (54.0..66.0).contains(&p99), "{median} {p99}");
        assert!((0..1000).all(|_| random.between(seconds(2), seconds(3)) < seconds(3)));
    }
}
