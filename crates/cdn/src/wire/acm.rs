//! Certificates in the types of the ACM SDK.

use aws_sdk_acm::error::BuildError;
use aws_sdk_acm::primitives::DateTime;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus as SdkStatus, CertificateSummary as SdkSummary, CertificateType, Tag,
};
use twinsite_aws::Tags;
use twinsite_core::{Arn, ValidationRecord, ValidationRecords};

use crate::model::{Certificate, CertificateStatus};

/// An entry of the list of certificates.
pub(crate) struct CertificateSummary {
    pub(crate) arn: String,
    /// The first 100 names that the certificate covers.
    pub(crate) names: Vec<String>,
}

pub(crate) fn summary(from: SdkSummary) -> Option<CertificateSummary> {
    let mut names = from.subject_alternative_name_summaries.unwrap_or_default();
    names.extend(from.domain_name);
    Some(CertificateSummary { arn: from.certificate_arn?, names })
}

pub(crate) fn certificate(arn: Arn, detail: &CertificateDetail, tags: Tags) -> Certificate {
    Certificate {
        arn,
        names: detail.subject_alternative_names().to_vec(),
        status: status(detail),
        tags,
        validation_records: validation_records(detail),
        imported: detail.r#type() == Some(&CertificateType::Imported),
        used_by: detail.in_use_by().to_vec(),
        not_after: detail.not_after().map(DateTime::secs),
        created: detail.created_at().map(DateTime::secs),
    }
}

fn status(detail: &CertificateDetail) -> CertificateStatus {
    match detail.status() {
        Some(SdkStatus::Issued) => CertificateStatus::Issued,
        Some(SdkStatus::PendingValidation) => CertificateStatus::PendingValidation,
        other => {
            let reason = detail.failure_reason().map(|reason| reason.as_str().to_owned());
            let status = other.map_or("UNKNOWN", SdkStatus::as_str).to_owned();
            CertificateStatus::Failed(reason.unwrap_or(status))
        }
    }
}

fn validation_records(detail: &CertificateDetail) -> ValidationRecords {
    let options = detail.domain_validation_options().iter();
    let records = options.filter_map(|option| {
        let record = option.resource_record()?;
        let record = ValidationRecord { name: record.name.clone(), value: record.value.clone() };
        Some((option.domain_name().to_owned(), record))
    });
    ValidationRecords(records.collect())
}

pub(crate) fn from_sdk_tags(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect()
}

pub(crate) fn to_sdk_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
