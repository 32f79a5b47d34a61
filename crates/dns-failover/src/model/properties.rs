//! Normalized properties: desired settings and responses of AWS are converted to the same map, and plans compare those.

use std::collections::BTreeMap;

use twinsite_core::Field;

/// The properties that differ.
pub(crate) fn differences(actual: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) -> Vec<Field> {
    let changed = desired.iter().filter(|(name, value)| actual.get(*name) != Some(value));
    let changed = changed.map(|(name, value)| Field {
        name: name.clone(),
        actual: actual.get(name).cloned(),
        desired: Some(value.clone()),
    });
    let removed = actual.iter().filter(|(name, _)| !desired.contains_key(*name));
    changed.chain(removed.map(|(name, value)| Field::unset(name, value))).collect()
}
