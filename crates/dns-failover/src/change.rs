//! The changes that a plan is made of.

use twinsite_aws::Tags;
use twinsite_core::{Deferred, Field, Need, OutputKind, ResourceId, ValidationRecord};

use crate::health::{Role, Spec};
use crate::records::Wanted;

/// A record set that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goner {
    /// Its type.
    pub r#type: String,
    /// What tells it apart from others of its name and type.
    pub identifier: Option<String>,
}

/// A change to what DNS says or watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The record that proves the name to ACM is written.
    Proof {
        /// The hosted zone.
        zone: String,
        /// The record.
        proof: Deferred<ValidationRecord>,
        /// What it leads to now.
        have: Option<String>,
    },
    /// The record that proves the name is deleted.
    DropProof {
        /// The hosted zone.
        zone: String,
        /// The record.
        proof: ValidationRecord,
    },
    /// A health check is created.
    CreateCheck {
        /// What it is to be like.
        spec: Box<Spec>,
        /// What makes its creation repeatable.
        reference: String,
        /// Its tags.
        tags: Tags,
    },
    /// A health check is put right.
    UpdateCheck {
        /// Its id.
        id: ResourceId,
        /// What it is to be like.
        spec: Box<Spec>,
        /// Its tags.
        tags: Tags,
        /// What differs.
        fields: Vec<Field>,
    },
    /// A health check is deleted.
    DeleteCheck {
        /// Its id.
        id: ResourceId,
        /// What it was for.
        role: Role,
    },
    /// The name's record sets are changed in one batch.
    Records {
        /// The hosted zone.
        zone: String,
        /// The name.
        name: String,
        /// What goes.
        gone: Vec<Goner>,
        /// What comes, or takes another's place.
        new: Vec<Wanted>,
        /// What differs.
        fields: Vec<Field>,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Proof { zone, proof, have } => {
                let record = Field { name: "CNAME".to_owned(), actual: have.clone(), desired: Some(proof.to_string()) };
                vec![Field::set("HostedZone", zone), record]
            }
            Self::DropProof { zone, proof } => {
                vec![Field::set("HostedZone", zone), Field::unset("CNAME", proof.to_string())]
            }
            Self::CreateCheck { spec, reference: _, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                spec.words().into_iter().map(|(name, value)| Field::set(name, value)).chain(tags).collect()
            }
            Self::UpdateCheck { id, spec: _, tags: _, fields } => {
                std::iter::once(Field::set("HealthCheck", &id.0)).chain(fields.iter().cloned()).collect()
            }
            Self::DeleteCheck { id, role: _ } => vec![Field::unset("HealthCheck", &id.0)],
            Self::Records { zone, name, gone: _, new: _, fields } => {
                let first = [Field::set("HostedZone", zone), Field::set("Name", name)];
                first.into_iter().chain(fields.iter().cloned()).collect()
            }
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::Proof { proof, .. } => proof.need().into_iter().collect(),
            Self::CreateCheck { spec, .. } | Self::UpdateCheck { spec, .. } => spec.needs(),
            Self::Records { new, .. } => new.iter().flat_map(Wanted::needs).collect(),
            Self::DropProof { .. } | Self::DeleteCheck { .. } => Vec::new(),
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
            Self::Records { .. } | Self::Proof { .. } => Some("up to a minute"),
            _ => None,
        }
    }
}
