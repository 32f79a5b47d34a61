//! The changes that a plan consists of.

use twinsite_aws::{Tags, tag_fields};
use twinsite_core::{Arn, Deferred, Domain, Field, Need, OutputKind, Resource, ResourceId};

use super::Settings;

/// A change of the standby.
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
    /// Creates the API.
    CreateApi {
        /// Its name.
        name: String,
        /// Its settings.
        settings: Settings,
        /// Its tags.
        tags: Tags,
    },
    /// Updates the API.
    UpdateApi {
        /// Its id.
        id: ResourceId,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Creates or updates the integration.
    PutIntegration {
        /// The API.
        api: Deferred<ResourceId>,
        /// The integration, if it exists.
        id: Option<ResourceId>,
        /// Its settings.
        settings: Settings,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Creates or updates the route `$default`.
    PutRoute {
        /// The API.
        api: Deferred<ResourceId>,
        /// The route, if it exists, with its target.
        route: Option<super::Route>,
        /// The integration that it leads to.
        integration: Deferred<ResourceId>,
    },
    /// Creates or updates the stage `$default`.
    PutStage {
        /// The API.
        api: Deferred<ResourceId>,
        /// Whether it exists, without automatic deployment.
        exists: bool,
        /// Its tags, if it does not exist.
        tags: Tags,
    },
    /// Creates the custom domain name.
    CreateDomainName {
        /// The domain.
        domain: Domain,
        /// Its certificate.
        certificate: Deferred<Arn>,
        /// Its settings.
        settings: Settings,
        /// Its tags.
        tags: Tags,
    },
    /// Updates the custom domain name.
    UpdateDomainName {
        /// The domain.
        domain: Domain,
        /// Its certificate.
        certificate: Deferred<Arn>,
        /// Its settings.
        settings: Settings,
        /// The settings that differ.
        fields: Vec<Field>,
    },
    /// Waits until the custom domain name is available.
    AwaitDomainName {
        /// The domain.
        domain: Domain,
    },
    /// Maps the custom domain name to the API, instead of to what it was mapped to.
    PutMapping {
        /// The domain.
        domain: Domain,
        /// The API.
        api: Deferred<ResourceId>,
        /// The mapping to delete first, with the id of its API.
        replaces: Option<super::Mapping>,
    },
    /// Puts back the site's tags. Others stay.
    Tag {
        /// The ARN of the API or custom domain name.
        arn: Arn,
        /// The tags so far.
        actual: Tags,
        /// The tags to put.
        tags: Tags,
    },
    /// Deletes an API mapping.
    DeleteMapping {
        /// The domain.
        domain: Domain,
        /// Its id.
        id: ResourceId,
    },
    /// Deletes the custom domain name.
    DeleteDomainName {
        /// The domain.
        domain: Domain,
    },
    /// Deletes an API with its integrations, routes and stages.
    DeleteApi {
        /// Its id.
        id: ResourceId,
    },
    /// Deletes a certificate.
    DeleteCertificate {
        /// Its ARN.
        arn: Arn,
    },
}

fn set(settings: &Settings) -> impl Iterator<Item = Field> + '_ {
    settings.iter().map(|(name, value)| Field::set(*name, value))
}

