//! A change of any service, and its execution. The service crates do not depend on one another; they are combined here.

use twinsite_aws::AwsError;
use twinsite_cdn::Cdn;
use twinsite_core::{Apply, Change, Field, Need, Output, OutputKind, Outputs, Resource, Run};
use twinsite_dns_failover::DnsFailover;
use twinsite_dns_failover::alerts::{self, Alerts};
use twinsite_https_standby::HttpsStandby;
use twinsite_s3_site::S3Site;

use crate::network::Network;
use crate::standby_proof::StandbyProof;

/// A change of any service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteChange {
    /// A change of the buckets, or of the replication between them.
    S3(twinsite_s3_site::Change),
    /// A change of the certificate or the distribution.
    Cdn(twinsite_cdn::Change),
    /// A change of records or health checks.
    Dns(twinsite_dns_failover::Change),
    /// A change of the HTTPS standby.
    Standby(twinsite_https_standby::Change),
    /// Visits of the HTTPS standby, before DNS leads to it.
    Proof(StandbyProof),
    /// A change of alarms or their subscriptions.
    Alerts(alerts::Change),
}

impl SiteChange {
    fn inner(&self) -> &dyn Change {
        match self {
            Self::S3(change) => change,
            Self::Cdn(change) => change,
            Self::Dns(change) => change,
            Self::Standby(change) => change,
            Self::Proof(change) => change,
            Self::Alerts(change) => change,
        }
    }
}

impl Change for SiteChange {
    fn fields(&self) -> Vec<Field> {
        self.inner().fields()
    }

    fn resource(&self) -> Option<Resource> {
        self.inner().resource()
    }

    fn needs(&self) -> Vec<Need> {
        self.inner().needs()
    }

    fn outputs(&self) -> Vec<OutputKind> {
        self.inner().outputs()
    }

    fn usually(&self) -> Option<&'static str> {
        self.inner().usually()
    }
}

/// The services of a site.
#[derive(Clone, Debug)]
pub struct Services {
    /// The buckets.
    pub s3: S3Site,
    /// ACM and CloudFront.
    pub cdn: Cdn,
    /// Route 53.
    pub dns: DnsFailover,
    /// API Gateway and ACM in the backup's region.
    pub standby: HttpsStandby,
    /// The network over which the standby is visited.
    pub network: Network,
    /// SNS and CloudWatch.
    pub alerts: Alerts,
}

impl Apply<SiteChange> for Services {
    type Error = AwsError;

    async fn apply(&self, change: &SiteChange, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        match change {
            SiteChange::S3(change) => Box::pin(self.s3.apply(change, outputs, run)).await,
            SiteChange::Cdn(change) => Box::pin(self.cdn.apply(change, outputs, run)).await,
            SiteChange::Dns(change) => Box::pin(self.dns.apply(change, outputs, run)).await,
            SiteChange::Standby(change) => Box::pin(self.standby.apply(change, outputs, run)).await,
            SiteChange::Proof(proof) => Box::pin(proof.run(&self.network, run)).await.map(|()| Vec::new()),
            SiteChange::Alerts(change) => Box::pin(self.alerts.apply(change, outputs, run)).await,
        }
    }
}
