//! What a site depends on in an account and in DNS, besides its own resources.

use futures::future::{FutureExt, join, join_all};
use twinsite_core::Domain;
use twinsite_dns_failover::{HostedZone, ZoneId, ZoneRecords};
use twinsite_s3_site::{Adopt, Conflict};

use crate::delegation::Delegation;
use crate::status::{Failure, Part, Reader};

/// What was read.
pub(super) struct Preconditions {
    /// Settings of the account that keep visitors from reading the buckets.
    pub(super) account_conflicts: Part<Vec<Conflict>>,
    /// Of the domain, and of each alias that is in another hosted zone.
    pub(super) names: Vec<NamePreconditions>,
}

/// What a name of the site depends on in DNS.
pub(super) struct NamePreconditions {
    pub(super) name: Domain,
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
    let names = reader.anonymous.site.names().map(|name| read_name(reader, name).boxed());
    let (account_conflicts, mut names) = join(reader.part("s3", account_conflicts.boxed()), join_all(names)).await;
    // The CAA records of a zone are those of all its names, as a rule; a name with its own is asked by `plan`.
    let mut seen: Vec<ZoneId> = Vec::new();
    names.retain(|read| match read.zone.known() {
        Some(zone) if seen.contains(&zone.id) => false,
        Some(zone) => {
            seen.push(zone.id.clone());
            true
        }
        None => true,
    });
    Preconditions { account_conflicts, names }
}

async fn read_name(reader: &Reader<'_>, name: &Domain) -> NamePreconditions {
    let site = reader.anonymous;
    let find = async {
        let (dns, desired) = (&site.services.dns, site.desired_dns(None));
        let found = if *name == site.site.domain {
            dns.find_zone(&desired).await
        } else {
            dns.find_alias_zone(&desired, name).await
        };
        Ok::<_, Failure>(found?)
    };
    let zone = find.boxed().shared();
    let (found, again) = (zone.clone(), zone.clone());
    let records = async { Ok::<_, Failure>(site.services.dns.observe_records(&found.await?, &name.into()).await?) };
    let delegation = async {
        let zone = again.await?;
        Ok::<_, Failure>(site.read_delegation(&zone.id, &zone.name).await?)
    };
    let (zone, (records, delegation)) = join(
        reader.part("route53", zone),
        join(reader.part("route53", records.boxed()), reader.part("route53", delegation.boxed())),
    )
    .await;
    NamePreconditions { name: name.clone(), zone, records, delegation }
}
