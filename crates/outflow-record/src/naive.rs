//! The slow, obvious reading of a line. It defines what a line means: the fast path must agree with it, and
//! hands to it every line that is out of the ordinary.

use std::borrow::Cow;

use crate::{
    Addr, Column, CoverageRow, CoverageStatus, Field, Format, Kind, RejectReason, Timestamp,
};

/// The longest line that is read. AWS's longest lines have under 2 KiB; a longer one is a reject, so that
/// a source without newlines cannot fill the memory.
pub const LINE_MAX: usize = 64 * 1024;

/// The latest time of a record, in 2106: later ones are milliseconds or damage, and a reject (`bad-value`). What is
/// summed by time keeps its seconds in 32 bits, so a later one would count at another time than it says.
pub(crate) const TIME_MAX: u64 = u32::MAX as u64;

/// The largest count. AWS stores counts in 64 bits with a sign, and so does whoever makes tables of them: what is beyond is a
/// reject (`bad-value`), so that no table tells less than the line did.
pub(crate) const COUNT_MAX: u64 = i64::MAX as u64;

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// No token at all.
    Blank,
    /// A header, declaring this format.
    Header(Format),
    /// A flow record: a value per known field, in the format's order.
    Row(Vec<Value<'a>>),
    /// A `NODATA` or `SKIPDATA` record.
    Coverage(CoverageRow),
    /// Anything else.
    Reject(RejectReason),
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `-`: not applicable, or not computable.
    Null,
    /// A number ([`Kind::U8`], [`Kind::U16`], [`Kind::U64`]).
    Number(u64),
    /// Unix seconds ([`Kind::Time`]).
    Time(Timestamp),
    /// An address ([`Kind::Addr`]).
    Addr(Addr),
    /// Text ([`Kind::Text`], [`Kind::Tag`]).
    Text(Cow<'a, str>),
}

/// Reads one line, without its line feed, in the given format.
pub fn read_line<'a>(format: &Format, line: &'a [u8]) -> Line<'a> {
    if line.len() > LINE_MAX {
        return Line::Reject(RejectReason::TooLong);
    }
    let Ok(text) = std::str::from_utf8(line) else {
        return Line::Reject(RejectReason::NotUtf8);
    };
    let tokens: Vec<&str> = text.split_ascii_whitespace().collect();
    if tokens.is_empty() {
        return Line::Blank;
    }
    if let Some(Ok(header)) = Format::from_header(text) {
        return Line::Header(header);
    }
    if tokens.len() != format.columns().len() {
        return Line::Reject(RejectReason::FieldCount);
    }
    match coverage_status(format, &tokens) {
        Err(reason) => Line::Reject(reason),
        Ok(Some(status)) => read_coverage(format, &tokens, status),
        Ok(None) => read_row(format, &tokens),
    }
}

fn coverage_status(
    format: &Format,
    tokens: &[&str],
) -> Result<Option<CoverageStatus>, RejectReason> {
    let Some(at) = format.position(Field::LogStatus) else {
        return Ok(None);
    };
    match tokens[at] {
        "OK" => Ok(None),
        "NODATA" => Ok(Some(CoverageStatus::NoData)),
        "SKIPDATA" => Ok(Some(CoverageStatus::SkipData)),
        _ => Err(RejectReason::BadValue(Field::LogStatus)),
    }
}

fn read_row<'a>(format: &Format, tokens: &[&'a str]) -> Line<'a> {
    let mut values = Vec::with_capacity(format.fields().len());
    for (column, token) in format.columns().iter().zip(tokens) {
        if let Column::Known(field) = column {
            match read_value(*field, token) {
                Some(value) => values.push(value),
                None => return Line::Reject(RejectReason::BadValue(*field)),
            }
        }
    }
    let time = |field: Field| {
        let at = format.fields().iter().position(|own| *own == field)?;
        match values.get(at)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    };
    if ends_before_start(time(Field::Start), time(Field::End)) {
        return Line::Reject(RejectReason::EndBeforeStart);
    }
    Line::Row(values)
}

/// Whether a window ends before it starts: AWS writes none, so one of its times is not what it says.
pub(crate) fn ends_before_start(start: Option<Timestamp>, end: Option<Timestamp>) -> bool {
    start.zip(end).is_some_and(|(start, end)| end < start)
}

fn read_coverage<'a>(format: &Format, tokens: &[&'a str], status: CoverageStatus) -> Line<'a> {
    let token = |field| {
        format
            .position(field)
            .map(|at| tokens[at])
            .filter(|token| *token != "-")
    };
    let time = |field| match token(field).map(|token| read_value(field, token)) {
        None => Ok(None),
        Some(Some(Value::Time(time))) => Ok(Some(time)),
        Some(_) => Err(RejectReason::BadValue(field)),
    };
    match (time(Field::Start), time(Field::End)) {
        (Ok(start), Ok(end)) if ends_before_start(start, end) => {
            Line::Reject(RejectReason::EndBeforeStart)
        }
        (Ok(start), Ok(end)) => Line::Coverage(CoverageRow {
            account_id: token(Field::AccountId).map(str::to_owned),
            interface_id: token(Field::InterfaceId).map(str::to_owned),
            tgw_attachment_id: token(Field::TgwAttachmentId).map(str::to_owned),
            start,
            end,
            status,
        }),
        (Err(reason), _) | (_, Err(reason)) => Line::Reject(reason),
    }
}

/// Reads one token; `None` if it does not hold what the field asks for: a value of its kind, and of `action` one of the
/// two verdicts that there are.
pub fn read_value(field: Field, token: &str) -> Option<Value<'_>> {
    if token == "-" {
        return Some(Value::Null);
    }
    if field == Field::Action && !matches!(token, "ACCEPT" | "REJECT") {
        return None;
    }
    let number = |max: u64| {
        let digits = token.bytes().all(|byte| byte.is_ascii_digit());
        let value: Option<u64> = if digits { token.parse().ok() } else { None };
        value.filter(|value| *value <= max)
    };
    match field.kind() {
        Kind::U8 => number(u64::from(u8::MAX)).map(Value::Number),
        Kind::U16 => number(u64::from(u16::MAX)).map(Value::Number),
        Kind::U64 => number(COUNT_MAX).map(Value::Number),
        Kind::Time => Some(Value::Time(Timestamp(
            i64::try_from(number(TIME_MAX)?).ok()?,
        ))),
        Kind::Addr => token.parse().ok().map(Value::Addr),
        Kind::Text => Some(Value::Text(Cow::Borrowed(token))),
        Kind::Tag => Some(Value::Text(percent_decoded(token))),
    }
}

/// The text behind `%20` and the like; the token itself where its escapes are damaged or hide no UTF-8.
fn percent_decoded(token: &str) -> Cow<'_, str> {
    if !token.contains('%') {
        return Cow::Borrowed(token);
    }
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let Some(&[high, low]) = tail.first_chunk() else {
            return Cow::Borrowed(token);
        };
        let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low)) else {
            return Cow::Borrowed(token);
        };
        bytes.push(high << 4 | low);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(token), Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
