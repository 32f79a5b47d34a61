//! The steps for the replication role.

use twinsite_core::{Action, Reason, Step};

use crate::model::{
    Change, Conflict, Desired, Role, RoleChange, RoleChangeKind, is_same_document, permissions, role_name, trust_policy,
};
use crate::step_ids;

/// The steps that bring the role into the desired state.
pub(super) fn role_steps(desired: &Desired, actual: Option<&Role>) -> Result<Vec<Step<Change>>, Conflict> {
    let (name, trust_policy, permissions) = (role_name(&desired.site), trust_policy(), permissions(desired));
    let step =
        |id, action, reason, kind| Step::new(id, action, reason, Change::Role(RoleChange { role: name.clone(), kind }));
    let Some(Role { tags, trust_policy: actual_trust, permissions: actual_permissions }) = actual else {
        let create = RoleChangeKind::Create { trust_policy, permissions, tags: desired.owner().created() };
        return Ok(vec![step(step_ids::ROLE, Action::Create, Reason::Absent, create)]);
    };
    if !desired.owner().owns(tags) {
        return Err(Conflict::ForeignRole { role: name });
    }
    let mut steps = Vec::new();
    if !is_same_document(actual_trust, &trust_policy) {
        let update = RoleChangeKind::UpdateTrustPolicy { actual: actual_trust.clone(), desired: trust_policy };
        steps.push(step(step_ids::ROLE_TRUST, Action::Update, Reason::Drifted, update));
    }
    if !actual_permissions.as_ref().is_some_and(|actual| is_same_document(actual, &permissions)) {
        let put = RoleChangeKind::PutPermissions { actual: actual_permissions.clone(), desired: permissions };
        steps.push(step(step_ids::ROLE_PERMISSIONS, Action::Update, Reason::Drifted, put));
    }
    Ok(steps)
}
