//! The push decoder: bytes in any pieces, batches out.

mod deciding;

use arrow_array::RecordBatch;

use crate::batch::{FlowBatch, schema};
use crate::columns::Columns;
use crate::fast::Plan;
use crate::format::is_spoilt_header;
use crate::naive::{LINE_MAX, Line, read_line};
use crate::swar::line_end;
use crate::wrapped::BYTE_ORDER_MARK;
use crate::{Column, CoverageRow, Decoded, Error, Field, Format, Kind, Reject, RejectReason};

use deciding::Deciding;
pub(crate) use deciding::{is_default_record, is_flow_line};

/// Rows in a full batch: enough to make the cost of a batch vanish, and its columns fit the second-level cache together
/// with what is made of them.
pub const BATCH_ROWS: usize = 2048;

/// Decodes the text of one source: push bytes in pieces of any size, flush batches.
///
/// The format comes from the source's header; without one, from the caller; without that, the default format of VPC
/// or of Transit Gateway flow logs is taken if a line has its form. Otherwise the source is refused as undecidable.
/// A batch is of one kind of log ([`FlowBatch::kind`]).
///
/// ```
/// use outflow_record::{Decoder, Field};
/// let mut decoder = Decoder::new(None);
/// let text = b"interface-id bytes log-status\neni-1 4200 OK\neni-1 - NODATA\n";
/// assert_eq!(decoder.decode(text).unwrap(), text.len());
/// decoder.finish().unwrap();
/// let decoded = decoder.flush().unwrap();
/// assert_eq!(decoded.flows.u64s(Field::Bytes).unwrap().value(0), 4200);
/// assert_eq!((decoded.lines, decoded.coverage.len(), decoded.rejects.len()), (2, 1, 0));
/// ```
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// What another decoder has learnt, until the format is told.
    learnt: Learnt,
    tail: Vec<u8>,
    tail_overlong: u64,
    offset: u64,
    rows: usize,
    coverage: Vec<CoverageRow>,
    rejects: Vec<Reject>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    lines: u64,
    header: u64,
    blank: u64,
}

/// What a decoder has learnt of the texts of its source, for that of another: mostly the next says the same of the same
/// interfaces, in the same format.
#[derive(Debug, Default)]
pub struct Learnt(Option<Box<Decided>>);

#[derive(Debug)]
enum State {
    Deciding(Deciding),
    Decided(Box<Decided>),
}

#[derive(Debug)]
struct Decided {
    format: Format,
    columns: Columns,
    /// A batch without rows, once there was one: what it has of all batches is found once.
    empty: Option<FlowBatch>,
    plan: Option<Plan>,
    next: Option<Format>,
    /// Rows of the source that were flushed.
    flushed_rows: usize,
    /// Texts and combinations that were known before it.
    known_before: usize,
}

impl Decided {
    fn new(format: Format) -> Box<Self> {
        let columns = Columns::new(format.fields());
        let plan = Plan::new(&format);
        Box::new(Self {
            format,
            columns,
            empty: None,
            plan,
            next: None,
            flushed_rows: 0,
            known_before: 0,
        })
    }
}

impl Decoder {
    /// A decoder for one source. `format` says how to read a source that has no header of its own.
    pub fn new(format: Option<Format>) -> Self {
        Self::with_learnt(format, Learnt::default())
    }

