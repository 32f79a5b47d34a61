//! Certificates in the types of the ACM SDK.

use aws_sdk_acm::error::BuildError;
use aws_sdk_acm::primitives::DateTime;
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus as SdkStatus, Tag};
use twinsite_aws::Tags;
use twinsite_core::{Arn, ValidationRecord};

use crate::model::{Certificate, CertificateStatus};

pub(crate) fn certificate(arn: Arn, detail: &CertificateDetail, tags: Tags) -> Certificate {
    let status = match detail.status() {
        Some(SdkStatus::Issued) => CertificateStatus::Issued,
        Some(SdkStatus::PendingValidation) => CertificateStatus::PendingValidation,
        other => {
            let reason = detail.failure_reason().map(|reason| reason.as_str().to_owned());
            CertificateStatus::Failed(reason.unwrap_or_else(|| other.map_or("UNKNOWN", SdkStatus::as_str).to_owned()))
        }
    };
    let record = detail.domain_validation_options().first().and_then(|option| option.resource_record());
    Certificate {
        arn,
        status,
        tags,
        validation_record: record
            .map(|record| ValidationRecord { name: record.name.clone(), value: record.value.clone() }),
        used_by: detail.in_use_by().to_vec(),
        not_after: detail.not_after().map(DateTime::secs),
    }
}

pub(crate) fn from_sdk_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect()
}

pub(crate) fn to_sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
