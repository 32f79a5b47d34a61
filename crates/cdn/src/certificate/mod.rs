//! The certificate: one that is there already, one that is requested, or one that was named.

pub(crate) mod calls;
mod diff;

pub(crate) use diff::{destroy, steps};

use twinsite_aws::Tags;
use twinsite_core::{Arn, ValidationRecord};

/// The step that requests a certificate.
pub(crate) const REQUEST: &str = "certificate/request";
/// The step that waits until it is issued.
pub(crate) const ISSUED: &str = "certificate/issued";
/// The step that writes the record that proves the name; it belongs to whoever manages DNS.
pub const PROOF_STEP: &str = "dns/certificate-record";

/// A certificate that covers the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: Arn,
    /// Where it is in its life.
    pub status: Status,
    /// Its tags.
    pub tags: Tags,
    /// The record that proves the name; `None` for imported ones.
    pub proof: Option<ValidationRecord>,
    /// True when it was issued elsewhere.
    pub imported: bool,
    /// What uses it, by ARN.
    pub used_by: Vec<String>,
    /// When it is no longer valid, in seconds since 1970.
    pub not_after: Option<i64>,
}

/// Where a certificate is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It can be used.
    Issued,
    /// Its record is not seen yet.
    Pending,
    /// It will never be issued: ACM's reason.
    Failed(String),
}

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates {
    /// Those that cover the name, in no order.
    pub covering: Vec<Certificate>,
    /// The one that was named, should it be there.
    pub named: Option<Certificate>,
}

/// What a reason of ACM's means, in the words of somebody who can do something about it.
/// <https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html>
pub fn explain(reason: &str) -> &'static str {
    match reason {
        "CAA_ERROR" => {
            "a CAA record of the domain forbids Amazon to issue: add one that allows amazon.com, or remove it, and apply again"
        }
        "VALIDATION_TIMED_OUT" => {
            "the validation record was not seen for 72 hours: check that the registrar points to this hosted zone's name \
             servers, and apply again"
        }
        "DOMAIN_NOT_ALLOWED" | "ADDITIONAL_VERIFICATION_REQUIRED" => {
            "ACM wants to hear from you about this domain: open a case with AWS Support, or import a certificate"
        }
        "INVALID_PUBLIC_DOMAIN" => "the domain does not exist publicly: check its spelling and its registration",
        "DOMAIN_VALIDATION_DENIED" => "validation was denied: request again, or import a certificate",
        _ => "see the certificate in the ACM console of us-east-1, and apply again",
    }
}
