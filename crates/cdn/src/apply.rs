//! Executes changes.

use twinsite_aws::{AwsError, outlast_refusals, resolve};
use twinsite_core::{Apply, Arn, Output, Outputs, Run};

use crate::calls::{acm, cloudfront, store};
use crate::clients::Cdn;
use crate::model::{CertificateFiles, Change, Desired};

impl Apply<Change> for Cdn {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        // Every change can be repeated as a whole; those of a distribution read it again.
        outlast_refusals(run, "apply", || Box::pin(self.attempt(change, outputs, run))).await
    }
}

impl Cdn {
    async fn attempt(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        match change {
            Change::RequestCertificate { domain, alternative_names, supersedes, tags, replaces } => {
                if let Some(failed) = replaces {
                    acm::delete_certificate(&self.acm, failed).await?;
                }
                let replaces = replaces.as_ref();
                let wanted = acm::NewCertificate { domain, alternative_names, supersedes, replaces, tags };
                let (arn, records) = Box::pin(acm::request_certificate(&self.acm, wanted, run)).await?;
                return Ok(vec![Output::Arn(arn), Output::ValidationRecords(records)]);
            }
            Change::AwaitCertificate { certificate } => {
                let arn = resolve(certificate, outputs);
                let arn = arn.map_err(|error| error.into_aws("DescribeCertificate", certificate))?;
                Box::pin(acm::await_certificate(&self.acm, &arn, self.polling, run)).await?;
                return Ok(vec![Output::Arn(arn)]);
            }
            Change::CreateAccessControl { name } => {
                return Ok(vec![Output::Id(cloudfront::create_access_control(&self.cloudfront, name).await?)]);
            }
            Change::CreateDistribution { settings, tags } => {
                return Box::pin(cloudfront::create_distribution(&self.cloudfront, settings, tags, outputs, run)).await;
            }
            Change::CreateStore { name, tags } => {
                return Ok(vec![Output::Arn(store::create_key_value_store(&self.cloudfront, name, tags, run).await?)]);
            }
            Change::PutStoreKeys { name, store, actual: _, desired } => {
                let arn = resolve(store, outputs).map_err(|error| error.into_aws("UpdateKeys", name))?;
                store::await_key_value_store(&self.cloudfront, name, run).await?;
                store::update_keys(&self.keys, &arn, desired).await?;
            }
            Change::DeleteStore { name } => store::delete_key_value_store(&self.cloudfront, name).await?,
            Change::PutFunction { name, code, store, actual: _ } => {
                let arn = store.as_ref().map(|store| resolve(store, outputs)).transpose();
                let arn = arn.map_err(|error| error.into_aws("CreateFunction", name))?;
                cloudfront::put_function(&self.cloudfront, name, code, arn.as_ref()).await?;
            }
            Change::UpdateDistribution { id, settings, fields: _ } => {
                Box::pin(cloudfront::update_distribution(&self.cloudfront, id, settings, outputs)).await?;
            }
            Change::TagDistribution { arn, actual: _, tags } | Change::TagStore { arn, actual: _, tags } => {
                cloudfront::tag_resource(&self.cloudfront, arn, tags).await?;
            }
            Change::AwaitDistribution { id } => {
                let id = resolve(id, outputs).map_err(|error| error.into_aws("GetDistribution", id))?;
                cloudfront::await_distribution(&self.cloudfront, &id, self.polling, run).await?;
            }
            Change::DisableDistribution { id } => {
                Box::pin(cloudfront::disable_distribution(&self.cloudfront, id)).await?;
            }
            Change::DeleteDistribution { id } => cloudfront::delete_distribution(&self.cloudfront, id).await?,
            Change::DeleteFunction { name } => cloudfront::delete_function(&self.cloudfront, name).await?,
            Change::UpdateAccessControl { id, name, actual: _ } => {
                cloudfront::update_access_control(&self.cloudfront, id, name).await?;
            }
            Change::DeleteAccessControl { id } => cloudfront::delete_access_control(&self.cloudfront, id).await?,
            Change::DeleteCertificate { arn } => acm::delete_certificate(&self.acm, arn).await?,
        }
        Ok(Vec::new())
    }
}

impl Cdn {
    /// Imports a certificate that was issued elsewhere. It replaces the one that was imported for this site before, so the
    /// resources that use that one need no change.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed, for instance because ACM rejected the certificate.
    pub async fn import_certificate(&self, desired: &Desired, files: CertificateFiles) -> Result<Arn, AwsError> {
        let certificates = Box::pin(self.observe_certificates(desired)).await?;
        let owner = desired.owner();
        let mut covering = certificates.covering.iter();
        let domain = &desired.site.domain;
        let existing = covering.find(|one| one.imported && owner.owns(&one.tags) && one.covers(domain));
        let existing = existing.map(|certificate| &certificate.arn);
        Box::pin(acm::import_certificate(&self.acm, files, existing, &owner.created())).await
    }
}
