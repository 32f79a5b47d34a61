//! The steps for a bucket.

use std::collections::BTreeMap;

use twinsite_core::{Action, Arn, BucketName, Deferred, Reason, Side, Step, StepId};

use crate::model::{
    ActualBucket, Adopt, BucketChange, BucketChangeKind, BucketSettings, Change, Conflict, DefaultEncryption, Desired,
    Lifecycle, ReplicationRules, desired_policy,
};
use crate::step_ids;

pub(super) struct Planner<'a> {
    desired: &'a Desired,
    side: Side,
    bucket: &'a BucketName,
}

impl<'a> Planner<'a> {
    pub(super) fn new(desired: &'a Desired, side: Side) -> Self {
        Self { desired, side, bucket: desired.site.buckets.get(side) }
    }

    /// The steps that bring the bucket into the desired state.
    pub(super) fn steps(&self, actual: &ActualBucket) -> Result<Vec<Step<Change>>, Conflict> {
        let (side, bucket) = (self.side, self.bucket.clone());
        match actual {
            ActualBucket::Absent => self.creation_steps(),
            ActualBucket::Inaccessible => {
                let region = self.desired.site.regions.get(side).clone();
                Err(Conflict::Inaccessible { side, bucket, region })
            }
            ActualBucket::OtherRegion(region) => Err(Conflict::OtherRegion { side, bucket, region: region.clone() }),
            ActualBucket::Present(settings) => self.update_steps(settings),
        }
    }

    /// S3 gives new buckets some of these settings by default since April 2023; other servers do not. All of them are put, so
    /// that the plan does not depend on it.
    fn creation_steps(&self) -> Result<Vec<Step<Change>>, Conflict> {
        let region = self.desired.site.regions.get(self.side).clone();
        let tags = self.desired.owner().created();
        let created = BucketSettings { tags: tags.clone(), ..BucketSettings::default() };
        let create = BucketChangeKind::Create { region, tags };
        let create = Step::new(step_ids::bucket(self.side), Action::Create, Reason::Absent, self.change(create));
        let settings = self.setting_steps(&created)?.into_iter().map(|step| Step { reason: Reason::Absent, ..step });
        Ok(std::iter::once(create).chain(settings).collect())
    }

    fn update_steps(&self, actual: &BucketSettings) -> Result<Vec<Step<Change>>, Conflict> {
        let (side, bucket, owner) = (self.side, self.bucket.clone(), self.desired.owner());
        if let Some(site) = owner.other(&actual.tags) {
            return Err(Conflict::OtherSite { side, bucket, site: site.to_owned() });
        }
        if owner.owns(&actual.tags) {
            return self.setting_steps(actual);
        }
        if self.desired.adopt == Adopt::Refuse {
            return Err(Conflict::Untagged { side, bucket });
        }
        let mut tags = actual.tags.clone();
        tags.extend(owner.adopted());
        let adopt = self.change(BucketChangeKind::PutTags { actual: actual.tags.clone(), desired: tags });
        let reason = Reason::Asked("is handed over (--adopt)".to_owned());
        let adopt = Step::new(step_ids::tags(side), Action::Update, reason, adopt);
        Ok(std::iter::once(adopt).chain(self.setting_steps(actual)?).collect())
    }

