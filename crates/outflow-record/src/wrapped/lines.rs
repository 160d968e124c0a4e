//! Wrappings of a line each, and records without lines.

use super::{Unwrapped, WRITE_TEST, Wrapping};
use crate::RejectReason;
use crate::naive::LINE_MAX;

/// Bytes held of a line: one more than the longest message, and the longest time in front of it. The rest of a
/// longer one is passed over, and the decoder rejects what is held as too long.
const HELD_MAX: usize = LINE_MAX + 1 + 64;

/// What `log-status` can be. None begins with another.
const STATUSES: [&str; 3] = ["OK", "NODATA", "SKIPDATA"];

/// Reads lines, or records without lines.
#[derive(Debug)]
pub(super) struct Lines {
    wrapping: Wrapping,
    /// Bytes before the next.
    offset: u64,
    /// The start of the line under way, or of the record up to its last token.
    held: Held,
    /// The last token under way, of records without lines, and how many there are.
    token: Held,
    tokens: usize,
}

/// Bytes that are not complete yet.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    offset: u64,
}

impl Held {
    fn extend(&mut self, bytes: &[u8]) {
        let room = HELD_MAX.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Lines {
    pub(super) fn new(wrapping: Wrapping) -> Self {
        Self {
            wrapping,
            offset: 0,
            held: Held::default(),
            token: Held::default(),
            tokens: 0,
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.held.bytes.capacity() + self.token.bytes.capacity()
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Unwrapped) {
        if let Wrapping::Joined(fields) = self.wrapping {
            for byte in input {
                self.push_joined(*byte, fields, out);
                self.offset += 1;
            }
            return;
        }
        for part in input.split_inclusive(|byte| *byte == b'\n') {
            let line = part.strip_suffix(b"\n");
            self.held.extend(line.unwrap_or(part));
            self.offset += part.len() as u64;
            if line.is_some() {
                self.end_line(out);
            }
        }
    }

    pub(super) fn finish(&mut self, out: &mut Unwrapped) {
        if let Wrapping::Joined(fields) = self.wrapping {
            self.push_joined(b'\n', fields, out);
        } else if !self.held.bytes.is_empty() {
            self.end_line(out);
        }
    }

    /// Rejects what is not complete.
    pub(super) fn cut(&mut self, out: &mut Unwrapped) {
        let mut held = std::mem::take(&mut self.held.bytes);
        if held.is_empty() {
            self.held.offset = self.token.offset;
        }
        held.append(&mut self.token.bytes);
        if !held.is_empty() {
            out.push_reject(self.held.offset, RejectReason::Truncated, &held);
        }
    }

    fn end_line(&mut self, out: &mut Unwrapped) {
        let offset = std::mem::replace(&mut self.held.offset, self.offset);
        let held = std::mem::take(&mut self.held.bytes);
        let mut line = held.as_slice();
        if offset == 0 {
            line = line.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(line);
        }
        let line = line.trim_ascii();
        let is_csv = self.wrapping == Wrapping::Csv;
        if line.is_empty() {
            out.push_line(line, offset);
        } else if is_csv && is_csv_header(line) {
            out.header_lines += 1;
        } else if line == WRITE_TEST {
            out.control_messages += 1;
        } else if self.wrapping == Wrapping::Bare {
            out.push_line(line, offset);
        } else if is_csv {
            match csv_message(line) {
                Some(message) => out.push_line(&message, offset),
                None => out.push_reject(offset, RejectReason::NoMessage, line),
            }
        } else {
            match stamped(line) {
                Some(message) => out.push_line(message, offset),
                None => out.push_reject(offset, RejectReason::NoMessage, line),
            }
        }
        self.held.bytes = held;
        self.held.bytes.clear();
    }

    /// Reads a byte of records without lines: one ends behind the status that is its last field, or, if it has more
    /// fields, behind the next token that begins with a status. A line feed ends it, too.
    fn push_joined(&mut self, byte: u8, fields: usize, out: &mut Unwrapped) {
        if !byte.is_ascii_whitespace() {
            if self.token.bytes.is_empty() {
                self.token.offset = self.offset;
                self.tokens += 1;
            }
            self.token.extend(&[byte]);
            return;
        }
        let token = std::mem::take(&mut self.token.bytes);
        if !token.is_empty() {
            if self.tokens == 1 {
                self.held.offset = self.token.offset;
            }
            match split_status(&token).filter(|_| self.tokens >= fields) {
                None => self.held.extend(&token),
                Some((status, rest)) => {
                    self.held.extend(status);
                    self.end_record(out);
                    if !rest.is_empty() {
                        self.tokens = 1;
                        self.held.offset = self.token.offset + status.len() as u64;
                        self.held.extend(rest);
                    }
                }
            }
            if !self.held.bytes.is_empty() {
                self.held.extend(b" ");
            }
        }
        if byte == b'\n' && !self.held.bytes.is_empty() {
            self.end_record(out);
        }
        self.token.bytes = token;
        self.token.bytes.clear();
    }

    fn end_record(&mut self, out: &mut Unwrapped) {
        out.push_line(&self.held.bytes, self.held.offset);
        self.held.bytes.clear();
        self.tokens = 0;
    }
}

/// The status with which a token begins, and what stands behind it.
pub(super) fn split_status(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let ends = |status: &str| token.starts_with(status.as_bytes()).then_some(status.len());
    let end = STATUSES.into_iter().find_map(ends)?;
    Some(token.split_at(end))
}

/// The message behind the time with which a line of an export begins: `2026-10-01T08:30:00.000Z`, or milliseconds
/// since 1970.
pub(super) fn stamped(line: &[u8]) -> Option<&[u8]> {
    let (stamp, message) = match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, &line[line.len()..]),
    };
    let is_millis = stamp.len() == 13 && stamp.iter().all(u8::is_ascii_digit);
    (is_millis || is_iso(stamp)).then_some(message)
}

fn is_iso(stamp: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let (Some(date), Some((last, fraction))) = (stamp.get(..SHAPE.len()), stamp.split_last())
    else {
        return false;
    };
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        shape => byte == shape,
    };
    let fraction = fraction.get(SHAPE.len()..).unwrap_or_default();
    let is_fraction = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    date.iter().zip(SHAPE).all(fits) && *last == b'Z' && fraction.iter().all(is_fraction)
}

/// Whether a line is the header of a table of events: `timestamp,message`, or as Logs Insights writes it, with `@`.
pub(super) fn is_csv_header(line: &[u8]) -> bool {
    let mut names = line.split(|byte| *byte == b',');
    let mut is = |name: &[u8]| {
        names.next().is_some_and(|own| {
            let own = own.trim_ascii();
            let own = own
                .strip_prefix(b"\"")
                .and_then(|own| own.strip_suffix(b"\""))
                .unwrap_or(own);
            own.strip_prefix(b"@").unwrap_or(own) == name
        })
    };
    is(b"timestamp") && is(b"message") && names.next().is_none()
}

/// The message of a row: all behind the first comma, without the quotes around it and within it.
fn csv_message(line: &[u8]) -> Option<Vec<u8>> {
    let comma = line.iter().position(|byte| *byte == b',')?;
    let message = &line[comma + 1..];
    let Some(quoted) = message
        .strip_prefix(b"\"")
        .and_then(|own| own.strip_suffix(b"\""))
    else {
        return Some(message.to_vec());
    };
    let mut plain = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        plain.push(*byte);
        if *byte == b'"' && bytes.as_slice().first() == Some(&b'"') {
            bytes.next();
        }
    }
    Some(plain)
}
