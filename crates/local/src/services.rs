//! The services whose requests are small and read whole: every one but S3.

use bytes::Bytes;
use http::{Request, Response};
use s3s::Body;

use crate::context::{ACCOUNT, Now, ServiceError};
use crate::iam::{Authorization, Principal};
use crate::protocol::query::Form;
use crate::protocol::reply;
use crate::world::{Account, World};
use crate::{acm, apigateway, cloudfront, cloudwatch, iam, keyvaluestore, route53, s3control, sns, sts};

/// A service with a control plane only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlPlane {
    Acm,
    ApiGateway,
    CloudFront,
    CloudWatch,
    Iam,
    KeyValueStore,
    Route53,
    S3Control,
    Sns,
    Sts,
}

impl ControlPlane {
    /// By the service name in a signature, which is also the first label of the service's host names.
    pub(crate) fn by_signing_name(name: &str) -> Option<Self> {
        Some(match name {
            "acm" => Self::Acm,
            "apigateway" => Self::ApiGateway,
            "cloudfront" => Self::CloudFront,
            "cloudfront-keyvaluestore" => Self::KeyValueStore,
            "monitoring" => Self::CloudWatch,
            "sns" => Self::Sns,
            "iam" => Self::Iam,
            "route53" => Self::Route53,
            "s3-control" => Self::S3Control,
            "sts" => Self::Sts,
            _ => return None,
        })
    }

    /// The name by which SDKs know the service.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Acm => "acm",
            Self::ApiGateway => "apigatewayv2",
            Self::CloudFront => "cloudfront",
            Self::CloudWatch => "cloudwatch",
            Self::Iam => "iam",
            Self::KeyValueStore => "cloudfront-keyvaluestore",
            Self::Route53 => "route53",
            Self::S3Control => "s3control",
            Self::Sns => "sns",
            Self::Sts => "sts",
        }
    }

    /// The AWS name of the operation that a request is for.
    pub(crate) fn operation(self, request: &Request<Bytes>) -> String {
        match self {
            Self::Acm => acm::operation(request).to_owned(),
            Self::ApiGateway => apigateway::operation(request).to_owned(),
            Self::CloudFront => cloudfront::operation(request).to_owned(),
            Self::CloudWatch => cloudwatch::operation(request).to_owned(),
            Self::KeyValueStore => keyvaluestore::operation(request).to_owned(),
            Self::Route53 => route53::operation(request).to_owned(),
            Self::S3Control => s3control::operation(request),
            Self::Iam | Self::Sns | Self::Sts => Form::parse(request).action().to_owned(),
        }
    }

    /// Answers a request, if the policies of the caller allow it.
    pub(crate) fn answer(self, world: &World, request: &Request<Bytes>) -> Response<Body> {
        let answer = world.change_account(|account, now| {
            self.authorize(account, request, now)?;
            let Account { block, acm, api_gateway, batch, cloudfront, cloudwatch, iam, route53, sns } = account;
            match self {
                Self::Acm => {
                    let in_use_by = |arn: &str| {
                        let mut users = cloudfront.using_certificate(arn);
                        let former = world.conditions().former_user(arn, now.time);
                        let former = former.map(|user| match user.strip_prefix("arn:") {
                            Some(_) => user,
                            None => format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{user}"),
                        });
                        users.extend(api_gateway.using_certificate(arn));
                        users.extend(former.filter(|former| !users.contains(former)));
                        users
                    };
                    acm::answer(acm, route53, &in_use_by, request, now)
                }
                Self::ApiGateway => apigateway::answer(api_gateway, acm, request, now),
                Self::CloudFront => cloudfront::answer(cloudfront, acm, world.s3(), request, now),
                Self::CloudWatch => cloudwatch::answer(cloudwatch, request),
                Self::Iam => iam::answer(iam, request, now),
                Self::KeyValueStore => keyvaluestore::answer(cloudfront, request, now),
                Self::Route53 => route53::answer(route53, world.health(), request, now),
                Self::S3Control => s3control::answer(batch, block, world.s3(), request, now),
                Self::Sns => sns::answer(sns, request),
                Self::Sts => sts::answer(iam, request, now),
            }
        });
        answer.unwrap_or_else(|error| self.error_response(request, &error))
    }

    /// Fails unless the policies of the caller allow a request. An operation without an entry in the table of its service is
    /// allowed to nobody who is restricted.
    fn authorize(self, account: &Account, request: &Request<Bytes>, now: Now) -> Result<(), ServiceError> {
        if self == Self::Sts && sts::is_unsigned(request) {
            return Ok(());
        }
        let authorization = Authorization::of(&account.iam, request, now.time)?.ok_or_else(sts::missing_token)?;
        if matches!(authorization.principal, Principal::Administrator) {
            return Ok(());
        }
        let permissions = match self {
            Self::Acm => acm::permissions(&account.acm, request),
            Self::ApiGateway => apigateway::permissions(&account.api_gateway, request),
            Self::CloudFront => cloudfront::permissions(&account.cloudfront, request),
            Self::CloudWatch => cloudwatch::permissions(&account.cloudwatch, request),
            Self::Iam => iam::permissions(&account.iam, request),
            Self::KeyValueStore => keyvaluestore::permissions(&account.cloudfront, request),
            Self::Route53 => route53::permissions(&account.route53, request),
            Self::S3Control => s3control::permissions(request),
            Self::Sns => sns::permissions(&account.sns, request),
            Self::Sts => sts::permissions(request),
        };
        let allowed = match permissions {
            Some(permissions) => authorization.check_all(&permissions),
            None => Err(format!(
                "User: {} is not authorized to perform: {}",
                authorization.principal.arn(),
                self.operation(request)
            )),
        };
        allowed.map_err(|message| self.denied(message))
    }

    /// The error code by which a service denies.
    fn denied(self, message: String) -> ServiceError {
        match self {
            Self::Acm => ServiceError::new("AccessDeniedException", 400, message),
            Self::Sns => ServiceError::new("AuthorizationError", 403, message),
            Self::ApiGateway | Self::KeyValueStore => ServiceError::new("AccessDeniedException", 403, message),
            Self::CloudFront | Self::CloudWatch | Self::Iam | Self::Route53 | Self::S3Control | Self::Sts => {
                ServiceError::new("AccessDenied", 403, message)
            }
        }
    }

    /// An error in the format of the service.
    pub(crate) fn error_response(self, request: &Request<Bytes>, error: &ServiceError) -> Response<Body> {
        match self {
            Self::Acm => reply::json_error(error),
            Self::ApiGateway => apigateway::error_response(error),
            Self::KeyValueStore => keyvaluestore::error_response(error),
            Self::CloudWatch => cloudwatch::error_response(request, error),
            Self::CloudFront | Self::Iam | Self::Route53 | Self::S3Control | Self::Sns | Self::Sts => {
                reply::xml_error(error)
            }
        }
    }
}
