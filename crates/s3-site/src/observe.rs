//! Reads the actual state.

use std::collections::BTreeMap;

use futures::future::{try_join_all, try_join3};
use futures::try_join;
use twinsite_aws::{AwsError, Kind};
use twinsite_core::{BucketName, Deferred, Pair, Side, Site};

use crate::calls::buckets::BucketLocation;
use crate::calls::roles::RoleClient;
use crate::calls::{BucketClient, jobs};
use crate::clients::S3Site;
use crate::diff::account_conflicts;
use crate::model::{
    Actual, ActualBucket, ArchivedObject, BucketSettings, Conflict, Contents, Desired, FormerBucket, FormerContents,
    STORE_RECORD_KEY, WebsiteSnapshot, batch_role_name, recorded_store, role_name,
};

impl S3Site {
    /// The settings of the account that keep visitors from reading website buckets; none in a mode that has no such buckets.
    ///
    /// # Errors
    /// [`AwsError`] if the public access block of the account could not be read.
    pub async fn account_conflicts(&self, desired: &Desired) -> Result<Vec<Conflict>, AwsError> {
        let block = Box::pin(jobs::get_account_public_access_block(&self.s3control, &desired.site.account)).await?;
        Ok(account_conflicts(desired, block))
    }

    /// Reads the actual state.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn observe(&self, desired: &Desired) -> Result<Actual, AwsError> {
        let name = role_name(&desired.site);
        let role = RoleClient { client: &self.iam, role: &name };
        let (account_block, role, former, primary, backup) = try_join!(
            Box::pin(jobs::get_account_public_access_block(&self.s3control, &desired.site.account)),
            async {
                // A role that is not twinsite's is not looked at.
                if desired.replication_role.is_some() { Ok(None) } else { Box::pin(role.get_role()).await }
            },
            Box::pin(self.former_buckets(desired)),
            Box::pin(self.actual_bucket(desired, Side::Primary)),
            Box::pin(self.actual_bucket(desired, Side::Backup)),
        )?;
        Ok(Actual { buckets: Pair::new(primary, backup), account_block, role, former })
    }

    /// Counts the object versions and delete markers that the destruction of the buckets deletes.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn count_contents(&self, desired: &Desired, actual: &Actual) -> Result<Contents, AwsError> {
        let mut contents = Contents::default();
        for (side, bucket) in actual.buckets.iter() {
            if let ActualBucket::Present(_) = bucket {
                *contents.buckets.get_mut(side) = self.bucket(&desired.site, side).count_versions().await?;
            }
        }
        for former in &actual.former {
            let bucket = BucketClient { client: self.s3.get(former.side), bucket: &former.bucket };
            let objects = bucket.count_versions().await?;
            contents.former.push(FormerContents { bucket: former.clone(), objects });
        }
        let name = batch_role_name(&desired.site);
        if desired.replication_role.is_none() {
            contents.batch_role = RoleClient { client: &self.iam, role: &name }.get_role().await?;
        }
        Ok(contents)
    }

    /// Objects of a bucket that have to be restored before they can be read, among the first few thousand; none if the credentials may not
    /// list the bucket, or it does not exist.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn archived_objects(&self, desired: &Desired, side: Side) -> Result<Vec<ArchivedObject>, AwsError> {
        match self.bucket(&desired.site, side).archived_objects().await {
            Err(error) if error.kind == Kind::Denied => Ok(Vec::new()),
            objects => objects,
        }
    }

    /// The buckets that exist under names that the site has in other modes. They need not be its own: nothing but their existence is
    /// asked for, which needs no permission.
    ///
    /// # Errors
    /// [`AwsError`] if a call failed.
    pub async fn buckets_of_other_modes(&self, site: &Site) -> Result<Vec<BucketName>, AwsError> {
        let mut existing = Vec::new();
        for (side, name) in site.former_buckets() {
            let bucket = BucketClient { client: self.s3.get(side), bucket: &name };
            if !matches!(bucket.head_bucket().await?, BucketLocation::Absent) {
                existing.push(name);
            }
        }
        Ok(existing)
    }

    async fn former_buckets(&self, desired: &Desired) -> Result<Vec<FormerBucket>, AwsError> {
        let mut former = Vec::new();
        for (side, name) in desired.site.former_buckets() {
            let bucket = BucketClient { client: self.s3.get(side), bucket: &name };
            let exists = match bucket.head_bucket().await? {
                BucketLocation::Here => true,
                BucketLocation::Region(region) => region == desired.site.regions.get(side).as_str(),
                BucketLocation::Absent | BucketLocation::Inaccessible => false,
            };
            if exists && was_created(bucket, desired).await? {
                former.push(FormerBucket { side, bucket: name });
            }
        }
        Ok(former)
    }

    async fn actual_bucket(&self, desired: &Desired, side: Side) -> Result<ActualBucket, AwsError> {
        let bucket = self.bucket(&desired.site, side);
        match bucket.head_bucket().await? {
            BucketLocation::Absent => return Ok(ActualBucket::Absent),
            BucketLocation::Inaccessible => return Ok(ActualBucket::Inaccessible),
            BucketLocation::Region(region) if region != desired.site.regions.get(side).as_str() => {
                return Ok(ActualBucket::OtherRegion(region));
            }
            BucketLocation::Region(_) | BucketLocation::Here => {}
        }
        // A bucket of another account may allow HeadBucket and deny its settings.
        let record = async {
            match (side, &desired.key_value_store) {
                (Side::Backup, Some(store)) => match Box::pin(bucket.get_object(STORE_RECORD_KEY)).await {
                    // A policy may deny reads of objects alone, to everybody. What cannot be read is not changed.
                    Err(error) if error.kind == Kind::Denied => Ok(match store {
                        Deferred::Known(store) => Some(store.clone()),
                        Deferred::After(_) => None,
                    }),
                    record => Ok(record?.and_then(|record| recorded_store(&record, &desired.site))),
                },
                (Side::Primary, _) | (_, None) => Ok(None),
            }
        };
        match try_join3(bucket_settings(bucket), Box::pin(health_objects(bucket, desired)), record).await {
            Ok((settings, health_objects, recorded_store)) => {
                Ok(ActualBucket::Present(Box::new(BucketSettings { health_objects, recorded_store, ..settings })))
            }
            Err(error) if error.kind == Kind::Denied => Ok(ActualBucket::Inaccessible),
            Err(error) => Err(error),
        }
    }
}

