//! Setup, body, restore: the restore runs whatever happens in between.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;

use crate::clean_up;

/// The results of a [`bracket`].
#[derive(Debug, PartialEq, Eq)]
pub struct Bracketed<T, E> {
    /// The result of setup and body; `None` if the body was stopped.
    pub body: Option<Result<T, E>>,
    /// The result of the restore.
    pub restore: Result<(), E>,
}

/// Runs `setup`, then `body` until it ends or `stop` resolves, then `restore` in every case.
///
/// The restore also runs after a failed setup: the change may have been made although its response was lost, so the restore
/// must be harmless when there is nothing to restore. When `stop` resolves, the body's future is dropped at its next await
/// point, requests in flight included. A panic in the body is resumed after the restore. A killed process cannot restore;
/// callers write a journal first, from which a later run can.
///
pub async fn bracket<S, T, E>(
    setup: impl Future<Output = Result<S, E>>,
    body: impl AsyncFnOnce(S) -> Result<T, E>,
    stop: impl Future<Output = ()>,
    restore: impl AsyncFnOnce() -> Result<(), E>,
) -> Bracketed<T, E> {
    let body = match setup.await {
        Err(error) => Some(Err(error)),
        Ok(made) => tokio::select! {
            done = AssertUnwindSafe(body(made)).catch_unwind() => match done {
                Ok(done) => Some(done),
                Err(panic) => {
                    drop(clean_up(restore()).await);
                    resume_unwind(panic)
                }
            },
            () = stop => None,
        },
    };
    Bracketed { body, restore: clean_up(restore()).await }
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
    async fn the_restore_runs_after_a_panic_which_is_then_resumed() {
        let restored = Cell::new(0);
        let restore = || async {
            restored.set(restored.get() + 1);
            Ok::<_, &str>(())
        };
        let panics = bracket(ready(Ok(())), async |()| -> Result<(), &str> { panic!("body") }, pending(), restore);
        let panic = AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
        assert_eq!((panic.downcast_ref::<&str>(), restored.get()), (Some(&"body"), 1));
    }

    #[tokio::test]
    async fn a_failed_restore_hides_nothing() {
        let both = bracket(ready(Ok(())), async |()| Err::<(), _>("body"), pending(), async || Err("restore")).await;
        assert_eq!(both, Bracketed { body: Some(Err("body")), restore: Err("restore") });
    }
}
