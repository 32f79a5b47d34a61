//! Making CloudFront forget what a publish has changed.

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_core::ResourceId;
use twinsite_core::wait::{Look, Patience, until};

use super::Calls;
use crate::apply::ended;
use crate::want::Desired;
use crate::{Cdn, Invalidation};

/// Too many paths may be in progress: those of an earlier publish are soon done.
const ROOM: Duration = Duration::from_mins(5);

/// An invalidation that CloudFront has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The distribution.
    pub distribution: ResourceId,
    /// The invalidation.
    pub id: ResourceId,
    /// How many paths it names: the first 1,000 a month are free.
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>
    pub paths: usize,
}

impl Cdn {
    /// The site's distribution; `None` when there is none.
    ///
    /// # Errors
    /// [`AwsError`] when CloudFront could not be asked.
    pub async fn distribution(&self, want: &Desired) -> Result<Option<ResourceId>, AwsError> {
        Box::pin(Calls { client: &self.cloudfront }.find(want)).await
    }

    /// Has a distribution forget paths. The same `reference` with the same paths is the same invalidation, so a repetition
    /// costs nothing. `None` when there is nothing to forget.
    ///
    /// # Errors
    /// [`AwsError`] when CloudFront could not be asked, or had no room for so many paths for five minutes.
    pub async fn invalidate(
        &self,
        distribution: ResourceId,
        invalidation: &Invalidation,
        reference: &str,
    ) -> Result<Option<Accepted>, AwsError> {
        if invalidation.is_empty() {
            return Ok(None);
        }
        let calls = Calls { client: &self.cloudfront };
        let patience = Patience { total: ROOM, ..self.patience };
        let accepted = until(&self.run, patience, "room for more invalidation paths", async || {
            let created = calls.create_invalidation(&distribution, invalidation.as_slice(), reference);
            match Box::pin(created).await {
                Ok(id) => Ok(Look::Ready(id)),
                Err(error) if error.code.as_deref() == Some("TooManyInvalidationsInProgress") => Ok(Look::NotYet),
                Err(error) => Err(error),
            }
        });
        let id = accepted.await.map_err(|error| ended("CreateInvalidation", &distribution.0, error))?;
        Ok(Some(Accepted { distribution, id, paths: invalidation.as_slice().len() }))
    }

    /// Waits until every edge has forgotten.
    pub async fn await_invalidation(&self, accepted: &Accepted) -> Result<(), AwsError> {
        let calls = Calls { client: &self.cloudfront };
        let Accepted { distribution, id, paths: _ } = accepted;
        let done = until(&self.run, self.patience, "every edge to forget", async || {
            let completed = Box::pin(calls.is_invalidated(distribution, id)).await?;
            Ok(if completed { Look::Ready(()) } else { Look::NotYet })
        });
        done.await.map_err(|error| ended("GetInvalidation", &id.0, error))
    }
}
