//! Simulates an outage of the primary, and restores the primary as it was.

use twinsite_aws::AwsError;
use twinsite_core::{Side, Site, probe};

use crate::clients::S3Site;
use crate::model::{
    BucketOutage, Desired, RestoreAction, RuleStatus, WebsiteSnapshot, has_deny_statement, with_deny_statement,
    without_deny_statement,
};

impl S3Site {
    /// Reads what restores the primary after an outage. It must be stored before the primary is broken.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed, or there is nothing that the outage could break.
    pub async fn read_restore_action(&self, site: &Site, outage: BucketOutage) -> Result<RestoreAction, AwsError> {
        let primary = self.bucket(site, Side::Primary);
        let nothing = |operation, why: &str| AwsError::refused(operation, primary.bucket, why);
        match outage {
            BucketOutage::Website => {
                let website = primary.get_bucket_website().await?;
                let website = website.ok_or_else(|| nothing("GetBucketWebsite", "the bucket has no website"))?;
                Ok(RestoreAction::Website { website })
            }
            BucketOutage::Policy => Ok(RestoreAction::Policy),
            BucketOutage::Switch => Ok(RestoreAction::Switch),
            BucketOutage::Replication => {
                if !primary.has_enabled_replication_rule().await? {
                    return Err(nothing("GetBucketReplication", "the site's replication rule is not enabled"));
                }
                Ok(RestoreAction::Replication)
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
            RestoreAction::Policy => {
                let denying = with_deny_statement(site, primary.get_bucket_policy().await?.as_deref());
                let denying =
                    denying.map_err(|error| AwsError::unexpected("GetBucketPolicy", primary.bucket, error))?;
                primary.put_bucket_policy(Some(&denying)).await
            }
            RestoreAction::Switch => self.put_failover_switch(site).await,
            RestoreAction::Replication => primary.set_replication_rule_status(RuleStatus::Disabled).await,
        }
    }

    /// Ends the outage. Does nothing if nothing is broken.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn restore_primary(&self, site: &Site, restore: &RestoreAction) -> Result<(), AwsError> {
        let primary = self.bucket(site, Side::Primary);
        match restore {
            RestoreAction::Website { website } => match primary.get_bucket_website().await? {
                Some(_) => Ok(()),
                None => primary.put_bucket_website(website).await,
            },
            RestoreAction::Policy => {
                let invalid = |error| AwsError::unexpected("GetBucketPolicy", primary.bucket, error);
                let Some(policy) = primary.get_bucket_policy().await? else { return Ok(()) };
                if !has_deny_statement(&policy).map_err(invalid)? {
                    return Ok(());
                }
                let restored = without_deny_statement(&policy).map_err(invalid)?;
                primary.put_bucket_policy(restored.as_deref()).await
            }
            RestoreAction::Switch => self.delete_failover_switch(site).await,
            RestoreAction::Replication => primary.set_replication_rule_status(RuleStatus::Enabled).await,
        }
    }

    /// Ends whatever outage a drill may have begun, where its journal does not tell which: what a drill may have changed is compared with
    /// the desired state, one by one, and put back as `apply` would. Of a website, what twinsite does not manage cannot be put back.
    /// The failover switch is deleted only if the primary has its health object: with it gone, an operator may have set the switch.
    ///
    /// Returns the outages that were ended.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed. Calling it again finishes the rest.
    pub async fn restore_to_desired(&self, desired: &Desired) -> Result<Vec<BucketOutage>, AwsError> {
        let site = &desired.site;
        let primary = self.bucket(site, Side::Primary);
        let mut ended = Vec::new();
        if let Some(website) = desired.website()
            && primary.get_bucket_website().await?.is_none()
        {
            primary.put_bucket_website(&WebsiteSnapshot::default().with_website(&website)).await?;
            ended.push(BucketOutage::Website);
        }
        let invalid = |error| AwsError::unexpected("GetBucketPolicy", primary.bucket, error);
        let policy = primary.get_bucket_policy().await?;
        if policy.as_deref().map(has_deny_statement).transpose().map_err(invalid)? == Some(true) {
            self.restore_primary(site, &RestoreAction::Policy).await?;
            ended.push(BucketOutage::Policy);
        }
        if site.mode.public_buckets()
            && self.has_failover_switch(site).await?
            && primary.head_object(probe::HEALTH).await?.is_some()
        {
            self.delete_failover_switch(site).await?;
            ended.push(BucketOutage::Switch);
        }
        if !primary.has_enabled_replication_rule().await? {
            primary.set_replication_rule_status(RuleStatus::Enabled).await?;
            if primary.has_enabled_replication_rule().await? {
                ended.push(BucketOutage::Replication);
            }
        }
        Ok(ended)
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
