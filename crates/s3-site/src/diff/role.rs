//! The steps for the replication role.

use twinsite_core::{Action, Reason, Step};

use crate::model::{
    Change, Conflict, Desired, Role, RoleChange, RoleChangeKind, is_same_document, permissions, role_name, trust_policy,
};
use crate::step_ids;

/// The steps that bring the role into the desired state.
pub(super) fn role_steps(desired: &Desired, actual: Option<&Role>) -> Result<Vec<Step<Change>>, Conflict> {
    if desired.replication_role.is_some() {
        return Ok(Vec::new());
    }
    let (name, trust_policy, permissions) = (role_name(&desired.site), trust_policy(), permissions(desired));
    let step =
        |id, action, reason, kind| Step::new(id, action, reason, Change::Role(RoleChange { role: name.clone(), kind }));
    let Some(Role { tags, trust_policy: actual_trust, permissions: actual_permissions, boundary: actual_boundary }) =
        actual
    else {
        let create = RoleChangeKind::Create {
            trust_policy,
            permissions,
            boundary: desired.boundary_arn(),
            tags: desired.owner().created(),
        };
        return Ok(vec![step(step_ids::ROLE, Action::Create, Reason::Absent, create)]);
    };
    if !desired.owner().owns(tags) {
        return Err(Conflict::ForeignRole { role: name });
    }
    let mut steps = Vec::new();
    let boundary = desired.boundary_arn();
    if actual_boundary.as_ref() != Some(&boundary) {
        let put = RoleChangeKind::PutBoundary { actual: actual_boundary.clone(), desired: boundary };
        steps.push(step(step_ids::ROLE_BOUNDARY, Action::Update, Reason::Drifted, put));
    }
    if !is_same_document(actual_trust, &trust_policy) {
        let update = RoleChangeKind::UpdateTrustPolicy { actual: actual_trust.clone(), desired: trust_policy };
        steps.push(step(step_ids::ROLE_TRUST, Action::Update, Reason::Drifted, update));
    }
    if !actual_permissions.as_ref().is_some_and(|actual| is_same_document(actual, &permissions)) {
        let put = RoleChangeKind::PutPermissions { actual: actual_permissions.clone(), desired: permissions };
        // Who may write policies of roles with the boundary only, can do so only when it is there.
        let step = step(step_ids::ROLE_PERMISSIONS, Action::Update, Reason::Drifted, put);
        steps.push(step.follows(step_ids::ROLE_BOUNDARY));
    }
    Ok(steps)
}
