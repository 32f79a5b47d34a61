//! Alarms, as data and as normalized properties.

use std::collections::BTreeMap;
use std::fmt;

use twinsite_core::{Arn, Deferred, Need, Region, ResourceId};

/// The value of a metric's dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DimensionValue {
    /// A name.
    Text(String),
    /// The id of a health check.
    Id(Deferred<ResourceId>),
    /// The ARN of a certificate.
    Arn(Deferred<Arn>),
}

impl fmt::Display for DimensionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Id(id) => id.fmt(f),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

/// A dimension of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: DimensionValue,
}

/// A desired alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The region of its metric.
    pub region: Region,
    /// What it means and what to do.
    pub description: &'static str,
    /// The namespace of the metric.
    pub namespace: &'static str,
    /// The name of the metric.
    pub metric: &'static str,
    /// The dimensions of the metric.
    pub dimensions: Vec<Dimension>,
    /// The statistic of each period: `Minimum`, `Maximum` or `Sum`.
    pub statistic: &'static str,
    /// The period in seconds.
    pub period: i32,
    /// The number of consecutive periods.
    pub evaluation_periods: i32,
    /// `LessThanThreshold` or `GreaterThanThreshold`.
    pub comparison: &'static str,
    /// The threshold.
    pub threshold: i32,
    /// How missing data are treated: `notBreaching` or `breaching`.
    pub missing_data: &'static str,
    /// The ARN of the topic that is notified.
    pub topic: String,
}

impl Alarm {
    pub(crate) fn needs(&self) -> Vec<Need> {
        let need = |dimension: &Dimension| match &dimension.value {
            DimensionValue::Text(_) => None,
            DimensionValue::Id(id) => id.need(),
            DimensionValue::Arn(arn) => arn.need(),
        };
        self.dimensions.iter().filter_map(need).collect()
    }

    /// The settings as properties in a normalized form. Plans compare them with the properties of the actual alarm, print them
    /// and fingerprint them.
    pub fn to_properties(&self) -> BTreeMap<String, String> {
        let Self {
            name: _,
            region: _,
            description,
            namespace,
            metric,
            dimensions,
            statistic,
            period,
            evaluation_periods,
            comparison,
            threshold,
            missing_data,
            topic,
        } = self;
        let mut dimensions: Vec<String> =
            dimensions.iter().map(|Dimension { name, value }| format!("{name}={value}")).collect();
        dimensions.sort_unstable();
        let properties = [
            ("AlarmDescription", (*description).to_owned()),
            ("Metric", format!("{namespace}/{metric}")),
            ("Dimensions", dimensions.join(" ")),
            ("Condition", format!("{statistic} {comparison} {threshold} for {evaluation_periods} x {period} s")),
            ("TreatMissingData", (*missing_data).to_owned()),
            ("AlarmActions", topic.clone()),
        ];
        properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
