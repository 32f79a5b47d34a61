//! Jobs on the wire.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html>

use http::{Response, StatusCode};
use s3s::Body;
use serde::Deserialize;

use crate::wire::reply::{error, rfc3339, xml};
use crate::world::World;
use crate::world::batch::{Job, JobFault};

const SPACE: &str = "xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
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
    of: Source,
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

fn bucket(arn: &str) -> String {
    arn.strip_prefix("arn:aws:s3:::").unwrap_or(arn).to_owned()
}

pub(super) fn create(world: &World, body: &[u8]) -> Response<Body> {
    let request: Request = match quick_xml::de::from_reader(body) {
        Ok(request) => request,
        Err(fault) => return error(StatusCode::BAD_REQUEST, "MalformedXML", &fault.to_string()),
    };
    let (Some(generator), Some(_)) = (request.manifest_generator, request.operation.replicate) else {
        return error(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            "Only generated manifests of S3ReplicateObject are emulated",
        );
    };
    let report = request.report;
    let place = report.bucket.zip(report.prefix).filter(|_| report.enabled);
    let job = Job {
        token: request.client_request_token,
        role: request.role_arn,
        source: bucket(&generator.of.source_bucket),
        statuses: generator.of.filter.object_replication_statuses.member,
        report: place.map(|(arn, prefix)| (bucket(&arn), prefix)),
        ..Job::default()
    };
    match world.create_job(job) {
        Ok(id) => xml(StatusCode::OK, format!("<CreateJobResult {SPACE}><JobId>{id}</JobId></CreateJobResult>")),
        Err(fault) => refused(&fault),
    }
}

pub(super) fn describe(world: &World, id: &str) -> Response<Body> {
    let job = match world.job(id) {
        Ok(job) => job,
        Err(fault) => return refused(&fault),
    };
    let Job { id, status, role, total, succeeded, failed, why, created, .. } = job;
    let failed = failed.len();
    let why = why.map(|why| {
        let why = quick_xml::escape::escape(why.as_str()).into_owned();
        format!("<FailureReasons><member><FailureCode>AccessDenied</FailureCode><FailureReason>{why}</FailureReason></member></FailureReasons>")
    });
    let created = created.map(rfc3339).unwrap_or_default();
    xml(
        StatusCode::OK,
        format!(
            "<DescribeJobResult {SPACE}><Job><JobId>{id}</JobId><Status>{status}</Status><RoleArn>{role}</RoleArn>\
             <ProgressSummary><TotalNumberOfTasks>{total}</TotalNumberOfTasks>\
             <NumberOfTasksSucceeded>{succeeded}</NumberOfTasksSucceeded>\
             <NumberOfTasksFailed>{failed}</NumberOfTasksFailed></ProgressSummary>{}\
             <CreationTime>{created}</CreationTime></Job></DescribeJobResult>",
            why.unwrap_or_default()
        ),
    )
}

fn refused(fault: &JobFault) -> Response<Body> {
    let (status, code) = match fault {
        JobFault::Invalid(_) => (StatusCode::BAD_REQUEST, "InvalidRequest"),
        JobFault::NoSuchJob => (StatusCode::NOT_FOUND, "NoSuchJob"),
        JobFault::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    };
    error(status, code, &fault.to_string())
}
