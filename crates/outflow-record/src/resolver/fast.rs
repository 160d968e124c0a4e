//! The fast path: objects as AWS writes them, without blanks, read in one go where they lie.
//!
//! It takes texts of printable ASCII without escapes, keys in any order, and keys that it does not know if text
//! is under them. It gives up on everything else, also on what is wrong: [`super::naive`] decides what that is. So
//! this path can only be right or slow.

use std::ops::Range;

use wide::i8x16;

use super::DnsField;
use super::frame::RECORD_MAX;
use super::record::{Answer, Record, read_addr, read_timestamp};
use crate::swar;

/// Keys of one object, of which AWS has up to 18. An object with more is read the slow way.
const PLACES: usize = 24;

/// Words of a key with its quotes and colon.
const WORDS: usize = 4;

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
            Key::Field(field) => field.bit(),
            Key::SrcIds => 1 << DnsField::ALL.len(),
        }
    }
}

/// Reads objects one after another, and expects each to have its keys where the one before had them.
#[derive(Debug)]
pub(super) struct Fast {
    places: [Place; PLACES],
    head: Head,
    /// The time before, in its quotes: many queries are of the same second.
    time: ([u8; 22], i64),
    /// The memory of the list of answers before.
    answers: Vec<Answer<'static>>,
}

/// How the object before begins: with texts that are of the log and not of the query, as those of version, account,
/// region and VPC. An object that begins with the same bytes has the same texts, and is read from there on.
#[derive(Debug, Default)]
struct Head {
    /// Up to the comma behind the last of these texts; nothing if there is none, or if the object before was read the
    /// slow way.
    bytes: Vec<u8>,
    texts: Vec<(DnsField, Range<usize>)>,
}

impl Head {
    /// Puts the texts of the head into a record that begins with it; how many keys these are, and their bits.
    #[inline(always)]
    fn read<'a>(&self, record: &mut Record<'a>, cursor: &mut Cursor<'a>) -> Option<(usize, u32)> {
        if self.bytes.is_empty() || !cursor.bytes.starts_with(&self.bytes) {
            return None;
        }
        for (field, range) in &self.texts {
            record.texts[field.index()] = cursor.bytes.get(range.clone());
            record.repeats |= field.bit();
        }
        cursor.at = self.bytes.len();
        Some((self.texts.len(), record.repeats))
    }
}

/// The key that is expected at a place, as it is written: `"rcode":`.
#[derive(Debug, Clone, Copy)]
struct Place {
    key: Key,
    words: [u64; WORDS],
    /// The bytes of the words that count.
    masks: [u64; WORDS],
    len: usize,
}

const _: () = {
    let mut at = 0;
    while at < DnsField::ALL.len() {
        assert!(DnsField::ALL[at].column().len() + 3 <= 8 * WORDS);
        at += 1;
    }
};

impl Place {
    fn new(key: Key) -> Self {
        let (mut text, mut mask) = ([0; 8 * WORDS], [0; 8 * WORDS]);
        let parts = [b"\"", key.name(), b"\":"];
        let written = parts.into_iter().flatten();
        let len = written.clone().count();
        for ((text, mask), byte) in text.iter_mut().zip(&mut mask).zip(written) {
            (*text, *mask) = (*byte, u8::MAX);
        }
        let (words, masks) = (words(&text), words(&mask));
        Self {
            key,
            words,
            masks,
            len,
        }
    }

    /// Whether the key is next, without a branch for each word.
    #[inline(always)]
    fn is_next(&self, bytes: &[u8], at: usize) -> bool {
        let Some(ahead) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            return false;
        };
        let ahead = words(ahead);
        let differs = |at: usize| (ahead[at] ^ self.words[at]) & self.masks[at];
        (0..WORDS).fold(0, |sum, at| sum | differs(at)) == 0
    }
}

#[inline(always)]
fn words(bytes: &[u8; 8 * WORDS]) -> [u64; WORDS] {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|at| u64::from_le_bytes(chunks[at]))
}

impl Fast {
    pub(super) fn new() -> Self {
        Self {
            places: [Place::new(Key::SrcIds); PLACES],
            head: Head::default(),
            time: (*b"\"1970-01-01T00:00:00Z\"", 0),
            answers: Vec::new(),
        }
    }

