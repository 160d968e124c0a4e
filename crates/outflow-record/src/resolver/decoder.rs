//! The push decoder of Resolver query logs.

use super::DnsDecoded;
use super::columns::Columns;
use super::fast::Fast;
use super::frame::{Frame, Framer, is_blank, is_start};
use super::naive::{read_object, read_record};
use super::record::Record;
use crate::{BATCH_ROWS, Reject, RejectReason};

/// Bytes of text that a batch is made of; it is full then, however few rows it has, so that long records do not make
/// it outgrow the memory. Ordinary batches have about an eighth of it.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// Bytes that are added at once to a record whose end has not come yet.
const STEP: usize = 4096;

/// Decodes the objects of one source: push bytes in pieces of any size, flush batches.
///
/// Objects may stand on lines of their own, follow each other with or without white space, or spread over lines. An
/// object that is no query is a reject. What is no object is a reject up to the end of its first line, or to where a
/// record begins within it (a brace before a key that records have), and reading goes on there.
///
/// ```
/// use outflow_record::{DnsDecoder, DnsField};
/// let mut decoder = DnsDecoder::new();
/// let text = br#"{"query_timestamp":"2022-10-13T21:02:36Z","query_name":"WWW.example.com.","query_type":"A"}
///                {"query_name":"example.com."}"#;
/// assert_eq!(decoder.decode(text), text.len());
/// decoder.finish();
/// let decoded = decoder.flush().unwrap();
/// assert_eq!(decoded.queries.query_names().value(0), "www.example.com");
/// assert_eq!(decoded.rejects[0].reason.to_string(), "missing:query_timestamp");
/// ```
#[derive(Debug)]
pub struct DnsDecoder {
    columns: Columns,
    fast: Fast,
    /// A record that has not ended yet, and how far its end was looked for.
    pending: Vec<u8>,
    framer: Framer,
    /// A reject whose end has not come yet.
    open: Option<Open>,
    /// Of what is pending or open, else of the next byte.
    offset: u64,
    /// Whether the line under way had anything but white space.
    line_used: bool,
    /// Bytes of text in the batch under way.
    bytes: usize,
    rejects: Vec<Reject>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    lines: u64,
    blank: u64,
    unknown_keys: u64,
}

#[derive(Debug)]
struct Open {
    reason: RejectReason,
    head: Vec<u8>,
    len: u64,
    /// Bytes behind it that may be the start of a record.
    start: Vec<u8>,
}

impl Open {
    fn extend(&mut self, bytes: &[u8]) {
        let room = Reject::BYTES_MAX - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.len += bytes.len() as u64;
    }
}

