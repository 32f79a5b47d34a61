//! IAM: "a service might not see a change for a while". <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html>

use super::{Asked, Chance, OTHER_LOCATION, Outlook, Range};
use crate::context::ServiceError;

/// A new role is not known everywhere.
const UNKNOWN: &str = "role-unknown";
/// A new role, or one whose policies were changed, is not known to the services that assume it.
pub(super) const UNASSUMABLE: &str = "role-unassumable";

/// A policy that was just deleted is still there.
const STILL_THERE: Chance = Chance { aws: 5, storm: 30 };
const THROTTLED: Chance = Chance { aws: 1, storm: 4 };

/// Operations on roles.
fn is_role_operation(operation: &str) -> bool {
    [
        "CreateRole",
        "GetRole",
        "GetRolePolicy",
        "PutRolePolicy",
        "DeleteRolePolicy",
        "DeleteRole",
        "UpdateAssumeRolePolicy",
    ]
    .contains(&operation)
}

pub(super) fn refusal(outlook: &mut Outlook, asked: &Asked) -> Option<ServiceError> {
    let Asked { operation, subject, at, .. } = asked;
    if operation == "CreateJob" && outlook.is_any_open(UNASSUMABLE, *at) {
        return Some(ServiceError::invalid("InvalidRequest", "Invalid role or insufficient permissions"));
    }
    if !is_role_operation(operation) {
        return None;
    }
    if outlook.happens(THROTTLED) {
        return Some(ServiceError::invalid("Throttling", "Rate exceeded"));
    }
    if operation != "CreateRole" && outlook.is_open(UNKNOWN, subject, *at) && outlook.happens(OTHER_LOCATION) {
        let message = format!("The role with name {subject} cannot be found.");
        return Some(ServiceError::new("NoSuchEntity", 404, message));
    }
    let conflicts = operation == "DeleteRole" && outlook.happens(STILL_THERE);
    conflicts.then(|| ServiceError::new("DeleteConflict", 409, "Cannot delete entity, must delete policies first."))
}

pub(super) fn completed(outlook: &mut Outlook, asked: &Asked) {
    match asked.operation.as_str() {
        "CreateRole" => {
            outlook.open(UNKNOWN, asked, Range { aws: [0, 8], storm: [0, 40] });
            outlook.open(UNASSUMABLE, asked, Range { aws: [5, 20], storm: [5, 90] });
        }
        "UpdateAssumeRolePolicy" => outlook.open(UNASSUMABLE, asked, Range { aws: [0, 10], storm: [0, 60] }),
        "DeleteRole" => outlook.windows.retain(|key, _| !key.ends_with(&format!(" {}", asked.subject))),
        _ => {}
    }
}
