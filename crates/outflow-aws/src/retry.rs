//! When a request that failed is sent again.

use std::time::{Duration, SystemTime};

/// Attempts at a request. What then has not gone well is a failure.
pub const ATTEMPTS_MAX: u32 = 8;

/// The longest wait after the first attempt; each further one may take twice as long, up to [`WAIT_MAX`].
const WAIT_FIRST: Duration = Duration::from_millis(500);

/// The longest wait between two attempts, unless the target asks for a longer one.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The longest wait that a target can ask for: who has that much patience asks again.
const ASKED_MAX: Duration = Duration::from_secs(24 * 3600);

/// How one attempt failed, wholly or at one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// Another attempt may do better, but not before a time that the target may have named.
    Passing {
        /// What went wrong.
        reason: String,
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// There is too much in the request: fewer items may pass.
    TooLarge(String),
    /// No other attempt can do better.
    Lasting(String),
}

impl Failed {
    /// One that may pass at any time.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self::Passing {
            reason: reason.into(),
            after: None,
        }
    }
}

/// How long to wait after so many attempts: between half and the whole of a time that doubles, so that those who were
/// turned away together do not come back together; and no less than the target asked for. `chance` is in `0..1`.
pub fn wait(attempts: u32, asked: Option<Duration>, chance: f64) -> Duration {
    let doubled = WAIT_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    let half = doubled.min(WAIT_MAX) / 2;
    let own = half + half.mul_f64(chance.clamp(0.0, 1.0));
    own.max(asked.unwrap_or_default())
}

/// What `Retry-After` says: seconds, or a date of HTTP. `None` if it says neither.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let asked = if let Ok(secs) = value.parse() {
        Duration::from_secs(secs)
    } else {
        let at = httpdate::parse_http_date(value).ok()?;
        at.duration_since(now).unwrap_or_default()
    };
    Some(asked.min(ASKED_MAX))
}

#[cfg(test)]
mod tests;
