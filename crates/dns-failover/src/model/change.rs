//! The changes that a plan consists of.

use std::collections::BTreeMap;

use twinsite_aws::Tags;
use twinsite_core::{
    Deferred, Domain, Field, Host, Need, OutputKind, Resource, ResourceId, ValidationRecord, ValidationRecords,
};

use super::record::normalized_name;
use super::{CheckPurpose, CheckSettings, RecordSet, ZoneId};

/// A record set to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordToDelete {
    /// Its type.
    pub r#type: String,
    /// Its set identifier.
    pub identifier: Option<String>,
}

/// A change of records or health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Writes the validation records of a certificate that belong into one hosted zone.
    PutValidationRecords {
        /// The hosted zone.
        zone: ZoneId,
        /// The names of the site that are validated by them.
        names: Vec<Domain>,
        /// The records of the certificate.
        records: Deferred<ValidationRecords>,
        /// The values so far, by the names of the records.
        actual: BTreeMap<String, String>,
    },
    /// Deletes validation records of a certificate.
    DeleteValidationRecords {
        /// The hosted zone.
        zone: ZoneId,
        /// The records.
        records: Vec<ValidationRecord>,
    },
    /// Creates a health check.
    CreateCheck {
        /// Its settings.
        settings: Box<CheckSettings>,
        /// Its caller reference, which makes the creation idempotent.
        reference: String,
        /// Its tags.
        tags: Tags,
    },
    /// Updates a health check.
    UpdateCheck {
        /// Its id.
        id: ResourceId,
        /// Its settings.
        settings: Box<CheckSettings>,
        /// Its tags.
        tags: Tags,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Deletes a health check.
    DeleteCheck {
        /// Its id.
        id: ResourceId,
        /// Its purpose.
        purpose: CheckPurpose,
    },
    /// Changes the record sets of a name in one batch: all or none.
    ChangeRecords {
        /// The hosted zone.
        zone: ZoneId,
        /// The name.
        name: Host,
        /// The record sets to delete.
        delete: Vec<RecordToDelete>,
        /// The record sets to create or replace.
        upsert: Vec<RecordSet>,
        /// The record sets that differ.
        fields: Vec<Field>,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::PutValidationRecords { zone: _, names, records, actual } => {
                let fields = names.iter().map(|name| {
                    let known = match records {
                        Deferred::Known(records) => records.get(name.as_str()),
                        Deferred::After(_) => None,
                    };
                    let before = known.and_then(|record| actual.get(&normalized_name(&record.name)).cloned());
                    let after = known.map_or_else(|| records.to_string(), ToString::to_string);
                    let property = if names.len() == 1 { "CNAME".to_owned() } else { format!("CNAME for {name}") };
                    Field { name: property, actual: before, desired: Some(after) }
                });
                fields.collect()
            }
            Self::DeleteValidationRecords { zone: _, records } => {
                records.iter().map(|record| Field::unset("CNAME", record.to_string())).collect()
            }
            Self::CreateCheck { settings, reference: _, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                settings.to_properties().into_iter().map(|(name, value)| Field::set(name, value)).chain(tags).collect()
            }
            Self::UpdateCheck { fields, .. } | Self::ChangeRecords { fields, .. } => fields.clone(),
            Self::DeleteCheck { .. } => Vec::new(),
        }
    }

    fn resource(&self) -> Option<Resource> {
        let (kind, name) = match self {
            Self::PutValidationRecords { zone, .. } | Self::DeleteValidationRecords { zone, .. } => {
                ("validation record", format!("in {zone}"))
            }
            Self::ChangeRecords { zone, name, .. } => ("records", format!("{name} in {zone}")),
            Self::CreateCheck { tags, .. } => ("health check", tags.get("Name").cloned().unwrap_or_default()),
            Self::UpdateCheck { id, .. } | Self::DeleteCheck { id, .. } => ("health check", id.to_string()),
        };
        Some(Resource::new("Route 53", kind, name))
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::PutValidationRecords { records, .. } => records.need().into_iter().collect(),
            Self::CreateCheck { settings, .. } | Self::UpdateCheck { settings, .. } => settings.needs(),
            Self::ChangeRecords { upsert, .. } => upsert.iter().flat_map(RecordSet::needs).collect(),
            Self::DeleteValidationRecords { .. } | Self::DeleteCheck { .. } => Vec::new(),
        }
    }

    fn outputs(&self) -> Vec<OutputKind> {
        match self {
            Self::CreateCheck { .. } => vec![OutputKind::Id],
            _ => Vec::new(),
        }
    }

    fn usually(&self) -> Option<&'static str> {
        match self {
            Self::ChangeRecords { .. } | Self::PutValidationRecords { .. } => Some("up to a minute"),
            _ => None,
        }
    }
}
