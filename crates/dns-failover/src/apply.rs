//! Executes changes.

use twinsite_aws::{AwsError, outlast_refusals, resolve};
use twinsite_core::{Apply, Output, Outputs, Run};

use crate::calls::{checks, records};
use crate::clients::DnsFailover;
use crate::model::Change;

impl Apply<Change> for DnsFailover {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        // Every change can be repeated as a whole.
        outlast_refusals(run, "apply", || Box::pin(self.attempt(change, outputs, run))).await
    }
}

impl DnsFailover {
    async fn attempt(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        let client = &self.client;
        match change {
            Change::PutValidationRecord { zone, record, actual: _ } => {
                let known = resolve(record, outputs);
                let known = known.map_err(|error| error.into_aws("ChangeResourceRecordSets", record))?;
                let change = records::put_validation_record(client, zone, &known).await?;
                records::await_change(client, &change, self.polling, run).await?;
            }
            Change::DeleteValidationRecord { zone, record } => {
                records::delete_validation_record(client, zone, record).await?;
            }
            Change::CreateCheck { settings, reference, tags } => {
                let id = checks::create_health_check(client, settings, reference, tags, outputs).await?;
                return Ok(vec![Output::Id(id)]);
            }
            Change::UpdateCheck { id, settings, tags, fields: _ } => {
                checks::update_health_check(client, id, settings, tags, outputs).await?;
            }
            Change::DeleteCheck { id, purpose: _ } => checks::delete_health_check(client, id).await?,
            Change::ChangeRecords { zone, name, delete, upsert, fields: _ } => {
                let upsert = records::upsert_changes(name, upsert, outputs)?;
                let change = Box::pin(records::change_records_of_name(client, zone, name, delete, upsert)).await?;
                records::await_change(client, &change, self.polling, run).await?;
            }
        }
        Ok(Vec::new())
    }
}
