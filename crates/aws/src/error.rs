//! Errors of AWS calls, in classes that a caller can act on.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What a caller may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The resource or setting is not there.
    Absent,
    /// These credentials may not do this.
    Denied,
    /// There are no credentials, or the profile is unknown.
    NoCredentials,
    /// The credentials are not, or no longer, valid.
    BadCredentials,
    /// This machine's clock is too far off for signed requests.
    ClockSkew,
    /// AWS could not be reached.
    Network,
    /// AWS asked for slower requests, and the retries were not enough.
    Throttled,
    /// Somebody else has that name, or is changing the same resource.
    Conflict,
    /// A condition on the request (`If-Match`, `If-None-Match`) did not hold.
    Precondition,
    /// The region is not enabled for this account.
    RegionDisabled,
    /// Anything else.
    Other,
}

/// A call that failed: which, on what, and why.
#[derive(Debug)]
pub struct AwsError {
    /// The operation's AWS name: `PutBucketPolicy`.
    pub operation: &'static str,
    /// What it was about: a bucket, an object, a hosted zone.
    pub subject: String,
    /// What can be done about it.
    pub kind: Kind,
    /// The service's error code, should it have answered.
    pub code: Option<String>,
    /// The service's message, or the innermost cause.
    pub message: String,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    source: Box<dyn Error + Send + Sync>,
}

impl AwsError {
    /// Reads an SDK error.
    pub fn new<E>(operation: &'static str, subject: impl fmt::Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let request_id = request_id(error.raw_response());
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message).map(str::to_owned);
        let kind = match &code {
            Some(code) => kind_of_code(code, status),
            None if error.as_service_error().is_some() => kind_of_status(status),
            None => kind_of_cause(&error),
        };
        let message = message.unwrap_or_else(|| innermost(&error));
        Self { operation, subject: subject.to_string(), kind, code, message, request_id, source: Box::new(error) }
    }

    /// For an answer that came, but cannot be.
    pub fn unexpected(
        operation: &'static str,
        subject: impl fmt::Display,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        let message = format!("the answer makes no sense: {source}");
        let subject = subject.to_string();
        Self { operation, subject, kind: Kind::Other, code: None, message, request_id: None, source }
    }

    /// For an answer that is clear, and means that this cannot be done.
    pub fn refused(operation: &'static str, subject: impl fmt::Display, why: impl Into<String>) -> Self {
        let (subject, message) = (subject.to_string(), why.into());
        let source = message.clone().into();
        Self { operation, subject, kind: Kind::Other, code: None, message, request_id: None, source }
    }

    /// `None` when the resource or setting is not there, which is an answer and not an error to those who only look.
    pub fn absent<T>(result: Result<T, Self>) -> Result<Option<T>, Self> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == Kind::Absent => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, subject, message, code, .. } = self;
        write!(f, "{operation} on `{subject}`: {message}")?;
        match code {
            Some(code) if code != message => write!(f, " ({code})"),
            Some(_) | None => Ok(()),
        }
    }
}

impl Error for AwsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

fn request_id(response: Option<&HttpResponse>) -> Option<String> {
    let headers = response?.headers();
    let names = ["x-amz-request-id", "x-amzn-requestid"];
    names.iter().find_map(|name| headers.get(name)).map(str::to_owned)
}

/// The error codes of the services, sorted by what can be done about them.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn kind_of_code(code: &str, status: Option<u16>) -> Kind {
    match code {
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "UnauthorizedOperation" => Kind::Denied,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "TokenRefreshRequired" => Kind::BadCredentials,
        "RequestTimeTooSkewed" | "RequestExpired" => Kind::ClockSkew,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttled"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ServiceUnavailable"
        | "PriorRequestNotComplete" => Kind::Throttled,
        "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "OperationAborted"
        | "BucketNotEmpty"
        | "ConditionalRequestConflict" => Kind::Conflict,
        "PreconditionFailed" => Kind::Precondition,
        "OptInRequired" | "InvalidRegion" | "IllegalLocationConstraintException" | "RegionDisabledException" => {
            Kind::RegionDisabled
        }
        "NotFound"
        | "NotFoundException"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "NoSuchConfiguration"
        | "ReplicationConfigurationNotFoundError"
        | "OwnershipControlsNotFoundError"
        | "ServerSideEncryptionConfigurationNotFoundError" => Kind::Absent,
        _ if code.starts_with("NoSuch") => Kind::Absent,
        _ => kind_of_status(status),
    }
}

/// For answers without a body, as `HeadObject`'s and `HeadBucket`'s are.
fn kind_of_status(status: Option<u16>) -> Kind {
    match status {
        Some(404) => Kind::Absent,
        Some(403) => Kind::Denied,
        Some(409) => Kind::Conflict,
        Some(412) => Kind::Precondition,
        Some(429 | 503) => Kind::Throttled,
        _ => Kind::Other,
    }
}

fn kind_of_cause<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Kind {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            let none = matches!(
                credentials,
                CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)
            );
            return if none { Kind::NoCredentials } else { Kind::BadCredentials };
        }
        cause = error.source();
    }
    // Everything but a request that could not be made; a connection that breaks is not always known as such to the client.
    let offline = matches!(error, SdkError::DispatchFailure(failure) if !failure.is_user());
    if offline || matches!(error, SdkError::TimeoutError(_)) { Kind::Network } else { Kind::Other }
}

/// The innermost cause: the outer ones only say "dispatch failure".
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_are_sorted_by_what_can_be_done() {
        for (code, kind) in [
            ("NoSuchBucketPolicy", Kind::Absent),
            ("NoSuchPublicAccessBlockConfiguration", Kind::Absent),
            ("OwnershipControlsNotFoundError", Kind::Absent),
            ("ExpiredToken", Kind::BadCredentials),
            ("RequestTimeTooSkewed", Kind::ClockSkew),
            ("SlowDown", Kind::Throttled),
            ("MalformedXML", Kind::Other),
        ] {
            assert_eq!(kind_of_code(code, Some(400)), kind, "{code}");
        }
        assert_eq!(kind_of_status(Some(404)), Kind::Absent);
        assert_eq!(kind_of_code("SomethingNew", Some(403)), Kind::Denied);
    }
}
