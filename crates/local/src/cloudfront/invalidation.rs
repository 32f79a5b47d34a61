//! Invalidations.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::CloudFront;
use crate::context::{Now, ServiceError};

/// The quotas of paths and wildcards in progress.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const PATHS: usize = 3000;
const WILDCARDS: usize = 15;

/// An invalidation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// Its id.
    pub id: String,
    /// The caller reference, which makes creation idempotent.
    pub reference: String,
    /// The paths; a trailing `*` is a wildcard.
    pub paths: Vec<String>,
    /// When it was created.
    pub created: SystemTime,
    /// When it is completed.
    pub completed: SystemTime,
}

impl Invalidation {
    /// `InProgress` until it is completed.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.completed { "InProgress" } else { "Completed" }
    }
}

impl CloudFront {
    /// Creates an invalidation, or returns the one with the same caller reference and paths.
    pub fn create_invalidation(
        &mut self,
        distribution_id: &str,
        reference: &str,
        paths: Vec<String>,
        now: Now,
    ) -> Result<Invalidation, ServiceError> {
        let id = format!("I{}", self.next_id());
        let distribution = self.distribution_mut(distribution_id)?;
        if let Some(same) = distribution.invalidations.iter().find(|invalidation| invalidation.reference == reference) {
            let message = "The caller reference was used with other paths.";
            let other = || ServiceError::new("InvalidationBatchAlreadyExists", 409, message);
            return if same.paths == paths { Ok(same.clone()) } else { Err(other()) };
        }
        if let Some(bad) = paths.iter().find(|path| !path.starts_with('/')) {
            return Err(ServiceError::invalid(
                "InvalidArgument",
                format!("The path {bad} does not begin with a slash."),
            ));
        }
        let in_progress = distribution.invalidations.iter().filter(|one| now.time < one.completed);
        let paths_in_progress: Vec<&String> =
            in_progress.flat_map(|invalidation| &invalidation.paths).chain(&paths).collect();
        let wildcards = paths_in_progress.iter().filter(|path| path.ends_with('*')).count();
        if wildcards > WILDCARDS || paths_in_progress.len() - wildcards > PATHS {
            let message = "Your request contains more invalidation paths than are allowed in progress.";
            return Err(ServiceError::invalid("TooManyInvalidationsInProgress", message));
        }
        let completed = now.time + now.delays.invalidation;
        let invalidation = Invalidation { id, reference: reference.to_owned(), paths, created: now.time, completed };
        distribution.invalidations.push(invalidation.clone());
        Ok(invalidation)
    }
}
