//! Polling for eventual state, with explicit intervals and deadlines.
//!
//! The SDK's own waiters poll once a minute, which is too slow for an interactive command. This is for *state* that takes
//! time (a certificate being issued), and for calls that are refused until a state is reached ([`repeat`]: a new role is known). It
//! is not for retrying errors: that is left to the SDK.

use std::future::Future;
use std::time::Duration;

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
    let started = run.timer.now();
    let mut pause = policy.first;
    loop {
        match poll().await {
            Ok(Poll::Ready(found)) => return Ok(found),
            Ok(Poll::NotYet) => {}
            // Requests in flight end with an error then.
            Err(_) if run.cancel.is_cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            Err(error) => return Err(WaitError::Poll(error)),
        }
        let since = run.timer.now().saturating_sub(started);
        if since + pause > policy.total {
            return Err(WaitError::TimedOut { what: what.to_owned(), total: policy.total });
        }
        run.emit(&Event::Waiting { what: what.to_owned(), since, usually: None });
        tokio::select! {
            () = run.cancel.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            () = run.timer.sleep(pause) => pause = (pause + pause / 2).min(policy.most),
        }
    }
}

/// A refusal that passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passing {
    /// What it passes with: `the role to be known to S3`.
    pub awaits: &'static str,
    /// How often the call is repeated, and for how long.
    pub policy: PollPolicy,
    /// The usual duration, in words.
    pub usually: Option<&'static str>,
}

/// Repeats a call for as long as its refusals pass by themselves, which `passing` decides. What is waited for is reported to `run`.
/// Each reason to wait has its own deadline, for the time that was waited for it.
///
/// # Errors
/// [`WaitError::Poll`] with the first refusal that does not pass, or the last one before a deadline; [`WaitError::Cancelled`].
pub async fn repeat<T, E, F>(
    run: &Run,
    mut call: impl FnMut() -> F,
    passing: impl Fn(&E) -> Option<Passing>,
) -> Result<T, WaitError<E>>
where
    F: Future<Output = Result<T, E>>,
{
    struct Begun {
        awaits: &'static str,
        waited: Duration,
        pause: Duration,
    }
    let mut waits: Vec<Begun> = Vec::new();
    loop {
        let error = match call().await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let Some(Passing { awaits, policy, usually }) = passing(&error) else { return Err(WaitError::Poll(error)) };
        let known = waits.iter().position(|wait| wait.awaits == awaits);
        let index = known.unwrap_or_else(|| {
            waits.push(Begun { awaits, waited: Duration::ZERO, pause: policy.first });
            waits.len() - 1
        });
        let Begun { waited, pause, .. } = &mut waits[index];
        if *waited + *pause > policy.total {
            return Err(WaitError::Poll(error));
        }
        run.emit(&Event::Waiting { what: awaits.to_owned(), since: *waited, usually });
        tokio::select! {
            () = run.cancel.cancelled() => return Err(WaitError::Cancelled { what: awaits.to_owned() }),
            () = run.timer.sleep(*pause) => {}
        }
        *waited += *pause;
        *pause = (*pause + *pause / 2).min(policy.most);
    }
}

/// Sleeps, or returns early if the run is cancelled.
pub async fn pause(run: &Run, duration: Duration) {
    tokio::select! {
        () = run.timer.sleep(duration) => {}
        () = run.cancel.cancelled() => {}
    }
}

/// Completes a future within a time limit, by the time of the run; `None` if the limit passes before, or the run is cancelled. What
/// was in flight is dropped.
pub async fn within<T>(run: &Run, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = run.timer.sleep(limit) => None,
        () = run.cancel.cancelled() => None,
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

    /// Calls that are refused so many times, with these reasons in turn.
    async fn repeated(refusals: &'static [&'static str]) -> (Result<u32, WaitError<&'static str>>, u32) {
        let calls = Cell::new(0);
        let passing = |error: &&'static str| {
            error.starts_with("early").then_some(Passing { awaits: error, policy: BRIEF, usually: None })
        };
        let call = || {
            let number = calls.replace(calls.get() + 1);
            let refusal = refusals.get(number as usize).or(refusals.last().filter(|last| **last == "early for good"));
            async move { refusal.map_or(Ok(number), |refusal| Err(*refusal)) }
        };
        let result = repeat(&Run::silent(), call, passing).await;
        (result, calls.get())
    }

    #[tokio::test]
    async fn calls_are_repeated_while_their_refusals_pass() {
        assert_eq!(repeated(&[]).await, (Ok(0), 1));
        assert_eq!(repeated(&["early", "early and other", "early"]).await, (Ok(3), 4));
        assert_eq!(repeated(&["early", "no"]).await, (Err(WaitError::Poll("no")), 2));
        let (result, calls) = repeated(&["early for good"]).await;
        assert!(result == Err(WaitError::Poll("early for good")) && calls > 2, "{calls}");
    }

    /// Time that passes at once whenever it is waited for.
    #[derive(Debug, Default)]
    struct Skipping(std::sync::Mutex<Duration>);

    impl crate::timer::Timer for Skipping {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) -> crate::timer::Sleep {
            *self.0.lock().unwrap() += duration;
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn what_does_not_end_within_its_limit_is_dropped() {
        let (run, limit) =
            (Run::silent().with_timer(std::sync::Arc::new(Skipping::default())), Duration::from_hours(4));
        assert_eq!(within(&run, limit, async { 7 }).await, Some(7));
        assert_eq!(within(&run, limit, std::future::pending::<()>()).await, None);
        assert!(run.timer.now() >= limit);
        let run = Run::silent();
        run.cancel.cancel();
        assert_eq!(within(&run, limit, std::future::pending::<()>()).await, None, "a cancelled run does not wait");
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
