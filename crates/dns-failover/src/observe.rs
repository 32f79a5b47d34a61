//! Reads the actual state.

use std::collections::BTreeMap;

use futures::try_join;
use twinsite_aws::{AwsError, Kind};
use twinsite_core::{Deferred, Host, ValidationRecord};

use crate::calls::{checks, records};
use crate::clients::DnsFailover;
use crate::model::{
    Actual, ActualRecordSet, Check, CheckPurpose, Conflict, Desired, ExistingCheck, FailoverRole, FindZoneError,
    HostedZone, ZoneId, ZoneRecords, choose_hosted_zone, evaluate_health, normalized_name, zone_contains,
};

impl DnsFailover {
    /// The hosted zones of the account.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn list_hosted_zones(&self) -> Result<Vec<HostedZone>, AwsError> {
        records::list_hosted_zones(&self.client).await
    }

    /// The hosted zone of the site: the configured one, or the one with the longest name that contains the domain.
    ///
    /// # Errors
    /// [`FindZoneError`] if the zones could not be listed, or none or several of them can be used.
    pub async fn find_zone(&self, desired: &Desired) -> Result<HostedZone, FindZoneError> {
        let (domain, mut zones) = (&desired.site.domain, self.list_hosted_zones().await?);
        let Some(id) = &desired.zone else {
            return choose_hosted_zone(domain, &zones).cloned().map_err(|error| Conflict::from(error).into());
        };
        zones.retain(|zone| zone.id == *id);
        let wrong = |_| Conflict::WrongZone { id: id.clone(), domain: domain.clone() }.into();
        choose_hosted_zone(domain, &zones).cloned().map_err(wrong)
    }

    /// Reads the actual state of a site's records and health checks.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired, zone: &HostedZone) -> Result<Actual, AwsError> {
        let (name, prefix) = (Host::from(&desired.site.domain), desired.check_reference_prefix());
        let record = match &desired.validation_record {
            Some(Deferred::Known(record)) => Some(record),
            Some(Deferred::After(_)) | None => None,
        };
        let records = Box::pin(self.observe_zone(zone, &name, record));
        let checks = Box::pin(checks::list_health_checks(&self.client, &prefix));
        let other_zones = Box::pin(self.observe_other_zones(desired, Some(&zone.id)));
        let (zone, checks, other_zones) = try_join!(records, checks, other_zones)?;
        Ok(Actual { zone, checks, other_zones })
    }

    /// Reads the actual state of a site whose hosted zone does not exist any more: its health checks, and its records elsewhere.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe_without_zone(&self, desired: &Desired, zone: ZoneId) -> Result<Actual, AwsError> {
        let checks = self.read_health_checks(desired).await?;
        let other_zones = self.observe_other_zones(desired, None).await?;
        let zone = ZoneRecords::none(zone, desired.site.domain.to_string());
        Ok(Actual { zone, checks, other_zones })
    }

    /// The records of the site in the other public zones that contain its name; zones without any are left out.
    async fn observe_other_zones(
        &self,
        desired: &Desired,
        zone: Option<&ZoneId>,
    ) -> Result<Vec<ZoneRecords>, AwsError> {
        let name = desired.site.domain.as_str();
        let mut found = Vec::new();
        for other in self.list_hosted_zones().await? {
            if other.private || Some(&other.id) == zone || !zone_contains(&other.name, name) {
                continue;
            }
            let mut sets = match records::list_actual_records(&self.client, &other.id, name).await {
                // The policies that twinsite prints allow one zone, if it is configured.
                Err(error) if error.kind == Kind::Denied => continue,
                sets => sets?,
            };
            sets.retain(|set| {
                set.identifier.as_deref().is_some_and(FailoverRole::has_set_identifier) || is_alias_of(set, desired)
            });
            if !sets.is_empty() {
                found.push(ZoneRecords { sets, ..ZoneRecords::none(other.id, normalized_name(&other.name)) });
            }
        }
        Ok(found)
    }

    /// Reads the health checks of a site alone.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn read_health_checks(&self, desired: &Desired) -> Result<Vec<Check>, AwsError> {
        Box::pin(checks::list_health_checks(&self.client, &desired.check_reference_prefix())).await
    }

    /// The health checks of endpoints in the account, whoever created them.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn list_existing_checks(&self) -> Result<Vec<ExistingCheck>, AwsError> {
        Box::pin(checks::list_existing_checks(&self.client)).await
    }

    /// The record sets of a name in a hosted zone, whoever created them, except NS and SOA.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn list_existing_records(&self, zone: &ZoneId, name: &str) -> Result<Vec<ActualRecordSet>, AwsError> {
        Box::pin(records::list_actual_records(&self.client, zone, name)).await
    }

    /// Reads the records of one name, for a [`FailoverPair`](crate::FailoverPair).
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe_records(&self, zone: &HostedZone, name: &Host) -> Result<ZoneRecords, AwsError> {
        Box::pin(self.observe_zone(zone, name, None)).await
    }

    async fn observe_zone(
        &self,
        zone: &HostedZone,
        name: &Host,
        validation_record: Option<&ValidationRecord>,
    ) -> Result<ZoneRecords, AwsError> {
        let (client, id) = (&self.client, zone.id.clone());
        let sets = records::list_actual_records(client, &id, name.as_str()).await?;
        let mut validation_values = BTreeMap::new();
        if let Some(record) = validation_record {
            let value = records::get_validation_value(client, &id, record).await?;
            validation_values.extend(value.map(|value| (normalized_name(&record.name), value)));
        }
        let names: Vec<String> = std::iter::once(name.to_string()).chain(validation_values.keys().cloned()).collect();
        let protections = records::list_protections(client, &id, &names).await?;
        let zone = normalized_name(&zone.name);
        let delegated = records::find_delegation(client, &id, &zone, name.as_str()).await?;
        let caa = records::find_caa(client, &id, &zone, name.as_str()).await?;
        Ok(ZoneRecords { id, name: zone, sets, validation_values, protections, delegated, caa })
    }

    /// Whether each of the site's health checks is healthy; checks without a status yet are left out. Route 53 limits
    /// all callers of an account together to five requests per second.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn check_health(&self, checks: &[Check]) -> Result<BTreeMap<CheckPurpose, bool>, AwsError> {
        let reports = checks::get_health_check_statuses(&self.client, checks).await?;
        Ok(evaluate_health(checks, &reports))
    }

    /// The host names of the name servers of a hosted zone.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn name_servers(&self, zone: &ZoneId) -> Result<Vec<String>, AwsError> {
        records::get_name_servers(&self.client, zone).await
    }
}

/// Whether a record set is an alias of the site's distribution: by that, records with simple routing are the site's.
fn is_alias_of(set: &ActualRecordSet, desired: &Desired) -> bool {
    match &desired.distribution_host {
        Deferred::Known(host) => set.alias_host.as_deref() == Some(host.as_str()),
        Deferred::After(_) => false,
    }
}
