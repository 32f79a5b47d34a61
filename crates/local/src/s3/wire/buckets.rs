//! Operations on buckets.

use s3s::dto::{
    Bucket, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
    OwnershipControls, OwnershipControlsRule, PutBucketVersioningInput, PutBucketVersioningOutput, Tagging,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::{Doc, Versioning, no_such_bucket};
use super::configs;
use super::creation::CreationTags;
use super::service::S3Wire;
use crate::context::{ACCOUNT, ServiceError};

pub(super) fn create(wire: &S3Wire, req: &S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
    let here = req.region.as_ref().map_or("us-east-1", |region| region.as_str());
    let configuration = req.input.create_bucket_configuration.as_ref();
    let asked = configuration.and_then(|c| c.location_constraint.as_ref()).map(BucketLocationConstraint::as_str);
    let constraint = asked.map(|region| if region == "EU" { "eu-west-1" } else { region });
    // The endpoint without a region creates buckets in all of them.
    let everywhere = here == "us-east-1" && !names_region(&req.headers, &req.uri);
    if constraint.unwrap_or("us-east-1") != here && !everywhere {
        let constraint = constraint.unwrap_or("unspecified");
        return Err(s3_error!(
            IllegalLocationConstraintException,
            "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
            constraint
        ));
    }
    if constraint == Some("us-east-1") {
        return Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"));
    }
    if let Some(region) = constraint
        && region.parse::<twinsite_core::Region>().is_err()
    {
        return Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"));
    }
    if req.input.object_lock_enabled_for_bucket == Some(true) {
        return Err(ServiceError::not_implemented("object lock").into());
    }
    let is_new = wire.s3.bucket(&req.input.bucket).is_none();
    wire.s3.create_bucket(&req.input.bucket, constraint.unwrap_or(here), ACCOUNT)?;
    if is_new {
        put_creation_settings(wire, req)?;
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", req.input.bucket)) }))
}

fn names_region(headers: &http::HeaderMap, uri: &http::Uri) -> bool {
    let host = headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).or_else(|| uri.host());
    host.is_some_and(|host| host.contains(".amazonaws.com") && !host.ends_with("s3.amazonaws.com"))
}

/// Sets the tags and the object ownership that a creation asks for.
fn put_creation_settings(wire: &S3Wire, req: &S3Request<CreateBucketInput>) -> S3Result<()> {
    let bucket = req.input.bucket.as_str();
    if let Some(CreationTags(tags)) = req.extensions.get().filter(|CreationTags(tags)| !tags.is_empty()) {
        configs::put::<_, ()>(wire, bucket, Doc::Tagging, &Tagging { tag_set: tags.clone() })?;
    }
    if let Some(object_ownership) = req.input.object_ownership.clone() {
        let controls = OwnershipControls { rules: vec![OwnershipControlsRule { object_ownership }] };
        configs::put::<_, ()>(wire, bucket, Doc::Ownership, &controls)?;
    }
    Ok(())
}

pub(super) fn delete(wire: &S3Wire, input: &DeleteBucketInput) -> S3Result<S3Response<DeleteBucketOutput>> {
    wire.s3.delete_bucket(&input.bucket)?;
    Ok(S3Response::with_status(DeleteBucketOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) fn head(wire: &S3Wire, req: &S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    let region = wire.s3.bucket(&req.input.bucket).ok_or_else(no_such_bucket)?.region;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..HeadBucketOutput::default() }))
}

pub(super) fn location(
    wire: &S3Wire,
    req: &S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let region = wire.s3.bucket(&req.input.bucket).ok_or_else(no_such_bucket)?.region;
    let constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}

pub(super) fn list(wire: &S3Wire, input: &ListBucketsInput) -> S3Response<ListBucketsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let buckets = wire.s3.buckets(ACCOUNT).into_iter().filter(|bucket| bucket.name.starts_with(&prefix));
    let entries = buckets.map(|bucket| Bucket {
        name: Some(bucket.name),
        creation_date: Some(bucket.created.into()),
        bucket_region: Some(bucket.region),
    });
    let owner = Owner { id: Some(ACCOUNT.to_owned()), display_name: None };
    let output = ListBucketsOutput {
        buckets: Some(entries.collect()),
        owner: Some(owner),
        prefix: input.prefix.clone(),
        continuation_token: None,
    };
    S3Response::new(output)
}

pub(super) fn get_versioning(
    wire: &S3Wire,
    input: &GetBucketVersioningInput,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let settings = wire.s3.bucket(&input.bucket).ok_or_else(no_such_bucket)?;
    let status = match settings.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

pub(super) fn put_versioning(
    wire: &S3Wire,
    input: &PutBucketVersioningInput,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let versioning = match input.versioning_configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(s3_error!(IllegalVersioningConfigurationException, "Status must be Enabled or Suspended")),
    };
    wire.s3.update_bucket(&input.bucket, |settings| settings.versioning = versioning)?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}
