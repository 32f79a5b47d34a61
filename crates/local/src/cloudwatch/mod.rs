//! CloudWatch: metric alarms.

mod permissions;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::{ACCOUNT, ServiceError, Tags};
use crate::protocol::json;

pub(crate) use permissions::permissions;
pub(crate) use wire::{answer, error_response, operation};

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// Its settings, by their names in the API.
    pub settings: Value,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Its tags.
    pub tags: Tags,
}

/// The state of CloudWatch in all regions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudWatch {
    alarms: BTreeMap<String, Alarm>,
}

fn not_found(arn: &str) -> ServiceError {
    ServiceError::new("ResourceNotFound", 404, format!("{arn} does not exist"))
}

impl CloudWatch {
    /// The ARN of the alarm with this name.
    pub fn arn(region: &str, name: &str) -> String {
        format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}")
    }

    /// Creates or replaces an alarm. Tags apply to new alarms only.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
    pub fn put_alarm(&mut self, region: &str, mut settings: Value) -> Result<(), ServiceError> {
        let required = ["AlarmName", "ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace"];
        if let Some(missing) = required.iter().find(|name| settings[**name].is_null()) {
            let message = format!("The parameter {missing} is required.");
            return Err(ServiceError::invalid("InvalidParameterValueException", message));
        }
        let arn = Self::arn(region, settings["AlarmName"].as_str().unwrap_or_default());
        let new_tags = settings.as_object_mut().and_then(|map| map.remove("Tags")).unwrap_or_default();
        let (state, tags) = match self.alarms.get(&arn) {
            Some(alarm) => (alarm.state.clone(), alarm.tags.clone()),
            None => ("INSUFFICIENT_DATA".to_owned(), json::pairs(&new_tags).collect()),
        };
        self.alarms.insert(arn, Alarm { settings, state, tags });
        Ok(())
    }

    /// All alarms by ARN.
    pub fn alarms(&self) -> impl Iterator<Item = (&String, &Alarm)> {
        self.alarms.iter()
    }

    /// The alarms in a region by ARN.
    pub fn alarms_in(&self, region: &str) -> impl Iterator<Item = (&String, &Alarm)> {
        let part = format!(":cloudwatch:{region}:");
        self.alarms.iter().filter(move |(arn, _)| arn.contains(&part))
    }

    /// Deletes all of the alarms, or none when one does not exist.
    pub fn delete_alarms(&mut self, region: &str, names: &[String]) -> Result<(), ServiceError> {
        let arns: Vec<String> = names.iter().map(|name| Self::arn(region, name)).collect();
        if let Some(missing) = arns.iter().find(|arn| !self.alarms.contains_key(*arn)) {
            return Err(not_found(missing));
        }
        self.alarms.retain(|arn, _| !arns.contains(arn));
        Ok(())
    }

    /// An alarm by ARN, to change it.
    pub fn alarm_mut(&mut self, arn: &str) -> Result<&mut Alarm, ServiceError> {
        self.alarms.get_mut(arn).ok_or_else(|| not_found(arn))
    }
}
