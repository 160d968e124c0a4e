//! Messages of the protocol, version 3: those of clients read, those of the server written.
//!
//! What is read comes from anybody: each length and each end is looked at.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};

use crate::problem::{Problem, sqlstate};
use crate::sql::position;

/// A message of a client that is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Query(String),
    /// A query of which the text is none: it is answered as one that went wrong.
    NoQuery(Problem),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind {
        portal: String,
        statement: String,
        formats: Vec<i16>,
        values: Vec<Option<Bytes>>,
        result_formats: Vec<i16>,
    },
    Describe(Named),
    Execute {
        portal: String,
        /// Rows at most; all, if it is none.
        rows_max: Option<usize>,
    },
    Close(Named),
    Flush,
    Sync,
    /// A password, or a step of SASL.
    Password(Bytes),
    Terminate,
    /// A part of what would be copied in.
    Copy,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    Statement(String),
    Portal(String),
}

/// The first message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Startup {
        minor: u16,
        parameters: Vec<(String, String)>,
    },
    Cancel {
        process: i32,
        secret: Bytes,
    },
    Tls,
    Gss,
}

/// What a client sent that is no message.
fn violation(what: &str) -> Problem {
    Problem::fatal(
        sqlstate::PROTOCOL_VIOLATION,
        format!("invalid message: {what}"),
    )
}

/// The body of a message, which is read from its start.
struct Body(Bytes);

impl Body {
    fn u8(&mut self) -> Result<u8, Problem> {
        self.0
            .try_get_u8()
            .map_err(|_| violation("it ends too early"))
    }

    fn u16(&mut self) -> Result<u16, Problem> {
        self.0
            .try_get_u16()
            .map_err(|_| violation("it ends too early"))
    }

    fn i32(&mut self) -> Result<i32, Problem> {
        self.0
            .try_get_i32()
            .map_err(|_| violation("it ends too early"))
    }

    fn take(&mut self, bytes: usize) -> Result<Bytes, Problem> {
        if bytes > self.0.len() {
            return Err(violation("it ends too early"));
        }
        Ok(self.0.split_to(bytes))
    }

    /// A text up to a zero byte.
    fn text(&mut self) -> Result<String, Problem> {
        let end = self.0.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| violation("a text has no end"))?;
        let bytes = self.take(end)?;
        self.0.advance(1);
        String::from_utf8(bytes.to_vec())
            .map_err(|_| Problem::new("22021", "invalid byte sequence for encoding \"UTF8\""))
    }

    fn formats(&mut self) -> Result<Vec<i16>, Problem> {
        let count = self.u16()?;
        let codes = (0..count).map(|_| match self.u16()? {
            0 => Ok(0),
            1 => Ok(1),
            code => Err(violation(&format!("there is no format {code}"))),
        });
        codes.collect()
    }

    fn named(&mut self) -> Result<Named, Problem> {
        match self.u8()? {
            b'S' => Ok(Named::Statement(self.text()?)),
            b'P' => Ok(Named::Portal(self.text()?)),
            _ => Err(violation("it names neither a statement nor a portal")),
        }
    }

    fn end<T>(self, told: T) -> Result<T, Problem> {
        match self.0.is_empty() {
            true => Ok(told),
            false => Err(violation("it has bytes behind its end")),
        }
    }
}

/// Takes the next message off what was read, if all of it is there.
pub(super) fn next(input: &mut BytesMut, bytes_max: usize) -> Result<Option<Message>, Problem> {
    let Some(&kind) = input.first() else {
        return Ok(None);
    };
    if !b"QPBDECHSpXdcfF".contains(&kind) {
        return Err(violation(&format!("there is none of type {kind:#04x}")));
    }
    let Some(length) = length(&input[1..], bytes_max)? else {
        return Ok(None);
    };
    if input.len() < 1 + length {
        return Ok(None);
    }
    input.advance(1 + 4);
    let body = input.split_to(length - 4).freeze();
    read(kind, body).map(Some)
}

/// The length that a message begins with, which counts itself.
fn length(input: &[u8], bytes_max: usize) -> Result<Option<usize>, Problem> {
    let Some(bytes) = input.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*bytes);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < 4 {
        return Err(violation("its length is less than that of its length"));
    }
    if length > bytes_max {
        let message = format!("a message of {length} bytes is too long: {bytes_max} are allowed");
        return Err(Problem::fatal(sqlstate::PROGRAM_LIMIT_EXCEEDED, message));
    }
    Ok(Some(length))
}

