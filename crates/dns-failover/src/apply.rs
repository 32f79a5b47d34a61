//! Carrying out changes.

use twinsite_aws::AwsError;
use twinsite_core::{Apply, Output, Outputs, Run};

use crate::DnsFailover;
use crate::change::Change;
use crate::{health, records};

impl Apply<Change> for DnsFailover {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        let checks = health::Calls { client: &self.client };
        let sets = records::Calls { client: &self.client };
        match change {
            Change::Proof { zone, proof, have: _ } => {
                let unmade = || AwsError::unexpected("ChangeResourceRecordSets", proof, "ACM has not shown the record");
                let change = sets.put_proof(zone, &proof.resolve(outputs).ok_or_else(unmade)?).await?;
                sets.await_change(&change, self.polling, run).await?;
            }
            Change::DropProof { zone, proof } => sets.delete_proof(zone, proof).await?,
            Change::CreateCheck { spec, reference, tags } => {
                return Ok(vec![Output::Id(checks.create_health_check(spec, reference, tags, outputs).await?)]);
            }
            Change::UpdateCheck { id, spec, tags, fields: _ } => {
                checks.update_health_check(id, spec, tags, outputs).await?;
            }
            Change::DeleteCheck { id, role: _ } => checks.delete_health_check(id).await?,
            Change::Records { zone, name, gone, new, fields: _ } => {
                let change = Box::pin(sets.change_records(zone, name, (gone, new), outputs)).await?;
                sets.await_change(&change, self.polling, run).await?;
            }
        }
        Ok(Vec::new())
    }
}
