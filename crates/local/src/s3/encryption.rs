//! Encryption with keys of KMS. The bytes are not encrypted; what S3 answers is as if they were.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{BucketSettings, Doc, S3};
use crate::context::{ACCOUNT, random_id};

/// How an object is encrypted when not with S3's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kms {
    /// The ARN of the key.
    pub key: String,
    /// Whether a key of the bucket is used.
    pub bucket_key: bool,
    /// Whether there are two layers: `aws:kms:dsse`.
    #[serde(default)]
    pub dual_layer: bool,
}

impl Kms {
    /// A key by its ARN or id; without one, the key that AWS manages for S3.
    pub(super) fn new(key: Option<&str>, bucket_key: bool, region: &str) -> Self {
        let key = key.unwrap_or("alias/aws/s3");
        let kind = if key.starts_with("alias/") { "" } else { "key/" };
        let arn = format!("arn:aws:kms:{region}:{ACCOUNT}:{kind}{key}");
        Self { key: if key.starts_with("arn:") { key.to_owned() } else { arn }, bucket_key, dual_layer: false }
    }

    /// The same in two layers, for which there are no keys of the bucket.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html>
    pub(super) fn in_two_layers(self) -> Self {
        Self { bucket_key: false, dual_layer: true, ..self }
    }

    /// The default encryption of a bucket; `None` for S3's own keys.
    pub(super) fn default_of(settings: &BucketSettings) -> Option<Self> {
        let text = settings.docs.get(&Doc::Encryption)?;
        let rules: Configuration = quick_xml::de::from_str(text).ok()?;
        let Rule { apply_server_side_encryption_by_default: default, bucket_key_enabled } = rules.rule?;
        let default = default.filter(|default| default.sse_algorithm.starts_with("aws:kms"))?;
        let kms = Self::new(default.kms_master_key_id.as_deref(), bucket_key_enabled, &settings.region);
        Some(if default.sse_algorithm == "aws:kms:dsse" { kms.in_two_layers() } else { kms })
    }
}

impl S3 {
    /// Whether a bucket encrypts with a key of KMS by default.
    pub(super) fn encrypts(&self, bucket: &str) -> bool {
        self.bucket(bucket).is_some_and(|settings| Kms::default_of(&settings).is_some())
    }
}

/// An `ETag` that is no MD5 of the bytes, as of all objects that are encrypted with a key of KMS.
pub(super) fn opaque_etag() -> String {
    hex::encode(Md5::digest(random_id()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    rule: Option<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    apply_server_side_encryption_by_default: Option<Default>,
    #[serde(default)]
    bucket_key_enabled: bool,
}

#[derive(Deserialize)]
struct Default {
    #[serde(rename = "SSEAlgorithm")]
    sse_algorithm: String,
    #[serde(rename = "KMSMasterKeyID")]
    kms_master_key_id: Option<String>,
}
