//! From a query to its answer.

use std::io::{self, Write};

use anyhow::anyhow;
use outflow_query::{AnswerFormat, AnswerWriter, Error, Reads, Rows, STACK_BYTES};
use tokio::runtime::Runtime;

use super::asked::Asked;
use super::cancel::Running;
use crate::exit::Failure;
use crate::output;
use crate::session::{Opened, failure};

/// What stopped an answer.
pub(crate) enum Stop {
    Query(Error),
    Cancelled,
    Output(io::Error),
}

impl Stop {
    /// What it means.
    pub(crate) fn failure(self, sql: &str) -> Failure {
        match self {
            Self::Query(error) => failure(error, sql),
            Self::Cancelled => Failure::unfinished(anyhow!("cancelled"), "ask again"),
            Self::Output(error) => output::untold(None, error.into()),
        }
    }
}

/// What a query reads.
pub(super) fn reads(opened: &Opened, asked: &Asked) -> Result<Reads, Stop> {
    let reads = opened.session.reads(&asked.sql, asked.values.clone());
    cancellable(&opened.runtime, reads)
}

/// Understands a query and begins to answer it.
pub(super) fn begin(opened: &Opened, asked: &Asked) -> Result<Rows, Stop> {
    let query = opened.session.query(&asked.sql, asked.values.clone());
    cancellable(&opened.runtime, query)
}

/// Writes an answer as it comes; says how many rows it has.
pub(super) fn write(
    opened: &Opened,
    rows: &mut Rows,
    format: AnswerFormat,
    out: &mut dyn Write,
) -> Result<u64, Stop> {
    let mut writer = AnswerWriter::new(format, &rows.schema(), out).map_err(Stop::Output)?;
    while let Some(batch) = cancellable(&opened.runtime, rows.next())? {
        writer.write(&batch).map_err(Stop::Output)?;
    }
    writer.finish().map_err(Stop::Output)
}

/// Waits for what a query does, unless Ctrl-C comes first.
pub(crate) fn cancellable<T: Send>(
    runtime: &Runtime,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Stop> {
    let running = Running::begin();
    let waiting = async {
        tokio::select! {
            done = work => done.map_err(Stop::Query),
            () = running.cancelled() => Err(Stop::Cancelled),
        }
    };
    on_deep_stack(|| runtime.block_on(waiting)).map_err(Stop::Output)?
}

/// Does on a thread of its own what goes deep into expressions.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().stack_size(STACK_BYTES);
        let done = deep.spawn_scoped(scope, work)?.join();
        // A panic goes on here.
        Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
