//! Looking: reads only, both sides and all settings at once.

use aws_sdk_s3::Client;
use futures::{future, try_join};
use twinsite_aws::{AwsError, Kind};
use twinsite_core::{BucketName, Side};

use crate::S3Site;
use crate::bucket::{Block, Found, Observed, SideState};
use crate::want::Desired;
use crate::{role, wire};

impl S3Site {
    /// What is there.
    ///
    /// # Errors
    /// [`AwsError`] when something could not be looked at.
    pub async fn observe(&self, want: &Desired) -> Result<Observed, AwsError> {
        let side = |side: Side| Box::pin(self.bucket(want, side));
        let account = Box::pin(self.get_account_block(want.site.account.as_str()));
        let name = role::name(want);
        let role = role::Calls { client: &self.iam, name: &name };
        let role = Box::pin(role.observe());
        let former = Box::pin(self.former(want));
        let (account, role, former, primary, backup) =
            try_join!(account, role, former, side(Side::Primary), side(Side::Backup))?;
        Ok(Observed { buckets: twinsite_core::Pair::new(primary, backup), account, role, former })
    }

    /// The buckets that another mode has left behind.
    async fn former(&self, want: &Desired) -> Result<Vec<(Side, BucketName)>, AwsError> {
        let mut former = Vec::new();
        for (side, name) in want.site.former_buckets() {
            let (client, region) = (self.clients.get(side), want.site.regions.get(side).as_str());
            let here = match head_bucket(client, &name).await? {
                Head::Here => true,
                Head::In(there) => there == region,
                Head::Absent | Head::Forbidden => false,
            };
            if here && made(client, want, &name).await? {
                former.push((side, name));
            }
        }
        Ok(former)
    }

