//! JSON deliveries: a push reader that holds one event at a time.
//!
//! Of an object only the keys that can wrap messages are looked at. A value of theirs is held and read as a whole;
//! all others are passed over, by their brackets and quotes alone.

use serde::Deserialize;

use super::extent::{Extent, Scanned};
use super::{BYTE_ORDER_MARK, Packed, UNTOLD_MAX, Unwrapped, WRAPPED_MAX};
use crate::{Error, Reject, RejectReason};

/// Bytes held of a key: more than any that is looked for has, quotes included.
const KEY_MAX: usize = 24;

/// First bytes of a source that an error shows.
const SEEN_MAX: usize = 60;

/// How the message of a check of the destination begins, should its `messageType` stand behind it.
const CONTROL_PREFIX: &str = "CWL CONTROL MESSAGE";

/// Reads objects, one after the other.
#[derive(Debug, Default)]
pub(super) struct Json {
    expect: Expect,
    /// Bytes before the next.
    offset: u64,
    /// The first bytes of all.
    seen: Vec<u8>,
    /// Whether the next byte begins a line.
    fresh: bool,
    /// Whether anything was wrapped so far; until then, how many rejects there were.
    told: bool,
    untold: usize,
    /// Where damage ends: the brace that may begin the next object, and the last two bytes in front of it.
    brace: Option<u64>,
    before: [u8; 2],
    /// Whether what an object that was given up still has behind its events may come.
    given_up: bool,
    /// The outermost object, or what stands in its place.
    object: Head,
    key: Key,
    value: Value,
    /// Whether the object says that its events are control messages.
    control: bool,
    /// Whether the object has wrapped something.
    found: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Expect {
    #[default]
    Object,
    /// The start of an object, behind what made no sense.
    Resync,
    KeyOrEnd,
    Key,
    Colon,
    Value,
    /// The end of the value under way.
    ValueEnd,
    CommaOrEnd,
    ElementOrEnd,
    Element,
    ElementCommaOrEnd,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Key {
    #[default]
    Other,
    MessageType,
    Message,
    Events,
    Records,
    AwsLogs,
}

/// What a value under way is read for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Role {
    #[default]
    Skipped,
    Key,
    MessageType,
    Message,
    Element,
    AwsLogs,
}

impl Role {
    fn held_max(self) -> usize {
        match self {
            Self::Skipped => 0,
            Self::Key | Self::MessageType => KEY_MAX,
            Self::Message | Self::Element | Self::AwsLogs => WRAPPED_MAX,
        }
    }
}

/// A value under way.
#[derive(Debug, Default)]
struct Value {
    role: Role,
    /// What is expected behind it.
    then: Expect,
    offset: u64,
    extent: Extent,
    held: Vec<u8>,
    overlong: bool,
}

/// Where an object begins, and its first bytes.
#[derive(Debug, Default)]
struct Head {
    offset: u64,
    bytes: Vec<u8>,
}

/// An event, or a record of Kinesis or Firehose.
#[derive(Deserialize)]
struct Element {
    message: Option<String>,
    #[serde(alias = "Data")]
    data: Option<String>,
    kinesis: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

impl Json {
    pub(super) fn push(&mut self, input: &[u8], out: &mut Unwrapped) -> Result<(), Error> {
        let room = SEEN_MAX - self.seen.len();
        self.seen.extend_from_slice(&input[..input.len().min(room)]);
        let mut at = 0;
        while at < input.len() {
            let rejects = out.rejects.len();
            let next = match self.expect {
                Expect::Resync => self.resync(input, at, out),
                Expect::ValueEnd => self.value_end(input, at, out),
                _ => self.structure(input, at, out),
            };
            if let Some(last) = input[at..next].last() {
                self.fresh = *last == b'\n';
                self.offset += (next - at) as u64;
            }
            at = next;
            self.untold += out.rejects.len() - rejects;
            if !self.told && self.untold > UNTOLD_MAX {
                return Err(self.told_nothing());
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Unwrapped) -> Result<(), Error> {
        match self.expect {
            Expect::Object => {}
            Expect::Resync => self.object.reject(RejectReason::NotJson, out),
            _ => self.object.reject(RejectReason::Truncated, out),
        }
        self.expect = Expect::Object;
        if self.told || self.offset == 0 {
            Ok(())
        } else {
            Err(self.told_nothing())
        }
    }

    fn told_nothing(&self) -> Error {
        let seen = String::from_utf8_lossy(&self.seen);
        Error::OtherJson {
            seen: seen.trim().escape_debug().to_string(),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.value.held.capacity() + self.object.bytes.capacity()
    }

    /// Reads a byte between values; returns where to go on.
    fn structure(&mut self, input: &[u8], at: usize, out: &mut Unwrapped) -> usize {
        let byte = input[at];
        let is_mark = |mark: &u8| *mark == byte;
        let mark = usize::try_from(self.offset)
            .ok()
            .and_then(|at| BYTE_ORDER_MARK.get(at));
        if self.expect == Expect::Object && mark.is_some_and(is_mark) {
            return at + 1;
        }
        if byte.is_ascii_whitespace() {
            self.given_up &= self.expect != Expect::Object || byte != b'\n';
            self.note(&[byte]);
            return at + 1;
        }
        match (self.expect, byte) {
            (Expect::Object, b',' | b']' | b'}') if self.given_up => return at + 1,
            (Expect::Object, _) => self.begin(self.offset),
            (_, b'{') if self.fresh => return self.broken(at),
            _ => {}
        }
        self.expect = match (self.expect, byte) {
            (Expect::Object, b'{') => Expect::KeyOrEnd,
            (Expect::KeyOrEnd | Expect::Key, b'"') => return self.start(Role::Key, at),
            (Expect::Colon, b':') => Expect::Value,
            (Expect::Value, b'[') if matches!(self.key, Key::Events | Key::Records) => {
                Expect::ElementOrEnd
            }
            (Expect::Value, _) => return self.start(self.key.role(byte), at),
            (Expect::CommaOrEnd, b',') => Expect::Key,
            (Expect::KeyOrEnd | Expect::CommaOrEnd, b'}') => {
                self.note(b"}");
                self.end(out);
                return at + 1;
            }
            (Expect::ElementOrEnd, b']') => {
                // No event in the time that was asked for is an answer, too.
                let answer = self.key == Key::Events;
                self.told |= answer;
                self.found |= answer;
                Expect::CommaOrEnd
            }
            (Expect::ElementOrEnd | Expect::Element, _) => return self.start(Role::Element, at),
            (Expect::ElementCommaOrEnd, b',') => Expect::Element,
            (Expect::ElementCommaOrEnd, b']') => Expect::CommaOrEnd,
            _ => return self.broken(at),
        };
        self.note(&[byte]);
        at + 1
    }

    fn begin(&mut self, offset: u64) {
        self.object.offset = offset;
        self.object.bytes.clear();
        self.control = false;
        self.found = false;
    }

    fn end(&mut self, out: &mut Unwrapped) {
        if !self.found {
            self.object.reject(RejectReason::NoMessage, out);
        }
        self.expect = Expect::Object;
    }

    /// Gives the object up at this byte.
    fn broken(&mut self, at: usize) -> usize {
        self.expect = Expect::Resync;
        self.brace = None;
        self.before = [0; 2];
        self.given_up = true;
        at
    }

    /// Looks for the next object: a brace in front of a quote, which is no value of a key. Within a text, quotes have
    /// a backslash in front of them. An event of the object that was given up is one, too, and is read as such.
    fn resync(&mut self, input: &[u8], at: usize, out: &mut Unwrapped) -> usize {
        let mut fresh = self.fresh;
        for (place, byte) in input.iter().enumerate().skip(at) {
            let offset = self.offset + (place - at) as u64;
            match (self.brace, byte) {
                (Some(brace), b'"') => {
                    self.object.reject(RejectReason::NotJson, out);
                    self.begin(brace);
                    self.expect = Expect::KeyOrEnd;
                    self.note(b"{");
                    return place;
                }
                (Some(_), byte) if byte.is_ascii_whitespace() => {}
                (brace, byte) => {
                    if brace.is_some() {
                        self.note(b"{");
                    }
                    let begins = *byte == b'{' && (fresh || self.before != *b"\":");
                    self.brace = begins.then_some(offset);
                    if !begins {
                        self.note(&[*byte]);
                    }
                }
            }
            fresh = *byte == b'\n';
            if !byte.is_ascii_whitespace() {
                self.before = [self.before[1], *byte];
            }
        }
        input.len()
    }

    fn start(&mut self, role: Role, at: usize) -> usize {
        self.value.role = role;
        self.value.offset = self.offset;
        self.value.extent = Extent::default();
        self.value.held.clear();
        self.value.overlong = false;
        self.value.then = match role {
            Role::Element => Expect::ElementCommaOrEnd,
            Role::Key => Expect::Colon,
            _ => Expect::CommaOrEnd,
        };
        self.expect = Expect::ValueEnd;
        at
    }

    fn value_end(&mut self, input: &[u8], at: usize, out: &mut Unwrapped) -> usize {
        let (length, ended) = match self.value.extent.scan(&input[at..], self.fresh) {
            Scanned::More => (input.len() - at, false),
            Scanned::Ended(length) => (length, true),
            Scanned::Broken(length) => {
                self.note(&input[at..at + length]);
                return self.broken(at + length);
            }
        };
        let bytes = &input[at..at + length];
        self.note(bytes);
        self.value.hold(bytes);
        if ended {
            self.expect = self.value.then;
            self.take_value(out);
        }
        at + length
    }

    fn take_value(&mut self, out: &mut Unwrapped) {
        let held = std::mem::take(&mut self.value.held);
        match self.value.role {
            Role::Skipped => {}
            Role::Key => self.key = Key::of(&held),
            Role::MessageType => self.control = held == b"\"CONTROL_MESSAGE\"",
            Role::Message | Role::Element | Role::AwsLogs => match self.read_value(&held) {
                Ok(Wrapped::Message(message)) => {
                    let offset = match self.value.role {
                        Role::Message => self.object.offset,
                        _ => self.value.offset,
                    };
                    self.take_message(&message, offset, out);
                }
                Ok(Wrapped::Packed(base64)) => {
                    let offset = self.value.offset;
                    self.told = true;
                    out.packed.push(Packed { offset, base64 });
                }
                Err(reason) => out.push_reject(self.value.offset, reason, &held),
            },
        }
        if matches!(
            self.value.role,
            Role::Message | Role::Element | Role::AwsLogs
        ) {
            self.found = true;
        }
        self.value.held = held;
    }

    fn read_value(&self, held: &[u8]) -> Result<Wrapped, RejectReason> {
        if self.value.overlong {
            return Err(RejectReason::TooLong);
        }
        // JSON of another shape wraps no message; anything else that cannot be read is damage.
        let reason = |error: serde_json::Error| match error.is_data() {
            true => RejectReason::NoMessage,
            false => RejectReason::NotJson,
        };
        match self.value.role {
            Role::Message => serde_json::from_slice(held)
                .map(Wrapped::Message)
                .map_err(reason),
            Role::AwsLogs => {
                let data: Data = serde_json::from_slice(held).map_err(reason)?;
                Ok(Wrapped::Packed(data.data))
            }
            _ => {
                let element: Element = serde_json::from_slice(held).map_err(reason)?;
                let packed = element.kinesis.map(|kinesis| kinesis.data).or(element.data);
                let message = element.message.map(Wrapped::Message);
                message
                    .or(packed.map(Wrapped::Packed))
                    .ok_or(RejectReason::NoMessage)
            }
        }
    }

    fn take_message(&mut self, message: &str, offset: u64, out: &mut Unwrapped) {
        self.told = true;
        if self.control || message.starts_with(CONTROL_PREFIX) {
            out.control_messages += 1;
        } else {
            out.push_line(message.trim().as_bytes(), offset);
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        if self.expect != Expect::Object {
            let room = Reject::BYTES_MAX.saturating_sub(self.object.bytes.len());
            self.object
                .bytes
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

enum Wrapped {
    Message(String),
    Packed(String),
}

impl Key {
    /// The key of these bytes, quotes included. Keys of AWS hold no escapes.
    fn of(held: &[u8]) -> Self {
        match held {
            b"\"messageType\"" => Self::MessageType,
            b"\"message\"" => Self::Message,
            b"\"logEvents\"" | b"\"events\"" => Self::Events,
            b"\"Records\"" | b"\"records\"" => Self::Records,
            // The latter where reading goes on at a record of Kinesis.
            b"\"awslogs\"" | b"\"kinesis\"" => Self::AwsLogs,
            _ => Self::Other,
        }
    }

    /// What a value of this key that begins with `byte` is read for.
    fn role(self, byte: u8) -> Role {
        match (self, byte) {
            (Self::MessageType, b'"') => Role::MessageType,
            (Self::Message, b'"') => Role::Message,
            (Self::AwsLogs, b'{') => Role::AwsLogs,
            _ => Role::Skipped,
        }
    }
}

impl Value {
    fn hold(&mut self, bytes: &[u8]) {
        let max = self.role.held_max();
        self.overlong |= bytes.len() > max.saturating_sub(self.held.len());
        // Of what is too long, enough to recognise it by in the reject.
        let max = if self.overlong {
            max.min(Reject::BYTES_MAX)
        } else {
            max
        };
        self.held.truncate(max);
        let room = max - self.held.len();
        self.held.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Head {
    fn reject(&mut self, reason: RejectReason, out: &mut Unwrapped) {
        out.push_reject(self.offset, reason, &self.bytes);
    }
}
