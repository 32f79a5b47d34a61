//! Errors of AWS calls, in classes that a caller can act on.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use twinsite_core::Cancelled;
use twinsite_core::wait::WaitError;

/// Classes of errors by what a caller can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The resource or setting does not exist.
    Absent,
    /// The credentials lack the permission.
    Denied,
    /// No credentials were found, or the profile does not exist.
    NoCredentials,
    /// The credentials are invalid or expired.
    BadCredentials,
    /// The local clock deviates too far for signed requests.
    ClockSkew,
    /// AWS could not be reached.
    Network,
    /// Requests were throttled beyond the retries.
    Throttled,
    /// The service has responded that it is out of order (5xx).
    Unavailable,
    /// The name is taken, or another change of the same resource is in progress.
    Conflict,
    /// A condition on the request (`If-Match`, `If-None-Match`) did not hold.
    Precondition,
    /// The region is not enabled for this account.
    RegionDisabled,
    /// The run was cancelled while a call or a wait was in progress.
    Interrupted,
    /// A state was not reached before its deadline.
    TimedOut,
    /// Anything else.
    Other,
}

/// A failed call: the operation, its subject and the reason.
#[derive(Debug)]
pub struct AwsError {
    /// The operation's AWS name: `PutBucketPolicy`.
    pub operation: &'static str,
    /// The subject: a bucket, an object, a hosted zone.
    pub subject: String,
    /// The class.
    pub kind: Kind,
    /// The service's error code, if it responded.
    pub code: Option<String>,
    /// The service's message, or the innermost cause.
    pub message: String,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The id to quote to AWS support.
    pub request_id: Option<String>,
    source: Box<dyn Error + Send + Sync>,
}

impl AwsError {
    /// Classifies an SDK error.
    pub fn new<E>(operation: &'static str, subject: impl fmt::Display, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let request_id = request_id(error.raw_response());
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let message = error.as_service_error().and_then(ProvideErrorMetadata::message).map(str::to_owned);
        let kind = match &code {
            Some(code) if is_of_another_time(code, message.as_deref()) => Kind::ClockSkew,
            Some(code) => kind_of_code(code, status),
            None if error.as_service_error().is_some() => kind_of_status(status),
            None => kind_of_cause(&error),
        };
        let message = message.filter(|message| !message.trim().is_empty());
        let message = message.unwrap_or_else(|| match (error.raw_response(), &code) {
            // A refusal that does not say why.
            (Some(_), Some(code)) => code.clone(),
            (Some(response), None) if response.status().is_success() && is_web_page(response) => web_page(response),
            (Some(response), None) if response.status().is_success() => {
                format!("unexpected response: {}; {}", innermost(&error), undocumented(response))
            }
            (Some(response), None) => undocumented(response),
            (None, _) => innermost(&error),
        });
        let subject = subject.to_string();
        Self { operation, subject, kind, code, message, status, request_id, source: Box::new(error) }
    }

    /// A response that violates the service's documented behaviour, or a request that could not be built.
    pub fn unexpected(
        operation: &'static str,
        subject: impl fmt::Display,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        let message = format!("unexpected response: {source}");
        Self::of_kind(Kind::Other, operation, subject, message, source)
    }

    /// A well-formed response that rules the operation out, or a precondition that does not hold.
    pub fn refused(operation: &'static str, subject: impl fmt::Display, why: impl Into<String>) -> Self {
        let message = why.into();
        let source = message.clone().into();
        Self::of_kind(Kind::Other, operation, subject, message, source)
    }

    /// The end of a wait without a result. A cancelled wait has the kind [`Kind::Interrupted`] and the source
    /// [`Cancelled`](twinsite_core::Cancelled); an expired one has the kind [`Kind::TimedOut`].
    pub fn from_wait(operation: &'static str, subject: impl fmt::Display, error: WaitError<Self>) -> Self {
        let message = format!("{error}; repeat the command to continue");
        match error {
            WaitError::Poll(error) => error,
            WaitError::Cancelled { .. } => {
                Self::of_kind(Kind::Interrupted, operation, subject, message, Cancelled.into())
            }
            WaitError::TimedOut { .. } => {
                Self::of_kind(Kind::TimedOut, operation, subject, message.clone(), message.into())
            }
        }
    }

