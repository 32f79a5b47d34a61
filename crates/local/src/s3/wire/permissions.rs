//! The permissions that S3 operations need, and whether the caller has them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use s3s::Body;
use serde::Deserialize;

use super::super::{Current, S3};
use super::access::aws_host;
use super::creation::CreationTags;
use super::operation::operation;
use crate::context::{ACCOUNT, ServiceError};
use crate::iam::{Authorization, Keys, Permission, Policy, Principal};
use crate::protocol::request::{host_of, parameters};

/// The objects of a `DeleteObjects` request that the caller may not delete, with the reason: an extension of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct DeniedDeletes(BTreeMap<(String, Option<String>), String>);

impl DeniedDeletes {
    /// Why an object may not be deleted; `None` if it may.
    pub(super) fn reason(&self, key: &str, version: Option<&str>) -> Option<&str> {
        self.0.get(&(key.to_owned(), version.map(str::to_owned))).map(String::as_str)
    }
}

/// Checks that the policies of the caller and of the bucket allow a request. Anonymous requests are checked elsewhere, and so are
/// signatures.
///
/// # Errors
/// `AccessDenied` with AWS's message, or an error for a session token that is invalid or has expired.
pub(crate) async fn authorize(s3: &S3, request: Request<Body>) -> Result<Request<Body>, ServiceError> {
    let name = operation(&request);
    let account = s3.account();
    let authorization = match Authorization::of(&account.iam, &request, s3.clock().now()) {
        Ok(Some(authorization)) => authorization,
        Err(error) if error.code == "ExpiredToken" => {
            return Err(ServiceError::invalid("ExpiredToken", "The provided token has expired."));
        }
        Err(_) if has_known_key(s3, &request) => {
            return Err(ServiceError::invalid("InvalidToken", "The provided token is malformed or otherwise invalid."));
        }
        // An invalid signature is refused for the same reason, later.
        Ok(None) | Err(_) => return Ok(request),
    };
    let target = Target::of(&request);
    let settings = s3.bucket(&target.bucket);
    let text = settings.as_ref().and_then(|settings| settings.policy.as_deref());
    let policy = text.and_then(|text| Policy::parse(text).ok());
    if matches!(authorization.principal, Principal::Administrator) && policy.is_none() {
        return Ok(request);
    }
    let owner = settings.map_or_else(|| ACCOUNT.to_owned(), |settings| settings.owner);
    let keys = Keys::default().with("aws:ResourceAccount", owner.as_str()).with("s3:ResourceAccount", owner);
    let check = |permission: Permission| authorization.check(&permission.with(&keys), policy.as_ref());
    let (mut request, body) = with_body(&name, request).await?;
    let asked = Asked { s3, name: &name, target: &target, request: &request, body: &body };
    for permission in asked.permissions() {
        check(permission).map_err(denied)?;
    }
    if name == "DeleteObjects" {
        let mut reasons = DeniedDeletes::default();
        for object in deleted_objects(&body) {
            let permissions = target.delete(&object.key, object.version_id.as_deref(), object.e_tag.is_some());
            if let Err(message) = permissions.into_iter().try_for_each(check) {
                reasons.0.insert((object.key, object.version_id), message);
            }
        }
        request.extensions_mut().insert(reasons);
    }
    // Without the permission to list, a missing object looks like one that may not be read.
    let reads = ["GetObject", "HeadObject"].contains(&name.as_str()) && target.version.is_none();
    if reads && matches!(s3.current(&target.bucket, &target.key), Ok(Current::Missing | Current::DeleteMarker(_))) {
        check(Permission::new("s3:ListBucket", target.bucket_arn())).map_err(denied)?;
    }
    Ok(request)
}

fn denied(message: String) -> ServiceError {
    // S3 quotes the resource.
    let quoted = message.split_once(" on resource: ").and_then(|(before, after)| {
        let end = [" because ", " with an explicit deny"].iter().filter_map(|words| after.find(words)).min()?;
        Some(format!("{before} on resource: \"{}\"{}", &after[..end], &after[end..]))
    });
    ServiceError::new("AccessDenied", 403, quoted.unwrap_or(message))
}

fn has_known_key(s3: &S3, request: &Request<Body>) -> bool {
    let key = crate::protocol::request::scope(request).map(|scope| scope.access_key.to_owned());
    let presigned = || parameters(request).get("X-Amz-Credential")?.split('/').next().map(str::to_owned);
    key.or_else(presigned).is_some_and(|key| s3.account().iam.secret(&key).is_some())
}

/// The body of the requests whose permissions depend on it.
async fn with_body(name: &str, request: Request<Body>) -> Result<(Request<Body>, Bytes), ServiceError> {
    if !["DeleteObjects", "PutBucketReplication"].contains(&name) {
        return Ok((request, Bytes::new()));
    }
    let (head, body) = request.into_parts();
    let incomplete = |_| ServiceError::invalid("IncompleteBody", "The body of the request is incomplete.");
    let bytes = body.collect().await.map_err(incomplete)?.to_bytes();
    Ok((Request::from_parts(head, Body::from(bytes.clone())), bytes))
}

