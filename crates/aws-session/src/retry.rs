//! The retries that the environment or the profile asks for.

use crate::settings::Settings;
use aws_config::retry::{RetryConfig, RetryMode};

/// The default with the attempts and the mode of `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE` or, where these are not set, of the profile.
/// Values that are none of the documented ones are passed over.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
pub(crate) fn configured(settings: &Settings, default: RetryConfig) -> RetryConfig {
    let setting = |variable, name| settings.get(variable, name).map(|setting| setting.value);
    let mut retry = default;
    let attempts = setting("AWS_MAX_ATTEMPTS", "max_attempts").and_then(|text| text.parse().ok());
    if let Some(attempts) = attempts.filter(|attempts| *attempts > 0) {
        retry = retry.with_max_attempts(attempts);
    }
    if let Some(mode) = setting("AWS_RETRY_MODE", "retry_mode").and_then(|text| text.parse::<RetryMode>().ok()) {
        retry = retry.with_retry_mode(mode);
    }
    retry
}

#[cfg(test)]
mod tests {
    use aws_types::os_shim_internal::{Env, Fs};

    use twinsite_aws::retries;

    use super::*;

    const FILE: &str = "[default]\nmax_attempts = 4\n[profile ci]\nmax_attempts = 3\nretry_mode = adaptive\n";

    async fn found(variables: &[(&str, &str)], profile: Option<&str>) -> (u32, RetryMode) {
        let home = [("HOME", "/h")];
        let env = Env::from_slice(&[&home, variables].concat());
        let fs = Fs::from_slice(&[("/h/.aws/config", FILE)]);
        let retry = configured(&Settings::read(env, &fs, profile.map(str::to_owned)).await, retries());
        assert_eq!(retry.initial_backoff(), retries().initial_backoff());
        (retry.max_attempts(), retry.mode())
    }

    #[tokio::test]
    async fn the_environment_counts_more_than_the_profile_and_that_more_than_the_default() {
        assert_eq!(found(&[], None).await, (4, RetryMode::Standard));
        assert_eq!(found(&[], Some("ci")).await, (3, RetryMode::Adaptive));
        assert_eq!(found(&[("AWS_PROFILE", "ci")], None).await, (3, RetryMode::Adaptive));
        let both = [("AWS_MAX_ATTEMPTS", "2"), ("AWS_RETRY_MODE", "standard")];
        assert_eq!(found(&both, Some("ci")).await, (2, RetryMode::Standard));
        assert_eq!(found(&[("AWS_MAX_ATTEMPTS", "3")], Some("none")).await, (3, RetryMode::Standard));
        assert_eq!(found(&[("AWS_MAX_ATTEMPTS", "0")], Some("none")).await, (8, RetryMode::Standard));
        assert_eq!(found(&[("AWS_MAX_ATTEMPTS", "many")], Some("none")).await, (8, RetryMode::Standard));
    }
}
