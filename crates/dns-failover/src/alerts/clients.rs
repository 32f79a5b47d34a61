//! SNS and CloudWatch in several regions: observes and executes changes.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use futures::try_join;
use twinsite_aws::{AwsError, outlast_refusals};
use twinsite_core::{Apply, Output, Outputs, Region, Run, Site};

use super::calls;
use super::model::{Actual, ActualAlarm, Change, Desired, RegionalAlerts, Topic};

/// The clients of one region.
#[derive(Clone, Debug)]
pub struct RegionalClients {
    /// The SNS client.
    pub sns: aws_sdk_sns::Client,
    /// The CloudWatch client.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
}

/// Observes and changes the alerts of a site.
#[derive(Clone, Debug)]
pub struct Alerts {
    clients: BTreeMap<Region, RegionalClients>,
}

impl Alerts {
    /// With clients for [`Alerts::regions`].
    pub fn new(clients: BTreeMap<Region, RegionalClients>) -> Self {
        Self { clients }
    }

    /// The regions that need clients: us-east-1 and the site's two regions.
    pub fn regions(site: &Site) -> Vec<Region> {
        let mut regions = vec![Region::us_east_1(), site.regions.primary.clone(), site.regions.backup.clone()];
        regions.sort();
        regions.dedup();
        regions
    }

    fn clients(&self, region: &Region) -> Result<&RegionalClients, AwsError> {
        let missing = || AwsError::refused("Subscribe", region, "there is no client for this region");
        self.clients.get(region).ok_or_else(missing)
    }

    /// Reads the actual state.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let prefix = format!("{}-", desired.resource_name());
        let regions = self.clients.iter().map(async |(region, RegionalClients { sns, cloudwatch })| {
            let arn = desired.topic_arn(region);
            let alarms = calls::list_alarms(cloudwatch, &prefix);
            let found = try_join!(alarms, calls::find_topic(sns, &arn));
            let (alarms, topic) = match found {
                // Where there are no alarms to configure, none that exist have to be deleted.
                Err(error) if desired.emails.is_empty() && error.is_unknown_operation() => Default::default(),
                found => found?,
            };
            Ok::<_, AwsError>((region.clone(), RegionalAlerts { topic, alarms }))
        });
        Ok(try_join_all(regions.map(Box::pin)).await?.into_iter().collect())
    }
}

impl Alerts {
    /// Reads the alarms of one region alone, from CloudWatch.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_alarms(
        &self,
        desired: &Desired,
        region: &Region,
    ) -> Result<BTreeMap<String, ActualAlarm>, AwsError> {
        let prefix = format!("{}-", desired.resource_name());
        Box::pin(calls::list_alarms(&self.clients(region)?.cloudwatch, &prefix)).await
    }

    /// Reads the topic of one region alone, from SNS; `None` if it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_topic(&self, desired: &Desired, region: &Region) -> Result<Option<Topic>, AwsError> {
        Box::pin(calls::find_topic(&self.clients(region)?.sns, &desired.topic_arn(region))).await
    }
}

impl Apply<Change> for Alerts {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        // Every change can be repeated as a whole.
        outlast_refusals(run, "apply", || Box::pin(self.attempt(change, outputs))).await?;
        Ok(Vec::new())
    }
}

impl Alerts {
    async fn attempt(&self, change: &Change, outputs: &Outputs) -> Result<(), AwsError> {
        match change {
            Change::CreateTopic { region, name, tags } => {
                calls::create_topic(&self.clients(region)?.sns, name, tags).await?;
            }
            Change::Subscribe { region, topic, email } => {
                calls::subscribe(&self.clients(region)?.sns, topic, email).await?;
            }
            Change::Unsubscribe { region, topic, email, subscription } => {
                calls::unsubscribe(&self.clients(region)?.sns, topic, email, subscription.as_deref()).await?;
            }
            Change::PutAlarm { alarm, tags, fields: _ } => {
                let cloudwatch = &self.clients(&alarm.region)?.cloudwatch;
                Box::pin(calls::put_metric_alarm(cloudwatch, alarm, tags, outputs)).await?;
            }
            Change::DeleteAlarm { region, name } => {
                calls::delete_alarm(&self.clients(region)?.cloudwatch, name).await?;
            }
            Change::DeleteTopic { region, topic } => calls::delete_topic(&self.clients(region)?.sns, topic).await?,
        }
        Ok(())
    }
}
