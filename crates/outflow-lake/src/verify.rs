//! Whether the tables of a lake hold what its log and its journal say.
//!
//! ```text
//! flows, dns, coverage, rejects ──every row──► rows and bytes by source ─┐
//!          └── rows of each file, against the log                        ├──► faults, by name
//! sources ──every row──► what each object was said to hold ──────────────┘
//! ```

use std::collections::BTreeMap;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};

use crate::Error;
use crate::lake::{DataFile, Lake};
use crate::partition::Partition;
use crate::read::{rows, unread};
use crate::source::SourceId;
use crate::table::{SOURCE_ID, Table, enriched, profiled};
use crate::upkeep::expired_before;

/// Faults that are told one by one; more of them are counted.
pub const FAULTS_MAX: usize = 1_000;

/// The tables whose rows are of sources, each with the column of the journal that says how many there are.
const COUNTED: [(Table, &str); 4] = [
    (Table::Flows, "rows"),
    (Table::Dns, "queries"),
    (Table::Coverage, "coverage_rows"),
    (Table::Rejects, "rejects"),
];

/// What does not add up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, by its path in the lake, or the object that was read, by its name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// An object that was read into a lake, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Where it was.
    pub uri: String,
    /// Digest of its bytes, if it was read to its end.
    pub sha256: Option<String>,
}

/// What a lake was found to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files read, of all tables.
    pub files: u64,
    /// Rows read, by table in the order of [`Table::ALL`].
    pub rows: [u64; Table::ALL.len()],
    /// Sum of `bytes` over all flows.
    pub bytes: u64,
    /// Objects whose rows may have been taken out in part, as of days before the lake begins. They were found to have no
    /// row too many.
    pub partly_expired: u64,
    /// The objects in the journal.
    pub sources: Vec<Read>,
    /// What does not add up, in order.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more_faults: u64,
}

/// Rows and bytes of a source. Held for each source: some 100 bytes, and the journal's names.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: [u64; COUNTED.len()],
    bytes: u64,
}

/// By partition: what rows of `flows` come to, and what the rollups say they do.
type RolledUp = BTreeMap<Partition, Totals>;

/// The tables that hold sums over rows of `flows`.
const ROLLUPS: [Table; 2] = [Table::Profiles, Table::Hours];

/// Rows and bytes of flows that have what rollups need, and those that each of [`ROLLUPS`] has.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    flows: (i128, i128),
    rolled_up: [(i128, i128); ROLLUPS.len()],
}

impl Totals {
    fn flows(&mut self, batch: &RecordBatch) -> Option<()> {
        let scopes = batch.column_by_name(enriched::SCOPE)?;
        let bytes = batch
            .column_by_name("bytes")?
            .as_primitive_opt::<Int64Type>()?;
        for row in (0..batch.num_rows()).filter(|row| scopes.is_valid(*row)) {
            self.flows.0 += 1;
            self.flows.1 += i128::from(bytes.value(row));
        }
        Some(())
    }

    fn rolled_up(&mut self, at: usize, batch: &RecordBatch) -> Option<()> {
        let sum = |name: &str| {
            let column = batch
                .column_by_name(name)?
                .as_primitive_opt::<Int64Type>()?;
            Some(
                column
                    .values()
                    .iter()
                    .map(|value| i128::from(*value))
                    .sum::<i128>(),
            )
        };
        self.rolled_up[at].0 += sum(profiled::FLOWS)?;
        self.rolled_up[at].1 += sum("bytes")?;
        Some(())
    }

    /// The rollups that say something else, each with what.
    fn faults(&self) -> impl Iterator<Item = (Table, String)> {
        let (rows, bytes) = self.flows;
        let told = ROLLUPS.into_iter().zip(self.rolled_up);
        let other = told.filter(|(_, told)| *told != self.flows);
        other.map(move |(table, (told, told_bytes))| {
            let reason = format!(
                "stand for {told} flows of {told_bytes} bytes, and `flows` has {rows} of {bytes}"
            );
            (table, reason)
        })
    }
}

