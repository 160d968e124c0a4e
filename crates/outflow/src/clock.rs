//! The clock. Nothing but the edge reads it: how long a run took, and when a watch is to look again.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, to measure time by.
#[expect(
    clippy::disallowed_methods,
    reason = "how long something takes is told beside results, and is in none of them"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now, in Unix seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "a watch tells how far it lags behind, and which days a list may leave out; no row depends on it"
)]
pub(crate) fn unix_secs() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}
