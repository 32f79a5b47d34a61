//! Buckets: creating, finding, deleting.

use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::service::Wire;
use crate::world::{ACCOUNT, Fault, Versioning};

pub(super) fn create(wire: &Wire, req: &S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
    let here = req.region.as_ref().map_or("us-east-1", |region| region.as_str());
    let configuration = req.input.create_bucket_configuration.as_ref();
    let asked = configuration.and_then(|c| c.location_constraint.as_ref()).map(BucketLocationConstraint::as_str);
    let asked = asked.map(|region| if region == "EU" { "eu-west-1" } else { region });
    if asked.unwrap_or("us-east-1") != here {
        let asked = asked.unwrap_or("unspecified");
        return Err(s3_error!(
            IllegalLocationConstraintException,
            "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
            asked
        ));
    }
    if asked == Some("us-east-1") {
        return Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"));
    }
    wire.world.create_bucket(&req.input.bucket, here, ACCOUNT)?;
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", req.input.bucket)) }))
}

pub(super) fn delete(wire: &Wire, input: &DeleteBucketInput) -> S3Result<S3Response<DeleteBucketOutput>> {
    wire.world.delete_bucket(&input.bucket)?;
    Ok(S3Response::with_status(DeleteBucketOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) fn head(wire: &Wire, req: &S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    let region = wire.world.bucket(&req.input.bucket).ok_or(Fault::NoSuchBucket)?.region;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() }))
}

pub(super) fn location(
    wire: &Wire,
    req: &S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let region = wire.world.bucket(&req.input.bucket).ok_or(Fault::NoSuchBucket)?.region;
    let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}

pub(super) fn list(wire: &Wire, input: &ListBucketsInput) -> S3Response<ListBucketsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let buckets = wire.world.buckets(ACCOUNT).into_iter().filter(|bucket| bucket.name.starts_with(&prefix));
    let buckets = buckets.map(|bucket| Bucket {
        name: Some(bucket.name),
        creation_date: Some(bucket.created.into()),
        bucket_region: Some(bucket.region),
    });
    let owner = Owner { id: Some(ACCOUNT.to_owned()), display_name: None };
    let output = ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner),
        prefix: input.prefix.clone(),
        continuation_token: None,
    };
    S3Response::new(output)
}

pub(super) fn get_versioning(
    wire: &Wire,
    input: &GetBucketVersioningInput,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let settings = wire.world.bucket(&input.bucket).ok_or(Fault::NoSuchBucket)?;
    let status = match settings.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

pub(super) fn put_versioning(
    wire: &Wire,
    input: &PutBucketVersioningInput,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let versioning = match input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(s3_error!(IllegalVersioningConfigurationException, "Status must be Enabled or Suspended")),
    };
    wire.world.set(&input.bucket, |settings| settings.versioning = versioning)?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}
