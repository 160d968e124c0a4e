//! The files that a worker is writing: one for each table and partition.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::RecordBatch;
use outflow_lake::{
    DataFile, Encoded, Error, FileWriter, FlowFile, FlowRows, Hours, Lake, Partition, RollUps,
    RowBatches, SORTED_ROWS_MAX, Scratch, Seen, SpareMemory, Table,
};

use super::Wanted;

/// Rows that workers hold in memory on average: at more, who holds no less than that writes, so that they do not all fill up at
/// once. It is about that, as what is being written is still there, and who waits for an object keeps what it has.
const SHARED_ROWS_MAX: usize = SORTED_ROWS_MAX / 4 * 3;

/// How many rows all workers of a run hold.
#[derive(Debug)]
pub(super) struct Held {
    rows: AtomicUsize,
    workers: usize,
}

/// How many of these a worker holds.
struct Share<'a> {
    rows: usize,
    all: &'a Held,
}

/// Files under way, and those that are stored.
pub(super) struct Files<'a> {
    lake: &'a Lake,
    wanted: Option<&'a Wanted>,
    flows: BTreeMap<Partition, Flows>,
    others: BTreeMap<(Table, Partition), (RowBatches, Option<FileWriter>)>,
    /// Rows that are in memory, of all tables.
    held: Share<'a>,
    /// Rows that were written: their memory serves for those that come next, wherever they lie.
    spare: FlowRows,
    scratch: Option<Box<Scratch>>,
    /// Memory of files that were stored.
    memory: SpareMemory,
    stored: Vec<DataFile>,
}

/// Rows of `flows` that are in memory, and the files under way of those that were written.
#[derive(Default)]
struct Flows {
    rows: FlowRows,
    file: Option<FlowFile>,
    /// What they were rolled up to.
    profiles: Option<FlowFile>,
    hours: Hours,
}

impl Held {
    /// Nothing yet, by so many workers.
    pub(super) fn of_workers(workers: usize) -> Self {
        Self {
            rows: AtomicUsize::new(0),
            workers,
        }
    }

    /// Whether a worker that holds so many rows is to write some.
    fn is_too_much(&self, own: usize) -> bool {
        let all = self.rows.load(Ordering::Relaxed);
        // One alone has room for as many as it may hold.
        let is_shared_out = all < SHARED_ROWS_MAX.saturating_mul(self.workers.max(2));
        own >= SORTED_ROWS_MAX || (!is_shared_out && own.saturating_mul(self.workers) >= all)
    }
}

impl Share<'_> {
    fn add(&mut self, rows: usize) {
        self.rows += rows;
        self.all.rows.fetch_add(rows, Ordering::Relaxed);
    }

    fn remove(&mut self, rows: usize) {
        self.rows -= rows;
        self.all.rows.fetch_sub(rows, Ordering::Relaxed);
    }
}

impl<'a> Files<'a> {
    pub(super) fn new(lake: &'a Lake, wanted: Option<&'a Wanted>, held: &'a Held) -> Self {
        Self {
            lake,
            wanted,
            flows: BTreeMap::new(),
            others: BTreeMap::new(),
            held: Share { rows: 0, all: held },
            spare: FlowRows::default(),
            scratch: None,
            memory: SpareMemory::default(),
            stored: Vec::new(),
        }
    }

    /// Appends these rows of a batch to `flows`.
    pub(super) fn append_flows(
        &mut self,
        partition: &Partition,
        seen: &Seen<'_>,
        rows: &[u32],
    ) -> Result<(), Error> {
        let tables = [Table::Flows, Table::Profiles, Table::Hours];
        if !tables.into_iter().any(|table| self.is_wanted(table)) {
            return Ok(());
        }
        if !self.flows.contains_key(partition) {
            self.flows.insert(partition.clone(), Default::default());
        }
        if let Some(own) = self.flows.get_mut(partition) {
            if own.rows.is_empty() {
                mem::swap(&mut own.rows, &mut self.spare);
            }
            own.rows.append(seen, rows);
            self.held.add(rows.len());
        }
        self.make_room()
    }

