//! Making CloudFront forget what a publish has changed.

use std::time::Duration;

use twinsite_aws::AwsError;
use twinsite_core::wait::{Poll, PollPolicy, poll_until};
use twinsite_core::{ResourceId, Run};

use super::Calls;
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
        run: &Run,
    ) -> Result<Option<Accepted>, AwsError> {
        if invalidation.is_empty() {
            return Ok(None);
        }
        let calls = Calls { client: &self.cloudfront };
        let polling = PollPolicy { total: ROOM, ..self.polling };
        let accepted = poll_until(run, polling, "room for more invalidation paths", async || {
            let created = calls.create_invalidation(&distribution, invalidation.as_slice(), reference);
            match Box::pin(created).await {
                Ok(id) => Ok(Poll::Ready(id)),
                Err(error) if error.code.as_deref() == Some("TooManyInvalidationsInProgress") => Ok(Poll::NotYet),
                Err(error) => Err(error),
            }
        });
        let id = accepted.await.map_err(|error| AwsError::from_wait("CreateInvalidation", &distribution.0, error))?;
        Ok(Some(Accepted { distribution, id, paths: invalidation.as_slice().len() }))
    }

    /// Waits until every edge has forgotten.
    pub async fn await_invalidation(&self, accepted: &Accepted, run: &Run) -> Result<(), AwsError> {
        let calls = Calls { client: &self.cloudfront };
        let Accepted { distribution, id, paths: _ } = accepted;
        let done = poll_until(run, self.polling, "every edge to forget", async || {
            let completed = Box::pin(calls.is_invalidated(distribution, id)).await?;
            Ok(if completed { Poll::Ready(()) } else { Poll::NotYet })
        });
        done.await.map_err(|error| AwsError::from_wait("GetInvalidation", &id.0, error))
    }
}