    fn setting_steps(&self, actual: &BucketSettings) -> Result<Vec<Step<Change>>, Conflict> {
        let BucketSettings {
            tags: _,
            versioning,
            object_ownership,
            encryption,
            public_access_block: actual_block,
            website,
            redirects_all_to,
            redirects_everything: _,
            redirects_missing_probes: _,
            lifecycle_risks: _,
            lifecycle,
            policy,
            replication,
            health_objects,
            recorded_store,
        } = actual;
        let side = self.side;
        let mut steps = Vec::new();
        if versioning.as_deref() != Some("Enabled") {
            let enable = BucketChangeKind::EnableVersioning { actual: versioning.clone() };
            steps.push(self.update(step_ids::versioning(side), enable));
        }
        if object_ownership.as_deref() != Some("BucketOwnerEnforced") {
            let disable = BucketChangeKind::DisableAcls { actual: object_ownership.clone() };
            steps.push(self.update(step_ids::ownership(side), disable));
        }
        // Visitors of a website endpoint cannot read what is encrypted with a key of KMS. A private bucket may do so by default.
        let private = !self.desired.site.mode.public_buckets();
        let encrypted = match encryption {
            DefaultEncryption::None => false,
            DefaultEncryption::SseS3 => true,
            DefaultEncryption::Kms { .. } => private,
        };
        if !encrypted {
            let enable = BucketChangeKind::EnableEncryption { actual: encryption.clone() };
            steps.push(self.update(step_ids::encryption(side), enable));
        }
        let block = self.desired.public_access_block();
        if *actual_block != Some(block) {
            let put = BucketChangeKind::PutPublicAccessBlock { actual: *actual_block, desired: block };
            steps.push(self.update(step_ids::public_access_block(side), put));
        }
        if let Some(desired) = self.desired.website().filter(|desired| website.as_ref() != Some(desired)) {
            let (actual, redirects_all_to) = (website.clone(), redirects_all_to.clone());
            let put = BucketChangeKind::PutWebsite { actual, redirects_all_to, desired };
            steps.push(self.update(step_ids::website(side), put));
        }
        if *lifecycle != Lifecycle::DESIRED {
            let put = BucketChangeKind::PutLifecycle { actual: *lifecycle, desired: Lifecycle::DESIRED };
            steps.push(self.update(step_ids::lifecycle(side), put));
        }
        steps.extend(self.policy_step(policy.as_deref())?);
        steps.extend(self.replication_step(replication)?);
        let content = self.desired.site.health_word();
        let keys = self.desired.site.health_keys().into_iter();
        let probes = keys.map(|key| (key.clone(), health_objects.get(&key).cloned().flatten()));
        let probes: BTreeMap<String, Option<String>> = probes.collect();
        if probes.values().any(|actual| actual.as_ref() != Some(&content)) {
            let put = BucketChangeKind::PutHealthObjects { actual: probes, content };
            steps.push(self.update(step_ids::health_objects(side), put).follows(step_ids::versioning(side)));
        }
        steps.extend(self.store_record_step(recorded_store.as_ref()));
        Ok(steps)
    }

    /// The record of the key value store, in the backup: what a failover by hand must know has to be where it can be read then.
    fn store_record_step(&self, actual: Option<&Arn>) -> Option<Step<Change>> {
        let desired = self.desired.key_value_store.as_ref().filter(|_| self.side == Side::Backup)?;
        if actual.is_some_and(|actual| *desired == Deferred::Known(actual.clone())) {
            return None;
        }
        let put = BucketChangeKind::PutStoreRecord { actual: actual.cloned(), desired: desired.clone() };
        let step = self.update(step_ids::store_record(self.side), put);
        Some(step.follows(step_ids::versioning(self.side)).follows(step_ids::policy(self.side)))
    }

    fn policy_step(&self, actual: Option<&str>) -> Result<Option<Step<Change>>, Conflict> {
        let invalid = |_| Conflict::InvalidPolicy { side: self.side, bucket: self.bucket.clone() };
        let policy = desired_policy(self.desired, self.side, actual).map_err(invalid)?;
        Ok(policy.map(|desired| {
            let put = BucketChangeKind::PutPolicy { actual: actual.map(str::to_owned), desired };
            // S3 rejects a public policy until the block is lifted.
            self.update(step_ids::policy(self.side), put).follows(step_ids::public_access_block(self.side))
        }))
    }

    /// After everything that S3 verifies when it accepts a rule: both buckets, their versioning, and the role.
    fn replication_step(&self, actual: &ReplicationRules) -> Result<Option<Step<Change>>, Conflict> {
        let ReplicationRules { managed, other_role } = actual;
        let desired = self.desired.replication_rule(self.side);
        if let (Some(desired), Some(role)) = (&desired, other_role)
            && desired.role != *role
        {
            let (side, bucket) = (self.side, self.bucket.clone());
            return Err(Conflict::OtherReplication { side, bucket, role: role.clone() });
        }
        let change = match (managed.clone(), desired) {
            (actual, Some(desired)) if actual.as_ref() != Some(&desired) => {
                BucketChangeKind::PutReplicationRule { actual, desired }
            }
            (Some(actual), None) => BucketChangeKind::DeleteReplicationRule { actual },
            (Some(_), Some(_)) | (None, _) => return Ok(None),
        };
        let other = self.side.other();
        let step = self.update(step_ids::replication(self.side), change);
        let step = step.follows(step_ids::bucket(other)).follows(step_ids::versioning(other));
        let step = step.follows(step_ids::versioning(self.side)).follows(step_ids::ROLE);
        Ok(Some(step.follows(step_ids::ROLE_TRUST).follows(step_ids::ROLE_PERMISSIONS)))
    }

    fn update(&self, id: StepId, kind: BucketChangeKind) -> Step<Change> {
        let step = Step::new(id, Action::Update, Reason::Drifted, self.change(kind));
        step.follows(step_ids::bucket(self.side)).follows(step_ids::tags(self.side))
    }

    fn change(&self, kind: BucketChangeKind) -> Change {
        Change::Bucket(BucketChange { side: self.side, bucket: self.bucket.clone(), kind })
    }
}
