//! Work on two threads.

use std::panic;
use std::thread;

/// The results of two functions, which run at the same time; where the system starts no more threads, one after the other.
pub(crate) fn both<A: Send, B>(one: impl Fn() -> A + Sync, other: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let started = thread::Builder::new().spawn_scoped(scope, &one);
        let other = other();
        let one = match started.map(thread::ScopedJoinHandle::join) {
            // A panic in a thread is a fault of the program: it goes on here.
            Ok(joined) => joined.unwrap_or_else(|panicked| panic::resume_unwind(panicked)),
            Err(_) => one(),
        };
        (one, other)
    })
}
