//! The changes that a plan consists of.

use twinsite_aws::Tags;
use twinsite_core::{Deferred, Field, Host, Need, OutputKind, ResourceId, ValidationRecord};

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
            Self::PutValidationRecord { zone, record, actual } => {
                let record =
                    Field { name: "CNAME".to_owned(), actual: actual.clone(), desired: Some(record.to_string()) };
                vec![Field::set("HostedZone", zone.as_str()), record]
            }
            Self::DeleteValidationRecord { zone, record } => {
                vec![Field::set("HostedZone", zone.as_str()), Field::unset("CNAME", record.to_string())]
            }
            Self::CreateCheck { settings, reference: _, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                settings.to_properties().into_iter().map(|(name, value)| Field::set(name, value)).chain(tags).collect()
            }
            Self::UpdateCheck { id, settings: _, tags: _, fields } => {
                std::iter::once(Field::set("HealthCheck", id.as_str())).chain(fields.iter().cloned()).collect()
            }
            Self::DeleteCheck { id, purpose: _ } => vec![Field::unset("HealthCheck", id.as_str())],
            Self::ChangeRecords { zone, name, delete: _, upsert: _, fields } => {
                let first = [Field::set("HostedZone", zone.as_str()), Field::set("Name", name.as_str())];
                first.into_iter().chain(fields.iter().cloned()).collect()
            }
        }
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
