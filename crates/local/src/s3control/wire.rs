//! S3 Control on the wire (restXml).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html>

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use s3s::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Job, Jobs};
use crate::context::{Now, ServiceError, Tags, change_tags};
use crate::protocol::reply::{rfc3339, xml};
use crate::protocol::request::verb;
use crate::s3::{PublicAccessBlock, S3};

const BLOCK: &str = "/v20180820/configuration/publicAccessBlock";

const JOBS: &str = "/v20180820/jobs";

const TAGS: &str = "/v20180820/tags/";

const NAMESPACE: &str = "xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateJob {
    client_request_token: String,
    operation: Operation,
    report: Report,
    role_arn: String,
    manifest_generator: Option<Generator>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(rename = "S3ReplicateObject")]
    replicate: Option<Empty>,
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    enabled: bool,
    bucket: Option<String>,
    prefix: Option<String>,
}

#[derive(Deserialize)]
struct Generator {
    #[serde(rename = "S3JobManifestGenerator")]
    objects: Source,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Source {
    source_bucket: String,
    #[serde(default)]
    filter: Filter,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    object_replication_statuses: Members,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    member: Vec<String>,
}

/// The AWS name of the operation that a request is for.
pub(crate) fn operation(request: &Request<Bytes>) -> String {
    match request.uri().path() {
        BLOCK => format!("{}AccountPublicAccessBlock", verb(request.method())),
        JOBS => "CreateJob".to_owned(),
        path if path.starts_with(JOBS) => "DescribeJob".to_owned(),
        path if path.starts_with(TAGS) => match *request.method() {
            Method::POST => "TagResource".to_owned(),
            Method::DELETE => "UntagResource".to_owned(),
            _ => "ListTagsForResource".to_owned(),
        },
        _ => "Unknown".to_owned(),
    }
}

/// Answers a request to S3 Control.
pub(crate) fn answer(
    jobs: &mut Jobs,
    block: &mut Option<PublicAccessBlock>,
    s3: &S3,
    request: &Request<Bytes>,
    now: Now,
) -> Result<Response<Body>, ServiceError> {
    let (method, path) = (request.method(), request.uri().path());
    let job_id = path.strip_prefix(JOBS).and_then(|rest| rest.strip_prefix('/'));
    if let Some(bucket) = bucket_of_tags(path) {
        return tags(s3, &bucket, request);
    }
    match (method, path, job_id) {
        (&Method::GET, BLOCK, _) => get_block(block.as_ref()),
        (&Method::PUT, BLOCK, _) => {
            *block = Some(parse(request)?);
            Ok(xml(StatusCode::OK, String::new()))
        }
        (&Method::POST, JOBS, _) => create_job(jobs, s3, parse(request)?, now),
        (&Method::GET, _, Some(id)) => Ok(describe_job(&jobs.describe(s3, id, now)?)),
        _ => Err(ServiceError::not_implemented(&format!("S3 Control {method} {path}"))),
    }
}

/// The role that a new job is to assume.
pub(super) fn role_of_job(request: &Request<Bytes>) -> Option<String> {
    parse::<CreateJob>(request).ok().map(|job| job.role_arn)
}

/// The tags that a request adds.
pub(super) fn tags_of_request(request: &Request<Bytes>) -> Tags {
    let tags = parse::<TagResource>(request).unwrap_or_default().tags.tag;
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// The bucket of an ARN in the path.
pub(super) fn bucket_of_tags(path: &str) -> Option<String> {
    let arn = percent_encoding::percent_decode_str(path.strip_prefix(TAGS)?).decode_utf8().ok()?;
    arn.strip_prefix("arn:aws:s3:::").map(str::to_owned)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagResource {
    tags: TagList,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TagList {
    tag: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    key: String,
    value: String,
}

/// Reads, adds or removes tags of a bucket.
fn tags(s3: &S3, bucket: &str, request: &Request<Bytes>) -> Result<Response<Body>, ServiceError> {
    let mut tags = s3.bucket_tags(bucket)?;
    match *request.method() {
        Method::GET => {
            let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
            let tag = |(key, value): (&String, &String)| {
                format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(key), escape(value))
            };
            let list: String = tags.iter().map(tag).collect();
            let root = "ListTagsForResourceResult";
            return Ok(xml(StatusCode::OK, format!("<{root} {NAMESPACE}><Tags>{list}</Tags></{root}>")));
        }
        Method::POST => {
            let added: TagResource = parse(request)?;
            change_tags(&mut tags, added.tags.tag.into_iter().map(|tag| (tag.key, tag.value)), &[]);
        }
        _ => {
            let query = request.uri().query().unwrap_or_default();
            let keys = query.split('&').filter_map(|pair| pair.strip_prefix("tagKeys="));
            let decoded = |key: &str| percent_encoding::percent_decode_str(key).decode_utf8_lossy().into_owned();
            change_tags(&mut tags, [], &keys.map(decoded).collect::<Vec<_>>());
        }
    }
    s3.set_bucket_tags(bucket, &tags)?;
    Ok(xml(StatusCode::NO_CONTENT, String::new()))
}

fn parse<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, ServiceError> {
    let body: &[u8] = request.body();
    quick_xml::de::from_reader(body).map_err(|error| ServiceError::invalid("MalformedXML", error.to_string()))
}

fn get_block(block: Option<&PublicAccessBlock>) -> Result<Response<Body>, ServiceError> {
    let message = "The public access block configuration was not found";
    let missing = || ServiceError::new("NoSuchPublicAccessBlockConfiguration", 404, message);
    let PublicAccessBlock { block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets } =
        block.ok_or_else(missing)?;
    let text = format!(
        "<PublicAccessBlockConfiguration {NAMESPACE}>\
         <BlockPublicAcls>{block_public_acls}</BlockPublicAcls><IgnorePublicAcls>{ignore_public_acls}</IgnorePublicAcls>\
         <BlockPublicPolicy>{block_public_policy}</BlockPublicPolicy>\
         <RestrictPublicBuckets>{restrict_public_buckets}</RestrictPublicBuckets></PublicAccessBlockConfiguration>"
    );
    Ok(xml(StatusCode::OK, text))
}

fn bucket_of(arn: &str) -> String {
    arn.strip_prefix("arn:aws:s3:::").unwrap_or(arn).to_owned()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html>
fn create_job(jobs: &mut Jobs, s3: &S3, input: CreateJob, now: Now) -> Result<Response<Body>, ServiceError> {
    let (Some(generator), Some(_)) = (input.manifest_generator, input.operation.replicate) else {
        let what = "S3 Control CreateJob other than S3ReplicateObject with a generated manifest";
        return Err(ServiceError::not_implemented(what));
    };
    let Report { enabled, bucket, prefix } = input.report;
    let location = bucket.zip(prefix).filter(|_| enabled);
    let job = Job {
        token: input.client_request_token,
        role: input.role_arn,
        source: bucket_of(&generator.objects.source_bucket),
        statuses: generator.objects.filter.object_replication_statuses.member,
        report: location.map(|(arn, prefix)| (bucket_of(&arn), prefix)),
        ..Job::default()
    };
    let id = jobs.create(s3, job, now)?;
    Ok(xml(StatusCode::OK, format!("<CreateJobResult {NAMESPACE}><JobId>{id}</JobId></CreateJobResult>")))
}

fn describe_job(job: &Job) -> Response<Body> {
    let Job { id, status, role, total, succeeded, failed, failure_reason, created, .. } = job;
    let failure = failure_reason.as_ref().map(|reason| {
        let reason = quick_xml::escape::escape(reason.as_str());
        format!(
            "<FailureReasons><member><FailureCode>AccessDenied</FailureCode><FailureReason>{reason}</FailureReason>\
             </member></FailureReasons>"
        )
    });
    xml(
        StatusCode::OK,
        format!(
            "<DescribeJobResult {NAMESPACE}><Job><JobId>{id}</JobId><Status>{status}</Status><RoleArn>{role}</RoleArn>\
             <ProgressSummary><TotalNumberOfTasks>{total}</TotalNumberOfTasks>\
             <NumberOfTasksSucceeded>{succeeded}</NumberOfTasksSucceeded>\
             <NumberOfTasksFailed>{}</NumberOfTasksFailed></ProgressSummary>{}\
             <CreationTime>{}</CreationTime></Job></DescribeJobResult>",
            failed.len(),
            failure.unwrap_or_default(),
            created.map(rfc3339).unwrap_or_default()
        ),
    )
}
