//! Compaction, retention and removal lose and double no row, whoever is killed and whoever works beside them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use outflow_lake::{Lake, Partition, Table, rows};

use crate::faulty::{Fault, FaultyStore};
use crate::objects::{OBJECTS, assert_once, ids, ingest, lake_over, rows_by_source};

const NOW: Duration = Duration::ZERO;
const A_DAY: Duration = Duration::from_secs(86_400);

fn objects() -> Vec<u64> {
    (0..OBJECTS).collect()
}

/// A store with a lake of all objects, in files of one row each.
fn ingested() -> Arc<dyn ObjectStore> {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    ingest(&lake_over(Arc::clone(&store)).unwrap(), &objects()).unwrap();
    store
}

fn files(lake: &Lake, table: Table) -> usize {
    lake.files(&lake.snapshot(table).unwrap()).unwrap().len()
}

fn compact(lake: &Lake) -> Result<bool, outflow_lake::Error> {
    let mut overtaken = false;
    for table in Table::ALL {
        overtaken |= lake.compact(table)?.overtaken;
    }
    Ok(overtaken)
}

#[test]
fn small_files_become_one_that_is_sorted() {
    let lake = lake_over(ingested()).unwrap();
    let done = lake.compact(Table::Rejects).unwrap();
    assert_eq!(
        (done.files_before, done.files_after, done.rows),
        (OBJECTS, 1, OBJECTS)
    );
    assert!(!done.overtaken);
    let files = lake.files(&lake.snapshot(Table::Rejects).unwrap()).unwrap();
    assert_eq!(
        files[0].partition,
        Partition::new(Some(0), Some("eu-west-1"))
    );
    let mut found = Vec::new();
    for batch in rows(&files[0], lake.fetch(&files[0]).unwrap(), None).unwrap() {
        let batch = batch.unwrap();
        let offsets = batch.column(1).as_primitive::<Int64Type>();
        for (row, id) in batch.column(0).as_string::<i32>().iter().enumerate() {
            found.push((id.unwrap().to_owned(), offsets.value(row)));
        }
    }
    let mut wanted: Vec<_> = objects()
        .iter()
        .map(|object| (ids(*object).1.to_string(), 7))
        .collect();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_once(&lake, "compacted");
    let again = lake.compact(Table::Rejects).unwrap();
    assert_eq!(
        again,
        outflow_lake::Compacted::default(),
        "there is nothing left to join"
    );
}

#[test]
fn a_kill_of_a_compaction_at_any_call_loses_and_doubles_nothing() {
    let whole = FaultyStore::new(ingested(), u64::MAX, Fault::Before);
    let lake = lake_over(Arc::new(whole.clone())).unwrap();
    let opened = whole.calls();
    lake.compact(Table::Rejects).unwrap();
    assert!(
        whole.calls() > opened + 15,
        "a run of few calls proves little"
    );
    for fault in [Fault::Before, Fault::After] {
        for fails_from in opened..whole.calls() {
            let inner = ingested();
            let faulty = FaultyStore::new(Arc::clone(&inner), fails_from, fault);
            let killed = lake_over(Arc::new(faulty)).unwrap().compact(Table::Rejects);
            let what = format!("{fault:?} call {fails_from}, {killed:?}");
            let lake = lake_over(inner).unwrap();
            assert_once(&lake, &what);
            assert!(!lake.compact(Table::Rejects).unwrap().overtaken, "{what}");
            assert_eq!(files(&lake, Table::Rejects), 1, "{what}");
            std::thread::sleep(Duration::from_millis(2));
            lake.remove(&lake.unneeded(Table::Rejects, NOW).unwrap())
                .unwrap();
            assert_once(&lake, &what);
        }
    }
}

