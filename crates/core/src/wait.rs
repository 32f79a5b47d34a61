//! Waiting for eventual state, with patience that is written down.
//!
//! The SDK's stock waiters ask once a minute; people watching a terminal deserve better. This is for *state* that
//! takes time (a certificate being issued), never for retrying errors: the SDK does that, in one place.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Event, Run};

/// How often to ask and when to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The pause before the second look.
    pub first: Duration,
    /// The longest pause; each is half as long again as the one before.
    pub most: Duration,
    /// How long to wait in all.
    pub total: Duration,
}

impl Patience {
    /// For things that settle in seconds: bucket policies, public access settings.
    pub const SECONDS: Self =
        Self { first: Duration::from_millis(250), most: Duration::from_secs(3), total: Duration::from_mins(1) };
    /// For things that settle in minutes: distributions, certificates.
    pub const MINUTES: Self =
        Self { first: Duration::from_secs(5), most: Duration::from_secs(15), total: Duration::from_mins(30) };
}

/// What one look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// It is there.
    Ready(T),
    /// Not yet.
    NotYet,
}

/// Why waiting ended without a result.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError<E> {
    /// A look failed.
    #[error(transparent)]
    Look(E),
    /// Patience ran out.
    #[error("{what} was not ready after {} s", .total.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        total: Duration,
    },
    /// The run was cancelled.
    #[error("stopped while waiting for {what}")]
    Cancelled {
        /// What was waited for.
        what: String,
    },
}

/// Looks until something is ready, patience runs out, or the run is cancelled.
pub async fn until<T, E, F>(
    run: &Run,
    patience: Patience,
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<T, WaitError<E>>
where
    F: Future<Output = Result<Look<T>, E>>,
{
    let started = Instant::now();
    let mut pause = patience.first;
    loop {
        if let Look::Ready(found) = look().await.map_err(WaitError::Look)? {
            return Ok(found);
        }
        let since = started.elapsed();
        if since + pause > patience.total {
            return Err(WaitError::TimedOut { what: what.to_owned(), total: patience.total });
        }
        run.say(&Event::Waiting { what: what.to_owned(), since, usually: None });
        tokio::select! {
            () = run.cancel.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            () = pause_for(pause) => pause = (pause + pause / 2).min(patience.most),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
async fn pause_for(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Lets a stretch of time pass, or less when the run is stopped: for looking again and again, not for retrying.
#[expect(clippy::disallowed_methods, reason = "this is the room where time passes")]
pub async fn pause(run: &Run, stretch: Duration) {
    tokio::select! {
        () = tokio::time::sleep(stretch) => {}
        () = run.cancel.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const BRIEF: Patience =
        Patience { first: Duration::from_millis(1), most: Duration::from_millis(4), total: Duration::from_millis(60) };

    async fn ready_at(look: u32, run: &Run) -> (Result<u32, WaitError<&'static str>>, u32) {
        let looks = Cell::new(0);
        let result = until(run, BRIEF, "the moon", || {
            looks.set(looks.get() + 1);
            let found = if looks.get() == look { Look::Ready(look) } else { Look::NotYet };
            async move { Ok(found) }
        })
        .await;
        (result, looks.get())
    }

    #[tokio::test]
    async fn it_looks_until_ready() {
        assert_eq!(ready_at(1, &Run::silent()).await, (Ok(1), 1));
        assert_eq!(ready_at(5, &Run::silent()).await, (Ok(5), 5));
    }

    #[tokio::test]
    async fn it_gives_up_when_patience_runs_out() {
        let (result, looks) = ready_at(u32::MAX, &Run::silent()).await;
        assert_eq!(result, Err(WaitError::TimedOut { what: "the moon".into(), total: BRIEF.total }));
        assert!(looks > 1);
    }

    #[tokio::test]
    async fn it_stops_when_cancelled_and_on_the_first_error() {
        let run = Run::silent();
        run.cancel.cancel();
        let (result, looks) = ready_at(9, &run).await;
        assert_eq!((result, looks), (Err(WaitError::Cancelled { what: "the moon".into() }), 1));
        let failed = until::<(), _, _>(&Run::silent(), BRIEF, "x", || async { Err("no") }).await;
        assert_eq!(failed, Err(WaitError::Look("no")));
    }
}