    fn is_wanted(&self, table: Table) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains_key(&table))
    }

    /// Begins a file of `flows`, with the columns that are wanted.
    fn begin(&self) -> Result<FlowFile, Error> {
        match self.wanted {
            None => FlowFile::flows(&self.memory),
            Some(wanted) => match wanted.get(&Table::Flows) {
                Some(columns) => FlowFile::flows_with(columns, &self.memory),
                // They are rolled up, and not asked for themselves.
                None => FlowFile::flows_with(&BTreeSet::new(), &self.memory),
            },
        }
    }

    /// Appends rows to another table.
    pub(super) fn append(
        &mut self,
        table: Table,
        partition: &Partition,
        rows: RecordBatch,
    ) -> Result<(), Error> {
        let more = rows.num_rows();
        if more == 0 || !self.is_wanted(table) {
            return Ok(());
        }
        let key = (table, partition.clone());
        let (of, _) = self
            .others
            .entry(key)
            .or_insert_with(|| (RowBatches::new(table), None));
        of.append(rows)?;
        self.held.add(more);
        self.make_room()
    }

    /// Writes the largest set of rows, once there are as many as memory is to hold.
    fn make_room(&mut self) -> Result<(), Error> {
        if !self.held.all.is_too_much(self.held.rows) {
            return Ok(());
        }
        let flows = self
            .flows
            .iter()
            .map(|(key, own)| (own.rows.len(), Some(key.clone()), None));
        let others = self
            .others
            .iter()
            .map(|(key, (rows, _))| (rows.len(), None, Some(key.clone())));
        let largest = flows.chain(others).max_by_key(|(rows, ..)| *rows);
        match largest {
            Some((_, Some(partition), _)) => self.write_flows(&partition),
            Some((_, _, Some(key))) => self.write(&key),
            _ => Ok(()),
        }
    }

    /// Writes all rows of `flows`, so that the numbers of what is known of them may change their meaning.
    pub(super) fn write_all_flows(&mut self) -> Result<(), Error> {
        for partition in self.flows.keys().cloned().collect::<Vec<_>>() {
            self.write_flows(&partition)?;
        }
        Ok(())
    }

    fn write_flows(&mut self, partition: &Partition) -> Result<(), Error> {
        let are_profiles_wanted = self.is_wanted(Table::Profiles);
        let are_hours_wanted = self.is_wanted(Table::Hours);
        let begun = self.begin();
        let Some(own) = self.flows.get_mut(partition) else {
            return Ok(());
        };
        if own.rows.is_empty() {
            return Ok(());
        }
        self.held.remove(own.rows.len());
        let mut file = own.file.take().map_or(begun, Ok)?;
        let begin_profiles = || FlowFile::profiles(&self.memory);
        let mut profiles = own.profiles.take().map_or_else(begin_profiles, Ok)?;
        let up = RollUps {
            profiles: are_profiles_wanted.then_some(&mut profiles),
            hours: are_hours_wanted.then_some(&mut own.hours),
        };
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(Box::new(Scratch::new()?)),
        };
        file.write(&own.rows, up, scratch)?;
        own.rows.clear();
        mem::swap(&mut own.rows, &mut self.spare);
        let hours = own.hours.are_full().then(|| own.hours.take()).transpose()?;
        let mut full = Vec::new();
        for (table, file, writer) in [
            (Table::Flows, file, &mut own.file),
            (Table::Profiles, profiles, &mut own.profiles),
        ] {
            if file.is_full() {
                full.push((table, file));
            } else if !file.is_empty() {
                *writer = Some(file);
            }
        }
        for (table, file) in full {
            self.keep(table, partition, file.finish()?)?;
        }
        match hours {
            Some(hours) => self.append(Table::Hours, partition, hours),
            None => Ok(()),
        }
    }

    fn write(&mut self, key: &(Table, Partition)) -> Result<(), Error> {
        let Some((rows, writer)) = self.others.get_mut(key) else {
            return Ok(());
        };
        if rows.is_empty() {
            return Ok(());
        }
        self.held.remove(rows.len());
        let rows = rows.take_sorted()?;
        let mut file = match writer.take() {
            Some(file) => file,
            None => FileWriter::new(key.0, &rows.schema())?,
        };
        file.write(&rows)?;
        if !file.is_full() {
            *writer = Some(file);
            return Ok(());
        }
        self.keep(key.0, &key.1, file.finish()?)
    }

    fn keep(&mut self, table: Table, partition: &Partition, file: Encoded) -> Result<(), Error> {
        self.stored.push(self.lake.store(table, partition, file)?);
        Ok(())
    }

    /// Stores everything; the files, and why some could not be stored.
    pub(super) fn finish(mut self) -> (Vec<DataFile>, Option<Error>) {
        let error = self.store_all().err();
        (self.stored, error)
    }

    fn store_all(&mut self) -> Result<(), Error> {
        self.write_all_flows()?;
        for (partition, mut own) in mem::take(&mut self.flows) {
            self.append(Table::Hours, &partition, own.hours.take()?)?;
            let flows = own.file.map(|file| (Table::Flows, file));
            let profiles = own.profiles.map(|file| (Table::Profiles, file));
            for (table, file) in flows.into_iter().chain(profiles) {
                self.keep(table, &partition, file.finish()?)?;
            }
        }
        for key in self.others.keys().cloned().collect::<Vec<_>>() {
            self.write(&key)?;
        }
        for ((table, partition), (_, file)) in mem::take(&mut self.others) {
            if let Some(file) = file {
                self.keep(table, &partition, file.finish()?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