fn read(kind: u8, body: Bytes) -> Result<Message, Problem> {
    let mut body = Body(body);
    let message = match kind {
        b'Q' => match body.text() {
            Err(problem) if !problem.fatal => Message::NoQuery(problem),
            text => Message::Query(text?),
        },
        b'P' => {
            let (name, sql, count) = (body.text()?, body.text()?, body.u16()?);
            let types = (0..count).map(|_| Ok(body.i32()?.cast_unsigned()));
            let types = types.collect::<Result<_, Problem>>()?;
            Message::Parse { name, sql, types }
        }
        b'B' => {
            let (portal, statement, formats) = (body.text()?, body.text()?, body.formats()?);
            let count = body.u16()?;
            let values = (0..count).map(|_| match usize::try_from(body.i32()?) {
                Ok(bytes) => body.take(bytes).map(Some),
                Err(_) => Ok(None),
            });
            let values = values.collect::<Result<_, Problem>>()?;
            Message::Bind {
                portal,
                statement,
                formats,
                values,
                result_formats: body.formats()?,
            }
        }
        b'D' => Message::Describe(body.named()?),
        b'C' => Message::Close(body.named()?),
        b'E' => Message::Execute {
            portal: body.text()?,
            rows_max: usize::try_from(body.i32()?).ok().filter(|rows| *rows > 0),
        },
        b'H' => Message::Flush,
        b'S' => Message::Sync,
        b'X' => Message::Terminate,
        b'p' => return Ok(Message::Password(body.0)),
        b'd' | b'c' | b'f' => return Ok(Message::Copy),
        kind => return Err(violation(&format!("there is none of type {kind:#04x}"))),
    };
    body.end(message)
}

/// Takes the first message of a connection off what was read, if all of it is there.
pub(super) fn opening(input: &mut BytesMut, bytes_max: usize) -> Result<Option<Opening>, Problem> {
    let Some(length) = length(input, bytes_max)? else {
        return Ok(None);
    };
    if input.len() < length {
        return Ok(None);
    }
    input.advance(4);
    let mut body = Body(input.split_to(length - 4).freeze());
    let (major, minor) = (body.u16()?, body.u16()?);
    match (major, minor) {
        (1_234, 5_678) => Ok(Some(Opening::Cancel {
            process: body.i32()?,
            secret: body.0,
        })),
        (1_234, 5_679) => Ok(Some(Opening::Tls)),
        (1_234, 5_680) => Ok(Some(Opening::Gss)),
        (3, minor) => {
            let mut parameters = Vec::new();
            loop {
                let name = body.text()?;
                if name.is_empty() {
                    break;
                }
                parameters.push((name, body.text()?));
            }
            body.end(Some(Opening::Startup { minor, parameters }))
        }
        (major, minor) => Err(Problem::fatal(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!("unsupported frontend protocol {major}.{minor}: server supports 3.0"),
        )),
    }
}

/// What waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Output(pub(super) BytesMut);

