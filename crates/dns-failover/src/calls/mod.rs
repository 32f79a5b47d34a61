//! One function per Route 53 operation, named like it. Only `wire` and this module know the SDK.

pub(crate) mod checks;
pub(crate) mod records;

macro_rules! call {
    ($operation:expr, $subject:expr, $request:expr) => {
        Box::pin($request.send()).await.map_err(|error| AwsError::new($operation, $subject, error))
    };
}
pub(crate) use call;
