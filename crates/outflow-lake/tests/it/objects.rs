//! Objects that are numbers, and a lake of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, new_null_array};
use object_store::ObjectStore;
use outflow_lake::{
    Batch, Committed, DataFile, Error, FileWriter, Known, Lake, Partition, SourceId, Table, rows,
};

pub(crate) const OBJECTS: u64 = 4;
pub(crate) const OBJECTS_A_BATCH: usize = 2;

/// A row of `rejects` for each object, and one of `sources`: tables before and behind the decision.
pub(crate) fn reject(source_id: &str) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![source_id])),
        Arc::new(Int64Array::from(vec![7])),
        Arc::new(StringArray::from(vec!["field-count"])),
        Arc::new(BinaryArray::from_vec(vec![b"no record"])),
    ];
    RecordBatch::try_new(Table::Rejects.file_schema(), columns).unwrap()
}

pub(crate) fn source(name_id: &str, source_id: &str) -> RecordBatch {
    let schema = Table::Sources.file_schema();
    let value = |field: &Arc<arrow_schema::Field>| -> ArrayRef {
        match field.name().as_str() {
            "source_id" => Arc::new(StringArray::from(vec![source_id])),
            "name_id" => Arc::new(StringArray::from(vec![name_id])),
            "uri" | "given_uri" => Arc::new(StringArray::from(vec!["object"])),
            _ if field.is_nullable() => new_null_array(field.data_type(), 1),
            "lines" | "rejects" => Arc::new(Int64Array::from(vec![1])),
            _ => Arc::new(Int64Array::from(vec![0])),
        }
    };
    let columns = schema.fields().iter().map(value).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

pub(crate) fn store(lake: &Lake, table: Table, rows: &RecordBatch) -> Result<DataFile, Error> {
    let mut file = FileWriter::new(table, &rows.schema())?;
    file.write(rows)?;
    lake.store(
        table,
        &Partition::new(Some(0), Some("eu-west-1")),
        file.finish()?,
    )
}

pub(crate) fn ids(object: u64) -> (SourceId, SourceId) {
    let name = object.to_string();
    (SourceId::of(&[&name]), SourceId::of(&[&name, "v1"]))
}

/// What `outflow ingest` does, on objects that are numbers.
pub(crate) fn ingest(lake: &Lake, objects: &[u64]) -> Result<(), Error> {
    let journal = lake.journal()?;
    let is_new = |object: &&u64| {
        let (name, version) = ids(**object);
        journal.known(name, version) == Known::New
    };
    let wanted: Vec<u64> = objects.iter().filter(is_new).copied().collect();
    for chunk in wanted.chunks(OBJECTS_A_BATCH) {
        let mut chunk = chunk.to_vec();
        while !chunk.is_empty() {
            let mut batch = Batch::default();
            for object in &chunk {
                let (name, version) = ids(*object);
                batch
                    .files
                    .push(store(lake, Table::Rejects, &reject(&version.to_string()))?);
                let row = source(&name.to_string(), &version.to_string());
                batch.files.push(store(lake, Table::Sources, &row)?);
                batch.sources.push((name, version));
            }
            match lake.commit(&batch)? {
                Committed::Done { .. } => break,
                Committed::Overtaken(names) => {
                    chunk.retain(|object| !names.contains(&ids(*object).0));
                }
            }
        }
    }
    Ok(())
}

/// How often each object has a row in a table.
pub(crate) fn rows_by_source(lake: &Lake, table: Table) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for file in lake.files(&lake.snapshot(table).unwrap()).unwrap() {
        let bytes = lake.fetch(&file).unwrap();
        for batch in rows(&file, bytes, Some(&["source_id"])).unwrap() {
            for id in batch.unwrap().column(0).as_string::<i32>() {
                *counts.entry(id.unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    counts
}

pub(crate) fn assert_once(lake: &Lake, what: &str) {
    let wanted: BTreeMap<String, u64> = (0..OBJECTS)
        .map(|object| (ids(object).1.to_string(), 1))
        .collect();
    for table in [Table::Rejects, Table::Sources] {
        assert_eq!(
            rows_by_source(lake, table),
            wanted,
            "{what}: {}",
            table.name()
        );
    }
}

pub(crate) fn lake_over(store: Arc<dyn ObjectStore>) -> Result<Lake, Error> {
    Lake::over(store, "memory:///lake/".parse().unwrap())
}
