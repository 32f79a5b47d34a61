#![doc = include_str!("../README.md")]

mod apply;
mod calls;
mod clients;
mod diff;
mod model;
mod observe;
pub mod step_ids;
mod wire;

pub use clients::HttpsStandby;
pub use diff::{Planned, plan_changes, plan_destruction};
pub use model::{
    Actual, Api, Certificate, CertificateStatus, Change, Conflict, Desired, DomainName, Endpoint, Integration, Mapping,
    Route, Settings, Stage, UNREACHABLE_SIZE, is_reachable,
};
