//! The addresses of all columns, each held once.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_record::Addr;

use super::column::NULL;

/// Addresses by key. Those of a row mostly repeat one another (`pkt_srcaddr` is `srcaddr`, `local_addr` one of both), so
/// that two look-ups are enough for six columns.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    values: Values,
    /// Of the rows that are being appended: columns so far, each with the addresses and their keys.
    columns: Vec<(Vec<u128>, Vec<i32>)>,
    /// How many there are of these; what is behind keeps its memory for later ones.
    used: usize,
    wanted: Vec<u32>,
    glances: Vec<u64>,
}

/// Addresses as texts, mostly in their order, in which neighbours have most in common.
#[derive(Debug, Default)]
pub(crate) struct AddrTexts {
    text: String,
    /// By place: the key, and where the text ends.
    ends: Vec<(u32, usize)>,
}

impl Addresses {
    /// Appends the keys of a further column of the rows that are being appended.
    pub(super) fn append(
        &mut self,
        keys: &mut Vec<i32>,
        column: impl Iterator<Item = Option<Addr>>,
    ) {
        if self.used == self.columns.len() {
            self.columns.push(Default::default());
        }
        let (known, free) = self.columns.split_at_mut(self.used);
        self.used += 1;
        let (own, own_keys) = &mut free[0];
        own.clear();
        own_keys.clear();
        self.wanted.clear();
        for (row, addr) in (0..).zip(column) {
            let bits = addr.map_or(0, |addr| u128::from_be_bytes(addr.bytes()));
            let same = known.iter().find(|(of, _)| of[row as usize] == bits);
            let key = match (addr, same) {
                (None, _) => NULL,
                (Some(_), Some((_, keys))) if keys[row as usize] != NULL => keys[row as usize],
                (Some(_), _) => {
                    self.wanted.push(row);
                    NULL
                }
            };
            own.push(bits);
            own_keys.push(key);
        }
        // Each look into the table is one into far memory: they are taken together, so that none waits for another.
        let values = &mut self.values;
        let glances = self.wanted.iter();
        let glances = glances.map(|row| values.glance(own[*row as usize]));
        self.glances.clear();
        self.glances.extend(glances);
        for (row, glance) in self.wanted.iter().zip(&self.glances) {
            let row = *row as usize;
            let seen = key_at(*glance, own[row]);
            own_keys[row] = seen.unwrap_or_else(|| values.number(own[row]));
        }
        keys.extend_from_slice(own_keys);
    }

    /// The address of a key.
    pub(super) fn get(&self, key: usize) -> Option<Addr> {
        let bits = self.values.all.get(key)?;
        Some(Addr::from_bytes(bits.to_be_bytes()))
    }

    /// Forgets the rows that were appended, and keeps their addresses.
    pub(super) fn end(&mut self) {
        self.used = 0;
    }

    /// Forgets all addresses.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// All addresses as texts, by key.
    pub(super) fn by_key(&self) -> AddrTexts {
        let values = self.values.all.iter().copied();
        AddrTexts::of(values.zip(0..))
    }

    /// All addresses.
    pub(super) fn texts(&self) -> AddrTexts {
        let values = self.values.all.iter().copied();
        let mut order: Vec<(u128, u32)> = values.zip(0..).collect();
        order.sort_unstable();
        AddrTexts::of(order.into_iter())
    }
}

impl AddrTexts {
    /// Those of addresses with their keys.
    fn of(addresses: impl Iterator<Item = (u128, u32)>) -> Self {
        let mut texts = Self::default();
        for (addr, key) in addresses {
            push(&mut texts.text, Addr::from_bytes(addr.to_be_bytes()));
            texts.ends.push((key, texts.text.len()));
        }
        texts
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each with its key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        let mut from = 0;
        self.ends.iter().map(move |(key, end)| {
            let text = &self.text[from..*end];
            from = *end;
            (*key, text)
        })
    }
}

/// Appends an address as it is written.
pub(super) fn push(text: &mut String, addr: Addr) {
    use std::fmt::Write as _;
    let [.., a, b, c, d] = addr.bytes();
    if !addr.is_ipv4() {
        // Writing to a text does not fail.
        let _ = write!(text, "{addr}");
        return;
    }
    // There are hundreds of thousands of them: they go without `fmt`.
    for (before, octet) in [("", a), (".", b), (".", c), (".", d)] {
        text.push_str(before);
        let digit = |of: u8| char::from(b'0' + of % 10);
        if octet > 99 {
            text.push(digit(octet / 100));
        }
        if octet > 9 {
            text.push(digit(octet / 10));
        }
        text.push(digit(octet));
    }
}

/// Different addresses, as numbers.
#[derive(Debug, Default)]
struct Values {
    /// All, by key.
    all: Vec<u128>,
    /// Those of IPv4, open-addressed: address and key in one word, so that one that is known costs one look.
    v4: Vec<u64>,
    v4_len: usize,
    others: HashMap<u128, i32, FixedState>,
}

/// Words of the smallest table. All have a power of two.
const WORDS_MIN: usize = 1 << 10;

/// What stands before an IPv4 address.
const V4_PREFIX: u128 = 0xffff;

impl Values {
    /// The key of an address.
    fn number(&mut self, bits: u128) -> i32 {
        let next = i32::try_from(self.all.len()).unwrap_or(i32::MAX);
        let Some(v4) = v4_of(bits) else {
            return *self.others.entry(bits).or_insert_with(|| {
                self.all.push(bits);
                next
            });
        };
        if self.v4.len() < 2 * (self.v4_len + 1) {
            self.grow();
        }
        let mut at = self.place(v4);
        loop {
            if self.v4[at] == 0 {
                self.v4[at] = u64::from(v4) << 32 | u64::from(next.cast_unsigned() + 1);
                self.v4_len += 1;
                self.all.push(bits);
                return next;
            }
            if let Some(key) = key_at(self.v4[at], bits) {
                return key;
            }
            at = (at + 1) & (self.v4.len() - 1);
        }
    }

    /// What stands where an address does, if it is known and no other is there.
    fn glance(&self, bits: u128) -> u64 {
        let at = v4_of(bits).filter(|_| self.v4_len > 0);
        at.map_or(0, |v4| self.v4[self.place(v4)])
    }

    fn place(&self, v4: u32) -> usize {
        let hash = FixedState::default().hash_one(v4);
        usize::try_from(hash & (self.v4.len() as u64 - 1)).unwrap_or_default()
    }

    fn grow(&mut self) {
        let words = (2 * self.v4.len()).max(WORDS_MIN);
        let old = std::mem::replace(&mut self.v4, vec![0; words]);
        for word in old.into_iter().filter(|word| *word != 0) {
            let v4 = u32::try_from(word >> 32).unwrap_or_default();
            let mut at = self.place(v4);
            while self.v4[at] != 0 {
                at = (at + 1) & (words - 1);
            }
            self.v4[at] = word;
        }
    }

    fn clear(&mut self) {
        self.all.clear();
        self.v4.fill(0);
        self.v4_len = 0;
        self.others.clear();
    }
}

fn v4_of(bits: u128) -> Option<u32> {
    let low = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
    (bits >> 32 == V4_PREFIX).then_some(low)
}

/// The key in a word, if the word is of this address.
fn key_at(word: u64, bits: u128) -> Option<i32> {
    let key = u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default();
    let is_own = key != 0 && v4_of(bits).is_some_and(|v4| word >> 32 == u64::from(v4));
    is_own.then(|| (key - 1).cast_signed())
}

#[cfg(test)]
mod tests;
