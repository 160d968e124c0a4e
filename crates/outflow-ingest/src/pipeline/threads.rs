//! Work on several threads.

use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Parts of the items for each thread: so many that a slow one does not keep the others waiting.
const PARTS_PER_THREAD: usize = 4;

/// Does the same work on so many threads, of which this is one; what each came to, this one's first. Where the system
/// starts no more threads, those that there are do the work.
pub(crate) fn on_each<T: Send>(threads: usize, work: impl Fn() -> T + Copy + Send) -> Vec<T> {
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let own = work();
        // A panic in a worker is a fault of the program: it goes on here.
        let joined = others.into_iter().map(|thread| thread.join());
        let joined = joined.map(|done| done.unwrap_or_else(|p| panic::resume_unwind(p)));
        std::iter::once(own).chain(joined).collect()
    })
}

/// Does `of` to every item, on up to so many threads beside this one. Where the system starts no more threads, those that
/// there are do the work.
pub(super) fn for_each<T: Send>(items: &mut [T], threads: usize, of: impl Fn(&mut T) + Sync) {
    let at_once = items.len() / (threads * PARTS_PER_THREAD).max(1) + 1;
    let threads = threads.min(items.len().div_ceil(at_once));
    let parts = Mutex::new(items.chunks_mut(at_once));
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(part) = next() {
            part.iter_mut().for_each(&of);
        }
    };
    thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        // The scope waits for them, and goes on with a panic of theirs.
        drop((0..threads).map_while(start).collect::<Vec<_>>());
        work();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_its_turn_once_however_many_threads_there_are() {
        for threads in [0, 1, 3, 64] {
            for len in [0, 1, 2, 1_000] {
                let mut items = vec![0; len];
                for_each(&mut items, threads, |item| *item += 1);
                assert_eq!(items, vec![1; len], "{threads} threads");
            }
        }
    }
}
