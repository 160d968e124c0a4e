//! Files of `flows`, written column by column from rows that hold their values by key.

mod group;

use std::collections::BTreeSet;

use outflow_record::Field;
use parquet::arrow::ArrowSchemaConverter;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;

use super::chunk::ChunkWriter;
use super::{Encoded, FILE_BYTES_TARGET, ROW_GROUP_ROWS_MAX, ZSTD_LEVEL, properties};
use crate::Error;
use crate::error::EncodeError;
use crate::flows::{Cells, FlowRows, Hours, RollingUp, SortedFlows};
use crate::table::Table;
use group::{Gathered, RowGroup, Whole};

/// Writes one file of `flows` or `profiles`.
pub struct FlowFile {
    table: Table,
    /// Which of the table's columns it has, if not all.
    wanted: Option<Vec<bool>>,
    writer: SerializedFileWriter<Vec<u8>>,
    chunks: ChunkWriter,
    gathered: Gathered,
}

/// What rows are rolled up to as they are written.
#[derive(Debug, Default)]
pub struct RollUps<'a> {
    /// A file of `profiles`, as [`FlowFile::profiles`] begins it.
    pub profiles: Option<&'a mut FlowFile>,
    /// Rows of `hours`.
    pub hours: Option<&'a mut Hours>,
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
    pub fn flows() -> Result<Self, Error> {
        Self::of(Table::Flows, &|_| true)
    }

    /// As [`FlowFile::flows`], of a lake of the moment: with these columns alone, and the start in any case. Who reads others in
    /// it finds them null, or no file at all.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn flows_with(columns: &BTreeSet<String>) -> Result<Self, Error> {
        let is_wanted = |name: &str| name == Field::Start.column() || columns.contains(name);
        Self::of(Table::Flows, &is_wanted)
    }

    /// Begins a file of what is rolled up beside one.
    ///
    /// # Errors
    /// As for [`FlowFile::flows`].
    pub fn profiles() -> Result<Self, Error> {
        Self::of(Table::Profiles, &|_| true)
    }

    fn of(table: Table, is_wanted: &dyn Fn(&str) -> bool) -> Result<Self, Error> {
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
        let compression = properties.compression(&"bytes".into());
        let writer = SerializedFileWriter::new(Vec::new(), schema, properties);
        let is_whole = places.len() == wanted.len();
        Ok(Self {
            table,
            wanted: (!is_whole).then_some(wanted),
            writer: writer.map_err(EncodeError::from)?,
            chunks: ChunkWriter::new(ZSTD_LEVEL, compression)?,
            gathered: Gathered::default(),
        })
    }

    /// Writes rows, in their order, as row groups of their own, and rolls them up.
    ///
    /// # Errors
    /// [`Error::Encode`], which is a fault of the program.
    pub fn write(&mut self, rows: &FlowRows, up: RollUps<'_>) -> Result<(), Error> {
        let sorted = rows.sorted();
        let mut rolling_up = up.profiles.is_some().then(|| RollingUp::of(rows));
        let mut adding = up.hours.map(|hours| hours.adding(rows, &sorted));
        if rolling_up.is_some() || adding.is_some() {
            rows.each_rolled(&sorted, |row| {
                if let Some(profiles) = &mut rolling_up {
                    profiles.add(row);
                }
                if let Some(hours) = &mut adding {
                    hours.add(row);
                }
            });
        }
        if let (Some(file), Some(profiles)) = (up.profiles, rolling_up) {
            let profiles = profiles.finish();
            if profiles.len() > 0 {
                file.write_cells(profiles.cells(), profiles.sorted())?;
            }
        }
        self.write_cells(rows.cells(), sorted)
    }

    fn write_cells<'r>(
        &mut self,
        cells: impl Iterator<Item = Cells<'r>>,
        rows: SortedFlows<'r>,
    ) -> Result<(), Error> {
        // A file with a row group like those that files have will have its size: memory that grows bit by bit is copied.
        let written = self.writer.bytes_written();
        if written >= FILE_BYTES_TARGET / 16 {
            let room = FILE_BYTES_TARGET + FILE_BYTES_TARGET / 4;
            self.writer
                .inner_mut()
                .reserve(room.saturating_sub(written));
        }
        let wanted = self.wanted.as_deref();
        let is_wanted = |at: usize| wanted.is_none_or(|wanted| wanted.get(at) == Some(&true));
        let cells = cells.enumerate().filter(|(at, _)| is_wanted(*at));
        let cells: Vec<Cells<'_>> = cells.map(|(_, cells)| cells).collect();
        let columns = Whole::all(&cells, &rows);
        let descriptors = self.writer.schema_descr().columns().to_vec();
        for part in rows.parts(ROW_GROUP_ROWS_MAX) {
            let group = self.writer.next_row_group().map_err(EncodeError::from)?;
            let of = (&mut self.chunks, &mut self.gathered);
            let mut group = RowGroup::new((group, self.table), of, &rows, part);
            for (at, (column, descriptor)) in columns.iter().zip(&descriptors).enumerate() {
                group.append(at, column, descriptor)?;
            }
            group.close()?;
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
