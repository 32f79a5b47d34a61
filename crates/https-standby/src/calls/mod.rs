//! One function per AWS operation, named like it.

pub(crate) mod acm;
pub(crate) mod apigateway;
