//! The services whose requests are small and read whole: every one but S3.

use bytes::Bytes;
use http::{Request, Response};
use s3s::Body;

use crate::context::{ACCOUNT, ServiceError};
use crate::protocol::query::Form;
use crate::protocol::reply;
use crate::world::{Account, World};
use crate::{acm, cloudfront, cloudwatch, iam, route53, s3control, sns, sts};

/// A service with a control plane only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ControlPlane {
    Acm,
    CloudFront,
    CloudWatch,
    Iam,
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
            "cloudfront" => Self::CloudFront,
            "monitoring" => Self::CloudWatch,
            "sns" => Self::Sns,
            "iam" => Self::Iam,
            "route53" => Self::Route53,
            "s3-control" => Self::S3Control,
            "sts" => Self::Sts,
            _ => return None,
        })
    }

    /// The AWS name of the operation that a request is for.
    pub(crate) fn operation(self, request: &Request<Bytes>) -> String {
        match self {
            Self::Acm => acm::operation(request).to_owned(),
            Self::CloudFront => cloudfront::operation(request).to_owned(),
            Self::CloudWatch => cloudwatch::operation(request).to_owned(),
            Self::Route53 => route53::operation(request).to_owned(),
            Self::S3Control => s3control::operation(request),
            Self::Iam | Self::Sns | Self::Sts => Form::parse(request).action().to_owned(),
        }
    }

    /// Answers a request.
    pub(crate) fn answer(self, world: &World, request: &Request<Bytes>) -> Response<Body> {
        let answer = world.change_account(|account, now| {
            let Account { block, acm, batch, cloudfront, cloudwatch, iam, route53, sns } = account;
            match self {
                Self::Acm => {
                    let in_use_by = |arn: &str| {
                        let mut users = cloudfront.using_certificate(arn);
                        let former = world.conditions().former_user(arn, now.time);
                        let former = former.map(|id| format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}"));
                        users.extend(former.filter(|former| !users.contains(former)));
                        users
                    };
                    acm::answer(acm, route53, &in_use_by, request, now)
                }
                Self::CloudFront => cloudfront::answer(cloudfront, acm, request, now),
                Self::CloudWatch => cloudwatch::answer(cloudwatch, request),
                Self::Iam => iam::answer(iam, request, now),
                Self::Route53 => route53::answer(route53, world.health(), request, now),
                Self::S3Control => s3control::answer(batch, block, world.s3(), request, now),
                Self::Sns => sns::answer(sns, request),
                Self::Sts => sts::answer(request),
            }
        });
        answer.unwrap_or_else(|error| self.error_response(request, &error))
    }

    /// An error in the format of the service.
    pub(crate) fn error_response(self, request: &Request<Bytes>, error: &ServiceError) -> Response<Body> {
        match self {
            Self::Acm => reply::json_error(error),
            Self::CloudWatch => cloudwatch::error_response(request, error),
            Self::CloudFront | Self::Iam | Self::Route53 | Self::S3Control | Self::Sns | Self::Sts => {
                reply::xml_error(error)
            }
        }
    }
}
