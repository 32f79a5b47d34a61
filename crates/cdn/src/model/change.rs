//! The changes that a plan consists of.

use twinsite_aws::{Tags, tag_fields};
use twinsite_core::{Arn, Deferred, Domain, Field, Need, OutputKind, Resource, ResourceId};

use super::{DistributionSettings, Function, SIGNING, StoreKeys};

/// A change of a certificate, a distribution or a resource that it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Requests a certificate with DNS validation. Its validation records are an output.
    RequestCertificate {
        /// The domain.
        domain: Domain,
        /// The other names that it covers.
        alternative_names: Vec<Domain>,
        /// The certificates that the site has, and that do not cover these names or cover more. They are in use until this one is issued.
        supersedes: Vec<Arn>,
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
        /// The tags so far.
        actual: Tags,
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
        /// The key value store that it reads, if any.
        store: Option<Deferred<Arn>>,
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
        /// The tags so far.
        actual: Tags,
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
            Self::RequestCertificate { domain, alternative_names, supersedes: _, tags, replaces } => {
                let mut fields = vec![Field::set("DomainName", domain.as_str())];
                fields.extend(
                    alternative_names
                        .iter()
                        .map(|name| Field::set(format!("SubjectAlternativeName {name}"), "present")),
                );
                fields.push(Field::set("ValidationMethod", "DNS"));
                fields.extend(tag_fields(&Tags::new(), tags));
                fields.extend(replaces.iter().map(|arn| Field::unset("Certificate", arn.as_str())));
                fields
            }
            Self::CreateAccessControl { name: _ } => {
                vec![Field::set("SigningProtocol", "sigv4"), Field::set("SigningBehavior", "always")]
            }
            Self::CreateStore { name: _, tags } => tag_fields(&Tags::new(), tags).collect(),
            Self::PutStoreKeys { name: _, store: _, actual, desired } => {
                let keys = desired.iter().map(|(key, value)| Field {
                    name: format!("key {key}"),
                    actual: actual.get(key).cloned(),
                    desired: Some(value.clone()),
                });
                keys.collect()
            }
            Self::TagStore { arn: _, actual, tags } | Self::TagDistribution { arn: _, actual, tags } => {
                tag_fields(actual, tags).collect()
            }
            Self::PutFunction { name: _, code, store, actual } => {
                function_fields(code, store.as_ref(), actual.as_ref())
            }
            Self::CreateDistribution { settings, tags } => {
                let properties = settings.to_properties().into_iter().map(|(name, value)| Field::set(name, value));
                properties.chain(tag_fields(&Tags::new(), tags)).collect()
            }
            Self::UpdateDistribution { id: _, settings: _, fields } => fields.clone(),
            Self::DisableDistribution { id: _ } => vec![Field::change("Enabled", "true", "false")],
            Self::UpdateAccessControl { id: _, name: _, actual } => vec![Field::change("Signing", actual, SIGNING)],
            Self::AwaitCertificate { .. }
            | Self::AwaitDistribution { .. }
            | Self::DeleteStore { .. }
            | Self::DeleteDistribution { .. }
            | Self::DeleteFunction { .. }
            | Self::DeleteAccessControl { .. }
            | Self::DeleteCertificate { .. } => Vec::new(),
        }
    }

    fn resource(&self) -> Option<Resource> {
        let (service, kind, name) = match self {
            Self::RequestCertificate { domain, .. } => ("ACM", "certificate", domain.to_string()),
            Self::AwaitCertificate { certificate } => ("ACM", "certificate", certificate.to_string()),
            Self::DeleteCertificate { arn } => ("ACM", "certificate", arn.to_string()),
            Self::CreateAccessControl { name } => (CLOUDFRONT, "origin access control", name.clone()),
            Self::UpdateAccessControl { id, .. } | Self::DeleteAccessControl { id } => {
                (CLOUDFRONT, "origin access control", id.to_string())
            }
            Self::CreateStore { name, .. } | Self::PutStoreKeys { name, .. } | Self::DeleteStore { name } => {
                (CLOUDFRONT, "key value store", name.clone())
            }
            Self::TagStore { arn, .. } => (CLOUDFRONT, "key value store", arn.to_string()),
            Self::PutFunction { name, .. } | Self::DeleteFunction { name } => (CLOUDFRONT, "function", name.clone()),
            Self::CreateDistribution { settings, .. } => (CLOUDFRONT, DISTRIBUTION, settings.name().to_owned()),
            Self::UpdateDistribution { id, .. }
            | Self::DisableDistribution { id }
            | Self::DeleteDistribution { id } => (CLOUDFRONT, DISTRIBUTION, id.to_string()),
            Self::TagDistribution { arn, .. } => (CLOUDFRONT, DISTRIBUTION, arn.to_string()),
            Self::AwaitDistribution { id } => (CLOUDFRONT, DISTRIBUTION, id.to_string()),
        };
        Some(Resource::new(service, kind, name))
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::AwaitCertificate { certificate } => certificate.need().into_iter().collect(),
            Self::AwaitDistribution { id } => id.need().into_iter().collect(),
            Self::PutStoreKeys { store, .. } => store.need().into_iter().collect(),
            Self::PutFunction { store, .. } => store.iter().filter_map(Deferred::need).collect(),
            Self::CreateDistribution { settings, .. } | Self::UpdateDistribution { settings, .. } => settings.needs(),
            _ => Vec::new(),
        }
    }

    fn outputs(&self) -> Vec<OutputKind> {
        match self {
            Self::RequestCertificate { .. } => vec![OutputKind::Arn, OutputKind::ValidationRecords],
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

const CLOUDFRONT: &str = "CloudFront";
const DISTRIBUTION: &str = "distribution";

/// The settings of the LIVE stage that change. The code is a value like any other: codes of the same size differ.
fn function_fields(code: &str, store: Option<&Deferred<Arn>>, actual: Option<&Function>) -> Vec<Field> {
    let live_code = actual.and_then(|live| live.live_code.clone());
    let live_store = actual.and_then(|live| live.live_store.as_ref()).map(ToString::to_string);
    let runtime = actual.is_none().then(|| Field::set("Runtime", "cloudfront-js-2.0"));
    let store =
        Field { name: "KeyValueStoreARN".to_owned(), actual: live_store, desired: store.map(ToString::to_string) };
    let code = Field { name: "Code".to_owned(), actual: live_code, desired: Some(code.to_owned()) };
    runtime.into_iter().chain([store, code].into_iter().filter(|field| field.actual != field.desired)).collect()
}
