//! API Gateway: changes of custom domain names are limited.

use super::{Asked, Chance, Outlook, Range, cloudfront};
use crate::context::ServiceError;

/// One call each in thirty seconds for each account.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const LIMITED: &str = "domain-name-limited";
const LIMITED_OPERATIONS: [&str; 3] = ["CreateDomainName", "UpdateDomainName", "DeleteDomainName"];
const THROTTLED: Chance = Chance { aws: 1, storm: 4 };

fn is_known(operation: &str) -> bool {
    ["Api", "Apis", "Integration", "Integrations", "Route", "Routes", "Stage", "Stages", "ApiMapping", "ApiMappings"]
        .iter()
        .any(|noun| ["Create", "Get", "Update", "Delete"].iter().any(|verb| operation == format!("{verb}{noun}")))
}

fn too_many() -> ServiceError {
    ServiceError::new("TooManyRequestsException", 429, "Too Many Requests")
}

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let operation = asked.operation.as_str();
    if LIMITED_OPERATIONS.contains(&operation) {
        return outlook.is_open(LIMITED, operation, asked.at).then(too_many);
    }
    (is_known(operation) && outlook.happens(THROTTLED)).then(too_many)
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    let operation = asked.operation.as_str();
    if LIMITED_OPERATIONS.contains(&operation) {
        outlook.open_for(LIMITED, operation, asked.at, Range { aws: [30, 30], storm: [30, 31] });
    }
    // The certificate of a domain name that is gone counts as in use for minutes.
    // <https://github.com/aws/aws-cdk/issues/16608>
    if operation == "DeleteDomainName" {
        for certificate in &asked.used {
            outlook.open_for(cloudfront::IN_USE, certificate, asked.at, Range { aws: [5, 300], storm: [30, 900] });
            outlook.users.insert(certificate.clone(), format!("{}{}", super::LOAD_BALANCER, asked.subject));
        }
    }
}