impl Output {
    /// A message: its type, and what its body is written by.
    fn message(&mut self, kind: u8, body: impl FnOnce(&mut BytesMut)) {
        self.0.put_u8(kind);
        let at = self.0.len();
        self.0.put_u32(0);
        body(&mut self.0);
        let length = u32::try_from(self.0.len() - at).unwrap_or(u32::MAX);
        self.0[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }

    fn empty(&mut self, kind: u8) {
        self.message(kind, |_| {});
    }

    pub(super) fn authentication(&mut self, code: i32, data: &[u8]) {
        self.message(b'R', |out| {
            out.put_i32(code);
            out.put_slice(data);
        });
    }

    pub(super) fn parameter(&mut self, name: &str, value: &str) {
        self.message(b'S', |out| {
            text(out, name);
            text(out, value);
        });
    }

    pub(super) fn key(&mut self, process: i32, secret: &[u8]) {
        self.message(b'K', |out| {
            out.put_i32(process);
            out.put_slice(secret);
        });
    }

    /// That a later minor version, and these options, are not spoken.
    pub(super) fn negotiate(&mut self, options: &[&str]) {
        self.message(b'v', |out| {
            out.put_i32(3 << 16);
            out.put_i32(i32::try_from(options.len()).unwrap_or(i32::MAX));
            options.iter().for_each(|option| text(out, option));
        });
    }

    pub(super) fn ready(&mut self, status: u8) {
        self.message(b'Z', |out| out.put_u8(status));
    }

    pub(super) fn complete(&mut self, tag: &str) {
        self.message(b'C', |out| text(out, tag));
    }

    pub(super) fn empty_query(&mut self) {
        self.empty(b'I');
    }

    pub(super) fn parsed(&mut self) {
        self.empty(b'1');
    }

    pub(super) fn bound(&mut self) {
        self.empty(b'2');
    }

    pub(super) fn closed(&mut self) {
        self.empty(b'3');
    }

    pub(super) fn no_data(&mut self) {
        self.empty(b'n');
    }

    pub(super) fn suspended(&mut self) {
        self.empty(b's');
    }

    pub(super) fn places(&mut self, types: &[Type]) {
        self.message(b't', |out| {
            out.put_u16(u16::try_from(types.len()).unwrap_or(u16::MAX));
            types.iter().for_each(|of| out.put_u32(of.oid()));
        });
    }

    pub(super) fn columns(&mut self, fields: &[FieldInfo]) {
        self.message(b'T', |out| {
            out.put_u16(u16::try_from(fields.len()).unwrap_or(u16::MAX));
            for field in fields {
                text(out, field.name());
                // No column is one of a table that a client could look up by this.
                out.put_u32(0);
                out.put_i16(0);
                out.put_u32(field.datatype().oid());
                out.put_i16(size(field.datatype()));
                out.put_i32(-1);
                out.put_i16(format(field));
            }
        });
    }

    /// A row: its fields, each behind its length.
    pub(super) fn row(&mut self, fields: usize, data: &[u8]) {
        self.message(b'D', |out| {
            out.put_u16(u16::try_from(fields).unwrap_or(u16::MAX));
            out.put_slice(data);
        });
    }

    pub(super) fn copy_begin(&mut self, columns: usize, binary: bool) {
        self.message(b'H', |out| {
            out.put_u8(u8::from(binary));
            out.put_u16(u16::try_from(columns).unwrap_or(u16::MAX));
            (0..columns).for_each(|_| out.put_u16(u16::from(binary)));
        });
    }

    pub(super) fn copy_data(&mut self, data: &[u8]) {
        self.message(b'd', |out| out.put_slice(data));
    }

    pub(super) fn copy_end(&mut self) {
        self.empty(b'c');
    }

    /// An error in this text.
    pub(super) fn error(&mut self, problem: &Problem, sql: Option<&str>) {
        let severity = if problem.fatal { "FATAL" } else { "ERROR" };
        let at = problem.spot.as_deref().zip(sql);
        let at = at.and_then(|(spot, sql)| position(sql, spot.line, spot.column));
        self.message(b'E', |out| {
            told(out, severity, problem.code, &problem.message);
            if let Some(hint) = &problem.hint {
                field(out, b'H', hint);
            }
            if let Some(at) = at {
                field(out, b'P', &at.to_string());
            }
            out.put_u8(0);
        });
    }

    pub(super) fn warning(&mut self, code: &str, message: &str) {
        self.message(b'N', |out| {
            told(out, "WARNING", code, message);
            out.put_u8(0);
        });
    }
}

fn told(out: &mut BytesMut, severity: &str, code: &str, message: &str) {
    field(out, b'S', severity);
    field(out, b'V', severity);
    field(out, b'C', code);
    field(out, b'M', message);
}

fn field(out: &mut BytesMut, kind: u8, value: &str) {
    out.put_u8(kind);
    text(out, value);
}

/// A text and the zero that ends it, which it cannot have in it.
fn text(out: &mut BytesMut, value: &str) {
    let parts = value.split('\0');
    parts.for_each(|part| out.put_slice(part.as_bytes()));
    out.put_u8(0);
}

fn format(field: &FieldInfo) -> i16 {
    match field.format() {
        FieldFormat::Text => 0,
        FieldFormat::Binary => 1,
    }
}

/// Bytes of each value of a type; -1, if they differ.
fn size(of: &Type) -> i16 {
    match *of {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4
        | Type::FLOAT4
        | Type::DATE
        | Type::OID
        | Type::REGCLASS
        | Type::REGTYPE
        | Type::REGPROC => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => 8,
        Type::INTERVAL => 16,
        Type::NAME => 64,
        _ => -1,
    }
}

#[cfg(test)]
mod tests;
