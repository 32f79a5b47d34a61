//! Carrying out changes.

use twinsite_aws::AwsError;
use twinsite_core::{Apply, Output, Outputs, Run};

use crate::Cdn;
use crate::certificate::calls as acm;
use crate::change::Change;
use crate::distribution::Calls;

impl Apply<Change> for Cdn {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        let calls = Calls { client: &self.cloudfront };
        match change {
            Change::RequestCertificate { .. } | Change::AwaitCertificate { .. } | Change::DeleteCertificate { .. } => {
                return self.apply_to_certificate(change, outputs, run).await;
            }
            Change::CreateControl { name } => return Ok(vec![Output::Id(calls.create_control(name).await?)]),
            Change::CreateDistribution { settings, tags } => {
                return Box::pin(calls.create_distribution(settings, tags, outputs)).await;
            }
            Change::PutFunction { name, code, have: _ } => calls.put_function(name, code).await?,
            Change::UpdateDistribution { id, settings, fields: _ } => {
                Box::pin(calls.update_distribution(id, |before| Calls::put_right(settings, outputs, before))).await?;
            }
            Change::AwaitDistribution { id } => {
                let unmade = || AwsError::unexpected("GetDistribution", id, "the distribution was not made");
                let id = id.resolve(outputs).ok_or_else(unmade)?;
                calls.await_distribution(&id, self.polling, run).await?;
            }
            Change::Disable { id } => Box::pin(calls.disable(id)).await?,
            Change::DeleteDistribution { id } => calls.delete_distribution(id).await?,
            Change::DeleteFunction { name } => calls.delete_function(name).await?,
            Change::UpdateControl { id, name, have: _ } => calls.update_control(id, name).await?,
            Change::DeleteControl { id } => calls.delete_control(id).await?,
        }
        Ok(Vec::new())
    }
}

impl Cdn {
    async fn apply_to_certificate(
        &self,
        change: &Change,
        outputs: &Outputs,
        run: &Run,
    ) -> Result<Vec<Output>, AwsError> {
        match change {
            Change::RequestCertificate { domain, tags, instead_of } => {
                if let Some(failed) = instead_of {
                    acm::delete_certificate(&self.acm, failed).await?;
                }
                let requested = Box::pin(acm::request_certificate(&self.acm, domain, tags, instead_of.as_ref(), run));
                let (arn, proof) = requested.await?;
                Ok(vec![Output::Arn(arn), Output::ValidationRecord(proof)])
            }
            Change::AwaitCertificate { certificate } => {
                let unmade = || AwsError::unexpected("DescribeCertificate", certificate, "it was not requested");
                let arn = certificate.resolve(outputs).ok_or_else(unmade)?;
                Box::pin(acm::await_certificate(&self.acm, &arn, self.polling, run)).await?;
                Ok(vec![Output::Arn(arn)])
            }
            Change::DeleteCertificate { arn } => {
                acm::delete_certificate(&self.acm, arn).await?;
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }
}
