//! Authentication, authorization, and the bucket of a host name.

use std::sync::Arc;
use std::time::SystemTime;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::config::{S3Config, S3ConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use super::super::{S3, error};
use crate::context::ServiceError;

/// The access keys that IAM and STS know.
pub(super) struct AccessKeys {
    pub(super) s3: S3,
}

#[async_trait::async_trait]
impl S3Auth for AccessKeys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let account = self.s3.account();
        let secret = account.iam.secret(access_key).map(SecretKey::from);
        secret.ok_or_else(|| {
            s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records.")
        })
    }
}

/// How far the time of a signature may be from that of this machine: a quarter of an hour, as on AWS, and as much more as the clock of
/// the embedded cloud is ahead. `Date` follows that clock, and SDKs correct the time of their signatures by it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
pub(super) struct ClockSkew {
    pub(super) s3: S3,
}

impl S3ConfigProvider for ClockSkew {
    #[expect(clippy::disallowed_methods, reason = "how far the clock of the embedded cloud is ahead")]
    fn snapshot(&self) -> Arc<S3Config> {
        let (there, here) = (self.s3.clock().now(), SystemTime::now());
        let ahead = there.duration_since(here).or_else(|_| here.duration_since(there)).unwrap_or_default();
        let mut config = S3Config::default();
        config.presigned_url_max_skew_time_secs = u32::try_from(15 * 60 + ahead.as_secs()).unwrap_or(u32::MAX);
        Arc::new(config)
    }
}

/// What bucket policies allow to anonymous requests. Others have been authorized before: see `permissions.rs`.
pub(super) struct Policies {
    pub(super) s3: S3,
}

impl Policies {
    /// Checks that the bucket belongs to the account that the request expects.
    fn check_owner(&self, cx: &S3AccessContext<'_>) -> S3Result<()> {
        let Some(expected) = cx.headers().get("x-amz-expected-bucket-owner") else { return Ok(()) };
        let (S3Path::Bucket { bucket } | S3Path::Object { bucket, .. }) = cx.s3_path() else { return Ok(()) };
        match self.s3.bucket(bucket) {
            Some(settings) if settings.owner.as_bytes() != expected.as_bytes() => Err(error::access_denied().into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks that the request was sent to the region of the bucket, unless the host names no region.
    fn check_region(&self, cx: &S3AccessContext<'_>) -> S3Result<()> {
        if ["CreateBucket", "GetBucketLocation"].contains(&cx.s3_op().name()) {
            return Ok(());
        }
        let (S3Path::Bucket { bucket } | S3Path::Object { bucket, .. }) = cx.s3_path() else { return Ok(()) };
        let host = cx.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        let Some((_, region)) = aws_host(host.or_else(|| cx.uri().host()).unwrap_or_default()) else { return Ok(()) };
        match self.s3.bucket(bucket) {
            Some(settings) if settings.region != region => Err(error::permanent_redirect(&settings.region)),
            Some(_) | None => Ok(()),
        }
    }
}

/// Refuses what would be accepted and forgotten otherwise: keys of customers, locks, access control lists, appending, MFA.
fn refuse_unkept(headers: &http::HeaderMap) -> S3Result<()> {
    let starts = ["x-amz-server-side-encryption-customer-", "x-amz-copy-source-server-side-encryption-customer-"];
    let unkept = ["x-amz-object-lock-", "x-amz-grant-", "x-amz-write-offset-bytes", "x-amz-mfa"];
    for name in headers.keys().map(http::HeaderName::as_str) {
        if starts.iter().any(|start| name.starts_with(start)) {
            return Err(ServiceError::not_implemented("encryption with keys of customers").into());
        }
        if unkept.iter().any(|start| name.starts_with(start)) {
            return Err(ServiceError::not_implemented(&format!("the header `{name}`")).into());
        }
    }
    let acl = headers.get("x-amz-acl").and_then(|value| value.to_str().ok()).unwrap_or("private");
    if !["private", "bucket-owner-full-control"].contains(&acl) {
        let message = "The bucket does not allow ACLs";
        return Err(ServiceError::invalid("AccessControlListNotSupported", message).into());
    }
    Ok(())
}

#[async_trait::async_trait]
impl S3Access for Policies {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        self.check_region(cx)?;
        refuse_unkept(cx.headers())?;
        self.check_owner(cx)?;
        if cx.credentials().is_some() {
            return Ok(());
        }
        let allowed = match (cx.s3_op().name(), cx.s3_path()) {
            ("GetObject" | "HeadObject", S3Path::Object { bucket, key }) => self.s3.anonymous_may_read(bucket, key),
            ("ListObjects" | "ListObjectsV2" | "HeadBucket", S3Path::Bucket { bucket }) => {
                self.s3.anonymous_may_list(bucket)
            }
            _ => false,
        };
        if allowed { Ok(()) } else { Err(s3_error!(AccessDenied, "Access Denied")) }
    }
}

/// Parses `BUCKET.s3.REGION.amazonaws.com` and `s3.REGION.amazonaws.com`; requests to other hosts are path-style.
pub(super) struct Hosts;

impl S3Host for Hosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(aws_host(host).map_or_else(
            || VirtualHost::new(host),
            |(bucket, region)| {
                let host = VirtualHost::new(host).with_region(region);
                if bucket.is_empty() { host } else { host.with_bucket(bucket) }
            },
        ))
    }
}

/// The bucket (empty for path-style requests) and region of an S3 host name.
pub(crate) fn aws_host(host: &str) -> Option<(&str, &str)> {
    let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    let (bucket, service) = match host.rfind(".s3.").map(|at| (&host[..at], &host[at + 1..])) {
        Some(parts) => parts,
        None => host.strip_suffix(".s3").map_or(("", host), |bucket| (bucket, "s3")),
    };
    match service {
        "s3" => Some((bucket, "us-east-1")),
        _ => service.strip_prefix("s3.").map(|region| (bucket, region)),
    }
}

#[cfg(test)]
mod tests {
    use super::aws_host;

    #[test]
    fn s3_host_names_are_parsed() {
        for (host, parts) in [
            ("site.s3.us-west-2.amazonaws.com", Some(("site", "us-west-2"))),
            ("www.example.com.s3.eu-west-1.amazonaws.com", Some(("www.example.com", "eu-west-1"))),
            ("s3.us-east-1.amazonaws.com", Some(("", "us-east-1"))),
            ("site.s3.amazonaws.com", Some(("site", "us-east-1"))),
            ("s3.amazonaws.com", Some(("", "us-east-1"))),
            ("127.0.0.1:9000", None),
            ("localhost", None),
        ] {
            assert_eq!(aws_host(host), parts, "{host}");
        }
    }
}
