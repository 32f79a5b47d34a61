//! Simulates an outage of the primary, and restores the primary exactly as it was.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site, probe};

use crate::clients::S3Site;
use crate::model::{Outage, RestoreAction, RuleStatus, with_deny_statement};

impl S3Site {
    /// Reads what restores the primary after an outage. It must be stored before the primary is broken.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed, or there is nothing that the outage could break.
    pub async fn read_restore_action(&self, site: &Site, outage: Outage) -> Result<RestoreAction, AwsError> {
        let primary = self.bucket(site, Side::Primary);
        let nothing = |operation, why: &str| AwsError::refused(operation, primary.bucket, why);
        match outage {
            Outage::Website => {
                let website = primary.get_bucket_website().await?;
                let website = website.ok_or_else(|| nothing("GetBucketWebsite", "the bucket has no website"))?;
                Ok(RestoreAction::Website { website })
            }
            Outage::Policy => Ok(RestoreAction::Policy { policy: primary.get_bucket_policy().await? }),
            Outage::StopObject => Ok(RestoreAction::StopObject),
            Outage::Replication => {
                let rules = primary.enabled_replication_rules().await?;
                if rules.is_empty() {
                    return Err(nothing("GetBucketReplication", "the bucket has no enabled replication rules"));
                }
                Ok(RestoreAction::Replication { rules })
            }
        }
    }

    /// Begins the outage that `restore` undoes. Idempotent.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn break_primary(&self, site: &Site, restore: &RestoreAction) -> Result<(), AwsError> {
        let primary = self.bucket(site, Side::Primary);
        match restore {
            RestoreAction::Website { .. } => primary.delete_bucket_website().await,
            RestoreAction::Policy { policy } => {
                let denying = with_deny_statement(site, policy.as_deref());
                let denying =
                    denying.map_err(|error| AwsError::unexpected("GetBucketPolicy", primary.bucket, error))?;
                primary.put_bucket_policy(Some(&denying)).await
            }
            RestoreAction::StopObject => self.put_failover_switch(site).await,
            RestoreAction::Replication { rules } => {
                primary.set_replication_rule_status(rules, RuleStatus::Disabled).await
            }
        }
    }

    /// Ends the outage. Does nothing if nothing is broken.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn restore_primary(&self, site: &Site, restore: &RestoreAction) -> Result<(), AwsError> {
        let primary = self.bucket(site, Side::Primary);
        match restore {
            RestoreAction::Website { website } => primary.put_bucket_website(website).await,
            RestoreAction::Policy { policy } => primary.put_bucket_policy(policy.as_deref()).await,
            RestoreAction::StopObject => self.delete_failover_switch(site).await,
            RestoreAction::Replication { rules } => {
                primary.set_replication_rule_status(rules, RuleStatus::Enabled).await
            }
        }
    }

    /// The version id of the health object in one bucket, which tells responses of the two sides apart; `None` if it does not
    /// exist or the bucket is not versioned.
    ///
    /// # Errors
    /// [`AwsError`] if the call failed.
    pub async fn health_object_version(&self, site: &Site, side: Side) -> Result<Option<String>, AwsError> {
        Ok(self.bucket(site, side).head_object(probe::HEALTH).await?.and_then(|object| object.version_id))
    }
}
