//! Which format a source has, told from its first lines.

use crate::format::is_spoilt_header;
use crate::naive::{LINE_MAX, Line, Value, read_line};
use crate::wrapped::looks_joined;
use crate::{Error, Field, Format};

/// Lines that may pass before one tells the format: a header stands first, and damage at the very start of
/// a source without one rarely spans more.
const LINES_MAX: usize = 16;

/// The lines that wait for a format.
#[derive(Debug)]
pub(super) struct Deciding {
    given: Option<Format>,
    lines: Vec<(Vec<u8>, u64)>,
}

impl Deciding {
    pub(super) fn new(given: Option<Format>) -> Self {
        Self {
            given,
            lines: Vec::new(),
        }
    }

    /// Whether no line waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes a line, and returns the format if that is now told.
    pub(super) fn offer(&mut self, line: &[u8], feed: u64) -> Result<Option<Format>, Error> {
        let kept = line.len().min(LINE_MAX + 1);
        self.lines
            .push((line[..kept].to_vec(), feed + (line.len() - kept) as u64));
        let line = &line[..kept];
        if line.trim_ascii().is_empty() && self.lines.len() < LINES_MAX {
            return Ok(None);
        }
        // What is no UTF-8 is no header, but may be a spoilt one.
        let text = String::from_utf8_lossy(line);
        if let Some(header) = Format::from_header(&text) {
            return header.map(Some);
        }
        if is_spoilt_header(&text) {
            return Err(Error::SpoiltHeader {
                reason: describe(line),
            });
        }
        if let Some(format) = &self.given {
            return Ok(Some(format.clone()));
        }
        let default = Format::version_2();
        if is_default_record(&default, line) {
            return Ok(Some(default));
        }
        let gateway = Format::transit_gateway();
        if is_gateway_record(&gateway, line) {
            return Ok(Some(gateway));
        }
        if self.lines.len() >= LINES_MAX {
            return self.finish().map(|()| None);
        }
        Ok(None)
    }

    pub(super) fn take_lines(&mut self) -> Vec<(Vec<u8>, u64)> {
        std::mem::take(&mut self.lines)
    }

    /// The verdict at the end of a source whose format no line told. A source without any token is fine.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        // Blank lines are kept behind another line only.
        self.lines.first().map_or(Ok(()), |(line, _)| {
            Err(Error::Undecidable {
                reason: describe(line),
            })
        })
    }
}

/// Whether a line tells by itself that it is one of a flow log.
pub(crate) fn is_flow_line(line: &[u8]) -> bool {
    let line = &line[..line.len().min(LINE_MAX + 1)];
    Format::from_header(&String::from_utf8_lossy(line)).is_some()
        || is_default_record(&Format::version_2(), line)
        || is_gateway_record(&Format::transit_gateway(), line)
}

/// Whether a line can only be one of the default format: it reads in it, and the fields whose values are
/// distinctive hold such values.
pub(crate) fn is_default_record(default: &Format, line: &[u8]) -> bool {
    match read_line(default, line) {
        Line::Coverage(row) => row.interface_id.is_some_and(|id| id.starts_with("eni-")),
        Line::Row(values) => {
            let text = |field: Field| match &values[field.index()] {
                Value::Text(text) => Some(text.as_ref()),
                _ => None,
            };
            let interface = text(Field::InterfaceId).is_none_or(|id| id.starts_with("eni-"));
            let account = text(Field::AccountId).is_some_and(|id| {
                id == "unknown" || (id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()))
            });
            let action = matches!(text(Field::Action), Some("ACCEPT" | "REJECT") | None);
            interface && account && action
        }
        _ => false,
    }
}

/// Whether a line can only be one of the default format of Transit Gateway flow logs, of 36 fields.
fn is_gateway_record(gateway: &Format, line: &[u8]) -> bool {
    if !matches!(read_line(gateway, line), Line::Row(_) | Line::Coverage(_)) {
        return false;
    }
    let text = String::from_utf8_lossy(line);
    let token = |field| {
        let mut tokens = text.split_ascii_whitespace();
        gateway.position(field).and_then(|at| tokens.nth(at))
    };
    let resource = token(Field::ResourceType);
    let is_gateway = matches!(
        resource,
        Some("TransitGateway" | "TransitGatewayAttachment")
    );
    is_gateway && token(Field::TgwId).is_some_and(|id| id.starts_with("tgw-"))
}

fn describe(line: &[u8]) -> String {
    if line.starts_with(b"PAR1") {
        return "this is Parquet within something else: unpack it first".to_owned();
    }
    if line.trim_ascii_start().starts_with(b"{") {
        return "this is JSON, not the lines that it may wrap".to_owned();
    }
    let Ok(text) = std::str::from_utf8(line) else {
        return "the first line is not text".to_owned();
    };
    let shown: String = text.chars().take(60).collect();
    if is_spoilt_header(text) {
        return format!(
            "`{}` seems to be a header, but names fields in another way than AWS does",
            shown.escape_debug()
        );
    }
    let tokens = text.split_ascii_whitespace().count();
    if looks_joined(line) {
        return "records seem to follow one another without a line feed; where one ends can only be told in the \
                default format, or in a given one that ends in log-status"
            .to_owned();
    }
    format!(
        "no header, and the first line ({tokens} fields: `{}`) is not of the default format",
        shown.escape_debug()
    )
}
