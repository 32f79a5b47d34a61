//! The steps of a single failover pair.

use twinsite_core::{Reason, Step};

use super::records::{deletion_step, fail_if_protected, records_step};
use crate::model::{
    Change, Conflict, Conflicts, FailoverPair, FailoverRole, FailoverTargets, ZoneRecords, zone_contains,
};
use crate::step_ids;

impl FailoverPair {
    /// The steps that bring the records of the name into the desired state: at most one. Simple A, AAAA and CNAME records of
    /// the name are replaced.
    ///
    /// # Errors
    /// [`Conflicts`] if the desired state cannot be reached.
    pub fn plan_changes(&self, actual: &ZoneRecords) -> Result<Vec<Step<Change>>, Conflicts> {
        let Self { name, targets, checks: _ } = self;
        if !zone_contains(&actual.name, name.as_str()) {
            return Err(Conflict::OutsideZone { id: actual.id.clone(), name: name.clone() }.into());
        }
        if matches!(targets, FailoverTargets::Cname { .. }) && actual.name == name.as_str() {
            return Err(Conflict::CnameAtApex { name: name.clone() }.into());
        }
        if !self.detects_failure() {
            return Err(Conflict::NoHealthCheck { name: name.clone() }.into());
        }
        let step = records_step(step_ids::failover_pair(name), name, actual, &self.record_sets())?;
        let steps = Vec::from_iter(step);
        fail_if_protected(actual, &steps)?;
        Ok(steps)
    }

    /// The steps that delete the records of the pair, recognised by their set identifiers: at most one.
    ///
    /// # Errors
    /// [`Conflicts`] if the records are protected.
    pub fn plan_destruction(&self, actual: &ZoneRecords) -> Result<Vec<Step<Change>>, Conflicts> {
        let id = step_ids::failover_pair(&self.name);
        let reason = Reason::Asked("destroy".to_owned());
        let step = deletion_step(id, &self.name, actual, reason, |set| {
            set.identifier.as_deref().is_some_and(FailoverRole::has_set_identifier)
        });
        let steps = Vec::from_iter(step);
        fail_if_protected(actual, &steps)?;
        Ok(steps)
    }
}
