//! Hints of commands with `--bucket`.

use twinsite_site::Error;

/// Errors of commands with `--bucket` without the hints that are for a configured site: it has no `apply`, `status` or `failover`.
pub(crate) fn for_buckets(mut error: Error) -> Error {
    let is_for_sites = |hint: &&String| {
        ["`twinsite apply`", "`twinsite status`", "`twinsite failover`", "`twinsite iam-policy`"]
            .iter()
            .any(|command| hint.contains(command))
    };
    let mut hints: Vec<String> = Vec::new();
    for hint in &error.hints {
        if !is_for_sites(&hint) {
            hints.push(hint.clone());
        } else if hint.contains("`twinsite apply`") {
            hints.push("create the bucket first, with any client of S3: `aws s3 mb s3://NAME`".to_owned());
        } else if hint.contains("`twinsite iam-policy`") {
            hints.push("the credentials lack the permission for this operation".to_owned());
        } else {
            hints.push("check the network, the proxy and --endpoint-url".to_owned());
        }
    }
    error.hints = hints;
    error
}