/// A source as the journal has it.
struct Told {
    read: Read,
    sums: Sums,
    /// The earliest day of which it may have rows.
    first_day: Option<i32>,
}

impl Lake {
    /// Counts the rows of every file, and compares them with the log and the journal. The last batch is completed first.
    ///
    /// # Errors
    /// [`Error::Table`] if a table's log cannot be read. A file that cannot be read is a fault.
    pub fn verify(&self) -> Result<Verified, Error> {
        let mut done = Verified::default();
        let (mut found, mut told) = (BTreeMap::new(), BTreeMap::new());
        let mut expired = [None; COUNTED.len()];
        let (mut rolled_up, mut gone) = (RolledUp::new(), None);
        for snapshot in self.wait(self.at_one_batch())? {
            let counted = COUNTED.iter().position(|(of, _)| *of == snapshot.table);
            let before = self.wait(expired_before(&snapshot))?;
            if let Some(at) = counted {
                expired[at] = before;
            }
            let rollup = ROLLUPS.iter().position(|of| *of == snapshot.table);
            if snapshot.table == Table::Flows || rollup.is_some() {
                gone = gone.max(before);
            }
            for file in self.files(&snapshot)? {
                let mut twice = Vec::new();
                let sums = rolled_up.entry(file.partition.clone()).or_default();
                let take = |batch: &RecordBatch| match (counted, rollup) {
                    (_, Some(at)) => sums.rolled_up(at, batch),
                    (Some(at), _) => {
                        if file.table == Table::Flows {
                            sums.flows(batch)?;
                        }
                        count(batch, at, &mut found)
                    }
                    (None, None) => journal(batch, &file.partition, &mut told, &mut twice),
                };
                self.read_whole(&file, columns_of(file.table), take, &mut done);
                for uri in twice {
                    done.fault(&uri, "is in the journal twice".to_owned());
                }
            }
        }
        compare(&told, found, &expired, &mut done);
        // A retention takes a day out of one table after the other.
        let stays = |partition: &Partition| {
            gone.is_none_or(|gone| partition.day.is_some_and(|day| day >= gone))
        };
        for (partition, sums) in rolled_up.iter().filter(|(of, _)| stays(of)) {
            for (table, reason) in sums.faults() {
                done.fault(&format!("{}/{}", table.name(), partition.folder()), reason);
            }
        }
        done.sources.sort_by(|a, b| a.uri.cmp(&b.uri));
        done.faults.sort();
        Ok(done)
    }

    /// Reads a file to its end; what is wrong with it is a fault.
    fn read_whole(
        &self,
        file: &DataFile,
        columns: Option<&[&str]>,
        mut take: impl FnMut(&RecordBatch) -> Option<()>,
        done: &mut Verified,
    ) {
        let mut count = 0;
        let mut read = || -> Result<(), Error> {
            for batch in rows(file, self.fetch(file)?, columns)? {
                let batch = batch.map_err(|error| unread(file, error))?;
                count += batch.num_rows() as u64;
                take(&batch).ok_or_else(|| unread(file, "it lacks the columns of its table"))?;
            }
            Ok(())
        };
        let read = read();
        let name = file.location();
        done.files += 1;
        done.rows[file.table as usize] += count;
        match read {
            Err(error) => {
                let cause = error.cause().unwrap_or_else(|| error.to_string());
                done.fault(&name, format!("cannot be read: {cause}"));
            }
            Ok(()) if count != file.rows => {
                let reason = format!("holds {count} rows, and the log says {}", file.rows);
                done.fault(&name, reason);
            }
            Ok(()) => {}
        }
    }
}

/// The columns that are summed.
fn columns_of(table: Table) -> Option<&'static [&'static str]> {
    match table {
        Table::Flows => Some(&[SOURCE_ID, "bytes", enriched::SCOPE]),
        Table::Profiles | Table::Hours => Some(&[profiled::FLOWS, "bytes"]),
        Table::Sources => None,
        _ => Some(&[SOURCE_ID]),
    }
}