    /// A call that was not made, because the run was cancelled.
    pub fn interrupted(operation: &'static str, subject: impl fmt::Display) -> Self {
        Self::of_kind(Kind::Interrupted, operation, subject, Cancelled.to_string(), Cancelled.into())
    }

    fn of_kind(
        kind: Kind,
        operation: &'static str,
        subject: impl fmt::Display,
        message: String,
        source: Box<dyn Error + Send + Sync>,
    ) -> Self {
        let subject = subject.to_string();
        Self { operation, subject, kind, code: None, message, status: None, request_id: None, source }
    }

    /// True if the service could not be reached, or answered that it is out of order. Throttling does not count: it passes.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, Kind::Network | Kind::Unavailable)
    }

    /// True if the service does not know the operation, or one of its headers.
    pub fn is_not_implemented(&self) -> bool {
        let code = self.code.as_deref().is_some_and(|code| {
            ["NotImplemented", "UnsupportedOperation", "UnsupportedArgument", "NotSupported"].contains(&code)
        });
        code || self.status == Some(501)
    }

    /// True if the server does not have the operation at all: a store or an emulator that offers only some services of AWS. Such
    /// servers respond in many ways, but none of them in those that services of AWS have for requests that they know.
    pub fn is_unknown_operation(&self) -> bool {
        match self.code.as_deref() {
            Some(code) => {
                let codes = ["InvalidAction", "UnknownOperation", "UnknownOperationException", "MethodNotAllowed"];
                codes.contains(&code) || self.is_not_implemented()
            }
            None => matches!(self.status, Some(400 | 404 | 405 | 501)),
        }
    }

    /// Converts [`Kind::Absent`] into `None`, for reads to which absence is a result.
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

/// The host and port that a response came from. Attached to responses by the HTTP client, since the SDK's errors do not name it.
#[derive(Clone, Debug, Default)]
pub struct ResponseHost(Option<String>);

impl ResponseHost {
    /// A host, if it is known.
    pub fn of(host: Option<&str>) -> Self {
        Self(host.map(str::to_owned))
    }
}

/// At most so many bytes of a response are shown.
const SHOWN: usize = 200;

/// What there is to say about an error that is not in the form of AWS: of a proxy, a load balancer or another kind of server.
fn undocumented(response: &HttpResponse) -> String {
    let status = response.status().as_u16();
    let host = response.extension::<ResponseHost>().and_then(|host| host.0.as_deref());
    let from = host.map(|host| format!(" from {host}")).unwrap_or_default();
    let body = response.body().bytes().unwrap_or_default();
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).trim().escape_debug().to_string();
    let rest = if body.len() > SHOWN { "…" } else { "" };
    let body = if shown.is_empty() { "no message".to_owned() } else { format!("{shown}{rest}") };
    format!("status {status}{from}, {body}")
}

/// Whether a response is a page for people: of a captive portal, a proxy or a login.
fn is_web_page(response: &HttpResponse) -> bool {
    let body = response.body().bytes().unwrap_or_default();
    let start = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).trim_start().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn web_page(response: &HttpResponse) -> String {
    let status = response.status().as_u16();
    let host = response.extension::<ResponseHost>().and_then(|host| host.0.as_deref());
    let from = host.map(|host| format!(" from {host}")).unwrap_or_default();
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned();
    let title = body.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let title = title.map(|(title, _)| title.trim()).filter(|title| !title.is_empty() && title.len() <= SHOWN);
    let title = title.map(|title| format!(" (\"{}\")", title.escape_debug())).unwrap_or_default();
    format!(
        "a web page{title} with status {status}{from} instead of a response of AWS: of a proxy, or of a network that asks to sign in"
    )
}

