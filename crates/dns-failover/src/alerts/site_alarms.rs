//! The alarms of a site.

use twinsite_core::{Deferred, Region, ResourceId, Side};

use super::alarm::{Alarm, Dimension, DimensionValue};
use super::model::Desired;
use crate::model::CheckPurpose;

/// The alarms of a site; none without an email address to notify.
pub(crate) fn site_alarms(desired: &Desired) -> Vec<Alarm> {
    if desired.emails.is_empty() {
        return Vec::new();
    }
    // The failover switch is operated by hand, so it needs no alarm.
    let checks = desired.checks.iter().filter(|check| check.purpose != CheckPurpose::Switch);
    let mut alarms: Vec<Alarm> = checks.map(|check| unhealthy_alarm(desired, check.purpose, &check.id)).collect();
    alarms.extend([certificate_alarm(desired), replication_failed_alarm(desired), replication_late_alarm(desired)]);
    alarms
}

fn alarm_name(desired: &Desired, subject: &str) -> String {
    format!("{}-{subject}", desired.resource_name())
}

/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html>
fn unhealthy_alarm(desired: &Desired, purpose: CheckPurpose, id: &Deferred<ResourceId>) -> Alarm {
    // The metrics of health checks are in us-east-1 only.
    let region = Region::us_east_1();
    let description = match purpose {
        CheckPurpose::Edge => "The site cannot be reached through CloudFront. See twinsite status.",
        CheckPurpose::Primary => {
            "The primary region does not answer. Visitors are served by the backup. See twinsite status."
        }
        CheckPurpose::Backup => {
            "The backup region does not answer: there is nothing to fail over to. See twinsite status."
        }
        CheckPurpose::Switch | CheckPurpose::Serving => "Visitors are sent to the backup. See twinsite status.",
    };
    Alarm {
        name: alarm_name(desired, &format!("unhealthy-{purpose}")),
        description,
        namespace: "AWS/Route53",
        metric: "HealthCheckStatus",
        dimensions: vec![Dimension { name: "HealthCheckId", value: DimensionValue::Id(id.clone()) }],
        statistic: "Minimum",
        period: 60,
        evaluation_periods: 1,
        comparison: "LessThanThreshold",
        threshold: 1,
        missing_data: "breaching",
        topic: desired.topic_arn(&region),
        region,
    }
}

/// ACM renews certificates 60 days before they expire. Three weeks before, something prevents it.
/// <https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html>
fn certificate_alarm(desired: &Desired) -> Alarm {
    let region = Region::us_east_1();
    let certificate = DimensionValue::Arn(desired.certificate.clone());
    Alarm {
        name: alarm_name(desired, "certificate-expires"),
        description: "The certificate expires within three weeks and was not renewed. See twinsite status.",
        namespace: "AWS/CertificateManager",
        metric: "DaysToExpiry",
        dimensions: vec![Dimension { name: "CertificateArn", value: certificate }],
        statistic: "Minimum",
        period: 86_400,
        evaluation_periods: 1,
        comparison: "LessThanThreshold",
        threshold: 21,
        missing_data: "notBreaching",
        topic: desired.topic_arn(&region),
        region,
    }
}

/// S3 reports failed operations in the region of the source bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html>
fn replication_failed_alarm(desired: &Desired) -> Alarm {
    let region = desired.site.regions.get(Side::Primary).clone();
    Alarm {
        name: alarm_name(desired, "replication-failed"),
        description: "Objects could not be replicated: the backup lacks them. Compare with twinsite verify.",
        namespace: "AWS/S3",
        metric: "OperationsFailedReplication",
        dimensions: replication_dimensions(desired),
        statistic: "Sum",
        period: 300,
        evaluation_periods: 1,
        comparison: "GreaterThanThreshold",
        threshold: 0,
        missing_data: "notBreaching",
        topic: desired.topic_arn(&region),
        region,
    }
}

/// S3 reports latency in the region of the destination bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html>
fn replication_late_alarm(desired: &Desired) -> Alarm {
    let region = desired.site.regions.get(Side::Backup).clone();
    Alarm {
        name: alarm_name(desired, "replication-late"),
        description: "Replication is more than fifteen minutes behind. Compare with twinsite verify.",
        namespace: "AWS/S3",
        metric: "ReplicationLatency",
        dimensions: replication_dimensions(desired),
        statistic: "Maximum",
        period: 300,
        evaluation_periods: 3,
        comparison: "GreaterThanThreshold",
        threshold: 900,
        missing_data: "notBreaching",
        topic: desired.topic_arn(&region),
        region,
    }
}

fn replication_dimensions(desired: &Desired) -> Vec<Dimension> {
    let buckets = &desired.site.buckets;
    let text = |name, value: &str| Dimension { name, value: DimensionValue::Text(value.to_owned()) };
    vec![
        text("SourceBucket", buckets.primary.as_str()),
        text("DestinationBucket", buckets.backup.as_str()),
        text("RuleId", "twinsite"),
    ]
}
