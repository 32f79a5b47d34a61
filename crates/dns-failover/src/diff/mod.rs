//! From the actual to the desired state: pure.

mod checks;
mod pair;
mod records;

use twinsite_core::{Action, Step};

use crate::model::{Actual, Change, CheckPurpose, CheckRef, Conflicts, Desired, ValidationRecordUse};
use crate::step_ids;

/// The steps that bring health checks and records into the desired state. A caller that also manages the distribution orders
/// [`RECORDS`](crate::step_ids::RECORDS) after its deployment.
///
/// # Errors
/// [`Conflicts`] if the desired state cannot be reached. Nothing should be changed then.
pub fn plan_changes(desired: &Desired, actual: &Actual) -> Result<Vec<Step<Change>>, Conflicts> {
    let planned = checks::plan_checks(desired, &actual.checks);
    let steps = records::site_steps(desired, actual, |purpose| planned.id(purpose))?;
    Ok(planned.steps.into_iter().map(|step| after_aliases(step, actual)).chain(steps).collect())
}

/// The health checks that exist after the steps of [`plan_changes`], for alarms.
pub fn planned_checks(desired: &Desired, actual: &Actual) -> Vec<CheckRef> {
    let planned = checks::plan_checks(desired, &actual.checks);
    let check = |purpose| Some(CheckRef { purpose, id: planned.id(purpose)? });
    CheckPurpose::ALL.into_iter().filter_map(check).collect()
}

/// The steps that delete the site's records and health checks. A caller that also manages the certificate orders the deletion of
/// [`VALIDATION_RECORD`](crate::step_ids::VALIDATION_RECORD) after the deletion of the certificates.
///
/// # Errors
/// [`Conflicts`] if record sets are protected. Nothing should be changed then.
pub fn plan_destruction(
    desired: &Desired,
    actual: &Actual,
    validation_records: &ValidationRecordUse,
) -> Result<Vec<Step<Change>>, Conflicts> {
    let mut steps = records::site_destruction_steps(desired, actual, validation_records)?;
    steps.extend(records::other_zone_steps(desired, actual));
    let checks = checks::destruction_steps(&actual.checks).into_iter();
    steps.extend(checks.map(|step| after_aliases(step, actual)));
    Ok(steps)
}

/// A health check is deleted only after no record of an alias names it.
fn after_aliases(step: Step<Change>, actual: &Actual) -> Step<Change> {
    if step.action != Action::Delete {
        return step;
    }
    actual.aliases.iter().fold(step, |step, alias| step.follows(step_ids::alias_records(&alias.name)))
}
