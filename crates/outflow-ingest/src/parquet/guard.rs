//! Panics of the `parquet` crate, which asserts about bytes that it takes for its own: here they are damage.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use ::parquet::errors::ParquetError;

/// Bytes of a panic's text that a report of damage has.
const TEXT_MAX: usize = 200;

static HOOK: Once = Once::new();

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does what may panic over bytes. What the panic says goes into the error, and not to stderr, where the user would
/// take it for a fault of the program.
pub(super) fn guarded<T>(
    work: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, ParquetError> {
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                TEXT.set(text_of(info));
            } else {
                others(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    done.unwrap_or_else(|_| {
        let text = TEXT.take();
        Err(ParquetError::General(format!(
            "its pages make no sense ({text})"
        )))
    })
}

fn text_of(info: &PanicHookInfo<'_>) -> String {
    let text = info.payload_as_str().unwrap_or("no text");
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(TEXT_MAX).collect()
}
