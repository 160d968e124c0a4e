//! Log lines in the wrappings in which CloudWatch Logs and Firehose deliver them, by push.
//!
//! ```text
//! first bytes ──► Wrapping::tell ──► Unwrapper: bytes in any pieces ──► Unwrapped { text, places, packed, … }
//! ```
//!
//! What comes out is text for a [`crate::Decoder`]: one line for each event. Wrapped lines have no header, so the
//! decoder takes the given format, or the default one. The result does not depend on how the bytes are cut.

mod extent;
mod json;
mod lines;

use crate::decoder::{is_default_record, is_flow_line};
use crate::naive::{LINE_MAX, Line, read_line, read_value};
use crate::{Column, Error, Field, Format, Reject};

use json::Json;
use lines::Lines;

/// First bytes of a source that tell its wrapping, unless its first line ends before.
pub const HEAD_MAX: usize = LINE_MAX;

/// The longest JSON value that is held to be read: an event, or the base64 of a packed record. Kinesis takes records
/// of up to 10 MiB, which base64 makes 14 of. A longer one is a reject (`line-too-long`) of which only the start is held.
pub const WRAPPED_MAX: usize = 16 << 20;

/// Messages that tell by their majority what all of them are: the first may be damaged. As many may wait until then.
pub const TELLING_MAX: usize = 16;

/// Rejects in front of the first event, beyond which the JSON is taken for something else and refused.
const UNTOLD_MAX: usize = 16;

/// What some editors put before the first line of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All that `aws-logs-write-test` holds, by which CloudWatch Logs tries a bucket before it exports to it.
const WRITE_TEST: &[u8] = b"Permission Check Successful";

/// How a source wraps its log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// JSON objects, one after the other with or without anything between them: subscription payloads
    /// (`logEvents`), their packed forms (`awslogs`, `Records`, `records`), `{"message": …}` of Firehose, and what
    /// `get-log-events` and `filter-log-events` print (`events`).
    Json,
    /// An export of CloudWatch Logs: each line is a time, a space and the message.
    Stamped,
    /// A table that the console downloads: `timestamp,message`.
    Csv,
    /// None: a line is a message. [`Wrapping::tell`] does not say so; it is there for the payload of a [`Packed`].
    Bare,
    /// Records of this many fields, the last of them `log-status`, without a line feed between them.
    Joined(usize),
}

impl Wrapping {
    /// The wrapping that a source's first bytes tell; `None` if its lines are as they are.
    ///
    /// `head` is the source to the end of its first line that is not blank, or its first [`HEAD_MAX`] bytes, or all
    /// of it. `format` is what the caller knows of the lines.
    ///
    /// # Errors
    /// [`Error::Undecidable`] for records without line feeds between them in a format that does not end in
    /// `log-status`: where one ends and the next begins would be a guess.
    pub fn tell(head: &[u8], format: Option<&Format>) -> Result<Option<Self>, Error> {
        let head = &head[..head.len().min(HEAD_MAX)];
        let is_cut = head.len() == HEAD_MAX;
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let head = head.trim_ascii_start();
        if head.starts_with(b"{") {
            return Ok(Some(Self::Json));
        }
        let end = head.iter().position(|byte| *byte == b'\n');
        let line = head[..end.unwrap_or(head.len())].trim_ascii_end();
        if lines::is_csv_header(line) {
            return Ok(Some(Self::Csv));
        }
        // A first field of thirteen digits may also be one of the format that was given.
        let is_plain = |format: &Format| tokens(line).count() == format.columns().len();
        if line == WRITE_TEST || lines::stamped(line).is_some() && !format.is_some_and(is_plain) {
            return Ok(Some(Self::Stamped));
        }
        let extent = match end {
            Some(_) => FirstLine::Ended,
            None if is_cut => FirstLine::Endless,
            None => FirstLine::All,
        };
        joined(line, extent, format)
    }
}

/// How much of a source its first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstLine {
    /// A line feed ends it.
    Ended,
    /// All of the source.
    All,
    /// More than is looked at.
    Endless,
}

