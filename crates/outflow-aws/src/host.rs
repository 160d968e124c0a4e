//! What requests take from the machine: time, chance, waiting, and the environment.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;

/// The machine that sends. Tests bring one of their own, whose time passes when it is told to.
pub trait Host: fmt::Debug + Send + Sync {
    /// The time of day.
    fn now(&self) -> SystemTime;

    /// A number from 0 up to, but not including, 1.
    fn chance(&self) -> f64;

    /// Waits.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The machine itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Host for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "signatures carry the time at which they are made"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn chance(&self) -> f64 {
        // The standard library's only source of chance.
        let bits = RandomState::new().hash_one(0) & 0xffff;
        f64::from(u16::try_from(bits).unwrap_or(0)) / 65_536.0
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "secrets are not given as arguments, which others on the machine can read"
    )]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