/// The bucket and the object that a request names.
struct Target {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Target {
    fn of<B>(request: &Request<B>) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        let bucket = aws_host(host_of(request)).map(|(bucket, _)| bucket).filter(|bucket| !bucket.is_empty());
        let (bucket, key) = match bucket {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let version = parameters(request).remove("versionId");
        Self { bucket: decoded(bucket), key: decoded(key), version }
    }

    fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    fn object_arn(&self, key: &str) -> String {
        format!("arn:aws:s3:::{}/{key}", self.bucket)
    }

    /// To delete an object; a version of it; or an object on a condition.
    fn delete(&self, key: &str, version: Option<&str>, conditional: bool) -> Vec<Permission> {
        let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        let keys = Keys::default().with_all("s3:VersionId", version.map(str::to_owned));
        let delete = Permission::new(action, self.object_arn(key)).with(&keys);
        // <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
        let read = conditional.then(|| Permission::new("s3:GetObject", self.object_arn(key)));
        std::iter::once(delete).chain(read).collect()
    }
}

/// A request, as far as its permissions depend on it.
struct Asked<'a> {
    s3: &'a S3,
    name: &'a str,
    target: &'a Target,
    request: &'a Request<Body>,
    body: &'a Bytes,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// What is needed for the request as a whole. `DeleteObjects` needs a permission for each object.
    fn permissions(&self) -> Vec<Permission> {
        let Target { bucket: _, key, version } = self.target;
        let (bucket_arn, object_arn) = (self.target.bucket_arn(), self.target.object_arn(key));
        let of_version = |plain: &str, versioned: &str| {
            let action = if version.is_some() { versioned } else { plain };
            let keys = Keys::default().with_all("s3:VersionId", version.clone());
            vec![Permission::new(action, object_arn.as_str()).with(&keys)]
        };
        let on_bucket = |action: &str| vec![Permission::new(action, bucket_arn.as_str())];
        let on_object = |action: &str| vec![Permission::new(action, object_arn.as_str())];
        if let Some((_, action)) = SETTINGS.iter().find(|(name, _)| *name == self.name) {
            let mut all = on_bucket(action);
            all.extend(self.passed_role());
            return all;
        }
        match self.name {
            "ListBuckets" => vec![Permission::new("s3:ListAllMyBuckets", "*")],
            "CreateBucket" => self.create_bucket(),
            "ListObjects" | "ListObjectsV2" => vec![self.list("s3:ListBucket")],
            "ListObjectVersions" => vec![self.list("s3:ListBucketVersions")],
            "GetObject" | "HeadObject" => of_version("s3:GetObject", "s3:GetObjectVersion"),
            "GetObjectAttributes" => {
                let mut all = of_version("s3:GetObject", "s3:GetObjectVersion");
                all.extend(of_version("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"));
                all
            }
            "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => self.write(),
            "CopyObject" | "UploadPartCopy" => {
                let mut all = self.write();
                all.extend(self.copy_source());
                all
            }
            "DeleteObject" => self.target.delete(key, version.as_deref(), self.header("if-match").is_some()),
            "DeleteObjects" => Vec::new(),
            "AbortMultipartUpload" => on_object("s3:AbortMultipartUpload"),
            "ListParts" => on_object("s3:ListMultipartUploadParts"),
            "GetObjectTagging" => of_version("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
            "PutObjectTagging" => of_version("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
            "DeleteObjectTagging" => of_version("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
            // An operation that is not in this table is allowed only to those who may do everything.
            other => vec![Permission::new(format!("s3:{other}"), "*")],
        }
    }

    fn create_bucket(&self) -> Vec<Permission> {
        let bucket = self.target.bucket_arn();
        let tags = self.request.extensions().get::<CreationTags>().map(|tags| tags.0.clone()).unwrap_or_default();
        let tags = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
        let keys = Keys::default().with_request_tags(&tags);
        let mut all = vec![Permission::new("s3:CreateBucket", bucket.as_str()).with(&keys)];
        if !tags.is_empty() {
            all.push(Permission::new("s3:TagResource", bucket.as_str()).with(&keys));
        }
        if self.header("x-amz-object-ownership").is_some() {
            all.push(Permission::new("s3:PutBucketOwnershipControls", bucket.as_str()));
        }
        if self.header("x-amz-acl").is_some() {
            all.push(Permission::new("s3:PutBucketAcl", bucket));
        }
        all
    }

    fn list(&self, action: &str) -> Permission {
        let mut query = parameters(self.request);
        let keys = ["prefix", "delimiter", "max-keys"]
            .iter()
            .fold(Keys::default(), |keys, name| keys.with_all(&format!("s3:{name}"), query.remove(*name)));
        Permission::new(action, self.target.bucket_arn()).with(&keys)
    }

    /// To write an object; with tags; on the condition that it is as it was read.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    fn write(&self) -> Vec<Permission> {
        let object = self.target.object_arn(&self.target.key);
        let keys = Keys::default()
            .with_all("s3:x-amz-acl", self.header("x-amz-acl").map(str::to_owned))
            .with_all("s3:x-amz-storage-class", self.header("x-amz-storage-class").map(str::to_owned))
            .with_all("s3:x-amz-server-side-encryption", self.header("x-amz-server-side-encryption").map(str::to_owned))
            .with_all("s3:if-none-match", self.header("if-none-match").map(str::to_owned))
            .with_all("s3:if-match", self.header("if-match").map(str::to_owned));
        let mut all = vec![Permission::new("s3:PutObject", object.as_str()).with(&keys)];
        if self.header("x-amz-tagging").is_some_and(|tags| !tags.is_empty()) {
            all.push(Permission::new("s3:PutObjectTagging", object.as_str()));
        }
        if self.header("x-amz-acl").is_some() {
            all.push(Permission::new("s3:PutObjectAcl", object.as_str()));
        }
        if self.header("if-match").is_some() {
            all.push(Permission::new("s3:GetObject", object));
        }
        all
    }

    /// To read the source of a copy, with its tags if they are copied.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    fn copy_source(&self) -> Vec<Permission> {
        let source = self.header("x-amz-copy-source").unwrap_or_default().trim_start_matches('/');
        let (path, version) = source.split_once("?versionId=").map_or((source, None), |(path, id)| (path, Some(id)));
        let path = percent_decode_str(path).decode_utf8_lossy();
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let arn = format!("arn:aws:s3:::{path}");
        let (read, read_tags) = match version {
            Some(_) => ("s3:GetObjectVersion", "s3:GetObjectVersionTagging"),
            None => ("s3:GetObject", "s3:GetObjectTagging"),
        };
        let mut all = vec![Permission::new(read, arn.as_str())];
        let replaced = self.header("x-amz-tagging-directive") == Some("REPLACE");
        let tagged = self.s3.object(bucket, key, version).is_ok_and(|source| !source.tags.is_empty());
        if tagged && !replaced && self.name == "CopyObject" {
            all.push(Permission::new(read_tags, arn));
            all.push(Permission::new("s3:PutObjectTagging", self.target.object_arn(&self.target.key)));
        }
        all
    }

    /// To give a replication configuration its role.
    fn passed_role(&self) -> Option<Permission> {
        if self.name != "PutBucketReplication" {
            return None;
        }
        let keys = Keys::default().with("iam:PassedToService", "s3.amazonaws.com");
        let configuration: Replication = quick_xml::de::from_reader(xml_of(self.body)).ok()?;
        Some(Permission::new("iam:PassRole", configuration.role).with(&keys))
    }
}

/// The actions of operations on a bucket and its settings, whose names often differ.
const SETTINGS: [(&str, &str); 38] = [
    ("HeadBucket", "s3:ListBucket"),
    ("DeleteBucket", "s3:DeleteBucket"),
    ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("GetBucketLocation", "s3:GetBucketLocation"),
    ("GetBucketVersioning", "s3:GetBucketVersioning"),
    ("PutBucketVersioning", "s3:PutBucketVersioning"),
    ("GetBucketWebsite", "s3:GetBucketWebsite"),
    ("PutBucketWebsite", "s3:PutBucketWebsite"),
    ("DeleteBucketWebsite", "s3:DeleteBucketWebsite"),
    ("GetBucketPolicy", "s3:GetBucketPolicy"),
    ("PutBucketPolicy", "s3:PutBucketPolicy"),
    ("DeleteBucketPolicy", "s3:DeleteBucketPolicy"),
    ("GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("GetBucketOwnershipControls", "s3:GetBucketOwnershipControls"),
    ("PutBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
    ("DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
    ("GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("DeleteBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("GetBucketCors", "s3:GetBucketCORS"),
    ("PutBucketCors", "s3:PutBucketCORS"),
    ("DeleteBucketCors", "s3:PutBucketCORS"),
    ("GetBucketTagging", "s3:GetBucketTagging"),
    ("PutBucketTagging", "s3:PutBucketTagging"),
    ("DeleteBucketTagging", "s3:PutBucketTagging"),
    ("GetBucketReplication", "s3:GetReplicationConfiguration"),
    ("PutBucketReplication", "s3:PutReplicationConfiguration"),
    ("DeleteBucketReplication", "s3:PutReplicationConfiguration"),
    ("GetBucketAcl", "s3:GetBucketAcl"),
    ("PutBucketAcl", "s3:PutBucketAcl"),
    ("GetBucketLogging", "s3:GetBucketLogging"),
    ("PutBucketLogging", "s3:PutBucketLogging"),
    ("GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replication {
    role: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Delete {
    object: Vec<ObjectToDelete>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectToDelete {
    key: String,
    version_id: Option<String>,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
}

fn deleted_objects(body: &Bytes) -> Vec<ObjectToDelete> {
    quick_xml::de::from_reader::<_, Delete>(xml_of(body)).unwrap_or_default().object
}

/// The document in a body, which may be sent in chunks with signatures between them.
fn xml_of(body: &Bytes) -> &[u8] {
    let start = body.iter().position(|byte| *byte == b'<').unwrap_or_default();
    let end = body.iter().rposition(|byte| *byte == b'>').map_or(body.len(), |end| end + 1);
    body.get(start..end).unwrap_or_default()
}
