//! The changes that a plan is made of.

use twinsite_aws::Tags;
use twinsite_core::{Arn, Deferred, Domain, Field, Need, OutputKind, ResourceId};

use crate::distribution::{SIGNS, Settings};

/// A change to the front door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A certificate is requested; the record that proves the name is known afterwards.
    RequestCertificate {
        /// The name.
        domain: Domain,
        /// Its tags.
        tags: Tags,
        /// A request that failed, which is deleted.
        instead_of: Option<Arn>,
    },
    /// Waits until a certificate is issued.
    AwaitCertificate {
        /// The certificate.
        certificate: Deferred<Arn>,
    },
    /// An origin access control is created.
    CreateControl {
        /// Its name.
        name: String,
    },
    /// A function is created or changed, and published.
    PutFunction {
        /// Its name.
        name: String,
        /// Its code.
        code: String,
        /// The code that is live now.
        have: Option<String>,
    },
    /// The distribution is created.
    CreateDistribution {
        /// What it is to be like.
        settings: Box<Settings>,
        /// Its tags.
        tags: Tags,
    },
    /// The distribution's managed settings are put right; all others stay.
    UpdateDistribution {
        /// Its id.
        id: ResourceId,
        /// What it is to be like.
        settings: Box<Settings>,
        /// What differs.
        fields: Vec<Field>,
    },
    /// Waits until every edge has the distribution's last change.
    AwaitDistribution {
        /// Its id.
        id: Deferred<ResourceId>,
    },
    /// The distribution answers no longer.
    Disable {
        /// Its id.
        id: ResourceId,
    },
    /// The distribution is deleted.
    DeleteDistribution {
        /// Its id.
        id: ResourceId,
    },
    /// The function is deleted.
    DeleteFunction {
        /// Its name.
        name: String,
    },
    /// The access control signs as it should again.
    UpdateControl {
        /// Its id.
        id: ResourceId,
        /// Its name.
        name: String,
        /// How it signs now.
        have: String,
    },
    /// The access control is deleted.
    DeleteControl {
        /// Its id.
        id: ResourceId,
    },
    /// A certificate is deleted.
    DeleteCertificate {
        /// Its ARN.
        arn: Arn,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::RequestCertificate { domain, tags, instead_of } => {
                let mut fields = vec![Field::set("DomainName", domain.as_str()), Field::set("ValidationMethod", "DNS")];
                fields.extend(tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value)));
                fields.extend(instead_of.iter().map(|arn| Field::unset("Certificate", arn.as_str())));
                fields
            }
            Self::AwaitCertificate { certificate } => vec![Field::set("Certificate", certificate.to_string())],
            Self::CreateControl { name } => {
                vec![
                    Field::set("Name", name),
                    Field::set("SigningProtocol", "sigv4"),
                    Field::set("SigningBehavior", "always"),
                ]
            }
            Self::PutFunction { name, code, have } => {
                let size = |code: &String| format!("{} bytes", code.len());
                let code =
                    Field { name: "Code".to_owned(), actual: have.as_ref().map(size), desired: Some(size(code)) };
                vec![Field::set("Function", name), Field::set("Runtime", "cloudfront-js-2.0"), code]
            }
            Self::CreateDistribution { settings, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                settings.words().into_iter().map(|(name, value)| Field::set(name, value)).chain(tags).collect()
            }
            Self::UpdateDistribution { id, settings: _, fields } => {
                std::iter::once(Field::set("Distribution", &id.0)).chain(fields.iter().cloned()).collect()
            }
            Self::AwaitDistribution { id } => vec![Field::set("Distribution", id.to_string())],
            Self::Disable { id } => vec![Field::set("Distribution", &id.0), Field::change("Enabled", "true", "false")],
            Self::DeleteDistribution { id } => vec![Field::unset("Distribution", &id.0)],
            Self::DeleteFunction { name } => vec![Field::unset("Function", name)],
            Self::UpdateControl { id, name: _, have } => {
                vec![Field::set("OriginAccessControl", &id.0), Field::change("Signing", have, SIGNS)]
            }
            Self::DeleteControl { id } => vec![Field::unset("OriginAccessControl", &id.0)],
            Self::DeleteCertificate { arn } => vec![Field::unset("Certificate", arn.as_str())],
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::AwaitCertificate { certificate } => certificate.need().into_iter().collect(),
            Self::AwaitDistribution { id } => id.need().into_iter().collect(),
            Self::CreateDistribution { settings, .. } | Self::UpdateDistribution { settings, .. } => settings.needs(),
            Self::RequestCertificate { .. }
            | Self::CreateControl { .. }
            | Self::PutFunction { .. }
            | Self::Disable { .. }
            | Self::DeleteDistribution { .. }
            | Self::DeleteFunction { .. }
            | Self::UpdateControl { .. }
            | Self::DeleteControl { .. }
            | Self::DeleteCertificate { .. } => Vec::new(),
        }
    }

    fn outputs(&self) -> Vec<OutputKind> {
        match self {
            Self::RequestCertificate { .. } => vec![OutputKind::Arn, OutputKind::ValidationRecord],
            Self::AwaitCertificate { .. } => vec![OutputKind::Arn],
            Self::CreateControl { .. } => vec![OutputKind::Id],
            Self::CreateDistribution { .. } => vec![OutputKind::Arn, OutputKind::Host, OutputKind::Id],
            Self::PutFunction { .. }
            | Self::UpdateDistribution { .. }
            | Self::AwaitDistribution { .. }
            | Self::Disable { .. }
            | Self::DeleteDistribution { .. }
            | Self::DeleteFunction { .. }
            | Self::UpdateControl { .. }
            | Self::DeleteControl { .. }
            | Self::DeleteCertificate { .. } => Vec::new(),
        }
    }

    fn usually(&self) -> Option<&'static str> {
        match self {
            Self::AwaitCertificate { .. } => Some("1 to 10 minutes"),
            Self::AwaitDistribution { .. } => Some("2 to 5 minutes"),
            _ => None,
        }
    }
}
