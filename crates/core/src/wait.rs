//! Polling for eventual state, with explicit intervals and deadlines.
//!
//! The SDK's own waiters poll once a minute, which is too slow for an interactive command. This is for *state* that takes
//! time (a certificate being issued), not for retrying errors: that is left to the SDK.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Event, Run};

/// Polling intervals and deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPolicy {
    /// The pause before the second poll.
    pub first: Duration,
    /// The longest pause; each pause is 1.5 times the one before.
    pub most: Duration,
    /// The deadline, from the first poll.
    pub total: Duration,
}

impl PollPolicy {
    /// For things that settle in seconds: bucket policies, public access settings.
    pub const SECONDS: Self =
        Self { first: Duration::from_millis(250), most: Duration::from_secs(3), total: Duration::from_mins(1) };
    /// For things that settle in minutes: distributions, certificates.
    pub const MINUTES: Self =
        Self { first: Duration::from_secs(5), most: Duration::from_secs(15), total: Duration::from_mins(30) };
}

/// The result of one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll<T> {
    /// The state has been reached.
    Ready(T),
    /// Not yet.
    NotYet,
}

/// Why polling ended without a result.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError<E> {
    /// A poll failed.
    #[error(transparent)]
    Poll(E),
    /// The deadline has passed.
    #[error("{what} was not ready after {} s", .total.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        total: Duration,
    },
    /// The run was cancelled.
    #[error("stopped on request while waiting for {what}")]
    Cancelled {
        /// What was waited for.
        what: String,
    },
}

/// Polls until the state has been reached, the deadline passes, or the run is cancelled.
pub async fn poll_until<T, E, F>(
    run: &Run,
    policy: PollPolicy,
    what: &str,
    mut poll: impl FnMut() -> F,
) -> Result<T, WaitError<E>>
where
    F: Future<Output = Result<Poll<T>, E>>,
{
    let started = Instant::now();
    let mut pause = policy.first;
    loop {
        if let Poll::Ready(found) = poll().await.map_err(WaitError::Poll)? {
            return Ok(found);
        }
        let since = started.elapsed();
        if since + pause > policy.total {
            return Err(WaitError::TimedOut { what: what.to_owned(), total: policy.total });
        }
        run.emit(&Event::Waiting { what: what.to_owned(), since, usually: None });
        tokio::select! {
            () = run.cancel.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            () = pause_for(pause) => pause = (pause + pause / 2).min(policy.most),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the only module that sleeps")]
async fn pause_for(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Sleeps, or returns early if the run is cancelled.
#[expect(clippy::disallowed_methods, reason = "this is the only module that sleeps")]
pub async fn pause(run: &Run, duration: Duration) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = run.cancel.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const BRIEF: PollPolicy = PollPolicy {
        first: Duration::from_millis(1),
        most: Duration::from_millis(4),
        total: Duration::from_millis(60),
    };

    async fn ready_at(poll: u32, run: &Run) -> (Result<u32, WaitError<&'static str>>, u32) {
        let polls = Cell::new(0);
        let result = poll_until(run, BRIEF, "the state", || {
            polls.set(polls.get() + 1);
            let found = if polls.get() == poll { Poll::Ready(poll) } else { Poll::NotYet };
            async move { Ok(found) }
        })
        .await;
        (result, polls.get())
    }

    #[tokio::test]
    async fn polls_until_ready() {
        assert_eq!(ready_at(1, &Run::silent()).await, (Ok(1), 1));
        assert_eq!(ready_at(5, &Run::silent()).await, (Ok(5), 5));
    }

    #[tokio::test]
    async fn ends_at_the_deadline() {
        let (result, polls) = ready_at(u32::MAX, &Run::silent()).await;
        assert_eq!(result, Err(WaitError::TimedOut { what: "the state".into(), total: BRIEF.total }));
        assert!(polls > 1);
    }

    #[tokio::test]
    async fn ends_when_cancelled_and_on_the_first_error() {
        let run = Run::silent();
        run.cancel.cancel();
        let (result, polls) = ready_at(9, &run).await;
        assert_eq!((result, polls), (Err(WaitError::Cancelled { what: "the state".into() }), 1));
        let failed = poll_until::<(), _, _>(&Run::silent(), BRIEF, "x", || async { Err("no") }).await;
        assert_eq!(failed, Err(WaitError::Poll("no")));
    }
}
