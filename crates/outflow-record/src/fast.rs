//! The fast path: lines of the ordinary form, a block of them at a time, straight into the columns.
//!
//! One pass finds every delimiter of the block; then each column is read down the block in a tight loop of
//! its own, so that no value waits for the one before it. It takes single spaces, `OK` rows, numbers of up
//! to 16 digits and addresses; a line with anything else ends the block and goes to [`crate::naive`], which
//! decides what it is. So this path can only be right or slow.

mod delimiters;

use arrow_buffer::ArrowNativeType;
#[cfg(target_arch = "x86_64")]
use fearless_simd::{Level, Simd as _};

use crate::columns::{Builder, Columns, Values, addr_value};
use crate::{Addr, Field, Format, Kind, swar};

use delimiters::Delimiters;

/// Rows of a full block: text and delimiters of 128 lines stay in the first-level cache.
const BLOCK_ROWS_MAX: usize = 128;

/// Rows of the block after one that met an extraordinary line at once.
const BLOCK_ROWS_MIN: usize = 4;

/// How to read a format's lines.
#[derive(Debug)]
pub(crate) struct Plan {
    #[cfg(target_arch = "x86_64")]
    level: Level,
    delimiters: Delimiters,
    status: Option<usize>,
    /// Where a line has its start and its end, if it has both.
    window: Option<(usize, usize)>,
    same_as: Vec<Option<usize>>,
    block_rows: usize,
}

/// The ordinary lines at the head of a buffer, and where their tokens lie.
struct Block<'a> {
    buf: &'a [u8],
    /// Where each token starts; the next one's start is one behind its delimiter.
    starts: &'a [u32],
    width: usize,
    rows: usize,
}

impl Block<'_> {
    /// Start and end of a token.
    #[inline(always)]
    fn token(&self, row: usize, column: usize) -> (usize, usize) {
        let at = row * self.width + column;
        // Both lie within the block; together they are one check of bounds.
        match self.starts.get(at..).and_then(|tail| tail.first_chunk()) {
            Some(&[start, next]) => (start as usize, next as usize - 1),
            None => (0, 0),
        }
    }

    /// Start of a token, and end of the last of `columns` tokens from there.
    #[inline(always)]
    fn tokens(&self, row: usize, column: usize, columns: usize) -> (usize, usize) {
        let (start, _) = self.token(row, column);
        let (_, end) = self.token(row, column + columns - 1);
        (start, end)
    }
}

impl Plan {
    /// The plan of a format; `None` for formats that are read the naive way: with unknown columns, with tags
    /// (percent-encoded), or with nothing but text, where a header could pass for a record.
    pub(crate) fn new(format: &Format) -> Option<Self> {
        let fields = format.fields();
        let telling = |field: &Field| field.kind() != Kind::Text || *field == Field::LogStatus;
        let tagged = fields.iter().any(|field| field.kind() == Kind::Tag);
        if fields.len() != format.columns().len() || tagged || !fields.iter().any(telling) {
            return None;
        }
        let earlier = |at: usize, field| fields[..at].iter().position(|own| *own == field);
        let same_as = fields.iter().enumerate().map(|(at, field)| match field {
            Field::PktSrcAddr => earlier(at, Field::SrcAddr),
            Field::PktDstAddr => earlier(at, Field::DstAddr),
            _ => None,
        });
        Some(Self {
            #[cfg(target_arch = "x86_64")]
            level: Level::new(),
            delimiters: Delimiters::new(fields.len(), BLOCK_ROWS_MAX),
            status: format.position(Field::LogStatus),
            window: format
                .position(Field::Start)
                .zip(format.position(Field::End)),
            same_as: same_as.collect(),
            block_rows: BLOCK_ROWS_MAX,
        })
    }

    /// Reads ordinary lines at the head of `buf` into the rows from `first` on, at most `rows_max`. Returns
    /// how many it read and the bytes that they took; the columns may hold nulls of rows behind them.
    pub(crate) fn read(
        &mut self,
        columns: &mut Columns,
        first: usize,
        rows_max: usize,
        buf: &[u8],
    ) -> (usize, usize) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.level.as_avx2() {
            return avx2.vectorize(
                // Only what is compiled into what calls it is compiled for that processor.
                #[inline(always)]
                || self.read_block(columns, first, rows_max, buf),
            );
        }
        self.read_block(columns, first, rows_max, buf)
    }

    /// As [`Plan::read`]. It is compiled into its caller, with all that it calls: for each kind of processor once.
    #[inline(always)]
    fn read_block(
        &mut self,
        columns: &mut Columns,
        first: usize,
        rows_max: usize,
        buf: &[u8],
    ) -> (usize, usize) {
        let wanted = rows_max.min(self.block_rows);
        let width = self.same_as.len();
        let rows = self.delimiters.find(buf, wanted);
        let starts = self.delimiters.starts();
        let mut block = Block {
            buf,
            starts,
            width,
            rows,
        };
        if let Some(status) = self.status {
            block.rows = ok_rows(&block, status);
        }
        let mut place = 0;
        let builders = columns.builders(first);
        for at in 0..builders.len() {
            let (earlier, rest) = builders.split_at_mut(at);
            let known = self.same_as[place].and_then(|of| Some((addresses(earlier, of)?, of)));
            block.rows = match (&mut rest[0], known) {
                (Builder::Addr(values), Some((known, of))) => {
                    repeated_addresses(values, known, first, &block, place, of)
                }
                (builder, _) => read_column(builder, first, &block, place),
            };
            place += rest[0].width();
        }
        if let Some((start, end)) = self.window {
            let times = times(builders, start).zip(times(builders, end));
            block.rows = times.map_or(0, |(starts, ends)| {
                ordered(starts.rows(first, block.rows), ends.rows(first, block.rows))
            });
        }
        self.block_rows = if block.rows < wanted {
            (2 * block.rows).clamp(BLOCK_ROWS_MIN, BLOCK_ROWS_MAX)
        } else {
            (2 * self.block_rows).min(BLOCK_ROWS_MAX)
        };
        (block.rows, starts[block.rows * width] as usize)
    }
}

