//! Outputs of steps: values that are known only after apply. [`Plan::new`](crate::Plan::new) proves that each one is
//! produced by an earlier step.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{Arn, BucketName, Domain, Invalid, Region, StepId};

/// A host name assigned by a service, such as a distribution's `d111.cloudfront.net`: a DNS name in lower case, without the
/// trailing dot. Underscores are legal, as in the targets of validation records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(String);

impl Host {
    /// The maximum length of a DNS name in bytes, without the trailing dot.
    pub const MAX_LEN: usize = 253;

    /// The host of the S3 website endpoints of a region, without a bucket.
    pub fn website(region: &Region) -> Self {
        Self(region.website_host())
    }

    /// The host of the S3 website endpoint of a bucket.
    pub fn bucket_website(bucket: &BucketName, region: &Region) -> Self {
        Self(format!("{bucket}.{}", region.website_host()))
    }

    /// The host of the S3 website endpoint of the bucket that bears a domain name.
    pub fn domain_website(domain: &Domain, region: &Region) -> Self {
        Self(format!("{domain}.{}", region.website_host()))
    }

    /// The host name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Domain> for Host {
    fn from(domain: &Domain) -> Self {
        Self(domain.as_str().to_owned())
    }
}

impl FromStr for Host {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = |rule: &str| Err(Invalid::new("host name", text, rule));
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.len() > Self::MAX_LEN {
            return invalid("is longer than the 253 characters that DNS allows");
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        for label in name.split('.') {
            if !(1..=63).contains(&label.len()) {
                return invalid("has a label that is empty or longer than 63 characters");
            }
            if label.starts_with('-') || label.ends_with('-') || !label.bytes().all(legal) {
                return invalid("may have only letters, digits, underscores and inner hyphens in its labels");
            }
        }
        Ok(Self(name))
    }
}

/// An id assigned by a service: of a health check, a distribution, an invalidation, an origin access control. 1 to 128
/// printable ASCII characters without spaces and slashes, so it can be part of a request path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// The maximum length in bytes.
    pub const MAX_LEN: usize = 128;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let legal = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        if legal && (1..=Self::MAX_LEN).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                "resource id",
                text,
                "must have 1 to 128 printable ASCII characters without spaces and slashes",
            ))
        }
    }
}

/// The CNAME record with which ACM validates that a domain name is controlled by the account.
/// <https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidationRecord {
    /// The record's name.
    pub name: String,
    /// The record's value.
    pub value: String,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The validation records of a certificate, by the names that it covers. A wildcard has the record of its parent name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValidationRecords(pub BTreeMap<String, ValidationRecord>);

impl ValidationRecords {
    /// The record of a name that the certificate covers.
    pub fn get(&self, name: &str) -> Option<&ValidationRecord> {
        self.0.get(name)
    }

    /// Whether it is one of the records.
    pub fn contains(&self, record: &ValidationRecord) -> bool {
        self.0.values().any(|other| other == record)
    }
}

impl fmt::Display for ValidationRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: Vec<String> = self.0.values().map(ToString::to_string).collect();
        f.pad(&records.join(", "))
    }
}

impl fmt::Display for ValidationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} CNAME {}", self.name, self.value)
    }
}

/// A value that a step produces and later steps may need. Crates exchange values through these types only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The ARN of the resource.
    Arn(Arn),
    /// The host name of the resource.
    Host(Host),
    /// The id of the resource.
    Id(ResourceId),
    /// The validation records of a certificate.
    ValidationRecords(ValidationRecords),
}

/// The kind of an [`Output`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputKind {
    /// See [`Output::Arn`].
    Arn,
    /// See [`Output::Host`].
    Host,
    /// See [`Output::Id`].
    Id,
    /// See [`Output::ValidationRecords`].
    ValidationRecords,
}

impl Output {
    /// The kind of this output.
    pub fn kind(&self) -> OutputKind {
        match self {
            Self::Arn(_) => OutputKind::Arn,
            Self::Host(_) => OutputKind::Host,
            Self::Id(_) => OutputKind::Id,
            Self::ValidationRecords(_) => OutputKind::ValidationRecords,
        }
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arn => "the ARN",
            Self::Host => "the host name",
            Self::Id => "the id",
            Self::ValidationRecords => "the validation records",
        })
    }
}

