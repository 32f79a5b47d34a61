//! Invalidations: what the edges are to forget.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{CloudFront, Fault};
use crate::world::Moment;

/// The most paths and wildcards in progress at once.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const PATHS: usize = 3000;
const WILDCARDS: usize = 15;

/// Paths that the edges are to forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalidation {
    /// Its id.
    pub id: String,
    /// What makes it repeatable.
    pub reference: String,
    /// What is to be forgotten.
    pub paths: Vec<String>,
    /// When it was accepted.
    pub created: SystemTime,
    /// When every edge has forgotten.
    pub completed: SystemTime,
}

impl Invalidation {
    /// `InProgress` until every edge has forgotten.
    pub fn status(&self, now: SystemTime) -> &'static str {
        if now < self.completed { "InProgress" } else { "Completed" }
    }
}

impl CloudFront {
    /// Has the edges forget paths. The same reference with the same paths is the same invalidation.
    pub fn invalidate(
        &mut self,
        distribution: &str,
        reference: &str,
        paths: Vec<String>,
        moment: Moment,
    ) -> Result<Invalidation, Fault> {
        let id = format!("I{}", self.next());
        let there = self.distribution_mut(distribution)?;
        if let Some(same) = there.invalidations.iter().find(|invalidation| invalidation.reference == reference) {
            let message = "The caller reference was used with other paths.";
            let other = || Fault::new("InvalidationBatchAlreadyExists", 409, message);
            return if same.paths == paths { Ok(same.clone()) } else { Err(other()) };
        }
        if let Some(bad) = paths.iter().find(|path| !path.starts_with('/')) {
            return Err(Fault::new("InvalidArgument", 400, format!("The path {bad} does not begin with a slash.")));
        }
        let going = there.invalidations.iter().filter(|invalidation| moment.now < invalidation.completed);
        let going: Vec<&String> = going.flat_map(|invalidation| &invalidation.paths).chain(&paths).collect();
        let wild = going.iter().filter(|path| path.ends_with('*')).count();
        if wild > WILDCARDS || going.len() - wild > PATHS {
            let message = "Your request contains more invalidation paths than are allowed in progress.";
            return Err(Fault::new("TooManyInvalidationsInProgress", 400, message));
        }
        let completed = moment.now + moment.delays.invalidation;
        let made = Invalidation { id, reference: reference.to_owned(), paths, created: moment.now, completed };
        there.invalidations.push(made.clone());
        Ok(made)
    }
}
