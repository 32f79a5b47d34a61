//! CloudFront: what a distribution uses, and versions of its configuration.

use super::{Asked, Chance, OTHER_LOCATION, Outlook, Range};
use crate::context::ServiceError;

/// What a distribution has used counts as in use for minutes after it is gone or uses something else: functions
/// (<https://github.com/anomalyco/ion/issues/443>), access controls and certificates
/// (<https://github.com/hashicorp/terraform-provider-aws/issues/28595>).
pub(super) const IN_USE: &str = "in-use";
/// A new distribution is not known everywhere.
const UNKNOWN: &str = "distribution-unknown";
/// A distribution that is disabled and deployed does not count as such everywhere.
/// <https://github.com/rebuy-de/aws-nuke/pull/155>
const NOT_DISABLED: Chance = Chance { aws: 20, storm: 50 };
/// The `ETag` was read from a location that had not heard of the last change.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html>
const STALE: Chance = Chance { aws: 3, storm: 20 };
/// A certificate that ACM has issued a moment ago is not known to CloudFront.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>
const CERTIFICATE_UNKNOWN: Chance = Chance { aws: 10, storm: 40 };
/// CloudFront throttles callers, with a code that it does not document for its operations.
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html>
const THROTTLED: Chance = Chance { aws: 1, storm: 5 };

fn is_known(operation: &str) -> bool {
    ["Distribution", "OriginAccessControl", "Function", "Invalidation", "KeyValueStore"]
        .iter()
        .any(|noun| operation.contains(noun))
}

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let Asked { operation, subject, at, .. } = asked;
    // The data plane of key value stores: the `ETag` was read from a location that had not heard of the last change.
    if ["PutKey", "UpdateKeys", "DeleteKey"].contains(&operation.as_str()) && outlook.happens(STALE) {
        return Some(ServiceError::new("ConflictException", 409, "Resource is not in expected state."));
    }
    if !is_known(operation) {
        return None;
    }
    if outlook.happens(THROTTLED) {
        return Some(ServiceError::invalid("Throttling", "Rate exceeded"));
    }
    let of_distribution = ["GetDistribution", "GetDistributionConfig", "UpdateDistribution", "CreateInvalidation"];
    if of_distribution.contains(&operation.as_str())
        && outlook.is_open(UNKNOWN, subject, *at)
        && outlook.happens(OTHER_LOCATION)
    {
        let message = "The specified distribution does not exist.";
        return Some(ServiceError::new("NoSuchDistribution", 404, message));
    }
    match operation.as_str() {
        "CreateDistribution" | "CreateDistributionWithTags" if outlook.happens(CERTIFICATE_UNKNOWN) => {
            let message = "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't \
                           include a valid certificate chain.";
            Some(ServiceError::invalid("InvalidViewerCertificate", message))
        }
        "UpdateDistribution" | "DeleteDistribution" | "PublishFunction" | "DeleteFunction"
            if outlook.happens(STALE) =>
        {
            let message =
                "The request failed because it didn't meet the preconditions in one or more request-header fields.";
            Some(ServiceError::new("PreconditionFailed", 412, message))
        }
        "DeleteDistribution" if outlook.happens(NOT_DISABLED) => {
            let message = "The distribution you are trying to delete has not been disabled.";
            Some(ServiceError::new("DistributionNotDisabled", 409, message))
        }
        "DeleteFunction" if outlook.is_open(IN_USE, subject, *at) => {
            let message = format!("Cannot delete function {subject}, it is in use by 1 distributions");
            Some(ServiceError::new("FunctionInUse", 409, message))
        }
        "DeleteKeyValueStore" if outlook.is_open(IN_USE, subject, *at) => {
            let message = "The key value store is associated with a function.";
            Some(ServiceError::new("CannotDeleteEntityWhileInUse", 409, message))
        }
        "DeleteOriginAccessControl" if outlook.is_open(IN_USE, subject, *at) => {
            let message = "The CloudFront origin access control is still being used.";
            Some(ServiceError::new("OriginAccessControlInUse", 409, message))
        }
        _ => None,
    }
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    match asked.operation.as_str() {
        "UpdateDistribution" | "DeleteDistribution" | "UpdateFunction" | "PublishFunction" | "DeleteFunction" => {
            for resource in &asked.used {
                outlook.open_for(IN_USE, resource, asked.at, Range { aws: [5, 300], storm: [30, 900] });
                outlook.users.insert(resource.clone(), asked.subject.clone());
            }
        }
        "CreateDistribution" | "CreateDistributionWithTags" => {
            for distribution in &asked.used {
                outlook.open_for(UNKNOWN, distribution, asked.at, Range { aws: [0, 5], storm: [0, 30] });
            }
        }
        _ => {}
    }
}
