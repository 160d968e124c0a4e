//! Every row is in the lake once, wherever who wrote it was killed, and whoever wrote beside it.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use outflow_lake::{Known, SourceId};

use crate::faulty::{Fault, FaultyStore};
use crate::objects::{OBJECTS, assert_once, ids, ingest, lake_over};

#[test]
fn a_kill_at_any_call_loses_and_doubles_nothing() {
    let objects: Vec<u64> = (0..OBJECTS).collect();
    let whole = FaultyStore::new(Arc::new(InMemory::new()), u64::MAX, Fault::Before);
    ingest(&lake_over(Arc::new(whole.clone())).unwrap(), &objects).unwrap();
    let calls = whole.calls();
    assert!(calls > 50, "a run of {calls} calls proves little");
    for fault in [Fault::Before, Fault::After] {
        for fails_from in 0..calls {
            let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let faulty = FaultyStore::new(Arc::clone(&inner), fails_from, fault);
            let killed = lake_over(Arc::new(faulty)).and_then(|lake| ingest(&lake, &objects));
            // What fails behind the last commit (a checkpoint) fails nothing.
            let what = format!("{fault:?} call {fails_from} of {calls}, {killed:?}");
            let lake = lake_over(inner).unwrap();
            ingest(&lake, &objects).unwrap();
            assert_once(&lake, &what);
        }
    }
}

#[test]
fn several_at_once_store_everything_once() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    std::thread::scope(|scope| {
        for first in 0..4 {
            let inner = Arc::clone(&inner);
            scope.spawn(move || {
                // All want all objects, in an order of their own.
                let objects: Vec<u64> = (0..OBJECTS).map(|at| (at + first) % OBJECTS).collect();
                ingest(&lake_over(inner).unwrap(), &objects).unwrap();
            });
        }
    });
    assert_once(&lake_over(inner).unwrap(), "four at once");
}

#[test]
fn a_second_version_of_an_object_is_told_from_the_first() {
    let lake = lake_over(Arc::new(InMemory::new())).unwrap();
    ingest(&lake, &[0]).unwrap();
    let (name, version) = ids(0);
    let journal = lake.journal().unwrap();
    assert_eq!(journal.known(name, version), Known::Read);
    assert_eq!(
        journal.known(name, SourceId::of(&["0", "v2"])),
        Known::Changed
    );
    assert_eq!(journal.known(ids(1).0, ids(1).1), Known::New);
}
