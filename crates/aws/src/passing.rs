//! Refusals that pass by themselves: AWS's control planes are eventually consistent, so a call may be refused until they have heard
//! of an earlier one. Which ones do is decided here, by operation, code and message.

use std::future::Future;
use std::time::Duration;

use twinsite_core::Run;
use twinsite_core::wait::{Passing, Poll, PollPolicy, repeat};

use crate::{AwsError, Kind};

/// For what passes within seconds. Terraform's provider repeats calls on a new bucket for two minutes, too.
const SECONDS: PollPolicy =
    PollPolicy { first: Duration::from_millis(500), most: Duration::from_secs(5), total: Duration::from_mins(2) };
/// For what passes within minutes: resources of a distribution that is gone.
const MINUTES: PollPolicy =
    PollPolicy { first: Duration::from_secs(2), most: Duration::from_secs(15), total: Duration::from_mins(20) };
/// For the name of a deleted bucket, which is free again after minutes, and at most after an hour or so.
const NAME: PollPolicy =
    PollPolicy { first: Duration::from_secs(5), most: Duration::from_secs(30), total: Duration::from_hours(1) };
/// For a denial that does not say why: it passes within seconds, or never.
const UNEXPLAINED: PollPolicy =
    PollPolicy { first: Duration::from_millis(500), most: Duration::from_secs(5), total: Duration::from_secs(45) };

impl AwsError {
    /// What a refusal passes with, if it passes by itself; `None` if it is for good: a denial by a policy, a quota, an invalid value.
    /// It is for calls that change a resource which an earlier one has created: for others, a missing resource is an answer.
    pub fn passing(&self) -> Option<Passing> {
        let code = self.code.as_deref()?;
        let says = |part: &str| self.message.contains(part);
        let wait = |awaits, policy, usually| Some(Passing { awaits, policy, usually: Some(usually) });
        match (self.operation, code) {
            ("CreateBucket", "OperationAborted") => {
                wait("the name of a deleted bucket to be free again", NAME, "minutes, up to an hour")
            }
            // <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
            (_, "OperationAborted") => wait("another change of the bucket to complete", SECONDS, "seconds"),
            (_, "NoSuchBucket") => wait("the new bucket to be known everywhere", SECONDS, "seconds"),
            ("DeleteBucket", "BucketNotEmpty") => wait("the bucket to be empty", SECONDS, "seconds"),
            ("PutBucketPolicy", "AccessDenied") if says("BlockPublicPolicy") => {
                wait("the public access block to lift", SECONDS, "seconds")
            }
            // Formerly, and from some locations, without a word about the block.
            ("PutBucketPolicy" | "PutBucketReplication", "AccessDenied") if is_unexplained(&self.message) => {
                wait("public access block and role to be known everywhere", UNEXPLAINED, "seconds")
            }
            ("PutBucketPolicy", "MalformedPolicy") if says("Invalid principal") => {
                wait("the principals of the policy to be known to S3", SECONDS, "seconds")
            }
            ("PutBucketReplication", "InvalidRequest") if says("ersioning") => {
                wait("versioning to be enabled everywhere", SECONDS, "seconds")
            }
            ("PutBucketReplication", "InvalidRequest" | "InvalidArgument") if says("role") || says("Role") => {
                wait("the replication role to be known to S3", SECONDS, "seconds")
            }
            ("CreateJob", "InvalidRequest") if says("role") => {
                wait("the job's role to be known to S3", SECONDS, "seconds")
            }
            // <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html>
            ("PutRolePolicy" | "UpdateAssumeRolePolicy", "NoSuchEntity") => {
                wait("the new role to be known everywhere", SECONDS, "seconds")
            }
            ("DeleteRole", "DeleteConflict") => wait("the role's policy to be deleted everywhere", SECONDS, "seconds"),
            (_, "EntityTemporarilyUnmodifiable" | "ConcurrentModification" | "ConcurrentModificationException") => {
                wait("another change of the role to complete", SECONDS, "seconds")
            }
            // Certificates, functions and access controls of a distribution that is gone or uses others.
            ("DeleteKeyValueStore", "CannotDeleteEntityWhileInUse")
            | ("DeleteCertificate", "ResourceInUseException")
            | ("DeleteFunction", "FunctionInUse")
            | ("DeleteOriginAccessControl", "OriginAccessControlInUse") => {
                wait("CloudFront to release what the distribution used", MINUTES, "minutes")
            }
            ("DeleteDistribution", "DistributionNotDisabled" | "ResourceInUse") => {
                wait("the distribution to be disabled everywhere", MINUTES, "minutes")
            }
            ("CreateDistributionWithTags" | "UpdateDistribution", "InvalidViewerCertificate") => {
                wait("the certificate to be known to CloudFront", SECONDS, "seconds")
            }
            // The calls that are repeated read the configuration again.
            (
                "UpdateDistribution"
                | "DeleteDistribution"
                | "UpdateOriginAccessControl"
                | "DeleteOriginAccessControl"
                | "UpdateFunction"
                | "PublishFunction"
                | "DeleteFunction"
                | "DeleteKeyValueStore",
                "PreconditionFailed" | "InvalidIfMatchVersion",
            )
            | ("UpdateKeys" | "PutKey", "ConflictException") => {
                wait("the last change to be known everywhere", SECONDS, "seconds")
            }
            ("UpdateDistribution" | "GetDistribution" | "CreateInvalidation", "NoSuchDistribution") => {
                wait("the new distribution to be known everywhere", SECONDS, "seconds")
            }
            ("CreateFunction" | "UpdateFunction", "EntityNotFound") | ("UpdateKeys", "ResourceNotFoundException") => {
                wait("the new key value store to be known everywhere", SECONDS, "seconds")
            }
            ("GetChange", "NoSuchChange") => wait("the change to be known everywhere", SECONDS, "seconds"),
            ("ChangeTagsForResource" | "UpdateHealthCheck" | "ChangeResourceRecordSets", "NoSuchHealthCheck") => {
                wait("the new health check to be known everywhere", SECONDS, "seconds")
            }
            (_, "PriorRequestNotComplete") => wait("an earlier change of the zone to complete", SECONDS, "seconds"),
            // <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
            ("CreateDomainName" | "UpdateDomainName" | "DeleteDomainName", "TooManyRequestsException") => {
                wait("API Gateway to accept another change of a domain name", SECONDS, "half a minute")
            }
            _ if self.kind == Kind::Throttled || code == "ServiceUnavailable" => {
                wait("AWS to accept requests again", SECONDS, "seconds")
            }
            _ => None,
        }
    }
}

