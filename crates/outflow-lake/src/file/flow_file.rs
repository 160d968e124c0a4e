//! Files of `flows`, written column by column from rows that hold their values by key.

mod different;
mod group;
mod in_order;

use std::collections::BTreeSet;

use outflow_record::Field;
use parquet::arrow::ArrowSchemaConverter;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;

use super::chunk::ChunkWriter;
use super::{
    Encoded, FILE_BYTES_TARGET, Pieces, ROW_GROUP_ROWS_MAX, SpareMemory, ZSTD_LEVEL, properties,
};
use crate::Error;
use crate::error::EncodeError;
use crate::flows::{
    Adding, Cells, FlowRows, Hours, Kept, Ordered, ProfileColumns, Profiling, SortedFlows,
};
use crate::table::Table;
use group::{Gathered, RowGroup, Use, Whole};

/// Writes one file of `flows` or `profiles`.
pub struct FlowFile {
    table: Table,
    /// Which of the table's columns it has, if not all.
    wanted: Option<Vec<bool>>,
    writer: SerializedFileWriter<Pieces>,
}

/// Memory that rows go through on their way into files, one for each thread that writes. New memory is given page by page,
/// which takes longer than to fill it.
pub struct Scratch {
    encoding: Encoding,
    ordered: Ordered,
    profiles: ProfileColumns,
}

/// What columns are brought into their order and encoded with.
struct Encoding {
    chunks: ChunkWriter,
    gathered: Gathered,
}

impl Scratch {
    /// None yet.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            encoding: Encoding {
                chunks: ChunkWriter::new(ZSTD_LEVEL)?,
                gathered: Gathered::default(),
            },
            ordered: Ordered::default(),
            profiles: ProfileColumns::default(),
        })
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// What rows are rolled up to as they are written.
#[derive(Debug, Default)]
pub struct RollUps<'a> {
    /// A file of `profiles`, as [`FlowFile::profiles`] begins it.
    pub profiles: Option<&'a mut FlowFile>,
    /// Rows of `hours`.
    pub hours: Option<&'a mut Hours>,
}

/// Rows of `profiles` that are held until there are as many, but for those of one row group of `flows`.
const PROFILES_ROWS: usize = ROW_GROUP_ROWS_MAX / 4 * 3;

/// Rows that are rolled up, row group by row group.
struct RollingUp<'a> {
    rows: &'a FlowRows,
    /// By place of a column: whether it is kept for that.
    kept: Vec<Option<Kept>>,
    ordered: &'a mut Ordered,
    profiles: Option<(&'a mut FlowFile, Profiling<'a>)>,
    hours: Option<Adding<'a>>,
}

impl RollingUp<'_> {
    /// Adds the rows of a row group, of which the columns are kept.
    fn add(&mut self, order: &[u32], gathered: &mut Gathered) {
        let [seen, remotes] = self.rows.seen_and_remotes();
        self.ordered.keep_remotes(gathered.numbers(remotes, order));
        let seen = gathered.numbers(seen, order);
        self.ordered.complete(self.rows, seen);
        let ordered = &*self.ordered;
        ordered.stretches(|stretch, bucket| {
            if let Some((_, profiles)) = &mut self.profiles {
                profiles.add(ordered, stretch.clone(), bucket);
            }
            if let Some(hours) = &mut self.hours {
                hours.add(ordered, stretch, bucket);
            }
        });
    }

    /// Writes the rows of `profiles` if they are more than so many.
    fn write_profiles(&mut self, than: usize, encoding: &mut Encoding) -> Result<(), Error> {
        if let Some((file, profiling)) = &mut self.profiles
            && profiling.len() > than
        {
            let profiles = profiling.profiles();
            file.write_cells(profiles.cells(), &profiles.sorted(), encoding, None)?;
            profiling.clear();
        }
        Ok(())
    }
}

impl std::fmt::Debug for FlowFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowFile").finish_non_exhaustive()
    }
}

impl FlowFile {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn flows(memory: &SpareMemory) -> Result<Self, Error> {
        Self::of(Table::Flows, &|_| true, memory)
    }