/// Whether the first line holds several records, of which the format tells the borders.
fn joined(
    line: &[u8],
    extent: FirstLine,
    given: Option<&Format>,
) -> Result<Option<Wrapping>, Error> {
    let default = Format::version_2();
    let format = given.unwrap_or(&default);
    let fields = format.columns().len();
    let found = tokens(line).count();
    if found <= fields {
        return Ok(None);
    }
    if format.position(Field::LogStatus) != Some(fields - 1) {
        // Each record but the first lacks the blank in front of it, and so one token.
        let of_records = fields > 1 && (found - 1).is_multiple_of(fields - 1);
        return match extent {
            FirstLine::All if !of_records => Ok(None),
            FirstLine::Ended => Ok(None),
            FirstLine::All | FirstLine::Endless => Err(Error::Undecidable {
                reason: "records seem to follow one another without a line feed; where one ends can only be told in \
                         a format that ends in log-status"
                    .to_owned(),
            }),
        };
    }
    // The next record's first value stands right behind the status. A status by itself ends no record: the line may
    // be of a longer format that begins like this one.
    let Some((status, next)) = tokens(line).nth(fields - 1).and_then(lines::split_status) else {
        return Ok(None);
    };
    let begins = |column: &Column| match (column, std::str::from_utf8(next)) {
        (Column::Known(field), Ok(next)) => read_value(*field, next).is_some(),
        _ => false,
    };
    if next.is_empty() || !format.columns().first().is_some_and(begins) {
        return Ok(None);
    }
    let mut record = tokens(line).take(fields - 1).collect::<Vec<_>>();
    record.push(status);
    let record = record.join(&b' ');
    let reads = match given {
        Some(format) => matches!(read_line(format, &record), Line::Row(_) | Line::Coverage(_)),
        None => is_default_record(&default, &record),
    };
    Ok(reads.then_some(Wrapping::Joined(fields)))
}

/// Whether a status stands right in front of a version.
pub(crate) fn looks_joined(line: &[u8]) -> bool {
    let joins = |(_, next): (&[u8], &[u8])| next.first().is_some_and(u8::is_ascii_digit);
    tokens(line).filter_map(lines::split_status).any(joins)
}

fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|token| !token.is_empty())
}

/// What the messages of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// Lines of a flow log.
    FlowLog,
    /// JSON objects of Route 53 Resolver query logs.
    Resolver,
}

/// What an [`Unwrapper`] took out of its wrapping. It grows until it is cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unwrapped {
    /// The messages, a line each. Line feeds within a message are spaces here.
    pub text: Vec<u8>,
    /// Where each line of `text` came from.
    pub places: Vec<Place>,
    /// Records that are packed once more.
    pub packed: Vec<Packed>,
    /// What is wrapped in another way than the source's, or not at all.
    pub rejects: Vec<Reject>,
    /// Messages by which CloudWatch Logs checks a destination: they hold no record.
    pub control_messages: u64,
    /// Header lines of the wrapping itself.
    pub header_lines: u64,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its first byte in [`Unwrapped::text`].
    pub at: usize,
    /// Where in the source it was wrapped: the byte offset of the event's JSON object (of the whole object where
    /// `message` stands at its top), or of the line or record.
    pub offset: u64,
}

/// A record that is packed in base64, and within it usually in gzip: a subscription payload as Lambda and Kinesis
/// get it, or a line as Firehose gives it to a transformation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Byte offset in the source of the JSON object that holds it.
    pub offset: u64,
    /// The base64.
    pub base64: String,
}

impl Unwrapped {
    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
        self.packed.clear();
        self.rejects.clear();
        self.control_messages = 0;
        self.header_lines = 0;
    }

    fn push_line(&mut self, line: &[u8], offset: u64) {
        let at = self.text.len();
        self.places.push(Place { at, offset });
        let feed = |byte: &u8| if *byte == b'\n' { b' ' } else { *byte };
        self.text.extend(line.iter().map(feed));
        self.text.push(b'\n');
    }

    fn push_reject(&mut self, offset: u64, reason: crate::RejectReason, bytes: &[u8]) {
        let bytes = bytes[..bytes.len().min(Reject::BYTES_MAX)].to_vec();
        self.rejects.push(Reject {
            offset,
            reason,
            bytes,
        });
    }
}

