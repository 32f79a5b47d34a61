//! Break, watch, put back: the restore runs whatever happens in between.

use std::future::Future;

/// How the middle and the end of a [`bracket`] went.
#[derive(Debug, PartialEq, Eq)]
pub struct Bracketed<T, E> {
    /// What the body returned; `None` when it was cut short.
    pub body: Option<Result<T, E>>,
    /// What the restore returned.
    pub restore: Result<(), E>,
}

/// Runs `setup`, then `body` until it ends or `stop` resolves, then `restore`, whatever the body did.
///
/// The restore also runs when the setup failed: a change that was sent may have been made although its answer was lost.
/// It must therefore be harmless when there is nothing to restore. A killed process cannot run it; callers
/// journal their intention first, so that a later run can.
///
/// # Errors
/// The setup's error, after the restore has run and succeeded; should the restore fail as well, both are in the result's
/// restore and body.
pub async fn bracket<S, T, E>(
    setup: impl Future<Output = Result<S, E>>,
    body: impl AsyncFnOnce(S) -> Result<T, E>,
    stop: impl Future<Output = ()>,
    restore: impl AsyncFnOnce() -> Result<(), E>,
) -> Bracketed<T, E> {
    let body = match setup.await {
        Err(error) => Some(Err(error)),
        Ok(made) => tokio::select! {
            done = body(made) => Some(done),
            () = stop => None,
        },
    };
    Bracketed { body, restore: restore().await }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn the_restore_runs_after_success_failure_and_a_stop() {
        let restored = Cell::new(0);
        let restore = || async {
            restored.set(restored.get() + 1);
            Ok(())
        };
        let fine = bracket(ready(Ok::<_, &str>(2)), async |n| Ok(n + 1), pending(), restore).await;
        assert_eq!(fine, Bracketed { body: Some(Ok(3)), restore: Ok(()) });
        let failed = bracket(ready(Ok(())), async |()| Err::<(), _>("body"), pending(), restore).await;
        assert_eq!(failed.body, Some(Err("body")));
        let unset = bracket(ready(Err::<(), _>("setup")), async |()| Ok(()), pending(), restore).await;
        assert_eq!(unset.body, Some(Err("setup")));
        let stopped =
            bracket(ready(Ok::<_, &str>(())), async |()| pending::<Result<(), _>>().await, ready(()), restore).await;
        assert_eq!(stopped.body, None);
        assert_eq!(restored.get(), 4);
    }

    #[tokio::test]
    async fn a_failed_restore_hides_nothing() {
        let both = bracket(ready(Ok(())), async |()| Err::<(), _>("body"), pending(), async || Err("restore")).await;
        assert_eq!(both, Bracketed { body: Some(Err("body")), restore: Err("restore") });
    }
}