impl Default for DnsDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl DnsDecoder {
    /// A decoder for one source.
    pub fn new() -> Self {
        Self {
            columns: Columns::new(),
            fast: Fast::new(),
            pending: Vec::new(),
            framer: Framer::default(),
            open: None,
            offset: 0,
            line_used: false,
            bytes: 0,
            rejects: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Reads from `input` and returns how many bytes it took; fewer than all means that the batch is full and waits
    /// to be flushed.
    pub fn decode(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        while at < input.len() && !self.is_full() {
            at += if self.open.is_some() {
                self.read_open(&input[at..])
            } else if self.pending.is_empty() {
                self.read(&input[at..])
            } else {
                self.read_pending(&input[at..])
            };
        }
        at
    }

    /// Ends the source. An object that has not ended is a reject ([`RejectReason::Truncated`]) to the end of its first
    /// line or to the next start of a record, and what follows is read by itself.
    pub fn finish(&mut self) {
        while !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let taken = self.give_up(&bytes, RejectReason::Truncated);
            self.read_all(&bytes[taken..]);
        }
        self.close();
    }

    /// Ends a source that broke off: what it ends with is [`RejectReason::Truncated`] also if it never was an object.
    pub fn finish_truncated(&mut self) {
        self.open
            .iter_mut()
            .for_each(|open| open.reason = RejectReason::Truncated);
        self.finish();
    }

    /// What was read since the last flush, or `None` if that is nothing.
    pub fn flush(&mut self) -> Option<DnsDecoded> {
        let counts = std::mem::take(&mut self.counts);
        self.bytes = 0;
        (counts.lines + counts.blank > 0).then(|| DnsDecoded {
            queries: self.columns.take(),
            rejects: std::mem::take(&mut self.rejects),
            lines: counts.lines,
            blank_lines: counts.blank,
            unknown_keys: counts.unknown_keys,
        })
    }

    fn is_full(&self) -> bool {
        self.columns.rows() >= BATCH_ROWS
            || self.rejects.len() >= BATCH_ROWS
            || self.bytes >= BATCH_BYTES_MAX
    }

    /// Reads white space, or a record, or as much as there is of one; the bytes that it took.
    #[inline]
    fn read(&mut self, input: &[u8]) -> usize {
        let blanks = self.read_blanks(input);
        let input = &input[blanks..];
        if input.is_empty() {
            return blanks;
        }
        self.line_used = true;
        let mut record = Record::default();
        let Some(len) = self.fast.read(input, &mut record) else {
            return blanks + self.read_slow(input);
        };
        self.push(&record, len);
        self.fast.recycle(record);
        blanks + len
    }

    fn read_all(&mut self, input: &[u8]) {
        let mut at = 0;
        while at < input.len() {
            at += self.read(&input[at..]);
        }
    }

    #[inline]
    fn read_blanks(&mut self, input: &[u8]) -> usize {
        let mut blanks = 0;
        for byte in input {
            if !is_blank(self.offset, *byte) {
                break;
            }
            if *byte == b'\n' {
                self.counts.blank += u64::from(!self.line_used);
                self.line_used = false;
            }
            blanks += 1;
            self.offset += 1;
        }
        blanks
    }

    /// Adds a row; the length of its text.
    #[inline]
    fn push(&mut self, record: &Record<'_>, len: usize) -> usize {
        self.columns.push(record);
        self.counts.unknown_keys += u64::from(record.unknown_key);
        self.passed(len)
    }

    /// Adds a reject; the length of its text.
    fn reject(&mut self, text: &[u8], reason: RejectReason) -> usize {
        self.rejects.push(Reject {
            offset: self.offset,
            reason,
            bytes: text[..text.len().min(Reject::BYTES_MAX)].to_vec(),
        });
        self.passed(text.len())
    }

    fn passed(&mut self, len: usize) -> usize {
        self.counts.lines += 1;
        self.offset += len as u64;
        self.bytes += len;
        len
    }

    /// Reads a record the naive way.
    fn read_slow(&mut self, input: &[u8]) -> usize {
        let mut framer = Framer::default();
        let len = match framer.advance(input) {
            Frame::More => {
                self.pending.extend_from_slice(input);
                self.framer = framer;
                return input.len();
            }
            Frame::Broken(reason) => return self.give_up(input, reason),
            Frame::Object(len) => len,
        };
        let object = &input[..len];
        let keys = match read_object(object) {
            Ok(keys) => keys,
            // Perhaps the start of a record that was cut, and others behind it.
            Err(reason) => {
                let given_up = self.give_up(object, reason);
                self.close();
                return given_up;
            }
        };
        match read_record(&keys) {
            Ok(record) => self.push(&record, len),
            Err(reason) => self.reject(object, reason),
        }
    }

    /// Goes on with the record that has not ended yet.
    fn read_pending(&mut self, input: &[u8]) -> usize {
        let before = self.pending.len();
        let step = &input[..input.len().min(STEP)];
        self.pending.extend_from_slice(step);
        if self.framer.advance(&self.pending) == Frame::More {
            return step.len();
        }
        // It is read anew where it lies in one piece. If it was none, the lines behind its first are read as well.
        let bytes = std::mem::take(&mut self.pending);
        let taken = self.read(&bytes);
        if taken >= before {
            return taken - before;
        }
        self.read_all(&bytes[taken..]);
        step.len()
    }

    /// Rejects what is at the head of `input` up to the end of its first line or the next start of a record, which may
    /// not have come yet.
    fn give_up(&mut self, input: &[u8], reason: RejectReason) -> usize {
        let (first, rest) = input.split_at(1);
        self.open = Some(Open {
            reason,
            head: first.to_vec(),
            len: 1,
            start: Vec::new(),
        });
        1 + self.read_open(rest)
    }

    fn read_open(&mut self, input: &[u8]) -> usize {
        let Some(open) = &mut self.open else { return 0 };
        let mut at = 0;
        // What may be the start of a record came with the last piece.
        while !open.start.is_empty() && at < input.len() {
            open.start.push(input[at]);
            at += 1;
            match is_start(&open.start) {
                None => {}
                Some(true) => {
                    self.pending = std::mem::take(&mut open.start);
                    self.framer = Framer::default();
                    self.close();
                    return at;
                }
                // The last byte may itself begin something.
                Some(false) => {
                    at -= 1;
                    open.start.pop();
                    let start = std::mem::take(&mut open.start);
                    open.extend(&start);
                }
            }
        }
        let from = at;
        while let Some(found) = input[at..].iter().position(|byte| b"{\n".contains(byte)) {
            at += found;
            let told = is_start(&input[at..]);
            if input[at] == b'\n' || told == Some(true) {
                open.extend(&input[from..at]);
                self.close();
                return at;
            }
            if told.is_none() {
                open.extend(&input[from..at]);
                open.start.extend_from_slice(&input[at..]);
                return input.len();
            }
            at += 1;
        }
        open.extend(&input[from..]);
        input.len()
    }

    /// Ends the reject that is open.
    fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            let start = std::mem::take(&mut open.start);
            open.extend(&start);
            let kept = self.reject(&open.head, open.reason);
            self.offset += open.len - kept as u64;
        }
    }
}
