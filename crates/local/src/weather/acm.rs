//! ACM: a certificate that was just requested.

use super::{Asked, Chance, OTHER_LOCATION, Outlook, Range};
use crate::context::ServiceError;

/// "It can take several seconds before the information appears."
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>
const UNKNOWN: &str = "certificate-unknown";
const THROTTLED: Chance = Chance { aws: 1, storm: 4 };

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let Asked { operation, subject, at, .. } = asked;
    if !["DescribeCertificate", "ListTagsForCertificate", "DeleteCertificate", "ListCertificates"]
        .contains(&operation.as_str())
    {
        return None;
    }
    if outlook.happens(THROTTLED) {
        return Some(ServiceError::invalid("ThrottlingException", "Rate exceeded"));
    }
    if operation == "DescribeCertificate" && outlook.is_open(UNKNOWN, subject, *at) && outlook.happens(OTHER_LOCATION) {
        let message = format!("Could not find certificate {subject}.");
        return Some(ServiceError::invalid("ResourceNotFoundException", message));
    }
    None
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    // The ARN is not part of the request: the certificate that is described first after a request is the new one.
    match asked.operation.as_str() {
        "RequestCertificate" => outlook.open(UNKNOWN, asked, Range { aws: [0, 5], storm: [0, 30] }),
        "DescribeCertificate" if outlook.is_open(UNKNOWN, "", asked.at) => {
            if let Some(until) = outlook.windows.remove(&format!("{UNKNOWN} ")) {
                outlook.windows.insert(format!("{UNKNOWN} {}", asked.subject), until);
            }
        }
        _ => {}
    }
}
