//! Operations on multipart uploads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part as WirePart, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::{Checksums, Part, PartRef, Upload};
use super::body::{self, Declared};
use super::headers::{copy_condition, declared, headers_of, set_checksums, tags_of, version_id, write_condition};
use super::service::S3Wire;

pub(super) fn create(
    wire: &S3Wire,
    mut input: CreateMultipartUploadInput,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let full = input.checksum_type.as_ref().map(ChecksumType::as_str) == Some("FULL_OBJECT");
    let algorithm = input.checksum_algorithm.as_ref().map(|a| a.as_str().to_owned());
    let upload = Upload {
        id: crate::context::random_id(),
        key: input.key.clone(),
        initiated: wire.s3.clock().now_in_seconds(),
        headers: headers_of!(input),
        tags: tags_of(input.tagging.as_deref()),
        checksum: algorithm.map(|algorithm| (algorithm.clone(), full || algorithm == "CRC64NVME")),
        parts: std::collections::BTreeMap::new(),
    };
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    };
    wire.s3.create_upload(&input.bucket, upload)?;
    Ok(S3Response::new(output))
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
}

pub(super) async fn part(wire: &S3Wire, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
    let input = &mut req.input;
    check_number(input.part_number)?;
    let upload = wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
    let declared = Declared {
        md5: input.content_md5.take(),
        sums: declared!(input),
        algorithm: body::trailer_algorithm(&req.headers).or(upload.checksum.map(|(algorithm, _)| algorithm)),
        trailer: req.trailing_headers.take(),
    };
    let part = body::receive(&wire.s3, input.body.take(), declared).await?;
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag.clone())), ..Default::default() };
    set_checksums!(output, &part.checksums);
    wire.s3.add_part(&input.bucket, &input.upload_id, Part { number: input.part_number, ..part })?;
    Ok(S3Response::new(output))
}

pub(super) async fn part_copy(
    wire: &S3Wire,
    mut input: UploadPartCopyInput,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    check_number(input.part_number)?;
    wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
    let from = super::objects::source(wire, &input.copy_source, &copy_condition!(input))?;
    let range = match input.copy_source_range.as_deref().map(s3s::dto::Range::parse) {
        None => 0..from.size(),
        Some(Ok(range)) => {
            range.check(from.size()).map_err(|_| s3_error!(InvalidRange, "The copy source range is not satisfiable"))?
        }
        Some(Err(_)) => return Err(s3_error!(InvalidArgument, "The x-amz-copy-source-range value is not valid")),
    };
    let body = s3s::dto::StreamingBlob::wrap(wire.s3.body(&from, range));
    let part = body::receive(&wire.s3, Some(body), Declared::default()).await?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(wire.s3.clock().now_in_seconds().into()),
        ..CopyPartResult::default()
    };
    wire.s3.add_part(&input.bucket, &input.upload_id, Part { number: input.part_number, ..part })?;
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version_id(&from),
        ..UploadPartCopyOutput::default()
    }))
}

pub(super) fn complete(
    wire: &S3Wire,
    input: CompleteMultipartUploadInput,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let condition = write_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let upload = wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
    let sent = input.multipart_upload.and_then(|parts| parts.parts).unwrap_or_default();
    let refs = sent
        .into_iter()
        .map(|part| Some(PartRef { number: part.part_number?, etag: part.e_tag?.value().to_owned() }))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| s3_error!(MalformedXML, "The XML you provided was not well-formed"))?;
    let checksums = whole_checksum(wire, &upload, &refs)?;
    let version = wire.s3.complete_upload(&input.bucket, &upload, &refs, &condition, checksums)?;
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: version_id(&version),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksums!(output, &version.checksums);
    Ok(S3Response::new(output))
}

/// The checksum of the object: of its bytes or, with the number of parts appended, of the checksums of the parts.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
fn whole_checksum(wire: &S3Wire, upload: &Upload, refs: &[PartRef]) -> S3Result<Checksums> {
    let Some((algorithm, full)) = &upload.checksum else { return Ok(Checksums::new()) };
    let parts: Vec<_> = refs.iter().filter_map(|part| upload.parts.get(&part.number)).collect();
    let sum = if *full {
        wire.checksum_of(algorithm, &parts)?
    } else {
        let digests: Vec<u8> =
            parts.iter().filter_map(|part| STANDARD.decode(part.checksums.get(algorithm)?).ok()).flatten().collect();
        format!("{}-{}", super::body::checksum(algorithm, [&digests[..]]), parts.len())
    };
    Ok(Checksums::from([(algorithm.clone(), sum)]))
}

pub(super) fn abort(
    wire: &S3Wire,
    input: &AbortMultipartUploadInput,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    wire.s3.abort_upload(&input.bucket, &input.key, &input.upload_id)?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) fn list_parts(wire: &S3Wire, input: ListPartsInput) -> S3Result<S3Response<ListPartsOutput>> {
    let upload = wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
    let after = input.part_number_marker.unwrap_or_default();
    let limit = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or_default().min(1000);
    let mut rest = upload.parts.range(after.saturating_add(1)..);
    let parts: Vec<_> = rest.by_ref().take(limit).map(|(_, part)| wire_part(part, upload.initiated)).collect();
    let last = parts.last().and_then(|part| part.part_number);
    let more = rest.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(after),
        next_part_number_marker: last.filter(|_| more),
        max_parts: i32::try_from(limit).ok(),
        is_truncated: Some(more),
        parts: Some(parts),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| ChecksumAlgorithm::from(algorithm)),
        ..ListPartsOutput::default()
    }))
}

fn wire_part(part: &Part, modified: std::time::SystemTime) -> WirePart {
    let mut output = WirePart {
        part_number: Some(part.number),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(modified.into()),
        ..WirePart::default()
    };
    set_checksums!(output, &part.checksums);
    output
}

pub(super) fn list_uploads(
    wire: &S3Wire,
    input: ListMultipartUploadsInput,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let limit = usize::try_from(input.max_uploads.unwrap_or(1000)).unwrap_or_default().min(1000);
    let (key_marker, id_marker) = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone());
    let is_after = |upload: &Upload| match (upload.key.cmp(&key_marker), &id_marker) {
        (std::cmp::Ordering::Less, _) => false,
        (std::cmp::Ordering::Equal, id) => key_marker.is_empty() || id.as_ref().is_some_and(|id| upload.id > *id),
        (std::cmp::Ordering::Greater, _) => true,
    };
    let all = wire.s3.uploads(&input.bucket)?;
    let mut rest = all.iter().filter(|upload| upload.key.starts_with(&prefix) && is_after(upload));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let last = page.last().filter(|_| more);
    let uploads = page.iter().map(|upload| MultipartUpload {
        key: Some(upload.key.clone()),
        upload_id: Some(upload.id.clone()),
        initiated: Some(upload.initiated.into()),
        ..MultipartUpload::default()
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        uploads: Some(uploads.collect()),
        bucket: Some(input.bucket),
        prefix: Some(prefix),
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        next_key_marker: last.map(|upload| upload.key.clone()),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        max_uploads: i32::try_from(limit).ok(),
        is_truncated: Some(more),
        ..ListMultipartUploadsOutput::default()
    }))
}
