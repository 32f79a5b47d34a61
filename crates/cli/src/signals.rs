//! Signals that cancel a run.

use twinsite_site::Run;

/// Cancels `run` on SIGINT, SIGTERM or SIGHUP; requests in flight are then awaited, the lock is released and a drill restores the
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
pub(crate) struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    /// Without a handler, a signal ends the process as it does by default.
    pub(crate) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) -> Signal {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = received(interrupt) => Signal::Interrupt,
            () = received(terminate) => Signal::Other,
            () = received(hangup) => Signal::Other,
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
