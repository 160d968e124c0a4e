//! What does not add up is told by name.

use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use outflow_lake::{Batch, DataFile, Lake, Table};

use crate::objects::{OBJECTS, ids, ingest, lake_over, reject, source, store};

fn lake() -> (Arc<InMemory>, Lake) {
    let inner = Arc::new(InMemory::new());
    let lake = lake_over(Arc::clone(&inner) as Arc<dyn ObjectStore>).unwrap();
    ingest(&lake, &(0..OBJECTS).collect::<Vec<_>>()).unwrap();
    (inner, lake)
}

/// The faults, by name.
fn faults(lake: &Lake) -> Vec<(String, String)> {
    let faults = lake.verify().unwrap().faults.into_iter();
    faults.map(|fault| (fault.name, fault.reason)).collect()
}

fn first(lake: &Lake) -> (DataFile, Path) {
    let files = lake.files(&lake.snapshot(Table::Rejects).unwrap()).unwrap();
    let path = format!("lake/rejects/{}", files[0].path);
    (files[0].clone(), path.into())
}

fn done<T>(work: impl Future<Output = object_store::Result<T>>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work).unwrap()
}

#[test]
fn what_was_ingested_adds_up() {
    let (_, lake) = lake();
    let verified = lake.verify().unwrap();
    assert_eq!((verified.faults, verified.more_faults), (vec![], 0));
    assert_eq!(verified.files, 2 * OBJECTS);
    assert_eq!(verified.rows[Table::Rejects as usize], OBJECTS);
    assert_eq!(verified.sources.len() as u64, OBJECTS);
}

#[test]
fn a_file_that_is_gone_damaged_or_another_is_named() {
    let (inner, lake) = lake();
    let (file, path) = first(&lake);
    let name = format!("rejects/{}", file.path);
    let whole = lake.fetch(&file).unwrap();
    done(inner.put(&path, whole.slice(..whole.len() / 2).into()));
    let found = faults(&lake);
    assert_eq!((found.len(), &found[1].0), (2, &name), "{found:?}");
    assert!(found[1].1.starts_with("cannot be read: "), "{found:?}");
    assert_eq!(found[0].1, "has 0 rows in `rejects`, and read were 1");

    done(inner.delete(&path));
    let found = faults(&lake);
    assert_eq!(found[1].0, name);
    assert!(found[1].1.starts_with("cannot be read: "), "{found:?}");

    // Another file in its place, with two rows of the same source.
    let id = rows_of(&file, whole);
    let two = arrow_select::concat::concat_batches(
        &Table::Rejects.file_schema(),
        &[reject(&id), reject(&id)],
    );
    let other = store(&lake, Table::Rejects, &two.unwrap()).unwrap();
    done(inner.put(&path, lake.fetch(&other).unwrap().into()));
    let found = faults(&lake);
    assert_eq!(found[0].1, "has 2 rows in `rejects`, and read were 1");
    assert_eq!(
        found[1],
        (name, "holds 2 rows, and the log says 1".to_owned())
    );
}

fn rows_of(file: &DataFile, bytes: Bytes) -> String {
    use arrow_array::cast::AsArray as _;
    let batch = outflow_lake::rows(file, bytes, None).unwrap().next();
    batch
        .unwrap()
        .unwrap()
        .column(0)
        .as_string::<i32>()
        .value(0)
        .to_owned()
}

#[test]
fn a_row_of_no_source_and_a_source_of_two_rows_are_named() {
    let (_, lake) = lake();
    let (name, version) = ids(0);
    let (_, stranger) = ids(99);
    let files = vec![
        store(&lake, Table::Rejects, &reject(&stranger.to_string())).unwrap(),
        store(
            &lake,
            Table::Sources,
            &source(&name.to_string(), &version.to_string()),
        )
        .unwrap(),
    ];
    lake.commit(&Batch {
        files,
        sources: vec![ids(98)],
    })
    .unwrap();
    assert_eq!(
        faults(&lake),
        [
            ("object".to_owned(), "is in the journal twice".to_owned()),
            (
                format!("source {stranger}"),
                "has 1 rows, and is not in the journal".to_owned()
            ),
        ]
    );
}