/// True if twinsite created a bucket for this site. One whose tags may not be read, it did not.
async fn was_created(bucket: BucketClient<'_>, desired: &Desired) -> Result<bool, AwsError> {
    match bucket.get_bucket_tagging().await {
        Ok(tags) => Ok(desired.owner().created_by(&tags)),
        Err(error) if error.kind == Kind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) async fn bucket_settings(bucket: BucketClient<'_>) -> Result<BucketSettings, AwsError> {
    let (tags, versioning, object_ownership, encryption, public_access_block, website, lifecycle, policy, replication) =
        try_join!(
            Box::pin(bucket.get_bucket_tagging()),
            Box::pin(bucket.get_bucket_versioning()),
            Box::pin(bucket.get_bucket_ownership_controls()),
            Box::pin(bucket.get_bucket_encryption()),
            Box::pin(bucket.get_public_access_block()),
            Box::pin(bucket.get_bucket_website()),
            Box::pin(bucket.get_bucket_lifecycle_configuration()),
            Box::pin(bucket.get_bucket_policy()),
            Box::pin(bucket.replication_rules()),
        )?;
    let (lifecycle, lifecycle_risks) = lifecycle;
    let redirects_missing_probes = website.as_ref().and_then(WebsiteSnapshot::redirects_missing_probes);
    let redirects_everything = website.as_ref().and_then(WebsiteSnapshot::redirects_everything);
    let redirects_all_to = website.as_ref().and_then(|snapshot| snapshot.redirect_all.as_ref());
    let redirects_all_to = redirects_all_to.map(|(host, _)| host.clone());
    let website = website.and_then(|snapshot| snapshot.website());
    Ok(BucketSettings {
        tags,
        versioning,
        object_ownership,
        encryption,
        public_access_block,
        website,
        redirects_all_to,
        redirects_everything,
        redirects_missing_probes,
        lifecycle,
        lifecycle_risks,
        policy,
        replication,
        health_objects: BTreeMap::new(),
        recorded_store: None,
    })
}

/// The longest content of a health object that is shown as it is.
const SHOWN_CONTENT: usize = 200;

async fn health_objects(
    bucket: BucketClient<'_>,
    desired: &Desired,
) -> Result<BTreeMap<String, Option<String>>, AwsError> {
    let keys = desired.site.health_keys();
    let objects = match try_join_all(keys.iter().map(|key| Box::pin(bucket.get_object(key)))).await {
        // A policy may deny reads of objects alone, to everybody. What cannot be read is not changed.
        Err(error) if error.kind == Kind::Denied => {
            return Ok(keys.into_iter().map(|key| (key, Some(desired.site.health_word()))).collect());
        }
        objects => objects?,
    };
    let content = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) if text.len() <= SHOWN_CONTENT => text.to_owned(),
        Ok(_) | Err(_) => format!("{} bytes", bytes.len()),
    };
    Ok(keys.into_iter().zip(objects.iter().map(|object| object.as_deref().map(content))).collect())
}
