//! Operations on multipart uploads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part as WirePart,
    UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::encryption::opaque_etag;
use super::super::{Checksums, Part, PartRef, Upload, error};
use super::body::{self, Declared};
use super::headers::{
    copy_condition, declared, headers_of, kms_of, set_checksums, set_encryption, tags_of, version_id, write_condition,
};
use super::objects::checksum_type;
use super::service::S3Wire;
use crate::context::ServiceError;

pub(super) fn create(
    wire: &S3Wire,
    mut input: CreateMultipartUploadInput,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let kind = input.checksum_type.as_ref().map(ChecksumType::as_str);
    let algorithm = input.checksum_algorithm.as_ref().map(|a| a.as_str().to_owned());
    check_kind(algorithm.as_deref(), kind)?;
    let full = kind == Some("FULL_OBJECT");
    let upload = Upload {
        kms: kms_of!(wire, input)?,
        id: crate::context::random_id(),
        key: input.key.clone(),
        initiated: wire.s3.clock().now_in_seconds(),
        headers: headers_of!(input),
        tags: tags_of(input.tagging.as_deref())?,
        checksum: algorithm.map(|algorithm| (algorithm.clone(), full || algorithm == "CRC64NVME")),
        parts: std::collections::BTreeMap::new(),
    };
    let mut output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        checksum_type: upload.checksum.as_ref().map(|(_, full)| kind_of(*full)),
        checksum_algorithm: input.checksum_algorithm,
        ..CreateMultipartUploadOutput::default()
    };
    set_encryption!(output, upload.kms.as_ref());
    wire.s3.create_upload(&input.bucket, upload)?;
    Ok(S3Response::new(output))
}

fn kind_of(full: bool) -> ChecksumType {
    ChecksumType::from_static(if full { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE })
}

/// Which kinds of checksum an algorithm has.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
fn check_kind(algorithm: Option<&str>, kind: Option<&str>) -> S3Result<()> {
    match (algorithm, kind) {
        (None, Some(_)) => {
            let message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
            Err(error::invalid_request(message).into())
        }
        (Some(algorithm @ ("SHA1" | "SHA256")), Some(kind @ "FULL_OBJECT"))
        | (Some(algorithm @ "CRC64NVME"), Some(kind @ "COMPOSITE")) => {
            let algorithm = algorithm.to_lowercase();
            let message = format!("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm.");
            Err(error::invalid_request(message).into())
        }
        _ => Ok(()),
    }
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
        algorithm: body::trailer_algorithm(&req.headers),
        trailer: req.trailing_headers.take(),
    };
    if let Some((wanted, _)) = &upload.checksum {
        let sent = declared.sums.keys().next().or(declared.algorithm.as_ref());
        if sent != Some(wanted) {
            let (wanted, sent) = (wanted.to_lowercase(), sent.map_or("null".to_owned(), |sent| sent.to_lowercase()));
            let message = "Checksum Type mismatch occurred, expected checksum Type";
            return Err(error::invalid_request(format!("{message}: {wanted}, actual checksum Type: {sent}")).into());
        }
    }
    let mut part = body::receive(&wire.s3, input.body.take(), declared).await?;
    if upload.kms.is_some() {
        part.etag = opaque_etag();
    }
    let mut output = UploadPartOutput { e_tag: Some(ETag::Strong(part.etag.clone())), ..Default::default() };
    set_encryption!(output, upload.kms.as_ref());
    set_checksums!(output, &part.checksums);
    wire.s3.add_part(&input.bucket, &input.upload_id, Part { number: input.part_number, ..part })?;
    Ok(S3Response::new(output))
}

pub(super) async fn part_copy(
    wire: &S3Wire,
    mut input: UploadPartCopyInput,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    check_number(input.part_number)?;
    let upload = wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
    let from = super::objects::source(wire, &input.copy_source, &copy_condition!(input))?;
    let range = match input.copy_source_range.as_deref().map(s3s::dto::Range::parse) {
        None => 0..from.size(),
        Some(Ok(range)) => {
            range.check(from.size()).map_err(|_| s3_error!(InvalidRange, "The copy source range is not satisfiable"))?
        }
        Some(Err(_)) => return Err(s3_error!(InvalidArgument, "The x-amz-copy-source-range value is not valid")),
    };
    let body = s3s::dto::StreamingBlob::wrap(wire.s3.body(&from, range));
    let declared = Declared { algorithm: upload.checksum.map(|(algorithm, _)| algorithm), ..Declared::default() };
    let mut part = body::receive(&wire.s3, Some(body), declared).await?;
    if upload.kms.is_some() {
        part.etag = opaque_etag();
    }
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(wire.s3.clock().now_in_seconds().into()),
        ..CopyPartResult::default()
    };
    set_checksums!(result, &part.checksums);
    wire.s3.add_part(&input.bucket, &input.upload_id, Part { number: input.part_number, ..part })?;
    let mut output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version_id(&from),
        ..UploadPartCopyOutput::default()
    };
    set_encryption!(output, upload.kms.as_ref());
    Ok(S3Response::new(output))
}

