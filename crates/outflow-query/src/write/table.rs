//! A table for people.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, SchemaRef};
use comfy_table::{
    Cell, CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table as Drawn,
    TableStyle,
};
use outflow_finding::escape;

/// Rows that a table shows at most: what is laid out is held in memory. How many follow is said below it.
pub const TABLE_ROWS_MAX: usize = 10_000;

/// Characters of a cell at most.
const CELL_CHARS_MAX: usize = 400;

/// Where a table is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableLayout {
    /// Characters of a line, if there is a limit.
    pub width: Option<u16>,
}

pub(super) struct Table<W> {
    out: W,
    drawn: Drawn,
    /// Whether it is a plan, of which each cell is a text of lines: the only one whose lines are lines here.
    is_plan: bool,
    shown: usize,
    rows: u64,
}

impl<W: Write> Table<W> {
    pub(super) fn new(layout: TableLayout, schema: &SchemaRef, out: W) -> Self {
        let mut drawn = Drawn::new();
        drawn
            .load_style(
                TableStyle::new()
                    .header_lines(ContentLineStyle::none().junction(' '))
                    .header_separator(LineStyle::none().fill('─').junction('─'))
                    .content_lines(ContentLineStyle::none().junction(' ')),
            )
            .set_content_arrangement(ContentArrangement::Dynamic);
        match layout.width {
            Some(width) => drawn.set_width(width),
            None => drawn.set_content_arrangement(ContentArrangement::Disabled),
        };
        let names = schema.fields().iter().map(|field| {
            let name = Cell::new(escape(field.name(), CELL_CHARS_MAX));
            match field.data_type().is_numeric() {
                true => name.set_alignment(CellAlignment::Right),
                false => name,
            }
        });
        drawn.set_header(names.collect::<Vec<_>>());
        for (at, field) in schema.fields().iter().enumerate() {
            if let Some(column) = drawn.column_mut(at) {
                column.set_padding((0, 1));
                if field.data_type().is_numeric() {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self {
            out,
            drawn,
            is_plan: schema
                .fields()
                .iter()
                .map(|f| f.name())
                .eq(["plan_type", "plan"]),
            shown: 0,
            rows: 0,
        }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        self.rows += batch.num_rows() as u64;
        let options = FormatOptions::default().with_null("-");
        let columns = batch.columns().iter();
        let columns = columns.map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            if self.shown == TABLE_ROWS_MAX {
                break;
            }
            let cells = columns.iter().map(|column| {
                let text = column.value(row).try_to_string()?;
                Ok(match self.is_plan {
                    true => text
                        .lines()
                        .map(|line| escape(line, usize::MAX))
                        .collect::<Vec<_>>()
                        .join("\n"),
                    false => escape(&text, CELL_CHARS_MAX),
                })
            });
            self.drawn
                .add_row(cells.collect::<Result<Vec<String>, ArrowError>>()?);
            self.shown += 1;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        for line in self.drawn.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        let more = self.rows - self.shown as u64;
        if more > 0 {
            writeln!(self.out, "… and {more} more rows; --format csv writes all")?;
        }
        self.out.flush()
    }
}
