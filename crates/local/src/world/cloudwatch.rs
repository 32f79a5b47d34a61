//! CloudWatch: alarms on metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What CloudWatch refuses, with its own error codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `ResourceNotFound`.
    #[error("{0} does not exist")]
    ResourceNotFound(String),
    /// `InvalidParameterValue`.
    #[error("{0}")]
    InvalidParameter(String),
    /// The state on disk could not be written.
    #[error("{0}")]
    Disk(String),
}

impl From<super::Fault> for Fault {
    fn from(fault: super::Fault) -> Self {
        Self::Disk(fault.to_string())
    }
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Everything that was put, by its API name.
    pub settings: Value,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// All state of the service, of all regions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CloudWatch {
    /// Alarms by ARN.
    alarms: BTreeMap<String, Alarm>,
}

impl CloudWatch {
    /// The ARN of an alarm, which follows from region and name.
    pub fn arn(region: &str, name: &str) -> String {
        format!("arn:aws:cloudwatch:{region}:{}:alarm:{name}", super::ACCOUNT)
    }

    /// Creates or replaces an alarm. Tags are for new ones only.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
    pub fn put(&mut self, region: &str, mut settings: Value) -> Result<(), Fault> {
        let required = ["AlarmName", "ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace"];
        if let Some(missing) = required.iter().find(|name| settings[**name].is_null()) {
            return Err(Fault::InvalidParameter(format!("The parameter {missing} is required.")));
        }
        let arn = Self::arn(region, settings["AlarmName"].as_str().unwrap_or_default());
        let sent = settings.as_object_mut().and_then(|map| map.remove("Tags")).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let sent = sent.as_array().into_iter().flatten().map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect();
        let (state, tags) = match self.alarms.get(&arn) {
            Some(there) => (there.state.clone(), there.tags.clone()),
            None => ("INSUFFICIENT_DATA".to_owned(), sent),
        };
        self.alarms.insert(arn, Alarm { settings, state, tags });
        Ok(())
    }

    /// All alarms by ARN.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Alarm)> {
        self.alarms.iter()
    }

    /// The alarms of a region by ARN.
    pub fn alarms(&self, region: &str) -> impl Iterator<Item = (&String, &Alarm)> {
        let place = format!(":cloudwatch:{region}:");
        self.alarms.iter().filter(move |(arn, _)| arn.contains(&place))
    }

    /// Deletes alarms, all or none.
    pub fn delete(&mut self, region: &str, names: &[String]) -> Result<(), Fault> {
        let arns: Vec<String> = names.iter().map(|name| Self::arn(region, name)).collect();
        if let Some(missing) = arns.iter().find(|arn| !self.alarms.contains_key(*arn)) {
            return Err(Fault::ResourceNotFound(missing.clone()));
        }
        self.alarms.retain(|arn, _| !arns.contains(arn));
        Ok(())
    }

    /// One alarm, to be changed.
    pub fn alarm_mut(&mut self, arn: &str) -> Result<&mut Alarm, Fault> {
        self.alarms.get_mut(arn).ok_or_else(|| Fault::ResourceNotFound(arn.to_owned()))
    }
}
