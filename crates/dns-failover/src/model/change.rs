//! The changes that a plan consists of.

use twinsite_aws::Tags;
use twinsite_core::{Deferred, Field, Host, Need, OutputKind, Resource, ResourceId, ValidationRecord};

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
    /// Writes the validation record of a certificate.
    PutValidationRecord {
        /// The hosted zone.
        zone: ZoneId,
        /// The record.
        record: Deferred<ValidationRecord>,
        /// Its value so far.
        actual: Option<String>,
    },
    /// Deletes the validation record of a certificate.
    DeleteValidationRecord {
        /// The hosted zone.
        zone: ZoneId,
        /// The record.
        record: ValidationRecord,
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
            Self::PutValidationRecord { zone: _, record, actual } => {
                vec![Field { name: "CNAME".to_owned(), actual: actual.clone(), desired: Some(record.to_string()) }]
            }
            Self::DeleteValidationRecord { zone: _, record } => vec![Field::unset("CNAME", record.to_string())],
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
            Self::PutValidationRecord { zone, .. } | Self::DeleteValidationRecord { zone, .. } => {
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
            Self::PutValidationRecord { record, .. } => record.need().into_iter().collect(),
            Self::CreateCheck { settings, .. } | Self::UpdateCheck { settings, .. } => settings.needs(),
            Self::ChangeRecords { upsert, .. } => upsert.iter().flat_map(RecordSet::needs).collect(),
            Self::DeleteValidationRecord { .. } | Self::DeleteCheck { .. } => Vec::new(),
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
            Self::ChangeRecords { .. } | Self::PutValidationRecord { .. } => Some("up to a minute"),
            _ => None,
        }
    }
}
