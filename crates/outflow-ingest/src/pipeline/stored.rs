//! Detection over the tables of a lake: what workers are given is not objects but row groups.
//!
//! ```text
//! sources ──► Catalog: what of it counts, and where each source is from
//!                │
//! flows, dns,    ▼                         ┌► Counter, as of objects ─────────────► SharedState ┐
//! coverage ──► row groups ──► parts of one ┤                                                    ├─► judge, as of objects
//! rejects        …            source each  └► Gathering: one entry of evidence for each source ─┘
//! ```
//!
//! The rows of an object lie in many places, and those of many objects in one. What they come to is the same as that
//! of the objects, to the byte: all sums are free of order.

mod alerting;
mod catalog;
mod following;
mod gathering;
mod parts;
mod telling;
mod worker;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use outflow_detect::SharedState;
use outflow_enrich::{HostBudget, InterfaceKey, PassiveDns};
use outflow_lake::{DataFile, Error, Lake, Partition, StoredFile, Table};
use outflow_record::Timestamp;

use super::evidence::{Ledger, SourceRows};
use super::tally::Tally;
use super::{Outcome, Progress, Reading, Settings, WORKERS_MAX, named_copies, threads};
use crate::{Filter, Problem};
use catalog::{Before, Catalog, name_of};
use gathering::Gathering;
use worker::{Done, Worker};

pub use alerting::Alerting;
pub use following::{CheckpointError, Followed, Following, PERIOD_DAYS};
pub use telling::Telling;

/// Time before `since` of which the answers of the resolver may still name an address: a day, and the hour in which it
/// ends.
const NAMES_BEFORE_SECS: i64 = outflow_enrich::ANSWER_WINDOW_SECS + 3_600;

const DAY_SECS: i64 = 86_400;

/// What a lake holds, at one moment: the objects of its journal, and all rows of theirs. What is committed later is not
/// seen.
#[derive(Debug)]
pub struct StoredLogs<'l> {
    lake: &'l Lake,
    catalog: Catalog,
    /// The files that may hold rows that are wanted.
    files: Vec<DataFile>,
    /// All files, by name.
    listed: BTreeSet<String>,
}

impl<'l> StoredLogs<'l> {
    /// Looks up what is wanted of a lake.
    ///
    /// # Errors
    /// [`Error::Table`] and [`Error::File`] if a table cannot be read.
    pub fn open(lake: &'l Lake, filter: &Filter) -> Result<Self, Error> {
        // The journal is committed last: what it tells of is in all tables that are read after it.
        let before: Arc<Before> = Arc::default();
        let catalog = Catalog::read(lake, filter, Arc::clone(&before))?;
        Self::of(lake, filter, catalog, &before)
    }

    /// Looks up where the rows of these objects are, but for files that were read before.
    fn of(
        lake: &'l Lake,
        filter: &Filter,
        catalog: Catalog,
        before: &Before,
    ) -> Result<Self, Error> {
        let mut files = Vec::new();
        for table in [Table::Flows, Table::Dns, Table::Coverage, Table::Rejects] {
            files.extend(lake.files(&lake.snapshot(table)?)?);
        }
        let listed = files.iter().map(name_of).collect();
        let is_of_share = |file: &DataFile| match file.table {
            Table::Flows | Table::Dns => of_day(file).is_none_or(|span| catalog.may_want(span)),
            _ => of_day(file).is_none_or(|(_, last)| !catalog.is_outdated(last)),
        };
        files.retain(|file| may_hold(file, filter) && !before.knows(file) && is_of_share(file));
        Ok(Self {
            lake,
            catalog,
            files,
            listed,
        })
    }

    /// Bytes of the files to be read.
    pub fn stored_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Objects that are wanted.
    pub fn objects(&self) -> usize {
        self.catalog.sources().len()
    }

    /// Objects of other accounts and regions.
    pub fn left_out(&self) -> u64 {
        self.catalog.left_out()
    }

