//! Route 53: its quota of requests, and changes that are not known everywhere.

use std::time::Duration;

use super::{Asked, Chance, OTHER_LOCATION, Outlook, Range};
use crate::context::ServiceError;

/// "Five requests per second per AWS account." <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
const PER_SECOND: usize = 5;
/// A new health check is not known everywhere.
const UNKNOWN: &str = "check-unknown";
/// A change of the same zone is being made. <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
const PRIOR_REQUEST: Chance = Chance { aws: 5, storm: 20 };
/// A change that was just submitted is not known everywhere.
const NO_SUCH_CHANGE: Chance = Chance { aws: 1, storm: 10 };

fn is_known(operation: &str) -> bool {
    let nouns = ["HostedZone", "ResourceRecordSet", "HealthCheck", "TagsForResources", "ChangeTagsForResource"];
    operation == "GetChange" || nouns.iter().any(|noun| operation.contains(noun))
}

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let Asked { operation, subject, at, .. } = asked;
    if !is_known(operation) {
        return None;
    }
    outlook.route53.retain(|earlier| at.duration_since(*earlier).is_ok_and(|age| age < Duration::from_secs(1)));
    if outlook.route53.len() >= PER_SECOND {
        return Some(ServiceError::invalid("Throttling", "Rate exceeded"));
    }
    outlook.route53.push(*at);
    match operation.as_str() {
        "ChangeResourceRecordSets" if outlook.happens(PRIOR_REQUEST) => {
            let message = "The request was rejected because Route 53 was still processing a prior request.";
            Some(ServiceError::invalid("PriorRequestNotComplete", message))
        }
        "GetChange" if outlook.happens(NO_SUCH_CHANGE) => {
            let message = format!("A change with the specified change ID {subject} does not exist.");
            Some(ServiceError::new("NoSuchChange", 404, message))
        }
        "ChangeTagsForResource" | "UpdateHealthCheck" | "GetHealthCheck" | "GetHealthCheckStatus"
            if outlook.is_open(UNKNOWN, subject, *at) && outlook.happens(OTHER_LOCATION) =>
        {
            let message = format!("The specified health check {subject} does not exist.");
            Some(ServiceError::new("NoSuchHealthCheck", 404, message))
        }
        _ => None,
    }
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    if asked.operation == "CreateHealthCheck" && !asked.existed {
        for check in &asked.used {
            outlook.open_for(UNKNOWN, check, asked.at, Range { aws: [0, 5], storm: [0, 30] });
        }
    }
}
