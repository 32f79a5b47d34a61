//! Signals that cancel a run.

use twinsite_site::Run;

/// Cancels `run` on SIGINT, SIGTERM or SIGHUP; requests in flight are then awaited, the lock is released and a drill restores the
/// primary. Returns on the second SIGINT, which ends the process at once. CI systems send SIGTERM after SIGINT, and that must not
/// cut a restore short.
pub(crate) async fn cancel_on_signal(run: &Run) {
    let mut interrupts = 0;
    let mut signals = Signals::new();
    loop {
        interrupts += usize::from(signals.next().await == Signal::Interrupt);
        run.cancel.cancel();
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

#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    /// Without a handler, a signal ends the process as it does by default.
    fn new() -> Self {
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

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
