//! Byte strings and the numbers they were given, in order of arrival.

use crate::swar::load;

/// Bytes behind each string, so that words may be loaded from anywhere in it.
const PADDING: usize = 7;

const EMPTY: u32 = u32::MAX;

/// Numbers for byte strings, each kept once.
#[derive(Debug)]
pub(crate) struct Interner {
    /// A power of two of slots, at most a quarter of them taken: of a table that is half full, a tenth of the strings
    /// are behind the two places that [`Interner::likely`] looks at.
    table: Vec<Slot>,
    /// The strings, each with [`PADDING`] behind it.
    bytes: Vec<u8>,
    /// Start and length of each.
    spans: Vec<(u32, u32)>,
}

/// A place in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    hash: u32,
    pub(crate) id: u32,
    start: u32,
    len: u32,
}

/// A place without string.
pub(crate) const FREE: Slot = Slot {
    hash: 0,
    id: EMPTY,
    start: 0,
    len: 0,
};

impl Interner {
    pub(crate) fn new() -> Self {
        Self {
            table: vec![FREE; 16],
            bytes: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// How many strings there are: the number that the next one will have.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Bytes that the strings take.
    pub(crate) fn text_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The strings in order of their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|(start, len)| {
            let start = *start as usize;
            &self.bytes[start..start + *len as usize]
        })
    }

    /// The slot that should hold the text between two positions: one of the first two that [`Interner::find`] would
    /// look at.
    #[inline(always)]
    pub(crate) fn likely(&self, buf: &[u8], from: usize, to: usize) -> Slot {
        let hash = hash(buf, from, to).unwrap_or(0);
        let mask = self.table.len() - 1;
        let at = place(hash, mask);
        let (first, second) = (self.table[at], self.table[(at + 1) & mask]);
        // A choice, not a branch: nothing foretells where chance has put a text.
        if first.hash == tag(hash) {
            first
        } else {
            second
        }
    }

    /// Whether a slot holds the text between two positions.
    #[inline(always)]
    pub(crate) fn holds(&self, slot: Slot, buf: &[u8], from: usize, to: usize) -> bool {
        let (start, len) = (slot.start as usize, slot.len as usize);
        len == to - from && same(buf, from, &self.bytes, start, len)
    }

    /// The number of the text between two positions, if it has one.
    pub(crate) fn find(&self, buf: &[u8], from: usize, to: usize) -> Option<u32> {
        let hash = hash(buf, from, to)?;
        let mask = self.table.len() - 1;
        let mut at = place(hash, mask);
        loop {
            let slot = self.table[at & mask];
            if slot.id == EMPTY {
                return None;
            }
            if slot.hash == tag(hash) && self.holds(slot, buf, from, to) {
                return Some(slot.id);
            }
            at += 1;
        }
    }

    /// The number of a string that is not empty, which is given one if it has none.
    pub(crate) fn intern(&mut self, text: &[u8]) -> u32 {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.bytes.resize(start + text.len() + PADDING, 0);
        if let Some(id) = self.find(&self.bytes, start, start + text.len()) {
            self.bytes.truncate(start);
            return id;
        }
        let id = narrow(self.spans.len());
        self.spans.push((narrow(start), narrow(text.len())));
        if self.spans.len() * 4 > self.table.len() {
            self.table = vec![FREE; self.table.len() * 2];
            (0..id).for_each(|id| self.place(id));
        }
        self.place(id);
        id
    }

    /// Puts a string into the table.
    fn place(&mut self, id: u32) {
        let (start, len) = self.spans[id as usize];
        let from = start as usize;
        let hash = hash(&self.bytes, from, from + len as usize).unwrap_or(0);
        let mask = self.table.len() - 1;
        let mut at = place(hash, mask);
        while self.table[at & mask].id != EMPTY {
            at += 1;
        }
        self.table[at & mask] = Slot {
            hash: tag(hash),
            id,
            start,
            len,
        };
    }
}

/// A hash of the text between two positions: of its length, and of the words at its start, end and middle.
///
/// Texts that differ elsewhere only share a place, and are looked through one by one. AWS's ids differ in all of these
/// places, and a run that is made to hold others starts anew after `DICTIONARY_MAX` of them.
#[inline(always)]
fn hash(buf: &[u8], from: usize, to: usize) -> Option<u64> {
    let len = to - from;
    let (first, middle, last) = if len < 8 {
        (load(buf, from)? & mask(len), 0, 0)
    } else {
        let middle = load(buf, from + (len - 8) / 2)?;
        (load(buf, from)?, middle, load(buf, to - 8)?)
    };
    let sum = (first ^ len as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(middle.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
        .wrapping_add(last.wrapping_mul(0x1656_67b1_9e37_79f9));
    // High bits of a product depend on all bits below; they are what the places are made of.
    Some((sum ^ (sum >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

/// The bytes of a word that belong to a text of less than eight.
#[inline(always)]
fn mask(len: usize) -> u64 {
    (1 << (8 * (len & 7))) - 1
}

#[inline(always)]
fn place(hash: u64, mask: usize) -> usize {
    (hash >> 40) as usize & mask
}

#[inline(always)]
fn tag(hash: u64) -> u32 {
    narrow((hash >> 8) as usize & u32::MAX as usize)
}

/// Whether the `len` bytes at `at` in one buffer are those at `from` in another; never for none.
#[inline(always)]
fn same(one: &[u8], at: usize, other: &[u8], from: usize, len: usize) -> bool {
    // Overlapping words cover up to twice their own length.
    let differ = |offset: usize| match (load(one, at + offset), load(other, from + offset)) {
        (Some(one), Some(other)) => one ^ other,
        _ => u64::MAX,
    };
    match len {
        0 => false,
        1..=7 => differ(0) & mask(len) == 0,
        8..=16 => differ(0) | differ(len - 8) == 0,
        17..=32 => differ(0) | differ(8) | differ(len - 16) | differ(len - 8) == 0,
        _ => one.get(at..at + len) == other.get(from..from + len),
    }
}

/// Numbers and places are far below what 32 bits hold, as dictionaries start anew long before.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
