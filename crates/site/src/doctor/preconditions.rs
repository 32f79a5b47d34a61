//! What a site depends on in an account and in DNS, besides its own resources.

use futures::future::{FutureExt, join};
use twinsite_dns_failover::{HostedZone, ZoneRecords};
use twinsite_s3_site::{Adopt, Conflict};

use crate::delegation::Delegation;
use crate::status::{Failure, Part, Reader};

/// What was read.
pub(super) struct Preconditions {
    /// Settings of the account that keep visitors from reading the buckets.
    pub(super) account_conflicts: Part<Vec<Conflict>>,
    pub(super) zone: Part<HostedZone>,
    pub(super) records: Part<ZoneRecords>,
    pub(super) delegation: Part<Delegation>,
}

/// Reads all of them at once, none longer than the deadline of the reader.
pub(super) async fn read(reader: &Reader<'_>) -> Preconditions {
    let account_conflicts = async {
        let site = reader.opened().await?;
        Ok::<_, Failure>(site.services.s3.account_conflicts(&site.desired_buckets(Adopt::Refuse)).await?)
    };
    let site = reader.anonymous;
    let find = async { Ok::<_, Failure>(site.services.dns.find_zone(&site.desired_dns(None)).await?) };
    let zone = find.boxed().shared();
    let (found, again) = (zone.clone(), zone.clone());
    let records = async {
        let name = (&site.site.domain).into();
        Ok::<_, Failure>(site.services.dns.observe_records(&found.await?, &name).await?)
    };
    let delegation = async {
        let zone = again.await?;
        Ok::<_, Failure>(site.read_delegation(&zone.id, &zone.name).await?)
    };
    let (account_conflicts, (zone, (records, delegation))) = join(
        reader.part("s3", account_conflicts.boxed()),
        join(
            reader.part("route53", zone),
            join(reader.part("route53", records.boxed()), reader.part("route53", delegation.boxed())),
        ),
    )
    .await;
    Preconditions { account_conflicts, zone, records, delegation }
}
