//! What is alarming, as data; and the same as words, in which what is there is compared with it.

use std::collections::BTreeMap;
use std::fmt;

use twinsite_core::{Arn, Deferred, Need, Region, ResourceId, Side};

use super::Desired;
use crate::health::Role;

/// Where the metrics of health checks, and of CloudFront's certificates, are.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html>
pub(super) const HEALTH_REGION: &str = "us-east-1";

/// What a metric is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// A name.
    Text(String),
    /// An id that another step may make.
    Id(Deferred<ResourceId>),
    /// An ARN that another step may make.
    Arn(Deferred<Arn>),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Id(id) => id.fmt(f),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

/// An alarm as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Where its metric is.
    pub region: Region,
    /// What it means, and what to do.
    pub description: &'static str,
    /// The metric, with its namespace.
    pub metric: (&'static str, &'static str),
    /// What the metric is about.
    pub dimensions: Vec<(&'static str, Dimension)>,
    /// `Minimum`, `Maximum` or `Sum` of a period.
    pub statistic: &'static str,
    /// The period in seconds, and how many of them in a row.
    pub periods: (i32, i32),
    /// `LessThanThreshold` or `GreaterThanThreshold`, and the threshold.
    pub bound: (&'static str, i32),
    /// What no data means: `notBreaching` or `breaching`.
    pub missing: &'static str,
    /// The topic that hears of it, by ARN.
    pub topic: String,
}

impl Alarm {
    pub(super) fn needs(&self) -> Vec<Need> {
        let need = |(_, dimension): &(&str, Dimension)| match dimension {
            Dimension::Text(_) => None,
            Dimension::Id(id) => id.need(),
            Dimension::Arn(arn) => arn.need(),
        };
        self.dimensions.iter().filter_map(need).collect()
    }

    /// Every setting in words: what is compared, shown and fingerprinted.
    pub fn words(&self) -> BTreeMap<String, String> {
        let Self { name: _, region: _, description, metric, dimensions, statistic, periods, bound, missing, topic } =
            self;
        let mut about: Vec<String> = dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
        about.sort_unstable();
        let words = [
            ("AlarmDescription", (*description).to_owned()),
            ("Metric", format!("{}/{}", metric.0, metric.1)),
            ("Dimensions", about.join(" ")),
            ("Condition", format!("{statistic} {} {} for {} x {} s", bound.0, bound.1, periods.1, periods.0)),
            ("TreatMissingData", (*missing).to_owned()),
            ("AlarmActions", topic.clone()),
        ];
        words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The alarms of a site; none when nobody would hear of them.
pub(super) fn wanted(want: &Desired) -> Vec<Alarm> {
    let health: Option<Region> = HEALTH_REGION.parse().ok();
    let Some(health) = health.filter(|_| !want.emails.is_empty()) else { return Vec::new() };
    // The stop object alarms nobody: whoever put it there knows.
    let checks = want.checks.iter().filter(|(role, _)| *role != Role::Stop);
    let mut alarms: Vec<Alarm> = checks.map(|(role, id)| unhealthy(want, &health, *role, id)).collect();
    alarms.push(expiry(want, &health));
    let [failed, late] = replication(want);
    alarms.extend([failed, late]);
    alarms
}

fn named(want: &Desired, what: &str) -> String {
    format!("{}-{what}", want.name())
}

fn unhealthy(want: &Desired, region: &Region, role: Role, id: &Deferred<ResourceId>) -> Alarm {
    let description = match role {
        Role::Edge => "Nobody reaches the site through CloudFront. See twinsite status.",
        Role::Primary => "The primary region does not answer. Visitors are served by the backup. See twinsite status.",
        Role::Backup => "The backup region does not answer: there is nothing to fail over to. See twinsite status.",
        Role::Stop | Role::Serving => "Visitors are sent to the backup. See twinsite status.",
    };
    Alarm {
        name: named(want, &format!("unhealthy-{role}")),
        region: region.clone(),
        description,
        metric: ("AWS/Route53", "HealthCheckStatus"),
        dimensions: vec![("HealthCheckId", Dimension::Id(id.clone()))],
        statistic: "Minimum",
        periods: (60, 1),
        bound: ("LessThanThreshold", 1),
        missing: "breaching",
        topic: want.topic(region),
    }
}

/// ACM renews by itself while it can; three weeks are left to find out why it could not.
/// <https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html>
fn expiry(want: &Desired, region: &Region) -> Alarm {
    Alarm {
        name: named(want, "certificate-expires"),
        region: region.clone(),
        description: "The certificate expires within three weeks and was not renewed. See twinsite status.",
        metric: ("AWS/CertificateManager", "DaysToExpiry"),
        dimensions: vec![("CertificateArn", Dimension::Arn(want.certificate.clone()))],
        statistic: "Minimum",
        periods: (86_400, 1),
        bound: ("LessThanThreshold", 21),
        missing: "notBreaching",
        topic: want.topic(region),
    }
}

/// Failures are counted where objects come from, lateness where they go.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html>
fn replication(want: &Desired) -> [Alarm; 2] {
    let about = || {
        let bucket = |side| Dimension::Text(want.site.buckets.get(side).to_string());
        vec![
            ("SourceBucket", bucket(Side::Primary)),
            ("DestinationBucket", bucket(Side::Backup)),
            ("RuleId", Dimension::Text("twinsite".to_owned())),
        ]
    };
    let one = |side: Side, what: &str, metric, description, statistic, (periods, threshold)| {
        let region = want.site.regions.get(side);
        Alarm {
            name: named(want, what),
            region: region.clone(),
            description,
            metric: ("AWS/S3", metric),
            dimensions: about(),
            statistic,
            periods,
            bound: ("GreaterThanThreshold", threshold),
            missing: "notBreaching",
            topic: want.topic(region),
        }
    };
    let failed = "Objects could not be replicated: the backup lacks them. Compare with twinsite verify.";
    let late = "Replication is more than fifteen minutes behind. Compare with twinsite verify.";
    [
        one(Side::Primary, "replication-failed", "OperationsFailedReplication", failed, "Sum", ((300, 1), 0)),
        one(Side::Backup, "replication-late", "ReplicationLatency", late, "Maximum", ((300, 3), 900)),
    ]
}
