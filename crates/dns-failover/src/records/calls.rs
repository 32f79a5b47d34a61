//! One function for each Route 53 operation on zones and record sets, by its AWS name.

use std::collections::BTreeMap;

use aws_sdk_route53::Client;
use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::types::{
    Change as SdkChange, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType, TagResourceType,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use twinsite_aws::{AwsError, Kind, UnmodeledOperation};
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{Outputs, Run, ValidationRecord};

use super::diff::canonical;
use super::protection::Page;
use super::{Protection, Wanted, Zone, wire};
use crate::change::Goner;
use crate::choose::HostedZone;
use crate::want::Desired;

/// Route 53, through one client.
pub(crate) struct Calls<'a> {
    pub(crate) client: &'a Client,
}

impl Calls<'_> {
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZones.html>
    pub(crate) async fn list_hosted_zones(&self) -> Result<Vec<HostedZone>, AwsError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let page = Box::pin(self.client.list_hosted_zones().set_marker(marker).send()).await;
            let page = page.map_err(|error| AwsError::new("ListHostedZones", "Route 53", error))?;
            all.extend(page.hosted_zones.into_iter().map(|zone| HostedZone {
                id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
                private: zone.config.is_some_and(|config| config.private_zone),
                name: zone.name,
            }));
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// The names of a zone's name servers.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html>
    pub(crate) async fn name_servers(&self, zone: &str) -> Result<Vec<String>, AwsError> {
        let answer = Box::pin(self.client.get_hosted_zone().id(zone).send()).await;
        let answer = answer.map_err(|error| AwsError::new("GetHostedZone", zone, error))?;
        Ok(answer.delegation_set.map(|set| set.name_servers).unwrap_or_default())
    }

    /// What a zone says about the site's name, and about the record that proves it.
    pub(crate) async fn observe(&self, want: &Desired, zone: &HostedZone) -> Result<Zone, AwsError> {
        let sets = self.sets_of(&zone.id, want.site.domain.as_str()).await?;
        let mut proofs = BTreeMap::new();
        if let Some(twinsite_core::Deferred::Known(ValidationRecord { name, .. })) = &want.proof {
            let there = self.sets_of(&zone.id, &canonical(name)).await?;
            let value = there.iter().flat_map(ResourceRecordSet::resource_records).next();
            proofs.extend(value.map(|record| (canonical(name), record.value.clone())));
        }
        let mut names = vec![want.site.domain.to_string()];
        names.extend(proofs.keys().cloned());
        let protections = self.list_protections(&zone.id, &names).await?;
        let sets = sets.iter().filter(|set| ![RrType::Ns, RrType::Soa].contains(&set.r#type)).map(wire::set).collect();
        Ok(Zone { id: zone.id.clone(), name: canonical(&zone.name), sets, proofs, protections })
    }

    /// The protections of some names. The SDK does not know this operation yet: it travels as one with an empty answer.
    /// Whoever may not ask is told by Route 53 when it comes to a change.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSetProtections.html>
    async fn list_protections(&self, zone: &str, names: &[String]) -> Result<Vec<Protection>, AwsError> {
        const OPERATION: &str = "ListResourceRecordSetProtections";
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let page = token.map_or_else(String::new, |token: String| {
                format!("?nexttoken={}", utf8_percent_encode(&token, NON_ALPHANUMERIC))
            });
            let asked = UnmodeledOperation::get(format!("2013-04-01/hostedzone/{zone}/rrsetprotection{page}"));
            let carrier = self.client.change_tags_for_resource().resource_type(TagResourceType::Hostedzone);
            let carrier = carrier.resource_id(zone).customize().interceptor(asked.clone());
            match Box::pin(carrier.send()).await.map_err(|error| AwsError::new(OPERATION, zone, error)) {
                Err(error) if [Kind::Denied, Kind::Absent].contains(&error.kind) => return Ok(Vec::new()),
                answer => answer.map(drop)?,
            }
            let page = Page::read(&asked.response()).map_err(|error| AwsError::unexpected(OPERATION, zone, error))?;
            let next = page.next_token.clone();
            all.extend(page.entries().filter(|entry| names.contains(&entry.name)));
            if next.is_none() {
                return Ok(all);
            }
            token = next;
        }
    }

    /// All record sets of one name.
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>
    async fn sets_of(&self, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>, AwsError> {
        let mut sets = Vec::new();
        let mut from = (Some(name.to_owned()), None, None);
        loop {
            let request = self.client.list_resource_record_sets().hosted_zone_id(zone);
            let request = request.set_start_record_name(from.0).set_start_record_type(from.1);
            let page = Box::pin(request.set_start_record_identifier(from.2).send()).await;
            let page = page.map_err(|error| AwsError::new("ListResourceRecordSets", zone, error))?;
            let before = sets.len();
            let found = page.resource_record_sets.len();
            sets.extend(page.resource_record_sets.into_iter().filter(|set| canonical(set.name()) == name));
            // The listing goes on with other names.
            let more = page.is_truncated && sets.len() - before == found;
            from = (page.next_record_name, page.next_record_type, page.next_record_identifier);
            if !more {
                return Ok(sets);
            }
        }
    }

    /// Deletes and writes in one batch: all or nothing. What is deleted is deleted exactly as it is there now.
    pub(crate) async fn change_records(
        &self,
        zone: &str,
        name: &str,
        (gone, new): (&[Goner], &[Wanted]),
        outputs: &Outputs,
    ) -> Result<String, AwsError> {
        const OPERATION: &str = "ChangeResourceRecordSets";
        let unfit = |error| AwsError::unexpected(OPERATION, name, error);
        let unmade = || AwsError::unexpected(OPERATION, name, "what the records lead to was not made");
        let mut changes = Vec::new();
        for set in self.sets_of(zone, name).await? {
            let named = |goner: &&Goner| {
                goner.r#type == set.r#type().as_str() && goner.identifier.as_deref() == set.set_identifier()
            };
            if gone.iter().any(|goner| named(&goner)) {
                changes.push(change(ChangeAction::Delete, set).map_err(unfit)?);
            }
        }
        for wanted in new {
            let set = wire::record_set(name, wanted, outputs).map_err(unfit)?.ok_or_else(unmade)?;
            changes.push(change(ChangeAction::Upsert, set).map_err(unfit)?);
        }
        self.change_resource_record_sets(zone, name, changes).await
    }

    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
    async fn change_resource_record_sets(
        &self,
        zone: &str,
        name: &str,
        changes: Vec<SdkChange>,
    ) -> Result<String, AwsError> {
        const OPERATION: &str = "ChangeResourceRecordSets";
        if changes.is_empty() {
            return Ok(String::new());
        }
        let batch = ChangeBatch::builder().set_changes(Some(changes)).comment("twinsite").build();
        let batch = batch.map_err(|error| AwsError::unexpected(OPERATION, name, error))?;
        let request = self.client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
        let answer = Box::pin(request.send()).await.map_err(|error| AwsError::new(OPERATION, name, error))?;
        Ok(answer.change_info.map(|info| info.id.trim_start_matches("/change/").to_owned()).unwrap_or_default())
    }

    /// Waits until every name server has a change.
    pub(crate) async fn await_change(&self, id: &str, polling: PollPolicy, run: &Run) -> Result<(), AwsError> {
        if id.is_empty() {
            return Ok(());
        }
        let synced = poll_until(run, polling, "the name servers to have the change", async || {
            let answer = Box::pin(self.client.get_change().id(id).send()).await;
            let answer = answer.map_err(|error| AwsError::new("GetChange", id, error))?;
            let insync = answer.change_info.is_some_and(|info| info.status == ChangeStatus::Insync);
            Ok(if insync { Poll::Ready(()) } else { Poll::NotYet })
        });
        synced.await.map_err(|error| AwsError::from_wait("GetChange", id, error))
    }

    pub(crate) async fn put_proof(&self, zone: &str, proof: &ValidationRecord) -> Result<String, AwsError> {
        let unfit = |error: BuildError| AwsError::unexpected("ChangeResourceRecordSets", &proof.name, error);
        let set = wire::proof_set(proof).map_err(unfit)?;
        let changes = vec![change(ChangeAction::Upsert, set).map_err(unfit)?];
        self.change_resource_record_sets(zone, &proof.name, changes).await
    }

    pub(crate) async fn delete_proof(&self, zone: &str, proof: &ValidationRecord) -> Result<(), AwsError> {
        let unfit = |error: BuildError| AwsError::unexpected("ChangeResourceRecordSets", &proof.name, error);
        let there = self.sets_of(zone, &canonical(&proof.name)).await?;
        let ours = there.into_iter().filter(|set| set.r#type == RrType::Cname);
        let changes =
            ours.map(|set| change(ChangeAction::Delete, set)).collect::<Result<Vec<_>, _>>().map_err(unfit)?;
        self.change_resource_record_sets(zone, &proof.name, changes).await.map(drop)
    }
}

fn change(action: ChangeAction, set: ResourceRecordSet) -> Result<SdkChange, BuildError> {
    SdkChange::builder().action(action).resource_record_set(set).build()
}
