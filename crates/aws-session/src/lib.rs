#![doc = include_str!("../README.md")]

mod fixed_endpoint;
mod session;

pub use session::{Access, Caller, Session};
