//! The changes that a plan consists of.

use twinsite_aws::Tags;
use twinsite_core::{Arn, Deferred, Domain, Field, Need, OutputKind, ResourceId};

use super::{DistributionSettings, Function, SIGNING, StoreKeys};

/// A change of a certificate, a distribution or a resource that it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Requests a certificate with DNS validation. Its validation record is an output.
    RequestCertificate {
        /// The domain.
        domain: Domain,
        /// Its tags.
        tags: Tags,
        /// A certificate whose request has failed, to be deleted first.
        replaces: Option<Arn>,
    },
    /// Waits until a certificate is issued.
    AwaitCertificate {
        /// The certificate.
        certificate: Deferred<Arn>,
    },
    /// Creates an origin access control.
    CreateAccessControl {
        /// Its name.
        name: String,
    },
    /// Creates a key value store, and waits until it is ready.
    CreateStore {
        /// Its name.
        name: String,
        /// Its tags.
        tags: Tags,
    },
    /// Puts keys into a key value store. Others stay.
    PutStoreKeys {
        /// The name of the store.
        name: String,
        /// The store.
        store: Deferred<Arn>,
        /// The keys, with their values so far.
        actual: StoreKeys,
        /// The keys, with their values.
        desired: StoreKeys,
    },
    /// Puts back the site's tags on the key value store. Others stay.
    TagStore {
        /// Its ARN.
        arn: Arn,
        /// The tags to put.
        tags: Tags,
    },
    /// Deletes a key value store.
    DeleteStore {
        /// Its name.
        name: String,
    },
    /// Creates or updates a function, and publishes it.
    PutFunction {
        /// Its name.
        name: String,
        /// Its code.
        code: String,
        /// The key value store that it reads.
        store: Deferred<Arn>,
        /// The LIVE stage so far.
        actual: Option<Function>,
    },
    /// Creates the distribution.
    CreateDistribution {
        /// Its settings.
        settings: Box<DistributionSettings>,
        /// Its tags.
        tags: Tags,
    },
    /// Updates the managed settings of the distribution; all others are left as they are.
    UpdateDistribution {
        /// Its id.
        id: ResourceId,
        /// Its settings.
        settings: Box<DistributionSettings>,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Puts back the site's tags on the distribution. Others stay.
    TagDistribution {
        /// Its ARN.
        arn: Arn,
        /// The tags to put.
        tags: Tags,
    },
    /// Waits until the last change of the distribution is deployed to all edge locations.
    AwaitDistribution {
        /// Its id.
        id: Deferred<ResourceId>,
    },
    /// Disables the distribution.
    DisableDistribution {
        /// Its id.
        id: ResourceId,
    },
    /// Deletes the distribution.
    DeleteDistribution {
        /// Its id.
        id: ResourceId,
    },
    /// Deletes a function.
    DeleteFunction {
        /// Its name.
        name: String,
    },
    /// Restores the signing of an origin access control.
    UpdateAccessControl {
        /// Its id.
        id: ResourceId,
        /// Its name.
        name: String,
        /// Its signing so far.
        actual: String,
    },
    /// Deletes an origin access control.
    DeleteAccessControl {
        /// Its id.
        id: ResourceId,
    },
    /// Deletes a certificate.
    DeleteCertificate {
        /// Its ARN.
        arn: Arn,
    },
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::RequestCertificate { domain, tags, replaces } => {
                let mut fields = vec![Field::set("DomainName", domain.as_str()), Field::set("ValidationMethod", "DNS")];
                fields.extend(tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value)));
                fields.extend(replaces.iter().map(|arn| Field::unset("Certificate", arn.as_str())));
                fields
            }
            Self::AwaitCertificate { certificate } => vec![Field::set("Certificate", certificate.to_string())],
            Self::CreateAccessControl { name } => {
                vec![
                    Field::set("Name", name),
                    Field::set("SigningProtocol", "sigv4"),
                    Field::set("SigningBehavior", "always"),
                ]
            }
            Self::CreateStore { name, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                std::iter::once(Field::set("KeyValueStore", name)).chain(tags).collect()
            }
            Self::PutStoreKeys { name, store: _, actual, desired } => {
                let keys = desired.iter().map(|(key, value)| Field {
                    name: format!("key {key}"),
                    actual: actual.get(key).cloned(),
                    desired: Some(value.clone()),
                });
                std::iter::once(Field::set("KeyValueStore", name)).chain(keys).collect()
            }
            Self::TagStore { arn, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                std::iter::once(Field::set("KeyValueStore", arn.as_str())).chain(tags).collect()
            }
            Self::DeleteStore { name } => vec![Field::unset("KeyValueStore", name)],
            Self::PutFunction { name, code, store, actual } => {
                let size = |code: &String| format!("{} bytes", code.len());
                let live_code = actual.as_ref().and_then(|live| live.live_code.as_ref());
                let code = Field { name: "Code".to_owned(), actual: live_code.map(size), desired: Some(size(code)) };
                let live_store = actual.as_ref().and_then(|live| live.live_store.as_ref());
                let store = Field {
                    name: "KeyValueStoreARN".to_owned(),
                    actual: live_store.map(ToString::to_string),
                    desired: Some(store.to_string()),
                };
                vec![Field::set("Function", name), Field::set("Runtime", "cloudfront-js-2.0"), store, code]
            }
            Self::CreateDistribution { settings, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                settings.to_properties().into_iter().map(|(name, value)| Field::set(name, value)).chain(tags).collect()
            }
            Self::UpdateDistribution { id, settings: _, fields } => {
                std::iter::once(Field::set("Distribution", id.as_str())).chain(fields.iter().cloned()).collect()
            }
            Self::TagDistribution { arn, tags } => {
                let tags = tags.iter().map(|(key, value)| Field::set(format!("tag {key}"), value));
                std::iter::once(Field::set("Distribution", arn.as_str())).chain(tags).collect()
            }
            Self::AwaitDistribution { id } => vec![Field::set("Distribution", id.to_string())],
            Self::DisableDistribution { id } => {
                vec![Field::set("Distribution", id.as_str()), Field::change("Enabled", "true", "false")]
            }
            Self::DeleteDistribution { id } => vec![Field::unset("Distribution", id.as_str())],
            Self::DeleteFunction { name } => vec![Field::unset("Function", name)],
            Self::UpdateAccessControl { id, name: _, actual } => {
                vec![Field::set("OriginAccessControl", id.as_str()), Field::change("Signing", actual, SIGNING)]
            }
            Self::DeleteAccessControl { id } => vec![Field::unset("OriginAccessControl", id.as_str())],
            Self::DeleteCertificate { arn } => vec![Field::unset("Certificate", arn.as_str())],
        }
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::AwaitCertificate { certificate } => certificate.need().into_iter().collect(),
            Self::AwaitDistribution { id } => id.need().into_iter().collect(),
            Self::PutStoreKeys { store, .. } | Self::PutFunction { store, .. } => store.need().into_iter().collect(),
            Self::CreateDistribution { settings, .. } | Self::UpdateDistribution { settings, .. } => settings.needs(),
            _ => Vec::new(),
        }
    }

    fn outputs(&self) -> Vec<OutputKind> {
        match self {
            Self::RequestCertificate { .. } => vec![OutputKind::Arn, OutputKind::ValidationRecord],
            Self::AwaitCertificate { .. } | Self::CreateStore { .. } => vec![OutputKind::Arn],
            Self::CreateAccessControl { .. } => vec![OutputKind::Id],
            Self::CreateDistribution { .. } => vec![OutputKind::Arn, OutputKind::Host, OutputKind::Id],
            _ => Vec::new(),
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
