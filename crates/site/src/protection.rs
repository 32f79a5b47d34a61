//! Protected paths: nothing is published below them before edges ask for passwords.

use crate::context::SiteContext;
use crate::error::{Context, Error};

impl SiteContext {
    /// Fails if protected paths are configured, and `apply` has not brought them to edges: what is published would be public.
    pub(crate) async fn check_protection(&self) -> Result<(), Error> {
        const OPERATION: &str = "look whether the protected paths are protected";
        if self.config.auth.is_empty() {
            return Ok(());
        }
        if Box::pin(self.services.cdn.has_users(&self.desired_cdn(false))).await.context(OPERATION)? {
            return Ok(());
        }
        let paths: Vec<&str> = self.config.auth.paths().iter().map(twinsite_rules::ProtectedPath::path).collect();
        let why = format!(
            "CloudFront does not ask for the passwords of {} as they are configured: what is published there could be public",
            paths.join(", ")
        );
        Err(Error::usage(OPERATION, why).hint("bring the configuration to CloudFront first: `twinsite apply`"))
    }
}