/// Adds the rows of a batch; none if it lacks columns.
fn count(batch: &RecordBatch, table: usize, found: &mut BTreeMap<SourceId, Sums>) -> Option<()> {
    let ids = batch.column_by_name(SOURCE_ID)?.as_string_opt::<i32>()?;
    let bytes = batch.column_by_name("bytes");
    let bytes = bytes.and_then(|of| of.as_primitive_opt::<Int64Type>());
    for row in 0..batch.num_rows() {
        let sums = found.entry(SourceId::parse(ids.value(row))?).or_default();
        sums.rows[table] += 1;
        let of = bytes.filter(|of| of.is_valid(row)).map(|of| of.value(row));
        let of = of.and_then(|of| u64::try_from(of).ok()).unwrap_or_default();
        sums.bytes = sums.bytes.saturating_add(of);
    }
    Some(())
}

/// Takes what the journal says; none if it lacks columns. What it says of an object twice is told.
fn journal(
    batch: &RecordBatch,
    partition: &Partition,
    told: &mut BTreeMap<SourceId, Told>,
    twice: &mut Vec<String>,
) -> Option<()> {
    let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let long = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
    let (ids, uris, digests) = (text(SOURCE_ID)?, text("uri")?, text("sha256")?);
    let mut counts = Vec::with_capacity(COUNTED.len());
    for (_, name) in COUNTED {
        counts.push(long(name)?);
    }
    let bytes = long("bytes")?;
    let firsts = batch.column_by_name("first")?;
    let firsts = firsts.as_primitive_opt::<TimestampMicrosecondType>()?;
    for row in 0..batch.num_rows() {
        let first = firsts
            .is_valid(row)
            .then(|| firsts.value(row).div_euclid(1_000_000));
        let first = Partition::new(first, None).day;
        let source = Told {
            read: Read {
                uri: uris.value(row).to_owned(),
                sha256: digests.is_valid(row).then(|| digests.value(row).to_owned()),
            },
            sums: Sums {
                rows: std::array::from_fn(|at| unsigned(counts[at].value(row))),
                bytes: unsigned(bytes.value(row)),
            },
            first_day: first.into_iter().chain(partition.day).min(),
        };
        if let Some(before) = told.insert(SourceId::parse(ids.value(row))?, source) {
            twice.push(before.read.uri);
        }
    }
    Some(())
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// Compares what was found of each source with what was told.
fn compare(
    told: &BTreeMap<SourceId, Told>,
    mut found: BTreeMap<SourceId, Sums>,
    expired: &[Option<i32>; COUNTED.len()],
    done: &mut Verified,
) {
    for (id, source) in told {
        let sums = found.remove(id).unwrap_or_default();
        done.bytes = done.bytes.saturating_add(sums.bytes);
        // Rows are a day older than their object at most, but for those that came late.
        let may_lack = expired.map(|before| {
            before.is_some_and(|before| source.first_day.is_none_or(|first| first <= before))
        });
        done.partly_expired += u64::from(may_lack.contains(&true));
        for (at, (table, _)) in COUNTED.into_iter().enumerate() {
            let (has, wanted) = (sums.rows[at], source.sums.rows[at]);
            if has > wanted || has < wanted && !may_lack[at] {
                let reason = format!(
                    "has {has} rows in `{}`, and read were {wanted}",
                    table.name()
                );
                done.fault(&source.read.uri, reason);
            }
        }
        let (has, wanted) = (sums.bytes, source.sums.bytes);
        if has > wanted || has < wanted && !may_lack[0] {
            let reason = format!("has flows of {has} bytes, and read were {wanted}");
            done.fault(&source.read.uri, reason);
        }
        done.sources.push(source.read.clone());
    }
    for (id, sums) in found {
        done.bytes = done.bytes.saturating_add(sums.bytes);
        let rows: u64 = sums.rows.iter().sum();
        done.fault(
            &format!("source {id}"),
            format!("has {rows} rows, and is not in the journal"),
        );
    }
}

impl Verified {
    fn fault(&mut self, name: &str, reason: String) {
        if self.faults.len() == FAULTS_MAX {
            self.more_faults += 1;
            return;
        }
        self.faults.push(Fault {
            name: name.to_owned(),
            reason,
        });
    }
}