/// A type that is carried by one kind of [`Output`].
pub trait OutputType: Sized {
    /// The kind that carries it.
    const KIND: OutputKind;
    /// The value, or `None` for an output of another kind.
    fn from_output(output: &Output) -> Option<Self>;
}

macro_rules! output_type {
    ($type:ident, $kind:ident) => {
        impl OutputType for $type {
            const KIND: OutputKind = OutputKind::$kind;

            fn from_output(output: &Output) -> Option<Self> {
                match output {
                    Output::$kind(value) => Some(value.clone()),
                    _ => None,
                }
            }
        }
    };
}

output_type!(Arn, Arn);
output_type!(Host, Host);
output_type!(ResourceId, Id);
output_type!(ValidationRecords, ValidationRecords);

/// A value needed by a step: known when the plan is made, or an output of an earlier step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deferred<T> {
    /// Known when the plan was made.
    Known(T),
    /// An output of this step.
    After(StepId),
}

/// An input of a step: an output of another step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The step that produces the value.
    pub from: StepId,
    /// The kind of value.
    pub kind: OutputKind,
}

impl<T: OutputType> Deferred<T> {
    /// The input that the plan must be able to satisfy; `None` for a known value.
    pub fn need(&self) -> Option<Need> {
        match self {
            Self::Known(_) => None,
            Self::After(from) => Some(Need { from: from.clone(), kind: T::KIND }),
        }
    }

    /// The value, once the earlier steps have run; `None` if the step did not produce the output that it had declared.
    pub fn resolve(&self, outputs: &Outputs) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Known(value) => Some(value.clone()),
            Self::After(step) => outputs.of(step).iter().find_map(T::from_output),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::After(step) => write!(f, "(known after {step})"),
        }
    }
}

/// The outputs of the steps that have run.
#[derive(Clone, Debug, Default)]
pub struct Outputs(BTreeMap<StepId, Vec<Output>>);

impl Outputs {
    /// The outputs of a step; empty if it has none or has not run.
    pub fn of(&self, step: &StepId) -> &[Output] {
        self.0.get(step).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn record(&mut self, step: StepId, outputs: Vec<Output>) {
        self.0.insert(step, outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deferred_value_is_resolved_from_the_outputs_of_its_step() {
        let arn: Arn = "arn:aws:s3:::b".parse().unwrap();
        let mut outputs = Outputs::default();
        outputs.record("d".into(), vec![Output::Id("E1".parse().unwrap()), Output::Arn(arn.clone())]);
        let deferred: Deferred<Arn> = Deferred::After("d".into());
        assert_eq!(deferred.to_string(), "(known after d)");
        assert_eq!(deferred.resolve(&outputs), Some(arn.clone()));
        assert_eq!(Deferred::<Arn>::After("x".into()).resolve(&outputs), None);
        assert_eq!(Deferred::Known(arn.clone()).resolve(&Outputs::default()), Some(arn));
    }

    #[test]
    fn hosts_are_checked_and_normalized() {
        let host = |text: &str| text.parse::<Host>().map(|host| host.to_string());
        assert_eq!(host("D111.CloudFront.net.").as_deref(), Ok("d111.cloudfront.net"));
        for good in ["localhost", "_x.acm-validations.aws", "www.example.com.s3-website-us-west-2.amazonaws.com"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        let long = format!("{}.com", ["a"; 126].join("."));
        for bad in ["", ".", "a..b", "a b.com", "-a.com", "a-.com", "https://a.com", "bücher.example", &long] {
            assert!(host(bad).is_err(), "{bad}");
        }
        assert!(host(&format!("{}.com", "a".repeat(64))).is_err());
    }

    #[test]
    fn resource_ids_fit_into_a_request_path() {
        for good in ["E2EXAMPLE", "hc-000000000004", "Z2FDTNDATAQYW2", "0a1b2c3d-0000-4000-8000-0123456789ab"] {
            assert_eq!(good.parse::<ResourceId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "ü", "a\n", &"x".repeat(129)] {
            assert!(bad.parse::<ResourceId>().is_err(), "{bad}");
        }
    }
}