    async fn bucket(&self, want: &Desired, side: Side) -> Result<Found, AwsError> {
        let (client, name) = (self.clients.get(side), want.site.buckets.get(side));
        let region = want.site.regions.get(side);
        match head_bucket(client, name).await? {
            Head::Absent => Ok(Found::Nothing),
            Head::Forbidden => Ok(Found::Forbidden),
            Head::In(there) if there == region.as_str() => settings(client, want, name).await,
            Head::In(there) => Ok(Found::Elsewhere(there)),
            Head::Here => settings(client, want, name).await,
        }
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>
    async fn get_account_block(&self, account: &str) -> Result<Option<Block>, AwsError> {
        let answer = self.control.get_public_access_block().account_id(account).send().await;
        let answer = answer.map_err(|error| AwsError::new("GetPublicAccessBlock", format!("account {account}"), error));
        let block = AwsError::absent(answer)?.and_then(|answer| answer.public_access_block_configuration);
        Ok(block.map(|block| wire::account_block(&block)))
    }
}

/// What `HeadBucket` says.
enum Head {
    Absent,
    Forbidden,
    In(String),
    Here,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
async fn head_bucket(client: &Client, name: &BucketName) -> Result<Head, AwsError> {
    let error = match client.head_bucket().bucket(name.as_str()).send().await {
        Ok(answer) => return Ok(answer.bucket_region().map_or(Head::Here, |region| Head::In(region.to_owned()))),
        Err(error) => error,
    };
    let response = error.raw_response();
    let region = response.and_then(|r| r.headers().get("x-amz-bucket-region")).map(str::to_owned);
    let moved = response.is_some_and(|r| [301, 307, 400].contains(&r.status().as_u16()));
    if let (Some(region), true) = (region, moved) {
        return Ok(Head::In(region));
    }
    let error = AwsError::new("HeadBucket", name, error);
    match error.kind {
        Kind::Absent => Ok(Head::Absent),
        Kind::Denied => Ok(Head::Forbidden),
        _ => Err(error),
    }
}

async fn settings(client: &Client, want: &Desired, name: &BucketName) -> Result<Found, AwsError> {
    // Somebody else's bucket may answer HeadBucket; its settings it will not show.
    let read = future::try_join(read_settings(client, name), probes(client, want, name)).await;
    let read = read.map(|(state, probes)| SideState { probes, ..state });
    match read {
        Err(error) if error.kind == Kind::Denied => Ok(Found::Forbidden),
        read => Ok(Found::Bucket(Box::new(read?))),
    }
}

macro_rules! get {
    ($client:ident, $name:ident, $call:ident, $operation:literal) => {
        // On the heap: eight SDK futures side by side would not fit on a thread's stack.
        Box::pin(async {
            let answer = $client.$call().bucket($name.as_str()).send().await;
            AwsError::absent(answer.map_err(|error| AwsError::new($operation, $name, error)))
        })
    };
}

/// True when twinsite created a bucket for this site. What may not be looked at, it did not.
async fn made(client: &Client, want: &Desired, name: &BucketName) -> Result<bool, AwsError> {
    match get!(client, name, get_bucket_tagging, "GetBucketTagging").await {
        Ok(answer) => Ok(answer.is_some_and(|answer| want.owner().created_by(&wire::tags(answer.tag_set())))),
        Err(error) if error.kind == Kind::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

async fn read_settings(client: &Client, name: &BucketName) -> Result<SideState, AwsError> {
    let (tags, versioning, ownership, encryption, block, website, lifecycle, policy, replication) = future::try_join3(
        future::try_join3(
            get!(client, name, get_bucket_tagging, "GetBucketTagging"),
            get!(client, name, get_bucket_versioning, "GetBucketVersioning"),
            get!(client, name, get_bucket_ownership_controls, "GetBucketOwnershipControls"),
        ),
        future::try_join3(
            get!(client, name, get_bucket_encryption, "GetBucketEncryption"),
            get!(client, name, get_public_access_block, "GetPublicAccessBlock"),
            get!(client, name, get_bucket_website, "GetBucketWebsite"),
        ),
        future::try_join3(
            get!(client, name, get_bucket_lifecycle_configuration, "GetBucketLifecycleConfiguration"),
            get!(client, name, get_bucket_policy, "GetBucketPolicy"),
            get!(client, name, get_bucket_replication, "GetBucketReplication"),
        ),
    )
    .await
    .map(|((a, b, c), (d, e, f), (g, h, i))| (a, b, c, d, e, f, g, h, i))?;
    Ok(SideState {
        tags: tags.map(|answer| wire::tags(answer.tag_set())).unwrap_or_default(),
        versioned: versioning.is_some_and(|answer| wire::is_enabled(answer.status())),
        owner_enforced: ownership.is_some_and(|answer| wire::is_owner_enforced(answer.ownership_controls())),
        sse_s3: encryption.is_some_and(|answer| wire::is_sse_s3(answer.server_side_encryption_configuration())),
        block: block.and_then(|answer| answer.public_access_block_configuration).map(|block| wire::block(&block)),
        website: website.and_then(|answer| wire::website(&answer)),
        lifecycle: lifecycle.map(|answer| wire::lifecycle(answer.rules())).unwrap_or_default(),
        policy: policy.and_then(|answer| answer.policy),
        replication: replication
            .and_then(|answer| answer.replication_configuration)
            .map(|configuration| wire::replication::read(&configuration))
            .unwrap_or_default(),
        probes: false,
    })
}

/// True when every object that health checks ask for has this site's word in it.
async fn probes(client: &Client, want: &Desired, name: &BucketName) -> Result<bool, AwsError> {
    let word = want.site.health_word();
    let reads = want.site.health_keys().into_iter().map(|key| Box::pin(read_probe(client, name, key)));
    Ok(future::try_join_all(reads).await?.iter().all(|text| text.as_deref() == Some(word.as_bytes())))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
async fn read_probe(client: &Client, name: &BucketName, key: String) -> Result<Option<Vec<u8>>, AwsError> {
    let subject = format!("{name}/{key}");
    let answer = client.get_object().bucket(name.as_str()).key(key).send().await;
    let answer = AwsError::absent(answer.map_err(|error| AwsError::new("GetObject", &subject, error)))?;
    let Some(answer) = answer else { return Ok(None) };
    let body = answer.body.collect().await.map_err(|error| AwsError::unexpected("GetObject", &subject, error))?;
    Ok(Some(body.to_vec()))
}