/// A denial by a policy says which kind of policy it was. This one says nothing.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
fn is_unexplained(message: &str) -> bool {
    !["explicit deny", "not authorized", "no identity-based policy", "no resource-based policy", "permissions boundary"]
        .iter()
        .any(|part| message.contains(part))
}

/// A poll that was refused for a reason which passes by itself: it says no more than that the state is not reached.
///
/// # Errors
/// Refusals for good.
pub fn unless_passing<T>(poll: Result<Poll<T>, AwsError>) -> Result<Poll<T>, AwsError> {
    match poll {
        Err(error) if error.passing().is_some() => Ok(Poll::NotYet),
        other => other,
    }
}

/// Repeats a call for as long as its refusals pass by themselves, and says what it waits for.
///
/// # Errors
/// The first refusal that is for good, or the last one before the deadline. [`Kind::Interrupted`] if the run was cancelled.
pub async fn outlast_refusals<T, F>(run: &Run, operation: &'static str, call: impl FnMut() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>>,
{
    let result = repeat(run, call, AwsError::passing).await;
    result.map_err(|error| AwsError::from_wait(operation, "AWS", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(operation: &'static str, code: &str, message: &str) -> AwsError {
        let kind = if code == "Throttling" { Kind::Throttled } else { Kind::Other };
        let mut error = AwsError::refused(operation, "it", message);
        (error.code, error.kind) = (Some(code.to_owned()), kind);
        error
    }

    /// Messages as recorded in public reports.
    #[test]
    fn refusals_that_pass_are_told_from_those_that_do_not() {
        let passing = [
            ("PutBucketVersioning", "NoSuchBucket", "The specified bucket does not exist"),
            ("CreateBucket", "OperationAborted", "A conflicting conditional operation is currently in progress"),
            ("PutBucketPolicy", "AccessDenied", "Access Denied"),
            (
                "PutBucketPolicy",
                "AccessDenied",
                "User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::b\" \
                 because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            ),
            ("PutBucketReplication", "InvalidRequest", "Destination bucket must have versioning enabled."),
            ("DeleteFunction", "FunctionInUse", "Cannot delete function x-c076cb6, it is in use by 1 distributions"),
            ("DeleteCertificate", "ResourceInUseException", "Certificate is in use."),
            ("ListHostedZones", "Throttling", "Rate exceeded"),
        ];
        for (operation, code, message) in passing {
            assert!(refusal(operation, code, message).passing().is_some(), "{operation} {message}");
        }
        let for_good = [
            (
                "PutBucketReplication",
                "AccessDenied",
                "User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/r because \
                 no identity-based policy allows the iam:PassRole action",
            ),
            (
                "PutBucketPolicy",
                "AccessDenied",
                "User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::b\" with \
                 an explicit deny in a service control policy",
            ),
            ("CreateBucket", "BucketAlreadyExists", "The requested bucket name is not available."),
            ("PutBucketReplication", "InvalidArgument", "Priority must be unique"),
            ("CreateDistributionWithTags", "TooManyDistributions", "Your request contains more distributions"),
            ("CreateRole", "EntityAlreadyExists", "Role with name r already exists."),
        ];
        for (operation, code, message) in for_good {
            assert_eq!(refusal(operation, code, message).passing(), None, "{operation} {message}");
        }
    }
}
