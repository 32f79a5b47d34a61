//! Signals that cancel a run.

#[cfg(unix)]
use futures::future::select_all;
use twinsite_site::Run;

/// Cancels `run` on SIGINT, SIGTERM, SIGHUP and the other signals that end a process by default and can be handled (SIGQUIT, SIGUSR1,
/// SIGUSR2, SIGALRM, SIGXCPU); requests in flight are then awaited, the lock is released and a drill restores the
/// primary, and `stopping` says so on the first signal. Returns on the second SIGINT, which ends the process at once. CI systems send SIGTERM after SIGINT, and that must not
/// cut a restore short.
pub(crate) async fn cancel_on_signal(mut signals: Signals, run: &Run, stopping: impl Fn()) {
    let mut interrupts = 0;
    loop {
        interrupts += usize::from(signals.next().await == Signal::Interrupt);
        if !run.is_cancelled() {
            run.cancel.cancel();
            stopping();
        }
        if interrupts > 1 {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Other,
}

/// The signals from now on.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    others: Vec<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Without a handler, a signal ends the process as it does by default.
    pub(crate) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // The soft limit of CPU time, as batch systems set it: the same number on Linux, macOS and the BSDs.
        // <https://man7.org/linux/man-pages/man7/signal.7.html>
        let cpu_limit = SignalKind::from_raw(24);
        let others = [
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
            SignalKind::alarm(),
            cpu_limit,
        ];
        let others = others.into_iter().filter_map(|kind| signal(kind).ok()).collect();
        Self { interrupt: signal(SignalKind::interrupt()).ok(), others }
    }

    async fn next(&mut self) -> Signal {
        let others = self.others.iter_mut().map(|signal| Box::pin(signal.recv()));
        let any_other = async {
            if others.len() == 0 {
                std::future::pending::<()>().await;
            }
            drop(select_all(others).await);
        };
        tokio::select! {
            () = received(&mut self.interrupt) => Signal::Interrupt,
            () = any_other => Signal::Other,
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    let received = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if received.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Interrupts from now on.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
