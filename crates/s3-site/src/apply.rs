//! Executes changes.

use twinsite_aws::{AwsError, outlast_refusals, resolve};
use twinsite_core::{Apply, Output, Outputs, Run};

use crate::calls::roles::{NewRole, RoleClient};
use crate::calls::{BucketClient, NewObject};
use crate::clients::S3Site;
use crate::model::{
    ALIAS_RECORD_KEY, BucketChange, BucketChangeKind, Change, RoleChange, RoleChangeKind, STORE_RECORD_KEY,
    WebsiteSnapshot, alias_record, store_record,
};

impl Apply<Change> for S3Site {
    type Error = AwsError;

    async fn apply(&self, change: &Change, outputs: &Outputs, run: &Run) -> Result<Vec<Output>, AwsError> {
        // Every change can be repeated as a whole.
        outlast_refusals(run, "apply", || Box::pin(self.attempt(change, outputs))).await?;
        Ok(Vec::new())
    }
}

impl S3Site {
    async fn attempt(&self, change: &Change, outputs: &Outputs) -> Result<(), AwsError> {
        match change {
            Change::Bucket(BucketChange { side, bucket, kind }) => {
                // S3 refuses a change of a bucket while another one is in progress.
                let _turn = self.turns.get(*side).lock().await;
                let bucket = BucketClient { client: self.s3.get(*side), bucket };
                apply_to_bucket(bucket, kind, outputs).await
            }
            Change::Role(RoleChange { role, kind }) => {
                apply_to_role(RoleClient { client: &self.iam, role }, kind).await
            }
        }
    }
}

async fn apply_to_bucket(
    bucket: BucketClient<'_>,
    change: &BucketChangeKind,
    outputs: &Outputs,
) -> Result<(), AwsError> {
    match change {
        BucketChangeKind::Create { region, tags } => bucket.create_bucket(region, tags).await,
        BucketChangeKind::PutTags { actual: _, desired } => bucket.put_bucket_tagging(desired).await,
        BucketChangeKind::EnableVersioning { actual: _ } => bucket.put_bucket_versioning().await,
        BucketChangeKind::DisableAcls { actual: _ } => bucket.put_bucket_ownership_controls().await,
        BucketChangeKind::EnableEncryption { actual: _ } => bucket.put_bucket_encryption().await,
        BucketChangeKind::PutPublicAccessBlock { actual: _, desired } => bucket.put_public_access_block(*desired).await,
        BucketChangeKind::PutWebsite { actual: _, redirects_all_to: _, desired } => {
            let existing = bucket.get_bucket_website().await?.unwrap_or_default();
            bucket.put_bucket_website(&existing.with_website(desired)).await
        }
        BucketChangeKind::PutLifecycle { actual: _, desired } => {
            bucket.put_bucket_lifecycle_configuration(*desired).await
        }
        BucketChangeKind::PutPolicy { actual: _, desired } => {
            let missing = || AwsError::refused("PutBucketPolicy", bucket.bucket, "the distribution was not created");
            bucket.put_bucket_policy(Some(&desired.resolve(outputs).ok_or_else(missing)?)).await
        }
        BucketChangeKind::PutReplicationRule { actual: _, desired } => bucket.put_replication_rule(Some(desired)).await,
        BucketChangeKind::DeleteReplicationRule { actual: _ } => bucket.put_replication_rule(None).await,
        BucketChangeKind::PutHealthObjects { actual, content } => {
            for key in actual.keys() {
                let object = NewObject::uncached_text(key, content);
                bucket.put_object(NewObject { content_type: "text/plain; charset=utf-8", ..object }).await?;
            }
            Ok(())
        }
        BucketChangeKind::PutStoreRecord { actual: _, desired } => {
            let arn = resolve(desired, outputs).map_err(|error| error.into_aws("PutObject", STORE_RECORD_KEY))?;
            let (body, content_type) = (store_record(&arn), "application/json");
            let record = NewObject { key: STORE_RECORD_KEY, body: body.as_bytes(), content_type, cache_control: None };
            bucket.put_object(record).await
        }
        BucketChangeKind::PutRedirect { actual: _, desired } => {
            bucket.put_bucket_website(&WebsiteSnapshot::redirecting(desired)).await
        }
        BucketChangeKind::PutAliasRecord { actual: _, desired } if desired.is_empty() => {
            bucket.delete_object(ALIAS_RECORD_KEY).await
        }
        BucketChangeKind::PutAliasRecord { actual: _, desired } => {
            let (body, content_type) = (alias_record(desired), "application/json");
            let record = NewObject { key: ALIAS_RECORD_KEY, body: body.as_bytes(), content_type, cache_control: None };
            bucket.put_object(record).await
        }
        BucketChangeKind::Delete { objects: _ } => {
            // Without replication rules, the deletions are not replicated.
            bucket.delete_bucket_replication().await?;
            bucket.delete_contents().await?;
            bucket.delete_bucket().await
        }
        BucketChangeKind::Release { actual_policy: _, policy, actual_tags: _, tags, replication_rule } => {
            if replication_rule.is_some() {
                bucket.put_replication_rule(None).await?;
            }
            bucket.put_bucket_policy(policy.as_deref()).await?;
            if tags.is_empty() { bucket.delete_bucket_tagging().await } else { bucket.put_bucket_tagging(tags).await }
        }
    }
}

async fn apply_to_role(role: RoleClient<'_>, change: &RoleChangeKind) -> Result<(), AwsError> {
    match change {
        RoleChangeKind::Create { trust_policy, permissions, boundary, tags } => {
            role.create_role(&NewRole { trust_policy, boundary, tags }).await?;
            role.put_role_policy(permissions).await
        }
        RoleChangeKind::UpdateTrustPolicy { actual: _, desired } => role.update_assume_role_policy(desired).await,
        RoleChangeKind::PutPermissions { actual: _, desired } => role.put_role_policy(desired).await,
        RoleChangeKind::PutBoundary { actual: _, desired } => role.put_role_permissions_boundary(desired).await,
        RoleChangeKind::Delete => role.delete_role().await,
    }
}
