//! Alarms in the types of the CloudWatch SDK.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension as SdkDimension, MetricAlarm};
use twinsite_core::Outputs;

use super::alarm::{Alarm, Dimension, DimensionValue};
use twinsite_aws::{RequestError, resolve};

/// The settings of an alarm, normalized as by [`Alarm::to_properties`].
pub(super) fn properties(from: &MetricAlarm) -> BTreeMap<String, String> {
    let dimension = |dimension: &SdkDimension| {
        format!("{}={}", dimension.name().unwrap_or_default(), dimension.value().unwrap_or_default())
    };
    let mut dimensions: Vec<String> = from.dimensions().iter().map(dimension).collect();
    dimensions.sort_unstable();
    let statistic = from.statistic().map_or("", |statistic| statistic.as_str());
    let comparison = from.comparison_operator().map_or("", |operator| operator.as_str());
    let (threshold, period) = (from.threshold().unwrap_or_default(), from.period().unwrap_or_default());
    let periods = from.evaluation_periods().unwrap_or_default();
    let properties = [
        ("AlarmDescription", from.alarm_description().unwrap_or_default().to_owned()),
        ("Metric", format!("{}/{}", from.namespace().unwrap_or_default(), from.metric_name().unwrap_or_default())),
        ("Dimensions", dimensions.join(" ")),
        ("Condition", format!("{statistic} {comparison} {threshold} for {periods} x {period} s")),
        ("TreatMissingData", from.treat_missing_data().unwrap_or("missing").to_owned()),
        ("AlarmActions", from.alarm_actions().join(" ")),
    ];
    properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The dimensions of an alarm's metric.
pub(super) fn dimensions(alarm: &Alarm, outputs: &Outputs) -> Result<Vec<SdkDimension>, RequestError> {
    let dimension = |Dimension { name, value }: &Dimension| {
        let value = match value {
            DimensionValue::Text(text) => text.clone(),
            DimensionValue::Id(id) => resolve(id, outputs)?.to_string(),
            DimensionValue::Arn(arn) => resolve(arn, outputs)?.to_string(),
        };
        Ok(SdkDimension::builder().name(*name).value(value).build())
    };
    alarm.dimensions.iter().map(dimension).collect()
}
