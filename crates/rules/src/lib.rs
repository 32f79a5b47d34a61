#![doc = include_str!("../README.md")]

mod auth;
mod checks;
mod compile;
mod files;
mod headers;
mod model;
mod parse;
mod path;
mod resolve;

pub use auth::{AUTH_CODE, PasswordHash, ProtectedPath, Protection};
pub use checks::{Finding, FindingKind};
pub use compile::table::{ALIAS_FUNCTION_CODE, FUNCTION_CODE, Paths, Table, TableError, TableSource};
pub use compile::website::{RedirectObject, WebsiteRedirects};
pub use compile::{NotHonored, Target};
pub use files::{Files, PathOptions, TrailingSlash};
pub use headers::{HeaderLine, HeaderParts, HeaderRule, HeaderSetting, UnsupportedHeader};
pub use model::{ConfiguredRedirect, Place, Redirect, Redirects, Syntax, Unsupported};
pub use parse::headers::{ParsedHeaders, parse_headers};
pub use parse::redirects::{ParsedRedirects, parse_redirects};
pub use parse::{ParseError, ParseErrors};
pub use resolve::Answer;