fn request_id(response: Option<&HttpResponse>) -> Option<String> {
    let headers = response?.headers();
    let names = ["x-amz-request-id", "x-amzn-requestid"];
    names.iter().find_map(|name| headers.get(name)).map(str::to_owned)
}

/// True if a signature was refused for its time. All services but S3 have the same code then as for a wrong key:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>.
fn is_of_another_time(code: &str, message: Option<&str>) -> bool {
    let of_time = ["Signature expired", "Signature not yet current"];
    ["SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "RequestExpired"].contains(&code)
        && message.is_some_and(|message| of_time.iter().any(|start| message.starts_with(start)))
}

/// The class of a service's error code.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn kind_of_code(code: &str, status: Option<u16>) -> Kind {
    match code {
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "UnauthorizedOperation" => Kind::Denied,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
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
        | "PriorRequestNotComplete" => Kind::Throttled,
        // <https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html>
        "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceError"
        | "InternalErrorException" => Kind::Unavailable,
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

/// The class of a response without a body, as to `HeadObject` and `HeadBucket`.
fn kind_of_status(status: Option<u16>) -> Kind {
    match status {
        Some(404) => Kind::Absent,
        Some(403) => Kind::Denied,
        Some(409) => Kind::Conflict,
        Some(412) => Kind::Precondition,
        Some(429) => Kind::Throttled,
        // 501 is the response of a server that does not have the operation.
        Some(500 | 502..) => Kind::Unavailable,
        _ => Kind::Other,
    }
}

fn kind_of_cause<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Kind {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<Cancelled>() {
            return Kind::Interrupted;
        }
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            let none = matches!(
                credentials,
                CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)
            );
            return if none { Kind::NoCredentials } else { Kind::BadCredentials };
        }
        cause = error.source();
    }
    // Everything but a request that could not be built: the client does not always classify a broken connection as such.
    let offline = matches!(error, SdkError::DispatchFailure(failure) if !failure.is_user());
    if offline || matches!(error, SdkError::TimeoutError(_)) { Kind::Network } else { Kind::Other }
}

/// The innermost cause; the outer ones are generic ("dispatch failure").
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
    fn a_signature_of_another_time_is_told_from_one_of_another_key() {
        let late =
            "Signature expired: 20261128T120000Z is now earlier than 20261128T124500Z (20261128T130000Z - 15 min.)";
        let early = "Signature not yet current: 20261128T140000Z is still later than 20261128T131500Z";
        let key = "The request signature we calculated does not match the signature you provided.";
        for (code, message, is_of_time) in [
            ("SignatureDoesNotMatch", late, true),
            ("InvalidSignatureException", early, true),
            ("SignatureDoesNotMatch", key, false),
            ("AccessDenied", late, false),
        ] {
            assert_eq!(is_of_another_time(code, Some(message)), is_of_time, "{code}: {message}");
        }
    }

    #[test]
    fn codes_and_statuses_are_classified() {
        for (code, kind) in [
            ("NoSuchBucketPolicy", Kind::Absent),
            ("NoSuchPublicAccessBlockConfiguration", Kind::Absent),
            ("OwnershipControlsNotFoundError", Kind::Absent),
            ("ExpiredToken", Kind::BadCredentials),
            ("RequestTimeTooSkewed", Kind::ClockSkew),
            ("SlowDown", Kind::Throttled),
            ("ServiceUnavailable", Kind::Unavailable),
            ("MalformedXML", Kind::Other),
        ] {
            assert_eq!(kind_of_code(code, Some(400)), kind, "{code}");
        }
        assert_eq!(kind_of_status(Some(404)), Kind::Absent);
        assert_eq!(kind_of_code("SomethingNew", Some(403)), Kind::Denied);
    }
}
