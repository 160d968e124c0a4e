//! Rows of evidence, out of a session and into files.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use arrow_array::RecordBatch;
use outflow_query::{AnswerFormat, AnswerWriter, Error, ScalarValue, Session};
use tokio::runtime::Runtime;

use super::unwritten;
use crate::exit::Failure;
use crate::session::failure;

/// Asks a query, and writes what it answers into files of these formats; says how many rows there are.
pub(super) fn write(
    runtime: &Runtime,
    session: &Session,
    sql: &str,
    values: Vec<(String, ScalarValue)>,
    files: &[(AnswerFormat, &Path)],
) -> Result<u64, Failure> {
    write_each(runtime, session, (sql, values), files, |_| Ok(()))
}

/// As [`write()`], and hands on each batch.
pub(super) fn write_each(
    runtime: &Runtime,
    session: &Session,
    (sql, values): (&str, Vec<(String, ScalarValue)>),
    files: &[(AnswerFormat, &Path)],
    mut each: impl FnMut(&RecordBatch) -> Result<(), Error>,
) -> Result<u64, Failure> {
    let wrong = |error: Error| failure(error, sql);
    let mut rows = runtime
        .block_on(session.query(sql, values))
        .map_err(wrong)?;
    let schema = rows.schema();
    let mut writers = Vec::new();
    for (format, path) in files {
        let writer = File::create_new(path)
            .and_then(|file| AnswerWriter::new(*format, &schema, BufWriter::new(file)));
        writers.push((writer.map_err(|error| unwritten(path, error))?, path));
    }
    let mut count = 0;
    while let Some(batch) = runtime.block_on(rows.next()).map_err(wrong)? {
        count += batch.num_rows() as u64;
        each(&batch).map_err(wrong)?;
        for (writer, path) in &mut writers {
            writer
                .write(&batch)
                .map_err(|error| unwritten(path, error))?;
        }
    }
    for (writer, path) in writers {
        writer.finish().map_err(|error| unwritten(path, error))?;
    }
    Ok(count)
}
