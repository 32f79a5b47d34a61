//! The one retry policy. Nothing above the SDK retries an error.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// Standard retries with enough attempts to ride out S3's `SlowDown` while it splits a hot partition.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(8)
        .with_initial_backoff(Duration::from_millis(250))
        .with_max_backoff(Duration::from_secs(10))
}

/// For commands that are to say soon what does not respond: a passing error is repeated, an outage is not waited for.
pub fn status_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(150))
        .with_max_backoff(Duration::from_millis(600))
}

/// For commands that only read, and can be run again: an outage is reported within seconds.
pub fn read_retries() -> RetryConfig {
    retries().with_max_attempts(5).with_max_backoff(Duration::from_secs(1))
}

/// Up to this number of bytes, a request takes no longer than one without a body.
const SMALL: u64 = 1 << 20;

/// A host that cannot be reached is noticed quickly, and a request that is accepted and never answered after a minute.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_mins(1)).build()
}

/// The same for a request with so many bytes, three others of which share a link of 2 Mbit/s with it. The SDK's read timeout runs
/// from the first byte of a request to the first byte of its response, so it must not cut a slow upload short.
pub fn timeouts_for(bytes: u64) -> TimeoutConfig {
    if bytes <= SMALL {
        return timeouts();
    }
    // In steps, because each timeout has connections of its own.
    let steps = bytes.div_ceil(16 << 20).next_power_of_two();
    timeouts().into_builder().read_timeout(Duration::from_mins(5 * steps)).build()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{SMALL, timeouts, timeouts_for};

    #[test]
    fn slow_links_are_waited_for() {
        assert_eq!(timeouts_for(SMALL).read_timeout(), timeouts().read_timeout());
        for mebibytes in [16_u64, 17, 32, 52, 64] {
            let bits = 4 * (mebibytes << 20) * 8;
            let waits = timeouts_for(mebibytes << 20).read_timeout().unwrap();
            assert!(waits >= Duration::from_secs(bits / 2_000_000), "{mebibytes}: {waits:?}");
        }
    }
}
