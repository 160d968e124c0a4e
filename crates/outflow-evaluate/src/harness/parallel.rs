//! Work on two threads: each item also uses several by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const THREADS: usize = 2;

/// The results for all items, in their order; `of` gets how many were begun before.
pub(super) fn in_pairs<T: Sync, R: Send>(
    items: &[T],
    of: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, R)> {
        let places = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let items = places.map_while(|at| items.get(at).map(|item| (at, of(at, item))));
        items.collect()
    };
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        // A panic in a thread is a fault of the program: it goes on here.
        let joined = others.into_iter().map(thread::ScopedJoinHandle::join);
        joined.for_each(|part| all.extend(part.unwrap_or_else(|p| std::panic::resume_unwind(p))));
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}
