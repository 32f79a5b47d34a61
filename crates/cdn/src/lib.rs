//! CloudFront for a twinsite. So far: which invalidation paths a publish asks for, within CloudFront's limits.
//!
//! ```
//! use twinsite_cdn::invalidation;
//!
//! let paths = invalidation(["about/index.html", "assets/app.css"], "index.html");
//! assert_eq!(paths.as_slice(), ["/about", "/about/", "/about/index.html", "/assets/app.css"]);
//! ```
//!
//! It makes no request and provisions nothing yet.

mod invalidation;

pub use invalidation::{Invalidation, MOST_PATHS, MOST_WILDCARDS, invalidation};