    /// Reads all, and judges it as [`crate::detect`] judges the objects themselves. `settings` must have the span that
    /// the filter had; their format means nothing here.
    ///
    /// # Errors
    /// [`Error::File`] if a file cannot be read, or holds what its table does not.
    pub fn detect(&self, settings: &Settings, progress: &Progress) -> Result<Outcome, Error> {
        Ok(self.reading(settings, progress)?.into_outcome(settings))
    }

    /// Reads all, to be judged as [`crate::Reading::of`] the objects themselves would be. `settings` must have the span
    /// that the filter had.
    ///
    /// # Errors
    /// As for [`StoredLogs::detect`].
    pub fn reading(&self, settings: &Settings, progress: &Progress) -> Result<Reading, Error> {
        let shared = SharedState::default();
        let all = [(&shared, &self.files[..])];
        let Piece {
            mut tally,
            evidence: (rows, keys, entries),
            names,
            unread,
            unknown,
            problems,
            without_values,
            ..
        } = self.read(&all, settings, progress, &|| false)?;
        let mut remarks = named_copies(self.catalog.copies().iter());
        if settings.since.is_some() || settings.until.is_some() {
            // Rows in files that hold nothing of the span.
            tally.outside += unread;
        } else if unread > 0 {
            remarks.push(format!(
                "{unread} rows that were ingested are no longer in the lake"
            ));
        }
        if unknown > 0 {
            remarks.push(format!(
                "{unknown} rows are of a batch that is not complete, and were left out: the next `outflow ingest` completes it"
            ));
        }
        let mut ledger = Ledger::default();
        ledger.add(vec![(rows, keys)], entries);
        Ok(Reading {
            state: shared.into_state(),
            tally,
            ledger,
            names,
            problems,
            without_values,
            remarks,
        })
    }

    /// Adds all rows that are wanted to the sums: those of some files to one, of others to another. Once it is to end early,
    /// what was added is not whole.
    fn read(
        &self,
        sums: &[(&SharedState, &[DataFile])],
        settings: &Settings,
        progress: &Progress,
        is_ending: &(dyn Fn() -> bool + Sync),
    ) -> Result<Piece, Error> {
        let gathering = Gathering::new(self.catalog.sources());
        let hosts = HostBudget::default();
        let mut all = Done::default();
        for (shared, files) in sums {
            let queue = Queue::new(self.lake, files);
            let failed = AtomicBool::new(false);
            let work = || -> Result<Done, Error> {
                let sums = (*shared, hosts.clone());
                let mut worker = Worker::new(&self.catalog, settings, progress, &gathering, sums);
                while !failed.load(Ordering::Relaxed)
                    && !is_ending()
                    && let Some((file, row_group)) = queue.next()?
                {
                    worker.read(&file, row_group)?;
                }
                Ok(worker.finish())
            };
            let work = || work().inspect_err(|_| failed.store(true, Ordering::Relaxed));
            let count = settings.workers.clamp(1, WORKERS_MAX);
            let workers: Vec<Result<Done, Error>> = threads::on_each(count, work);
            for done in workers {
                all.merge(done?);
            }
        }
        let is_whole = !is_ending();
        if is_whole {
            let objects = self.catalog.sources().len() as u64;
            progress.objects.fetch_add(objects, Ordering::Relaxed);
        }
        Ok(Piece {
            is_whole,
            ..self.add_up(all, gathering)
        })
    }

    /// Enters what workers read into the books of its objects.
    fn add_up(&self, done: Done, gathering: Gathering) -> Piece {
        let mut tally = done.tally;
        tally.copies = self.catalog.copies().len() as u64;
        let (mut problems, mut without_values) = (Vec::new(), Vec::new());
        let gathered = gathering.finish(self.catalog.sources());
        for (source, measures) in self.catalog.sources().iter().zip(gathered.measures) {
            tally.add_stored(&source.row);
            if let Some(flow_log) = &source.origin.flow_log {
                tally.flow_logs.add(flow_log, &Default::default());
            }
            let known = problems.len();
            problems.extend(source.problem());
            catalog::judge_rows(source, &measures, &mut problems, &mut without_values);
            tally.damaged += u64::from(problems.len() > known && source.row.problem.is_none());
        }
        Piece {
            unread: tally.rows.saturating_sub(done.rows),
            tally,
            evidence: (gathered.rows, gathered.keys, gathered.entries),
            names: done.names,
            unknown: done.unknown,
            with_unknown: done.with_unknown,
            problems,
            without_values,
            is_whole: true,
        }
    }
}