    /// As [`FlowFile::flows`], of a lake of the moment: with these columns alone, and the start in any case. Who reads others in
    /// it finds them null, or no file at all.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn flows_with(columns: &BTreeSet<String>, memory: &SpareMemory) -> Result<Self, Error> {
        let is_wanted = |name: &str| name == Field::Start.column() || columns.contains(name);
        Self::of(Table::Flows, &is_wanted, memory)
    }

    /// Begins a file of what is rolled up beside one.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn profiles(memory: &SpareMemory) -> Result<Self, Error> {
        Self::of(Table::Profiles, &|_| true, memory)
    }

    fn of(
        table: Table,
        is_wanted: &dyn Fn(&str) -> bool,
        memory: &SpareMemory,
    ) -> Result<Self, Error> {
        let whole = table.file_schema();
        let wanted: Vec<bool> = whole
            .fields()
            .iter()
            .map(|of| is_wanted(of.name()))
            .collect();
        let places = (0..wanted.len())
            .filter(|at| wanted[*at])
            .collect::<Vec<_>>();
        let schema = whole.project(&places).map_err(EncodeError::from)?;
        let schema = ArrowSchemaConverter::new().convert(&schema);
        let schema = schema.map_err(EncodeError::from)?.root_schema_ptr();
        let properties = WriterPropertiesPtr::new(properties(table));
        let writer = SerializedFileWriter::new(Pieces::within(memory), schema, properties);
        let is_whole = places.len() == wanted.len();
        Ok(Self {
            table,
            wanted: (!is_whole).then_some(wanted),
            writer: writer.map_err(EncodeError::from)?,
        })
    }

    /// Writes rows, in their order, as row groups of their own, and rolls them up.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn write(
        &mut self,
        rows: &FlowRows,
        up: RollUps<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let sorted = rows.sorted();
        let Scratch {
            encoding,
            ordered,
            profiles,
        } = scratch;
        let profiles = up
            .profiles
            .map(|file| (file, Profiling::of(rows, &sorted, profiles)));
        let hours = up.hours.map(|hours| hours.adding(rows, &sorted));
        if profiles.is_none() && hours.is_none() {
            return self.write_cells(rows.cells(), &sorted, encoding, None);
        }
        let mut rolling_up = RollingUp {
            rows,
            kept: rows.kept(),
            ordered,
            profiles,
            hours,
        };
        self.write_cells(rows.cells(), &sorted, encoding, Some(&mut rolling_up))?;
        rolling_up.write_profiles(0, encoding)
    }

    fn write_cells<'r>(
        &mut self,
        cells: impl Iterator<Item = Cells<'r>>,
        rows: &SortedFlows<'r>,
        encoding: &mut Encoding,
        mut up: Option<&mut RollingUp<'_>>,
    ) -> Result<(), Error> {
        let cells: Vec<Cells<'_>> = cells.collect();
        let is_wanted = |at: usize| self.wanted.as_ref().is_none_or(|wanted| wanted[at]);
        let uses: Vec<Use> = (0..cells.len())
            .map(|at| Use {
                is_stored: is_wanted(at),
                kept: up.as_ref().and_then(|up| up.kept[at]),
            })
            .collect();
        let columns = Whole::all(&cells, rows, &uses);
        // All of them stand before those that follow from them.
        let mut are_held = vec![false; cells.len()];
        for (cells, of) in cells.iter().zip(&uses) {
            let is_used = of.is_stored || of.kept.is_some();
            for at in cells.follow_from().filter(|_| is_used) {
                are_held[at] = true;
            }
        }
        let descriptors = self.writer.schema_descr().columns().to_vec();
        for part in rows.parts(ROW_GROUP_ROWS_MAX) {
            let group = self.writer.next_row_group().map_err(EncodeError::from)?;
            let of = (&mut encoding.chunks, &mut encoding.gathered);
            let mut group = RowGroup::new((group, self.table), of, rows, part.clone());
            let mut descriptors = descriptors.iter();
            for (at, (column, of)) in columns.iter().zip(&uses).enumerate() {
                let descriptor = of.is_stored.then(|| descriptors.next()).flatten();
                let is_stored_so = descriptor.is_some() && group.is_gathered(column);
                if is_stored_so || of.kept.is_some() || are_held[at] {
                    group.gather(column);
                }
                if let Some(descriptor) = descriptor {
                    group.append(at, column, descriptor)?;
                }
                match (of.kept, &mut up) {
                    _ if are_held[at] => group.hold(at, column),
                    (Some(kept), Some(up)) => group.keep(kept, up.ordered),
                    _ => {}
                }
            }
            if let Some(up) = &mut up {
                let held = uses.iter().enumerate().filter(|(at, _)| are_held[*at]);
                for (at, kept) in held.filter_map(|(at, of)| Some((at, of.kept?))) {
                    group.keep_held(at, kept, up.ordered);
                }
            }
            group.close()?;
            if let Some(up) = &mut up {
                up.add(&rows.order[part], &mut encoding.gathered);
                up.write_profiles(PROFILES_ROWS, encoding)?;
            }
        }
        Ok(())
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.writer.flushed_row_groups().is_empty()
    }

    /// Whether the file has the size that files are to have.
    pub fn is_full(&self) -> bool {
        self.writer.bytes_written() >= FILE_BYTES_TARGET
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn finish(mut self) -> Result<Encoded, Error> {
        let metadata = self.writer.finish().map_err(EncodeError::from)?;
        let bytes = std::mem::take(self.writer.inner_mut());
        Ok(Encoded::new(self.table, &metadata, bytes))
    }
}

#[cfg(test)]
mod tests;
