//! A change of any service, and who carries it out. The crates know nothing of one another; here is where they meet.

use twinsite_aws::AwsError;
use twinsite_cdn::Cdn;
use twinsite_core::{Apply, Change, Field, Need, Output, OutputKind, Outputs, Run};
use twinsite_dns_failover::DnsFailover;
use twinsite_dns_failover::notice::{self, Notices};
use twinsite_s3_site::S3Site;

/// A change of any service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SiteChange {
    /// To the buckets and what is between them.
    S3(twinsite_s3_site::Change),
    /// To the certificate and the distribution.
    Cdn(twinsite_cdn::Change),
    /// To records and health checks.
    Dns(twinsite_dns_failover::Change),
    /// To who hears of trouble.
    Notice(notice::Change),
}

impl SiteChange {
    fn inner(&self) -> &dyn Change {
        match self {
            Self::S3(change) => change,
            Self::Cdn(change) => change,
            Self::Dns(change) => change,
            Self::Notice(change) => change,
        }
    }
}

impl Change for SiteChange {
    fn fields(&self) -> Vec<Field> {
        self.inner().fields()
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

/// Everybody who carries something out.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) s3: S3Site,
    pub(crate) cdn: Cdn,
    pub(crate) dns: DnsFailover,
    pub(crate) notices: Notices,
}

impl Apply<SiteChange> for Services {
    type Error = AwsError;

    async fn apply(&self, change: &SiteChange, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        match change {
            SiteChange::S3(change) => Box::pin(self.s3.apply(change, outputs, run)).await,
            SiteChange::Cdn(change) => Box::pin(self.cdn.apply(change, outputs, run)).await,
            SiteChange::Dns(change) => Box::pin(self.dns.apply(change, outputs, run)).await,
            SiteChange::Notice(change) => Box::pin(self.notices.apply(change, outputs, run)).await,
        }
    }
}