    /// The same, which knows what another has learnt. Its dictionaries may have texts that the source has not.
    pub fn with_learnt(format: Option<Format>, learnt: Learnt) -> Self {
        let state = State::Deciding(Deciding::new(format));
        Self {
            state,
            learnt,
            tail: Vec::new(),
            tail_overlong: 0,
            offset: 0,
            rows: 0,
            coverage: Vec::new(),
            rejects: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// What it has learnt, for the decoder of another source. What was not flushed is lost.
    pub fn into_learnt(self) -> Learnt {
        let State::Decided(mut decided) = self.state else {
            return self.learnt;
        };
        // Dictionaries are made anew with each text that is new: what small sources teach must not cost the next more than
        // it would take to learn.
        let known = decided.columns.known();
        let is_worth_it = known <= decided.flushed_rows || known == decided.known_before;
        let is_flushed = self.rows == 0 && decided.next.is_none();
        // Another source may well share combinations.
        let is_usual = !decided.columns.are_apart();
        (decided.flushed_rows, decided.known_before) = (0, known);
        Learnt((is_worth_it && is_flushed && is_usual).then_some(decided))
    }

    /// Reads from `input` and returns how many bytes it took; fewer than all means that the batch is full
    /// (or the format changes here) and waits to be flushed.
    ///
    /// # Errors
    /// [`Error::Undecidable`] if the source's format cannot be told, or that of a header that no log has.
    pub fn decode(&mut self, input: &[u8]) -> Result<usize, Error> {
        let mut at = 0;
        if !self.tail.is_empty() || self.tail_overlong > 0 {
            if self.full() {
                return Ok(0);
            }
            at = self.finish_tail(input)?;
        }
        while !self.full() {
            if let Some(next) = self.read_fast(input, at) {
                at = next;
                continue;
            }
            let Some(end) = line_end(input, at) else {
                self.keep_tail(&input[at..]);
                return Ok(input.len());
            };
            self.read_slow(&input[at..end], 1)?;
            at = end + 1;
        }
        Ok(at)
    }

    /// Ends the source: its last line may lack a line feed.
    ///
    /// # Errors
    /// [`Error::Undecidable`] if no line told the format. What [`Decoder::flush`] then holds is empty.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.end_tail()?;
        if let State::Deciding(deciding) = &mut self.state {
            return deciding.finish();
        }
        Ok(())
    }

    /// Ends a source that broke off: its last line, if incomplete, is a reject.
    ///
    /// # Errors
    /// As [`Decoder::finish`].
    pub fn finish_truncated(&mut self) -> Result<(), Error> {
        if matches!(self.state, State::Decided(_)) && !self.tail.is_empty() {
            let line = std::mem::take(&mut self.tail);
            self.reject(&line, RejectReason::Truncated);
            self.offset += line.len() as u64;
        }
        self.finish()
    }

    /// What was read since the last flush, or `None` if that is nothing.
    pub fn flush(&mut self) -> Option<Decoded> {
        let State::Decided(decided) = &mut self.state else {
            return None;
        };
        let counts = std::mem::take(&mut self.counts);
        let rows = std::mem::take(&mut self.rows);
        let (arrays, combined) = decided.columns.take(rows);
        decided.flushed_rows += rows;
        let empty = decided
            .empty
            .get_or_insert_with(|| empty(decided.format.fields()));
        let flows = empty.with_rows(arrays, combined);
        if let Some(next) = decided.next.take() {
            *decided = Decided::new(next);
        }
        if counts.lines + counts.header + counts.blank == 0 {
            return None;
        }
        Some(Decoded {
            flows: flows
                .unwrap_or_else(|error| unreachable!("{rows} rows of own columns: {error}")),
            coverage: std::mem::take(&mut self.coverage),
            rejects: std::mem::take(&mut self.rejects),
            lines: counts.lines,
            header_lines: counts.header,
            blank_lines: counts.blank,
        })
    }

    /// The format that the source was found to have.
    pub fn format(&self) -> Option<&Format> {
        match &self.state {
            State::Decided(decided) => Some(&decided.format),
            State::Deciding(_) => None,
        }
    }

    fn full(&self) -> bool {
        let changing = matches!(&self.state, State::Decided(decided) if decided.next.is_some());
        changing
            || self.rows >= BATCH_ROWS
            || self.rejects.len() >= BATCH_ROWS
            || self.coverage.len() >= BATCH_ROWS
    }

    /// Reads ordinary lines from `at` on; `None` at a line that is none.
    #[inline]
    fn read_fast(&mut self, input: &[u8], at: usize) -> Option<usize> {
        let State::Decided(decided) = &mut self.state else {
            return None;
        };
        let Decided {
            columns,
            plan: Some(plan),
            ..
        } = decided.as_mut()
        else {
            return None;
        };
        let first = self.rows;
        let mut next = at;
        while self.rows < BATCH_ROWS {
            let (rows, bytes) =
                plan.read(columns, self.rows, BATCH_ROWS - self.rows, &input[next..]);
            self.rows += rows;
            next += bytes;
            if rows == 0 {
                break;
            }
        }
        columns.forget(self.rows);
        self.counts.lines += (self.rows - first) as u64;
        self.offset += (next - at) as u64;
        (next > at).then_some(next)
    }

    /// Reads one line the naive way; `feed` is the bytes of its line feed.
    fn read_slow(&mut self, line: &[u8], feed: u64) -> Result<(), Error> {
        if let State::Deciding(deciding) = &mut self.state {
            let plain = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            let (feed, line) = (feed + (line.len() - plain.len()) as u64, plain);
            if deciding.is_empty() && line.trim_ascii().is_empty() {
                // Tells nothing, and need not be kept until something does: there may be any number of these.
                self.counts.blank += 1;
                self.offset += line.len() as u64 + feed;
                return Ok(());
            }
            let Some(format) = deciding.offer(line, feed)? else {
                return Ok(());
            };
            let lines = deciding.take_lines();
            let learnt = self.learnt.0.take().filter(|of| of.format == format);
            self.state = State::Decided(learnt.unwrap_or_else(|| Decided::new(format)));
            for (line, feed) in lines {
                self.read_slow(&line, feed)?;
            }
            return Ok(());
        }
        let State::Decided(decided) = &mut self.state else {
            return Ok(());
        };
        let plain = unmarked(&decided.format, line);
        match read_line(&decided.format, plain) {
            Line::Blank => self.counts.blank += 1,
            Line::Header(format) => {
                self.counts.header += 1;
                if format != decided.format {
                    decided.next = Some(format);
                }
            }
            Line::Row(values) => {
                decided.columns.set(self.rows, &values);
                self.rows += 1;
                self.counts.lines += 1;
            }
            Line::Coverage(row) => {
                self.coverage.push(row);
                self.counts.lines += 1;
            }
            Line::Reject(reason) => {
                self.reject(line, reason);
                let text = String::from_utf8_lossy(plain);
                if let Some(Err(error)) = Format::from_header(&text) {
                    return Err(error);
                }
                if is_spoilt_header(&text) {
                    return Err(Error::SpoiltHeader {
                        reason: format!("what seems a header at byte {} is none", self.offset),
                    });
                }
            }
        }
        self.offset += line.len() as u64 + feed;
        Ok(())
    }

    fn reject(&mut self, line: &[u8], reason: RejectReason) {
        let bytes = line[..line.len().min(Reject::BYTES_MAX)].to_vec();
        self.rejects.push(Reject {
            offset: self.offset,
            reason,
            bytes,
        });
        self.counts.lines += 1;
    }

    /// Completes the kept start of a line with the bytes up to the first line feed; the position behind it.
    fn finish_tail(&mut self, input: &[u8]) -> Result<usize, Error> {
        let Some(end) = line_end(input, 0) else {
            self.keep_tail(input);
            return Ok(input.len());
        };
        self.keep_tail(&input[..end]);
        let line = std::mem::take(&mut self.tail);
        self.read_tail(&line, 1)?;
        self.tail = line;
        self.tail.clear();
        Ok(end + 1)
    }

    fn end_tail(&mut self) -> Result<(), Error> {
        if self.tail.is_empty() {
            return Ok(());
        }
        let line = std::mem::take(&mut self.tail);
        self.read_tail(&line, 0)
    }

    fn read_tail(&mut self, line: &[u8], feed: u64) -> Result<(), Error> {
        let dropped = std::mem::take(&mut self.tail_overlong);
        self.read_slow(line, feed)?;
        self.offset += dropped;
        Ok(())
    }

    /// Keeps the start of a line; of one that is too long anyway, no more than shows that.
    fn keep_tail(&mut self, bytes: &[u8]) {
        let room = (LINE_MAX + 1).saturating_sub(self.tail.len());
        let kept = bytes.len().min(room);
        self.tail.extend_from_slice(&bytes[..kept]);
        self.tail_overlong += (bytes.len() - kept) as u64;
    }
}

/// A batch of these fields without rows.
fn empty(fields: &[Field]) -> FlowBatch {
    let batch = FlowBatch::try_new(RecordBatch::new_empty(schema(fields)));
    batch.unwrap_or_else(|error| unreachable!("own columns: {error}"))
}

/// A line without the mark of a file that was joined to others. Where a mark would read as text of the first field, it
/// is that, unless the line is a header: ordinary lines are read so, too.
fn unmarked<'l>(format: &Format, line: &'l [u8]) -> &'l [u8] {
    let Some(plain) = line.strip_prefix(BYTE_ORDER_MARK) else {
        return line;
    };
    let is_text = |column: &Column| match column {
        Column::Known(field) => field.kind() == Kind::Text,
        Column::Unknown(_) => true,
    };
    let is_header = || Format::from_header(&String::from_utf8_lossy(plain)).is_some();
    if format.columns().first().is_some_and(is_text) && !is_header() {
        line
    } else {
        plain
    }
}

#[cfg(test)]
mod tests;
