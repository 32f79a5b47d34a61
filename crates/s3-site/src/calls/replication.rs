//! Operations on the replication configuration of a bucket.

use aws_sdk_s3::types::ReplicationConfiguration;
use twinsite_aws::AwsError;

use super::{BucketClient, call};
use crate::model::{ReplicationRule, ReplicationRules, RuleStatus};
use crate::wire::replication as wire;

impl BucketClient<'_> {
    pub(crate) async fn replication_rules(&self) -> Result<ReplicationRules, AwsError> {
        let configuration = self.get_bucket_replication().await?;
        Ok(configuration.as_ref().map(wire::replication_rules).unwrap_or_default())
    }

    /// Whether the managed rule is enabled.
    pub(crate) async fn has_enabled_replication_rule(&self) -> Result<bool, AwsError> {
        let configuration = self.get_bucket_replication().await?;
        Ok(configuration.as_ref().is_some_and(wire::has_enabled_rule))
    }

    /// Puts the managed rule, or deletes it if there is none, and keeps the others.
    pub(crate) async fn put_replication_rule(&self, rule: Option<&ReplicationRule>) -> Result<(), AwsError> {
        let configuration = wire::configuration(rule, self.get_bucket_replication().await?);
        match configuration.map_err(self.unbuildable("PutBucketReplication"))? {
            Some(configuration) => self.put_bucket_replication(configuration).await,
            None => self.delete_bucket_replication().await,
        }
    }

    /// Enables or disables the managed rule, if it exists. Other rules stay as they are.
    pub(crate) async fn set_replication_rule_status(&self, status: RuleStatus) -> Result<(), AwsError> {
        let Some(configuration) = self.get_bucket_replication().await? else { return Ok(()) };
        let changed = wire::with_rule_status(configuration.clone(), status);
        if changed == configuration { Ok(()) } else { self.put_bucket_replication(changed).await }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>
    async fn get_bucket_replication(&self) -> Result<Option<ReplicationConfiguration>, AwsError> {
        let request = self.client.get_bucket_replication().bucket(self.bucket.as_str());
        let response = AwsError::absent(call!("GetBucketReplication", self.bucket, request))?;
        Ok(response.and_then(|response| response.replication_configuration))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html>
    async fn put_bucket_replication(&self, configuration: ReplicationConfiguration) -> Result<(), AwsError> {
        let request = self.client.put_bucket_replication().bucket(self.bucket.as_str());
        call!("PutBucketReplication", self.bucket, request.replication_configuration(configuration)).map(drop)
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketReplication.html>
    pub(crate) async fn delete_bucket_replication(&self) -> Result<(), AwsError> {
        let request = self.client.delete_bucket_replication().bucket(self.bucket.as_str());
        AwsError::absent(call!("DeleteBucketReplication", self.bucket, request)).map(drop)
    }
}