/// Takes log lines out of their wrapping: push bytes in pieces of any size.
///
/// Every event ends in one of: a line of the text, a packed record, a reject, a control message. JSON that makes no
/// sense is one reject, with the offset of its outermost object or of what stands in its place; reading goes on where
/// the next object seems to begin, be it an event of the one that was given up.
///
/// ```
/// use outflow_record::{Unwrapped, Unwrapper, Wrapping};
/// let source = br#"{"message":"2 unknown eni-1 - - NODATA"}{"message":"2 unknown eni-2 - - NODATA"}"#;
/// let wrapping = Wrapping::tell(source, None).unwrap().unwrap();
/// let (mut unwrapper, mut unwrapped) = (Unwrapper::new(wrapping), Unwrapped::default());
/// unwrapper.push(source, &mut unwrapped).unwrap();
/// unwrapper.finish(&mut unwrapped).unwrap();
/// assert_eq!(unwrapped.text, b"2 unknown eni-1 - - NODATA\n2 unknown eni-2 - - NODATA\n");
/// assert_eq!(unwrapped.places[1].offset, 40);
/// ```
#[derive(Debug)]
pub struct Unwrapper {
    form: Form,
    votes: Votes,
}

/// What the first messages are.
#[derive(Debug, Default)]
struct Votes {
    seen: usize,
    resolver: usize,
    flow_log: usize,
    /// Neither: damage, or lines of a format that the caller knows.
    other: usize,
}

impl Votes {
    fn told(&self) -> usize {
        self.resolver + self.flow_log + self.other
    }
}

#[derive(Debug)]
enum Form {
    Json(Box<Json>),
    Lines(Lines),
}

impl Unwrapper {
    /// An unwrapper for one source.
    pub fn new(wrapping: Wrapping) -> Self {
        let form = match wrapping {
            Wrapping::Json => Form::Json(Box::default()),
            Wrapping::Stamped | Wrapping::Csv | Wrapping::Bare | Wrapping::Joined(_) => {
                Form::Lines(Lines::new(wrapping))
            }
        };
        Self {
            form,
            votes: Votes::default(),
        }
    }

    /// Adds what the input holds to `out`.
    ///
    /// # Errors
    /// [`Error::Undecidable`] for JSON that wraps no messages.
    pub fn push(&mut self, input: &[u8], out: &mut Unwrapped) -> Result<(), Error> {
        let from = out.text.len();
        let pushed = match &mut self.form {
            Form::Json(json) => json.push(input, out),
            Form::Lines(lines) => {
                lines.push(input, out);
                Ok(())
            }
        };
        self.look(&out.text[from..]);
        pushed
    }

    /// Ends the source. What it leaves unfinished is a reject; a last line may lack its line feed.
    ///
    /// # Errors
    /// As [`Unwrapper::push`].
    pub fn finish(&mut self, out: &mut Unwrapped) -> Result<(), Error> {
        let from = out.text.len();
        let finished = match &mut self.form {
            Form::Json(json) => json.finish(out),
            Form::Lines(lines) => {
                lines.finish(out);
                Ok(())
            }
        };
        self.look(&out.text[from..]);
        finished
    }

    /// Ends a source that broke off: what it leaves unfinished, a last line too, is a reject.
    ///
    /// # Errors
    /// As [`Unwrapper::push`].
    pub fn finish_truncated(&mut self, out: &mut Unwrapped) -> Result<(), Error> {
        if let Form::Lines(lines) = &mut self.form {
            lines.cut(out);
        }
        self.finish(out)
    }

    /// What the messages are: most of the first [`TELLING_MAX`], or the first behind them that is not blank. `None` if
    /// all so far are blank.
    pub fn messages(&self) -> Option<Messages> {
        let votes = &self.votes;
        let most = if votes.resolver > votes.flow_log && votes.resolver >= votes.other {
            Messages::Resolver
        } else {
            Messages::FlowLog
        };
        (votes.told() > 0).then_some(most)
    }

    /// Bytes held of what is not complete yet.
    pub fn heap_bytes(&self) -> usize {
        match &self.form {
            Form::Json(json) => json.heap_bytes(),
            Form::Lines(lines) => lines.heap_bytes(),
        }
    }

    fn look(&mut self, text: &[u8]) {
        let votes = &mut self.votes;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if votes.seen >= TELLING_MAX && votes.told() > 0 {
                break;
            }
            votes.seen += 1;
            match line.trim_ascii_start().first() {
                None => {}
                Some(b'{') => votes.resolver += 1,
                Some(_) if is_flow_line(line.trim_ascii_end()) => votes.flow_log += 1,
                Some(_) => votes.other += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests;
