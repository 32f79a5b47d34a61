//! SNS and CloudWatch in several regions: looking, and carrying out changes.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use twinsite_aws::AwsError;
use twinsite_core::{Apply, Output, Outputs, Region, Run, Site};

use super::{Change, Desired, Observed, alarm, calls};

/// SNS and CloudWatch in the regions where the metrics are.
#[derive(Clone, Debug)]
pub struct Notices {
    clients: BTreeMap<Region, (aws_sdk_sns::Client, aws_sdk_cloudwatch::Client)>,
}

impl Notices {
    /// Clients for us-east-1 and the site's two regions.
    pub fn new(clients: BTreeMap<Region, (aws_sdk_sns::Client, aws_sdk_cloudwatch::Client)>) -> Self {
        Self { clients }
    }

    /// The regions that clients are needed for.
    pub fn regions(site: &Site) -> Vec<Region> {
        let health: Option<Region> = alarm::HEALTH_REGION.parse().ok();
        let mut regions: Vec<Region> =
            health.into_iter().chain(site.regions.iter().map(|(_, one)| one.clone())).collect();
        regions.sort();
        regions.dedup();
        regions
    }

    fn calls(&self, region: &Region) -> Result<calls::Calls<'_>, AwsError> {
        let missing = || AwsError::refused("Subscribe", region, "no client was given for this region");
        self.clients.get(region).map(|(sns, cloudwatch)| calls::Calls { sns, cloudwatch }).ok_or_else(missing)
    }

    /// What is there.
    ///
    /// # Errors
    /// [`AwsError`] when something could not be looked at.
    pub async fn observe(&self, want: &Desired) -> Result<Observed, AwsError> {
        let looks = self.clients.keys().map(async |region| {
            let found = self.calls(region)?.observe(&want.topic(region), &format!("{}-", want.name())).await?;
            Ok::<_, AwsError>((region.clone(), found))
        });
        Ok(try_join_all(looks.map(Box::pin)).await?.into_iter().collect())
    }
}

impl Apply<Change> for Notices {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, _: &Run) -> Result<Vec<Output>, AwsError> {
        match change {
            Change::CreateTopic { region, name, tags } => self.calls(region)?.create_topic(name, tags).await?,
            Change::Subscribe { region, topic, email } => self.calls(region)?.subscribe(topic, email).await?,
            Change::Unsubscribe { region, topic, email, subscription } => {
                self.calls(region)?.unsubscribe(topic, email, subscription.as_deref()).await?;
            }
            Change::PutAlarm { alarm, tags, fields: _ } => {
                Box::pin(self.calls(&alarm.region)?.put_metric_alarm(alarm, tags, outputs)).await?;
            }
            Change::DeleteAlarm { region, name } => self.calls(region)?.delete_alarm(name).await?,
            Change::DeleteTopic { region, topic } => self.calls(region)?.delete_topic(topic).await?,
        }
        Ok(Vec::new())
    }
}
