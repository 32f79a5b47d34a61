//! Alerts: SNS topics with email subscriptions, and CloudWatch alarms on health checks, replication and the certificate.
//!
//! Topics and alarms are in the region of the metrics: us-east-1 for health checks and the certificate, the primary's region for
//! failed replication, the backup's for late replication.

mod alarm;
mod calls;
mod clients;
mod diff;
mod model;
mod site_alarms;
mod wire;

pub use alarm::{Alarm, Dimension, DimensionValue};
pub use clients::{Alerts, RegionalClients};
pub use diff::{plan_changes, plan_destruction};
pub use model::{Actual, ActualAlarm, Change, Conflict, Conflicts, Desired, RegionalAlerts, Topic};
