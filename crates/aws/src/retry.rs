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

/// A host that cannot be reached is noticed quickly.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).read_timeout(Duration::from_mins(1)).build()
}

/// The same for requests with large bodies. The SDK's read timeout runs from the first byte of a request to the first one of
/// its answer, so it must not cut a slow upload short: these are 64 MiB at once over 2 Mbit/s. That nothing moves at all is
/// noticed much sooner, by the SDK's stalled-stream protection.
pub fn patient_timeouts() -> TimeoutConfig {
    timeouts().into_builder().read_timeout(Duration::from_mins(5)).build()
}