/// What another does before any call of a compaction; how often the compaction was overtaken by it.
fn beside_a_compaction(work: fn(&Lake), check: fn(&Lake, &str)) -> u64 {
    let whole = FaultyStore::new(ingested(), u64::MAX, Fault::Before);
    let lake = lake_over(Arc::new(whole.clone())).unwrap();
    let opened = whole.calls();
    lake.compact(Table::Rejects).unwrap();
    let mut overtaken = 0;
    for call in opened..whole.calls() {
        let inner = ingested();
        let other = lake_over(Arc::clone(&inner)).unwrap();
        let beside = other.clone();
        let store = FaultyStore::beside(inner, call, Box::new(move || work(&beside)));
        let lake = lake_over(Arc::new(store)).unwrap();
        let done = lake.compact(Table::Rejects).unwrap();
        overtaken += u64::from(done.overtaken);
        check(&other, &format!("beside call {call}: {done:?}"));
    }
    overtaken
}

#[test]
fn of_two_compactions_of_the_same_files_one_gives_up() {
    let work = |lake: &Lake| {
        lake.compact(Table::Rejects).unwrap();
    };
    let overtaken = beside_a_compaction(work, |lake, what| {
        assert_once(lake, what);
        assert_eq!(files(lake, Table::Rejects), 1, "{what}");
    });
    assert!(
        overtaken > 5,
        "they met {overtaken} times, which proves little"
    );
}

#[test]
fn a_compaction_brings_back_no_day_that_was_taken_out() {
    let work = |lake: &Lake| {
        lake.expire(Table::Rejects, 1).unwrap();
    };
    let overtaken = beside_a_compaction(work, |lake, what| {
        assert_eq!(files(lake, Table::Rejects), 0, "{what}");
    });
    assert!(
        overtaken > 5,
        "they met {overtaken} times, which proves little"
    );
}

#[test]
fn an_ingest_goes_on_beside_what_takes_files_out() {
    let work = |lake: &Lake| ingest(lake, &[OBJECTS]).unwrap();
    let overtaken = beside_a_compaction(work, |lake, what| {
        let found = rows_by_source(lake, Table::Rejects);
        assert_eq!(found.len() as u64, OBJECTS + 1, "{what}");
        assert!(found.values().all(|rows| *rows == 1), "{what}");
    });
    assert_eq!(overtaken, 0);
    // And the other way round: retention and compaction before each call of an ingest.
    for call in (0..).step_by(3) {
        let inner = ingested();
        let other = lake_over(Arc::clone(&inner)).unwrap();
        let beside = other.clone();
        let reached = Arc::new(AtomicBool::new(false));
        let now = Arc::clone(&reached);
        let work = move || {
            now.store(true, Ordering::Relaxed);
            compact(&beside).unwrap();
            beside.expire(Table::Rejects, 1).unwrap();
        };
        let store = FaultyStore::beside(inner, call, Box::new(work));
        ingest(&lake_over(Arc::new(store)).unwrap(), &[OBJECTS]).unwrap();
        if !reached.load(Ordering::Relaxed) {
            assert!(call > 40, "an ingest of {call} calls proves little");
            break;
        }
        let sources = rows_by_source(&other, Table::Sources);
        assert_eq!(sources.len() as u64, OBJECTS + 1, "beside call {call}");
        assert!(
            sources.values().all(|rows| *rows == 1),
            "beside call {call}"
        );
        assert_eq!(other.verify().unwrap().faults, [], "beside call {call}");
    }
}

#[test]
fn compactions_and_ingests_at_once_keep_every_row_once() {
    let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    lake_over(Arc::clone(&inner)).unwrap();
    std::thread::scope(|scope| {
        for first in 0..2 {
            let inner = Arc::clone(&inner);
            scope.spawn(move || {
                let objects: Vec<u64> = (0..OBJECTS).map(|at| (at + first) % OBJECTS).collect();
                ingest(&lake_over(inner).unwrap(), &objects).unwrap();
            });
        }
        for _ in 0..3 {
            let inner = Arc::clone(&inner);
            scope.spawn(move || {
                let lake = lake_over(inner).unwrap();
                for _ in 0..5 {
                    compact(&lake).unwrap();
                }
            });
        }
    });
    assert_once(
        &lake_over(inner).unwrap(),
        "ingests and compactions at once",
    );
}

