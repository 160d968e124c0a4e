//! Ctrl-C while a query runs.
//!
//! A thread of its own waits for it: those of the engine may all be at work and hear nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::exit::Exit;

/// How long what runs may take to end by itself. The engine looks up between batches; while it plans, it does not.
const PATIENCE: Duration = Duration::from_secs(3);

struct Interrupts {
    asked: Notify,
    /// Odd while something runs.
    running: AtomicU64,
}

static INTERRUPTS: OnceLock<Interrupts> = OnceLock::new();

/// Something that runs, until this is dropped.
pub(super) struct Running(&'static Interrupts);

impl Running {
    pub(super) fn begin() -> Self {
        let interrupts = INTERRUPTS.get_or_init(|| {
            std::thread::spawn(wait);
            Interrupts {
                asked: Notify::new(),
                running: AtomicU64::new(0),
            }
        });
        interrupts.running.fetch_add(1, Ordering::SeqCst);
        Self(interrupts)
    }

    /// Waits until Ctrl-C asks to end it.
    pub(super) async fn cancelled(&self) {
        self.0.asked.notified().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_add(1, Ordering::SeqCst);
    }
}

/// Waits for each Ctrl-C. What does not end in time is ended with the program.
fn wait() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return tracing::warn!(%error, "Ctrl-C ends the program at once"),
    };
    runtime.block_on(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            let Some(interrupts) = INTERRUPTS.get() else {
                continue;
            };
            let before = interrupts.running.load(Ordering::SeqCst);
            interrupts.asked.notify_waiters();
            if before % 2 == 0 {
                continue;
            }
            tokio::time::sleep(PATIENCE).await;
            if interrupts.running.load(Ordering::SeqCst) == before {
                tracing::error!("cancelled while the query was being planned: the program ends");
                std::process::exit(Exit::Unfinished as i32);
            }
        }
    });
}
