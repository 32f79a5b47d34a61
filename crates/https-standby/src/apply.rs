//! Executes changes.

use twinsite_aws::{AwsError, Kind, outlast_refusals, resolve};
use twinsite_core::{Apply, Event, Output, Outputs, Run, ValidationRecords};

use crate::calls::{acm, apigateway};
use crate::clients::HttpsStandby;
use crate::model::{Change, Desired};

impl Apply<Change> for HttpsStandby {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        // Every change can be repeated as a whole. That of a custom domain name is limited to one in thirty seconds.
        let applied = outlast_refusals(run, "apply", || Box::pin(self.attempt(change, outputs, run))).await;
        match (change, applied) {
            // API Gateway may take hours to release a certificate: <https://github.com/aws/aws-cdk/issues/16608>. It costs nothing.
            (Change::DeleteCertificate { arn }, Err(error)) if is_in_use(&error) => {
                let text = format!("API Gateway has not released the certificate {arn} yet: it is kept");
                let hint =
                    format!("later: `aws acm delete-certificate --region {} --certificate-arn {arn}`", arn.region());
                run.emit(&Event::Warning { text, hint: Some(hint) });
                Ok(Vec::new())
            }
            (_, applied) => applied,
        }
    }
}

fn is_in_use(error: &AwsError) -> bool {
    error.code.as_deref() == Some("ResourceInUseException") || error.kind == Kind::TimedOut
}

impl HttpsStandby {
    async fn attempt(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        let client = &self.gateway;
        match change {
            Change::RequestCertificate { domain, tags, replaces } => {
                if let Some(failed) = replaces {
                    acm::delete_certificate(&self.acm, failed).await?;
                }
                let request = acm::request_certificate(&self.acm, domain, tags, replaces.as_ref(), run);
                let (arn, record) = Box::pin(request).await?;
                let records = ValidationRecords([(domain.as_str().to_owned(), record)].into());
                return Ok(vec![Output::Arn(arn), Output::ValidationRecords(records)]);
            }
            Change::AwaitCertificate { certificate } => {
                let arn = resolve(certificate, outputs);
                let arn = arn.map_err(|error| error.into_aws("DescribeCertificate", certificate))?;
                Box::pin(acm::await_certificate(&self.acm, &arn, self.polling, run)).await?;
                return Ok(vec![Output::Arn(arn)]);
            }
            Change::CreateApi { name, settings, tags } => {
                return Ok(vec![Output::Id(apigateway::create_api(client, name, settings, tags).await?)]);
            }
            Change::UpdateApi { id, fields: _ } => {
                apigateway::update_api(client, id, &Desired::api_settings()).await?;
            }
            Change::PutIntegration { api, id, settings, fields: _ } => {
                let api = resolve(api, outputs).map_err(|error| error.into_aws("CreateIntegration", api))?;
                let id = match id {
                    Some(id) => {
                        apigateway::update_integration(client, &api, id, settings).await.map(|()| id.clone())?
                    }
                    None => apigateway::create_integration(client, &api, settings).await?,
                };
                return Ok(vec![Output::Id(id)]);
            }
            Change::PutRoute { api, route: _, integration } => {
                let api = resolve(api, outputs).map_err(|error| error.into_aws("CreateRoute", api))?;
                let integration = resolve(integration, outputs);
                let integration = integration.map_err(|error| error.into_aws("CreateRoute", &api))?;
                apigateway::put_route(client, &api, &integration).await?;
            }
            Change::PutStage { api, exists: _, tags } => {
                let api = resolve(api, outputs).map_err(|error| error.into_aws("CreateStage", api))?;
                apigateway::put_stage(client, &api, tags).await?;
            }
            Change::CreateDomainName { domain, certificate, settings, tags } => {
                let arn = resolve(certificate, outputs).map_err(|error| error.into_aws("CreateDomainName", domain))?;
                Box::pin(apigateway::create_domain_name(client, domain, &arn, settings, tags)).await?;
            }
            Change::UpdateDomainName { domain, certificate, settings, fields: _ } => {
                let arn = resolve(certificate, outputs).map_err(|error| error.into_aws("UpdateDomainName", domain))?;
                apigateway::update_domain_name(client, domain, &arn, settings).await?;
            }
            Change::AwaitDomainName { domain } => {
                apigateway::await_domain_name(client, domain, self.polling, run).await?;
            }
            Change::PutMapping { domain, api, replaces } => {
                let api = resolve(api, outputs).map_err(|error| error.into_aws("CreateApiMapping", domain))?;
                if let Some(mapping) = replaces {
                    apigateway::delete_api_mapping(client, domain, &mapping.id).await?;
                }
                apigateway::create_api_mapping(client, domain, &api).await?;
            }
            Change::Tag { arn, actual: _, tags } => apigateway::tag_resource(client, arn, tags).await?,
            Change::DeleteMapping { domain, id } => apigateway::delete_api_mapping(client, domain, id).await?,
            Change::DeleteDomainName { domain } => apigateway::delete_domain_name(client, domain).await?,
            Change::DeleteApi { id } => apigateway::delete_api(client, id).await?,
            Change::DeleteCertificate { arn } => acm::delete_certificate(&self.acm, arn).await?,
        }
        Ok(Vec::new())
    }
}
