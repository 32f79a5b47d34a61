//! Executes changes.

use twinsite_aws::{AwsError, outlast_refusals, resolve};
use twinsite_core::{Apply, Output, Outputs, Run, ValidationRecord};

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
            Change::PutValidationRecords { zone, names, records, actual: _ } => {
                let known = resolve(records, outputs);
                let known = known.map_err(|error| error.into_aws("ChangeResourceRecordSets", records))?;
                let wanted: Vec<&ValidationRecord> = names.iter().filter_map(|name| known.get(name.as_str())).collect();
                let change = records::put_validation_records(client, zone, &wanted).await?;
                records::await_change(client, &change, self.polling, run).await?;
            }
            Change::DeleteValidationRecords { zone, records } => {
                records::delete_validation_records(client, zone, records).await?;
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
