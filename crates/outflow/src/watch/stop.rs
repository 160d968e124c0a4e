//! The end of a watch: asked for by a signal, waited for between rounds, and told to what reads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::meters::Meters;

/// What the shell expects of a program that a signal ended at once: 128 and its number.
const INTERRUPTED: i32 = 130;

/// Whether to stop.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Asks for the end.
    pub(super) fn ask(&self) {
        let (asked, told) = &*self.0;
        *asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        told.notify_all();
    }

    /// Waits for a time, or until the end is asked for; whether it is.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let (asked, told) = &*self.0;
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = told.wait_timeout_while(asked, time, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Whether the end was asked for.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the end at the first SIGTERM or SIGINT, also of what is read, and ends the process at the second.
    pub(super) async fn on_signals(self, meters: Arc<Meters>) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        for is_last in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if is_last {
                tracing::warn!("ended at once: what is under way is read again by the next watch");
                std::process::exit(INTERRUPTED);
            }
            tracing::info!("ends with what is complete");
            meters.progress.is_ending.store(true, Ordering::Relaxed);
            self.ask();
        }
        Ok(())
    }
}
