//! The progress bar, on a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use outflow_finding::human_count;
use outflow_ingest::Progress;

/// Time between two looks at the progress.
const TICK: Duration = Duration::from_millis(100);

/// Runs `work` while a bar on stderr shows how far it is. Without a terminal there is no bar.
pub(crate) fn shown<T>(total_bytes: u64, progress: &Progress, work: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::stderr());
    if bar.is_hidden() {
        return work();
    }
    let template = "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {msg}";
    // The template is constant; should it be wrong, the plain bar does as well.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let rows = progress.rows.load(Ordering::Relaxed);
                let seconds = bar.elapsed().as_secs().max(1);
                bar.set_position(progress.stored_bytes.load(Ordering::Relaxed));
                bar.set_message(format!("{} records/s", human_count(rows / seconds)));
                thread::sleep(TICK);
            }
            bar.finish_and_clear();
        });
        let result = work();
        done.store(true, Ordering::Release);
        result
    })
}