#[test]
fn files_that_were_taken_out_stay_while_they_are_kept() {
    let lake = lake_over(ingested()).unwrap();
    assert_eq!(lake.unneeded(Table::Rejects, NOW).unwrap(), []);
    let before = lake.snapshot(Table::Rejects).unwrap();
    lake.compact(Table::Rejects).unwrap();
    assert_eq!(lake.unneeded(Table::Rejects, A_DAY).unwrap(), []);
    for file in lake.files(&before).unwrap() {
        lake.fetch(&file)
            .expect("who reads the version before still can");
    }
    std::thread::sleep(Duration::from_millis(5));
    let unneeded = lake.unneeded(Table::Rejects, NOW).unwrap();
    assert_eq!(unneeded.len() as u64, OBJECTS);
    lake.remove(&unneeded).unwrap();
    lake.remove(&unneeded).expect("what is gone is no error");
    assert_once(&lake, "after removal");
    assert_eq!(lake.unneeded(Table::Rejects, NOW).unwrap(), []);
}

/// Of a batch that was decided and not completed, other tables name no file yet: removal must not take them.
#[test]
fn removal_takes_no_file_that_a_batch_waits_for() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = lake_over(Arc::clone(&store)).unwrap();
    let mut waited = false;
    for fails_from in 0.. {
        let faulty = FaultyStore::new(Arc::clone(&store), fails_from, Fault::Before);
        let killed = lake_over(Arc::new(faulty)).and_then(|lake| ingest(&lake, &objects()));
        waited |= !lake.status(A_DAY).unwrap().is_complete;
        std::thread::sleep(Duration::from_millis(2));
        lake.remove(&lake.unneeded(Table::Rejects, NOW).unwrap())
            .unwrap();
        for (id, count) in rows_by_source(&lake, Table::Sources) {
            let rejects = rows_by_source(&lake, Table::Rejects);
            assert_eq!(
                rejects.get(&id),
                Some(&count),
                "killed at call {fails_from}"
            );
        }
        if killed.is_ok() {
            break;
        }
    }
    assert!(waited, "no batch ever waited, so this proves nothing");
    assert_once(&lake, "after all kills");
}

#[test]
fn days_are_taken_out_and_the_journal_stays() {
    let lake = lake_over(ingested()).unwrap();
    assert_eq!(
        lake.expire(Table::Rejects, 0).unwrap().files,
        0,
        "the day itself stays"
    );
    let done = lake.expire(Table::Rejects, 1).unwrap();
    assert_eq!(
        (done.files, done.rows, done.days),
        (OBJECTS, OBJECTS, Some((0, 0)))
    );
    assert_eq!(files(&lake, Table::Rejects), 0);
    assert_eq!(lake.expire(Table::Sources, 1).unwrap().files, 0);
    ingest(&lake, &objects()).unwrap();
    assert_eq!(files(&lake, Table::Rejects), 0, "nothing is read again");
    let verified = lake.verify().unwrap();
    assert_eq!(
        (verified.faults, verified.partly_expired),
        (vec![], OBJECTS)
    );
}

#[test]
fn the_status_counts_what_is_there_and_changes_nothing() {
    let lake = lake_over(ingested()).unwrap();
    let status = lake.status(A_DAY).unwrap();
    assert_eq!((status.last_batch, status.is_complete), (2, true));
    let rejects = &status.tables[Table::Rejects as usize];
    assert_eq!(
        (rejects.files, rejects.rows, rejects.small_files),
        (OBJECTS, OBJECTS, OBJECTS)
    );
    assert_eq!(rejects.days, Some((0, 0)));
    assert_eq!(rejects.regions.iter().collect::<Vec<_>>(), ["eu-west-1"]);
    assert_eq!(lake.status(A_DAY).unwrap(), status);
}