impl twinsite_core::Change for Change {
    fn fields(&self) -> Vec<Field> {
        match self {
            Self::RequestCertificate { domain, tags, replaces } => {
                let mut fields = vec![Field::set("DomainName", domain.as_str()), Field::set("ValidationMethod", "DNS")];
                fields.extend(tag_fields(&Tags::new(), tags));
                fields.extend(replaces.iter().map(|arn| Field::unset("Certificate", arn.as_str())));
                fields
            }
            Self::CreateApi { name: _, settings, tags } => {
                let protocol = Field::set("ProtocolType", "HTTP");
                std::iter::once(protocol).chain(set(settings)).chain(tag_fields(&Tags::new(), tags)).collect()
            }
            Self::UpdateApi { id: _, fields }
            | Self::PutIntegration { api: _, id: _, settings: _, fields }
            | Self::UpdateDomainName { domain: _, certificate: _, settings: _, fields } => fields.clone(),
            Self::PutRoute { api: _, route, integration } => vec![Field {
                name: "Target".to_owned(),
                actual: route.as_ref().map(|route| route.target.clone()),
                desired: Some(format!("integrations/{integration}")),
            }],
            Self::PutStage { api: _, exists, tags } => {
                let actual = exists.then(|| false.to_string());
                let deploy = Field { name: "AutoDeploy".to_owned(), actual, desired: Some(true.to_string()) };
                std::iter::once(deploy).chain(tag_fields(&Tags::new(), tags)).collect()
            }
            Self::CreateDomainName { domain: _, certificate, settings, tags } => {
                let certificate = Field::set("CertificateArn", certificate.to_string());
                std::iter::once(certificate).chain(set(settings)).chain(tag_fields(&Tags::new(), tags)).collect()
            }
            Self::PutMapping { domain: _, api, replaces } => vec![Field {
                name: "ApiId".to_owned(),
                actual: replaces.as_ref().map(|mapping| format!("{} {}", mapping.api, mapping.stage)),
                desired: Some(format!("{api} $default")),
            }],
            Self::Tag { arn: _, actual, tags } => tag_fields(actual, tags).collect(),
            Self::AwaitCertificate { .. }
            | Self::AwaitDomainName { .. }
            | Self::DeleteMapping { .. }
            | Self::DeleteDomainName { .. }
            | Self::DeleteApi { .. }
            | Self::DeleteCertificate { .. } => Vec::new(),
        }
    }

    fn resource(&self) -> Option<Resource> {
        let (service, kind, name) = match self {
            Self::RequestCertificate { domain, .. } => ("ACM", "certificate", domain.to_string()),
            Self::AwaitCertificate { certificate } => ("ACM", "certificate", certificate.to_string()),
            Self::DeleteCertificate { arn } => ("ACM", "certificate", arn.to_string()),
            Self::CreateApi { name, .. } => (GATEWAY, "API", name.clone()),
            Self::UpdateApi { id, .. } | Self::DeleteApi { id } => (GATEWAY, "API", id.to_string()),
            Self::PutIntegration { api, .. } => (GATEWAY, "integration", format!("of {api}")),
            Self::PutRoute { api, .. } => (GATEWAY, "route", format!("$default of {api}")),
            Self::PutStage { api, .. } => (GATEWAY, "stage", format!("$default of {api}")),
            Self::CreateDomainName { domain, .. }
            | Self::UpdateDomainName { domain, .. }
            | Self::AwaitDomainName { domain }
            | Self::DeleteDomainName { domain } => (GATEWAY, "custom domain name", domain.to_string()),
            Self::PutMapping { domain, .. } | Self::DeleteMapping { domain, .. } => {
                (GATEWAY, "API mapping", domain.to_string())
            }
            Self::Tag { arn, .. } => (GATEWAY, "tags", arn.to_string()),
        };
        Some(Resource::new(service, kind, name))
    }

    fn needs(&self) -> Vec<Need> {
        match self {
            Self::AwaitCertificate { certificate }
            | Self::CreateDomainName { certificate, .. }
            | Self::UpdateDomainName { certificate, .. } => certificate.need().into_iter().collect(),
            Self::PutIntegration { api, .. } | Self::PutStage { api, .. } | Self::PutMapping { api, .. } => {
                api.need().into_iter().collect()
            }
            Self::PutRoute { api, integration, .. } => api.need().into_iter().chain(integration.need()).collect(),
            _ => Vec::new(),
        }
    }

    fn outputs(&self) -> Vec<OutputKind> {
        match self {
            Self::RequestCertificate { .. } => vec![OutputKind::Arn, OutputKind::ValidationRecords],
            Self::AwaitCertificate { .. } => vec![OutputKind::Arn],
            Self::CreateApi { .. } | Self::PutIntegration { .. } => vec![OutputKind::Id],
            _ => Vec::new(),
        }
    }

    fn usually(&self) -> Option<&'static str> {
        match self {
            Self::AwaitCertificate { .. } => Some("1 to 10 minutes"),
            Self::AwaitDomainName { .. } => Some("up to a minute"),
            _ => None,
        }
    }
}

const GATEWAY: &str = "API Gateway";