/// What objects came to, beside the sums.
struct Piece {
    tally: Tally,
    evidence: (Vec<SourceRows>, Vec<InterfaceKey>, u64),
    names: PassiveDns,
    /// Rows that the journal tells of and that were not looked at.
    unread: u64,
    /// Rows of objects that the journal does not know.
    unknown: u64,
    /// Names of the files that have such rows.
    with_unknown: BTreeSet<String>,
    problems: Vec<Problem>,
    without_values: Vec<Problem>,
    /// Whether all rows were looked at.
    is_whole: bool,
}

/// Whether a file may hold rows of the span, or answers that name addresses in it. Rows of no day have no time.
fn may_hold(file: &DataFile, filter: &Filter) -> bool {
    if file.table == Table::Rejects {
        return true;
    }
    let Some(mut span) = of_day(file) else {
        return true;
    };
    let (mut since, mut until) = (filter.since, filter.until);
    if file.table == Table::Dns {
        since = since.map(|at| Timestamp(at.secs().saturating_sub(NAMES_BEFORE_SECS)));
        until = until.map(|at| Timestamp(at.secs().saturating_add(DAY_SECS)));
    } else if file.table == Table::Flows
        && let Some((first, last)) = file.times("start")
    {
        span = (span.0.max(first.secs()), span.1.min(last.secs()));
    }
    since.is_none_or(|since| span.1 >= since.secs())
        && until.is_none_or(|until| span.0 < until.secs())
}

/// The first and the last second of a file's day.
fn of_day(file: &DataFile) -> Option<(i64, i64)> {
    let from = i64::from(file.partition.day?) * DAY_SECS;
    Some((from, from + DAY_SECS - 1))
}

/// Row groups in the order of their files.
struct Queue<'q> {
    lake: &'q Lake,
    next: Mutex<Next<'q>>,
}

struct Next<'q> {
    files: std::slice::Iter<'q, DataFile>,
    current: Option<(Arc<StoredFile>, usize)>,
}

impl<'q> Queue<'q> {
    fn new(lake: &'q Lake, files: &'q [DataFile]) -> Self {
        let files = files.iter();
        Self {
            lake,
            next: Mutex::new(Next {
                files,
                current: None,
            }),
        }
    }

    /// The next row group. Who fetches a file does so under the lock: others would wait for it, too.
    fn next(&self) -> Result<Option<(Arc<StoredFile>, usize)>, Error> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some((file, row_group)) = &mut next.current
                && *row_group < file.row_groups()
            {
                let own = (Arc::clone(file), *row_group);
                *row_group += 1;
                return Ok(Some(own));
            }
            let Some(file) = next.files.next() else {
                return Ok(None);
            };
            let opened = self.lake.open_file(file.clone())?;
            next.current = Some((Arc::new(opened), 0));
        }
    }
}

/// Reads all rows of a small table that lie in files that are wanted, batch by batch.
fn each_batch(
    lake: &Lake,
    table: Table,
    columns: &[&str],
    is_wanted: impl Fn(&DataFile) -> bool,
    mut take: impl FnMut(&RecordBatch, &Partition, &StoredFile) -> Result<(), Error>,
) -> Result<(), Error> {
    for file in lake.files(&lake.snapshot(table)?)? {
        if !is_wanted(&file) {
            continue;
        }
        let file = lake.open_file(file)?;
        for row_group in 0..file.row_groups() {
            for batch in file.read(row_group, columns, parts::ROWS_AT_ONCE)? {
                take(&batch?, &file.file().partition, &file)?;
            }
        }
    }
    Ok(())
}
