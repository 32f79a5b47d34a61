//! The services' wire formats. Codecs only: all state is in [`world`](crate::world).

mod acm;
mod cbor;
mod cloudfront;
mod cloudwatch;
mod iam;
mod pem;
pub(crate) mod query;
pub(crate) mod reply;
mod route53;
pub mod s3;
mod s3control;
mod sns;
mod sts;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use s3s::Body;

use crate::route::Control;
use crate::world::World;

/// The operation that a request asks for, by its AWS name.
pub(crate) fn operation(control: Control, request: &Request<Bytes>) -> String {
    match control {
        Control::Acm => acm::operation(request),
        Control::CloudFront => cloudfront::operation(request),
        Control::CloudWatch => cloudwatch::operation(request),
        Control::Route53 => route53::operation(request),
        Control::S3Account => s3control::operation(request),
        Control::Iam | Control::Sns | Control::Sts => query::action(request),
    }
}

/// Answers a request.
pub(crate) fn answer(control: Control, world: &World, request: &Request<Bytes>) -> Response<Body> {
    match control {
        Control::Acm => acm::answer(world, request),
        Control::CloudFront => cloudfront::answer(world, request),
        Control::CloudWatch => cloudwatch::answer(world, request),
        Control::Sns => sns::answer(world, request),
        Control::Iam => iam::answer(world, request),
        Control::Route53 => route53::answer(world, request),
        Control::S3Account => s3control::answer(world, request),
        Control::Sts => sts::answer(request),
    }
}

/// A refusal in the format of a service; of S3 when none is given.
pub(crate) fn refusal(control: Option<Control>, status: StatusCode, code: &str) -> Response<Body> {
    let message = format!("The embedded cloud was told to refuse this with {code}.");
    match control {
        None => reply::xml(status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")),
        Some(Control::Acm) => acm::refusal_of(status, code, &message),
        Some(Control::CloudWatch) => cloudwatch::refusal_of(status, code, &message),
        Some(_) => reply::error(status, code, &message),
    }
}
