//! `GetObjectAttributes`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>

use s3s::dto::{
    Checksum, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart,
    StorageClass,
};
use s3s::{S3Response, S3Result};

use super::super::Version;
use super::headers::{set_checksums, version_id};
use super::objects::checksum_type;
use super::service::S3Wire;

pub(super) fn get(wire: &S3Wire, input: &GetObjectAttributesInput) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let version = wire.s3.object(&input.bucket, &input.key, input.version_id.as_deref())?;
    let asked = |name: &str| input.object_attributes.iter().any(|attribute| attribute.as_str() == name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(version.modified.into()),
        version_id: version_id(&version),
        ..GetObjectAttributesOutput::default()
    };
    if asked("ETag") {
        output.e_tag = Some(ETag::Strong(version.etag.clone()));
    }
    if asked("ObjectSize") {
        output.object_size = i64::try_from(version.size()).ok();
    }
    if asked("StorageClass") {
        let class = version.headers.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned());
        output.storage_class = Some(StorageClass::from(class));
    }
    if asked("Checksum") && !version.checksums.is_empty() {
        let mut checksum = Checksum { checksum_type: checksum_type(&version), ..Checksum::default() };
        // Without the number of parts, which other responses append.
        let bare =
            |(name, sum): (&String, &String)| (name.clone(), sum.split('-').next().unwrap_or_default().to_owned());
        set_checksums!(checksum, &version.checksums.iter().map(bare).collect());
        output.checksum = Some(checksum);
    }
    if asked("ObjectParts") && version.is_multipart() {
        output.object_parts = Some(parts(&version, input));
    }
    Ok(S3Response::new(output))
}

/// The number of parts and, when they have checksums of their own, a page of them.
fn parts(version: &Version, input: &GetObjectAttributesInput) -> GetObjectAttributesParts {
    let all = version.all_parts();
    let after = input.part_number_marker.unwrap_or_default();
    let limit = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or_default().min(1000);
    let composite = version.checksums.values().any(|sum| sum.contains('-'));
    let mut rest = all.iter().filter(|part| composite && part.number > after);
    let page: Vec<ObjectPart> = rest
        .by_ref()
        .take(limit)
        .map(|part| {
            let size = i64::try_from(part.size).ok();
            let mut output = ObjectPart { part_number: Some(part.number), size, ..ObjectPart::default() };
            set_checksums!(output, &part.checksums);
            output
        })
        .collect();
    let more = rest.next().is_some();
    GetObjectAttributesParts {
        total_parts_count: i32::try_from(all.len()).ok(),
        is_truncated: composite.then_some(more),
        max_parts: composite.then(|| i32::try_from(limit).unwrap_or_default()),
        part_number_marker: composite.then_some(after),
        next_part_number_marker: page.last().and_then(|part| part.part_number).filter(|_| more),
        parts: composite.then_some(page),
    }
}