    /// Reads the object at the head of `bytes` into a record, and says how long it is; `None` if that is out of the
    /// ordinary, and then the record makes no sense.
    #[inline]
    pub(super) fn read<'a>(&mut self, bytes: &'a [u8], record: &mut Record<'a>) -> Option<usize> {
        let len = self.read_object(bytes, record);
        if len.is_none() {
            // What is read the slow way is the row before the next one.
            self.head.bytes.clear();
        }
        len
    }

    #[inline(always)]
    fn read_object<'a>(&mut self, bytes: &'a [u8], record: &mut Record<'a>) -> Option<usize> {
        let mut cursor = Cursor { bytes, at: 0 };
        let head = self.head.read(record, &mut cursor);
        let (first, mut seen) = head.unwrap_or_default();
        if head.is_none() {
            self.head.texts.clear();
            self.head.bytes.clear();
            cursor.skip(b"{")?;
        }
        let (mut is_head, mut head_to) = (head.is_none(), 0);
        for place in first..PLACES {
            match self.key(&mut cursor, place)? {
                Some(key) if seen & key.bit() != 0 => return None,
                Some(key) => {
                    seen |= key.bit();
                    self.read_value(record, &mut cursor, key)?;
                    is_head = is_head && self.learn(&cursor, key, record);
                }
                None => {
                    cursor.text()?;
                    record.unknown_key = true;
                    is_head = false;
                }
            }
            if cursor.skip(b",").is_none() {
                break;
            }
            if is_head {
                head_to = cursor.at;
            }
        }
        cursor.skip(b"}")?;
        if head_to > 0 {
            self.head.bytes.extend_from_slice(&bytes[..head_to]);
        }
        let required = Key::Field(DnsField::QueryTimestamp).bit();
        let whole = seen & required != 0 && !record.query_name.is_empty();
        (whole && cursor.at <= RECORD_MAX).then_some(cursor.at)
    }

    /// Adds the text of a key that was just read to the head, if it belongs there; says whether it does.
    #[inline(always)]
    fn learn(&mut self, cursor: &Cursor<'_>, key: Key, record: &Record<'_>) -> bool {
        let Key::Field(field) = key else {
            return false;
        };
        let Some(text) = record.texts[field.index()] else {
            return false;
        };
        let to = cursor.at - 1;
        self.head.texts.push((field, to - text.len()..to));
        true
    }

    /// Takes back the memory of a record that is done with.
    #[inline(always)]
    pub(super) fn recycle(&mut self, record: Record<'_>) {
        if let Some(mut answers) = record.answers {
            answers.clear();
            // The list is empty; collecting it in place changes its lifetime alone.
            self.answers = answers.into_iter().map(|_| Answer::default()).collect();
        }
    }

    /// Reads a key and its colon; the inner `None` is a key that is not known.
    #[inline(always)]
    fn key(&mut self, cursor: &mut Cursor<'_>, place: usize) -> Option<Option<Key>> {
        let expected = self.places.get_mut(place)?;
        if expected.is_next(cursor.bytes, cursor.at) {
            cursor.at += expected.len;
            return Some(Some(expected.key));
        }
        let found = Key::find(cursor.text()?);
        if let Some(key) = found {
            *expected = Place::new(key);
        }
        cursor.skip(b":")?;
        Some(found)
    }

    #[inline(always)]
    fn read_value<'a>(
        &mut self,
        record: &mut Record<'a>,
        cursor: &mut Cursor<'a>,
        key: Key,
    ) -> Option<()> {
        let field = match key {
            Key::SrcIds => return read_srcids(record, cursor),
            Key::Field(DnsField::Answers) => {
                let mut answers: Vec<Answer<'a>> = std::mem::take(&mut self.answers);
                read_answers(&mut answers, cursor)?;
                record.answers = Some(answers);
                return Some(());
            }
            Key::Field(DnsField::QueryTimestamp) => {
                record.query_timestamp = self.timestamp(cursor)?;
                return Some(());
            }
            Key::Field(field) => field,
        };
        let text = cursor.text()?;
        let (from, to) = (cursor.at - 1 - text.len(), cursor.at - 1);
        match field {
            DnsField::QueryName => record.query_name = text,
            DnsField::SrcPort => {
                let port = swar::number(cursor.bytes, from, to)?;
                record.srcport = Some(u16::try_from(port).ok()?);
            }
            DnsField::SrcAddr => {
                let ipv4 = swar::ipv4(cursor.bytes, from, to);
                record.srcaddr = Some(ipv4.or_else(|| read_addr(text))?);
            }
            _ => record.texts[field.index()] = Some(text),
        }
        Some(())
    }

    #[inline(always)]
    fn timestamp(&mut self, cursor: &mut Cursor<'_>) -> Option<i64> {
        if cursor.skip(&self.time.0).is_some() {
            return Some(self.time.1);
        }
        let from = cursor.at;
        let micros = read_timestamp(cursor.text()?)?;
        if let Ok(text) = cursor.bytes[from..cursor.at].try_into() {
            self.time = (text, micros);
        }
        Some(micros)
    }
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
fn read_answers<'a>(answers: &mut Vec<Answer<'a>>, cursor: &mut Cursor<'a>) -> Option<()> {
    if cursor.skip(b"[]").is_some() {
        return Some(());
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
            return cursor.skip(b"]");
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
        let end = plain_end(self.bytes, from)?;
        self.at = end;
        self.skip(b"\"")?;
        Some(&self.bytes[from..end])
    }
}

/// Where plain text ends: at the first quote, backslash, control, or byte beyond ASCII.
#[inline(always)]
fn plain_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let chunk = i8x16::new(chunk.map(u8::cast_signed));
        // As signed numbers, bytes beyond ASCII are below the controls.
        let ends = chunk.simd_eq(i8x16::splat(b'"'.cast_signed()))
            | chunk.simd_eq(i8x16::splat(b'\\'.cast_signed()))
            | chunk.simd_lt(i8x16::splat(b' '.cast_signed()));
        let ends = ends.to_bitmask();
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize);
        }
        at += 16;
    }
    let is_end = |byte: &u8| matches!(byte, ..b' ' | b'"' | b'\\' | 0x80..);
    let tail = bytes.get(at..)?;
    tail.iter().position(is_end).map(|found| at + found)
}
