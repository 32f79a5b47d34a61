//! Alarms in the SDK's types.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension as SdkDimension, MetricAlarm};
use twinsite_core::Outputs;

use super::{Alarm, Dimension};

/// What an alarm says, in the words of [`Alarm::words`].
pub(super) fn words(from: &MetricAlarm) -> BTreeMap<String, String> {
    let dimension =
        |one: &SdkDimension| format!("{}={}", one.name().unwrap_or_default(), one.value().unwrap_or_default());
    let mut about: Vec<String> = from.dimensions().iter().map(dimension).collect();
    about.sort_unstable();
    let statistic = from.statistic().map_or("", |statistic| statistic.as_str());
    let comparison = from.comparison_operator().map_or("", |operator| operator.as_str());
    let (threshold, period) = (from.threshold().unwrap_or_default(), from.period().unwrap_or_default());
    let periods = from.evaluation_periods().unwrap_or_default();
    let words = [
        ("AlarmDescription", from.alarm_description().unwrap_or_default().to_owned()),
        ("Metric", format!("{}/{}", from.namespace().unwrap_or_default(), from.metric_name().unwrap_or_default())),
        ("Dimensions", about.join(" ")),
        ("Condition", format!("{statistic} {comparison} {threshold} for {periods} x {period} s")),
        ("TreatMissingData", from.treat_missing_data().unwrap_or("missing").to_owned()),
        ("AlarmActions", from.alarm_actions().join(" ")),
    ];
    words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a metric is about; `None` when a value that another step was to make is missing.
pub(super) fn dimensions(alarm: &Alarm, outputs: &Outputs) -> Option<Vec<SdkDimension>> {
    let one = |(name, value): &(&str, Dimension)| {
        let value = match value {
            Dimension::Text(text) => text.clone(),
            Dimension::Id(id) => id.resolve(outputs)?.0,
            Dimension::Arn(arn) => arn.resolve(outputs)?.to_string(),
        };
        Some(SdkDimension::builder().name(*name).value(value).build())
    };
    alarm.dimensions.iter().map(one).collect()
}