/// Reads one column down the block; the rows before the first that is out of the ordinary.
#[inline(always)]
fn read_column(column: &mut Builder, first: usize, block: &Block<'_>, place: usize) -> usize {
    match column {
        Builder::U8(values) => {
            numbers::<_, false>(values, first, block, place, |n| u8::try_from(n).ok())
        }
        Builder::U16(values) => {
            numbers::<_, false>(values, first, block, place, |n| u16::try_from(n).ok())
        }
        Builder::U64(values) => numbers::<_, false>(values, first, block, place, Some),
        // Later times are for the naive reading to judge.
        Builder::Time(values) => numbers::<_, true>(values, first, block, place, |n| {
            u32::try_from(n).ok().map(i64::from)
        }),
        Builder::Addr(values) => {
            for row in 0..block.rows {
                let (from, to) = block.token(row, place);
                if !address(values, first + row, block.buf, from, to) {
                    return row;
                }
            }
            block.rows
        }
        Builder::Run(run) => {
            let width = run.width();
            let span = |row: usize| block.tokens(row, place, width);
            run.read_rows(first, block.rows, block.buf, span)
        }
    }
}

/// The builder that reads a place in the line.
#[inline(always)]
fn built(builders: &[Builder], place: usize) -> Option<&Builder> {
    let mut at = 0;
    builders.iter().find(|builder| {
        at += builder.width();
        at > place
    })
}

/// The addresses that one of the builders reads from a place in the line.
#[inline(always)]
fn addresses(builders: &[Builder], place: usize) -> Option<&Values<i128>> {
    match built(builders, place) {
        Some(Builder::Addr(values)) => Some(values),
        _ => None,
    }
}

/// The times that one of the builders reads from a place in the line.
#[inline(always)]
fn times(builders: &[Builder], place: usize) -> Option<&Values<i64>> {
    match built(builders, place) {
        Some(Builder::Time(values)) => Some(values),
        _ => None,
    }
}

/// The windows before the first that ends before it starts, or has a start and no end: the naive reading tells these apart.
#[inline(always)]
fn ordered(starts: &[i64], ends: &[i64]) -> usize {
    let windows = || starts.iter().zip(ends);
    // All of them at once, without a branch for each: hardly ever is there one.
    let any = windows().fold(false, |any, (start, end)| any | (end < start));
    match any {
        false => starts.len(),
        true => windows()
            .position(|(start, end)| end < start)
            .unwrap_or(starts.len()),
    }
}

#[inline(always)]
fn ok_rows(block: &Block<'_>, place: usize) -> usize {
    (0..block.rows)
        .find(|row| {
            let (from, to) = block.token(*row, place);
            !(to - from == 2 && block.buf[from] == b'O' && block.buf[from + 1] == b'K')
        })
        .unwrap_or(block.rows)
}

#[inline(always)]
fn numbers<T: ArrowNativeType, const IS_TIME: bool>(
    values: &mut Values<T>,
    first: usize,
    block: &Block<'_>,
    place: usize,
    fit: impl Fn(u64) -> Option<T>,
) -> usize {
    for row in 0..block.rows {
        let (from, to) = block.token(row, place);
        let number = match IS_TIME {
            true => swar::time(block.buf, from, to),
            false => swar::number(block.buf, from, to),
        };
        match number.and_then(&fit) {
            Some(number) => values.set(first + row, number),
            None if to - from == 1 && block.buf[from] == b'-' => values.set_null(first + row),
            None => return row,
        }
    }
    block.rows
}

/// `pkt-srcaddr` and `pkt-dstaddr` mostly repeat the text of `srcaddr` and `dstaddr`, read before.
#[inline(always)]
fn repeated_addresses(
    values: &mut Values<i128>,
    known: &Values<i128>,
    first: usize,
    block: &Block<'_>,
    place: usize,
    of: usize,
) -> usize {
    for row in 0..block.rows {
        let (from, to) = block.token(row, place);
        let (known_from, known_to) = block.token(row, of);
        let len = to - from;
        let same = len == known_to - known_from && swar::same(block.buf, from, known_from, len);
        if same && block.buf[from] != b'-' {
            values.set(first + row, known.get(first + row));
        } else if !address(values, first + row, block.buf, from, to) {
            return row;
        }
    }
    block.rows
}

#[inline(always)]
fn address(values: &mut Values<i128>, row: usize, buf: &[u8], from: usize, to: usize) -> bool {
    match swar::ipv4(buf, from, to) {
        Some(addr) => values.set(row, addr_value(addr)),
        None => return absent_or_ipv6(values, row, &buf[from..to]),
    }
    true
}

#[cold]
fn absent_or_ipv6(values: &mut Values<i128>, row: usize, token: &[u8]) -> bool {
    if token == b"-" {
        values.set_null(row);
        return true;
    }
    let addr = std::str::from_utf8(token)
        .ok()
        .and_then(|token| token.parse::<Addr>().ok());
    addr.map(|addr| values.set(row, addr_value(addr))).is_some()
}

#[cfg(test)]
mod tests;
