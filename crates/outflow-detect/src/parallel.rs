//! Pure functions on several threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// Threads at most that work is spread over.
const THREADS_MAX: usize = 4;

/// Threads that work is spread over: as many as there are processors, as each more keeps memory of its own. The number has no
/// influence on any result.
fn threads() -> usize {
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| {
        let available = thread::available_parallelism();
        available.map_or(1, NonZero::get).min(THREADS_MAX)
    })
}

/// The results for all items, in their order.
pub(crate) fn in_parallel<'t, T: Sync, R: Send>(
    items: &'t [T],
    of: impl Fn(&'t T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, R)> {
        let places = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let items = places.map_while(|at| items.get(at).map(|item| (at, of(item))));
        items.collect()
    };
    let threads = threads().min(items.len());
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        // Where the system starts no more threads, those that there are do the work.
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let mut all = work();
        // A panic in a thread is a fault of the program: it goes on here.
        let joined = others.into_iter().map(|thread| thread.join());
        joined.for_each(|part| all.extend(part.unwrap_or_else(|p| std::panic::resume_unwind(p))));
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}

/// As [`in_parallel`], of items that may change, with their places.
pub(crate) fn in_parallel_mut<T: Send, R: Send>(
    items: &mut [T],
    of: impl Fn(usize, &mut T) -> R + Sync,
) -> Vec<R> {
    let items: Vec<(usize, Mutex<&mut T>)> = items.iter_mut().map(Mutex::new).enumerate().collect();
    // Each is locked once.
    in_parallel(&items, |(at, item)| {
        of(
            *at,
            &mut item.lock().unwrap_or_else(PoisonError::into_inner),
        )
    })
}

/// Sorts in place, on as many threads; equal items are alike.
pub(crate) fn sort<T: Ord + Send>(items: &mut [T]) {
    let mut parts = vec![items];
    while parts.len() < threads() {
        // Parting is a pass over the items, and sorting is many.
        let halves = in_parallel_mut(&mut parts, |_, part| {
            let part = std::mem::take(part);
            let middle = part.len() / 2;
            if middle > 0 {
                part.select_nth_unstable(middle);
            }
            part.split_at_mut(middle)
        });
        parts = halves
            .into_iter()
            .flat_map(|(low, high)| [low, high])
            .collect();
    }
    in_parallel_mut(&mut parts, |_, part| part.sort_unstable());
}

/// The results of two functions, which run at the same time.
pub(crate) fn both<A: Send, B>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join();
        (
            one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            other,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for len in [0, 1, 3, 1_000] {
            let items: Vec<usize> = (0..len).collect();
            let doubled: Vec<usize> = items.iter().map(|item| 2 * item).collect();
            assert_eq!(in_parallel(&items, |item| 2 * item), doubled);
            let mut changed = items.clone();
            let places = in_parallel_mut(&mut changed, |at, item| {
                *item *= 2;
                at
            });
            assert_eq!((places, changed), (items, doubled));
            let mut mixed: Vec<usize> = (0..len).map(|item| item * 7_919 % 1_000 / 3).collect();
            let mut sorted = mixed.clone();
            sorted.sort_unstable();
            sort(&mut mixed);
            assert_eq!(mixed, sorted);
        }
        assert_eq!(both(|| 1, || 2), (1, 2));
    }
}
