//! The fast path: objects as AWS writes them, without blanks, read in one go where they lie.
//!
//! It takes texts of printable ASCII without escapes, keys in any order, and keys that it does not know if text
//! is under them. It gives up on everything else, also on what is wrong: [`super::naive`] decides what that is. So
//! this path can only be right or slow.

use super::DnsField;
use super::frame::RECORD_MAX;
use super::record::{Answer, Record, read_addr, read_port, read_timestamp};
use crate::swar;

/// Keys of one object whose places are remembered; those behind are looked up each time.
const PLACES: usize = 24;

/// What may be under a key of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    Field(DnsField),
    SrcIds,
}

impl Key {
    fn find(name: &[u8]) -> Option<Self> {
        if name == b"srcids" {
            return Some(Key::SrcIds);
        }
        let own = |field: &&DnsField| field.column().as_bytes() == name && !field.is_of_srcids();
        DnsField::ALL
            .iter()
            .find(own)
            .map(|field| Key::Field(*field))
    }

    fn name(self) -> &'static [u8] {
        match self {
            Key::Field(field) => field.column().as_bytes(),
            Key::SrcIds => b"srcids",
        }
    }

    /// A bit of its own.
    fn bit(self) -> u32 {
        match self {
            Key::Field(field) => 1 << field.index(),
            Key::SrcIds => 1 << DnsField::ALL.len(),
        }
    }
}

/// Reads objects one after another, and expects each to have its keys where the one before had them.
#[derive(Debug)]
pub(super) struct Fast {
    places: [Key; PLACES],
}

impl Fast {
    pub(super) fn new() -> Self {
        let places = [Key::SrcIds; PLACES];
        Self { places }
    }

    /// Reads the object at the head of `bytes`, and how long it is; `None` if that is out of the ordinary.
    #[inline]
    pub(super) fn read<'a>(&mut self, bytes: &'a [u8]) -> Option<(Record<'a>, usize)> {
        let mut cursor = Cursor { bytes, at: 0 };
        let mut record = Record::default();
        let mut seen = 0;
        cursor.skip(b"{")?;
        for place in 0.. {
            match self.key(&mut cursor, place)? {
                Some(key) if seen & key.bit() != 0 => return None,
                Some(key) => {
                    seen |= key.bit();
                    read_value(&mut record, &mut cursor, key)?;
                }
                None => {
                    cursor.text()?;
                    record.unknown_key = true;
                }
            }
            if cursor.skip(b",").is_none() {
                break;
            }
        }
        cursor.skip(b"}")?;
        let required = Key::Field(DnsField::QueryTimestamp).bit();
        let whole = seen & required != 0 && !record.query_name.is_empty();
        (whole && cursor.at <= RECORD_MAX).then_some((record, cursor.at))
    }

    /// Reads a key and its colon; the inner `None` is a key that is not known.
    #[inline(always)]
    fn key(&mut self, cursor: &mut Cursor<'_>, place: usize) -> Option<Option<Key>> {
        let name = cursor.text()?;
        cursor.skip(b":")?;
        let expected = self.places.get_mut(place);
        if let Some(key) = &expected
            && key.name() == name
        {
            return Some(Some(**key));
        }
        let found = Key::find(name);
        if let (Some(key), Some(expected)) = (found, expected) {
            *expected = key;
        }
        Some(found)
    }
}

#[inline(always)]
fn read_value<'a>(record: &mut Record<'a>, cursor: &mut Cursor<'a>, key: Key) -> Option<()> {
    match key {
        Key::SrcIds => return read_srcids(record, cursor),
        Key::Field(DnsField::Answers) => record.answers = Some(read_answers(cursor)?),
        Key::Field(DnsField::QueryName) => record.query_name = cursor.text()?,
        Key::Field(DnsField::QueryTimestamp) => {
            record.query_timestamp = read_timestamp(cursor.text()?)?;
        }
        Key::Field(DnsField::SrcPort) => record.srcport = Some(read_port(cursor.text()?)?),
        Key::Field(DnsField::SrcAddr) => {
            let from = cursor.at + 1;
            let text = cursor.text()?;
            let ipv4 = swar::ipv4(cursor.bytes, from, from + text.len());
            record.srcaddr = Some(ipv4.or_else(|| read_addr(text))?);
        }
        Key::Field(field) => record.texts[field.index()] = Some(cursor.text()?),
    }
    Some(())
}

#[inline(always)]
fn read_srcids<'a>(record: &mut Record<'a>, cursor: &mut Cursor<'a>) -> Option<()> {
    if cursor.skip(b"{}").is_some() {
        return Some(());
    }
    cursor.skip(b"{")?;
    loop {
        let name = cursor.text()?;
        let field = match name {
            b"instance" => DnsField::Instance,
            b"resolver_endpoint" => DnsField::ResolverEndpoint,
            b"resolver_network_interface" => DnsField::ResolverNetworkInterface,
            _ => return None,
        };
        cursor.skip(b":")?;
        if record.texts[field.index()]
            .replace(cursor.text()?)
            .is_some()
        {
            return None;
        }
        if cursor.skip(b",").is_none() {
            return cursor.skip(b"}");
        }
    }
}

#[inline(always)]
fn read_answers<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<Answer<'a>>> {
    let mut answers = Vec::new();
    if cursor.skip(b"[]").is_some() {
        return Some(answers);
    }
    cursor.skip(b"[")?;
    loop {
        cursor.skip(b"{\"Rdata\":")?;
        let rdata = Some(cursor.text()?);
        cursor.skip(b",\"Type\":")?;
        let kind = Some(cursor.text()?);
        cursor.skip(b",\"Class\":")?;
        let class = Some(cursor.text()?);
        cursor.skip(b"}")?;
        answers.push(Answer { rdata, kind, class });
        if cursor.skip(b",").is_none() {
            cursor.skip(b"]")?;
            return Some(answers);
        }
    }
}

/// A place in the text.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Goes behind these bytes, if they are next.
    #[inline(always)]
    fn skip<const N: usize>(&mut self, next: &[u8; N]) -> Option<()> {
        let ahead: &[u8; N] = self.bytes.get(self.at..)?.first_chunk()?;
        (ahead == next).then(|| self.at += N)
    }

    /// Reads a text in quotes.
    #[inline(always)]
    fn text(&mut self) -> Option<&'a [u8]> {
        self.skip(b"\"")?;
        let from = self.at;
        let end = swar::plain_end(self.bytes, from)?;
        self.at = end;
        self.skip(b"\"")?;
        Some(&self.bytes[from..end])
    }
}