pub(super) fn complete(
    wire: &S3Wire,
    mut input: CompleteMultipartUploadInput,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let condition = write_condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let sent = input.multipart_upload.take().and_then(|parts| parts.parts).unwrap_or_default();
    let part_ref = |mut part: CompletedPart| {
        let checksums = declared!(part);
        Some(PartRef { number: part.part_number?, etag: part.e_tag?.value().to_owned(), checksums })
    };
    let refs = sent.into_iter().map(part_ref).collect::<Option<Vec<_>>>();
    let refs = refs.ok_or_else(|| s3_error!(MalformedXML, "The XML you provided was not well-formed"))?;
    // The same request again has the same result, whatever its precondition.
    let version = if let Some(known) = wire.s3.completed(&input.bucket, &input.key, &input.upload_id, &refs) {
        known
    } else {
        let upload = wire.s3.upload(&input.bucket, &input.key, &input.upload_id)?;
        let checksums = whole_checksum(&upload, &refs, &mut input)?;
        wire.s3.complete_upload(&input.bucket, &upload, &refs, &condition, checksums)?
    };
    let mut output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(ETag::Strong(version.etag.clone())),
        version_id: version_id(&version),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksums!(output, &version.checksums);
    output.checksum_type = checksum_type(&version);
    set_encryption!(output, version.kms.as_ref());
    Ok(S3Response::new(output))
}

/// The checksum of the object, after the request's own checksum, kind and size were compared with it: of its bytes or, with
/// the number of parts appended, of the checksums of the parts.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
fn whole_checksum(upload: &Upload, refs: &[PartRef], input: &mut CompleteMultipartUploadInput) -> S3Result<Checksums> {
    let parts: Vec<_> = refs.iter().filter_map(|part| upload.parts.get(&part.number)).collect();
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if let Some(told) = input.mpu_object_size.filter(|told| u64::try_from(*told) != Ok(size)) {
        let message = "The provided 'x-amz-mp-object-size' header value";
        let message = format!("{message} {told} does not match what was computed: {size}");
        return Err(error::invalid_request(message).into());
    }
    let declared = declared!(input);
    let Some((algorithm, full)) = &upload.checksum else {
        let sum = body::combined("CRC64NVME", &parts);
        return Ok(sum.map(|sum| ("CRC64NVME".to_owned(), sum)).into_iter().collect());
    };
    let kind = kind_of(*full);
    if input.checksum_type.as_ref().is_some_and(|asked| asked.as_str() != kind.as_str()) {
        let kind = kind.as_str();
        let message = format!("The upload was created using the {kind} checksum mode.");
        return Err(
            error::invalid_request(format!("{message} The complete request must use the same checksum mode.")).into()
        );
    }
    let sum = if *full { body::combined(algorithm, &parts) } else { Some(composite(algorithm, refs, &parts)?) };
    let sum = sum.ok_or_else(error::invalid_part)?;
    if declared.get(algorithm).is_some_and(|sent| *sent != sum) {
        let message = format!("The {} you specified did not match the calculated checksum.", algorithm.to_lowercase());
        return Err(ServiceError::invalid("BadDigest", message).into());
    }
    Ok(Checksums::from([(algorithm.clone(), sum)]))
}

/// The checksum of the checksums of the parts, which the request has to name too.
fn composite(algorithm: &str, refs: &[PartRef], parts: &[&Part]) -> S3Result<String> {
    if let Some(part) = refs.iter().find(|part| !part.checksums.contains_key(algorithm)) {
        let message = format!("The upload was created using a {} checksum.", algorithm.to_lowercase());
        let message = format!("{message} The complete request must include the checksum for each part.");
        let message = format!("{message} It was missing for part {} in the request.", part.number);
        return Err(error::invalid_request(message).into());
    }
    let digests = parts.iter().filter_map(|part| STANDARD.decode(part.checksums.get(algorithm)?).ok());
    let sum = body::checksum(algorithm, digests.map(Ok)).map_err(s3s::S3Error::internal_error)?;
    Ok(format!("{sum}-{}", parts.len()))
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
        checksum_type: upload.checksum.as_ref().map(|(_, full)| kind_of(*full)),
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
