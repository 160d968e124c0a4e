//! The addresses of all columns, each held once.

use std::borrow::Cow;
use std::hash::BuildHasher as _;

use arrow_array::{Array as _, FixedSizeBinaryArray};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use outflow_record::Addr;

use super::column::{NULL, Rows};

/// Addresses by key. Those of a row mostly repeat one another (`pkt_srcaddr` is `srcaddr`, `local_addr` one of both), so
/// that two look-ups are enough for six columns.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    values: Values,
    /// The keys of columns of the rows that are being appended; what is behind keeps its memory for later ones.
    columns: Vec<Keys>,
    wanted: Vec<u32>,
    glances: Vec<u64>,
}

/// A column of the rows that are being appended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Appended<'a> {
    /// By row; of those without an address, anything.
    pub(super) addrs: Cow<'a, [[u8; 16]]>,
    /// The rows without an address, in ascending order.
    pub(super) nulls: Vec<u32>,
}

/// The keys of such a column.
#[derive(Debug, Default)]
struct Keys {
    keys: Vec<i32>,
    /// Whether it is as a column before it.
    is_repeated: bool,
}

/// Addresses as texts, mostly in their order, in which neighbours have most in common.
#[derive(Debug, Default)]
pub(crate) struct AddrTexts {
    text: String,
    /// By place, where the text ends.
    ends: Vec<usize>,
}

/// What columns of addresses hold by key: all addresses in their order, those of IPv4 first; or groups of them, as texts alone.
#[derive(Debug, Default)]
pub(crate) struct SortedAddresses {
    pub(super) addrs: Vec<Addr>,
    pub(crate) texts: AddrTexts,
    /// By key, the place of the address; empty where keys are places.
    places: Vec<u32>,
}

impl Addresses {
    /// Appends the keys of a column of the rows that are being appended; `before` are the columns of these so far.
    pub(super) fn append(
        &mut self,
        keys: &mut Vec<i32>,
        before: &[Appended<'_>],
        column: &Appended<'_>,
    ) {
        if self.columns.len() <= before.len() {
            self.columns.resize_with(before.len() + 1, Keys::default);
        }
        let (known, free) = self.columns.split_at_mut(before.len());
        let own = &mut free[0];
        own.keys.clear();
        let same = before.iter().position(|of| of == column);
        own.is_repeated = same.is_some();
        if let Some(same) = same {
            own.keys.extend_from_slice(&known[same].keys);
            keys.extend_from_slice(&own.keys);
            return;
        }
        own.take(&column.addrs, before.iter().zip(known.iter()));
        self.wanted.clear();
        let rows = (0..).zip(&own.keys);
        let missing = rows.filter(|(_, key)| **key == NULL).map(|(row, _)| row);
        self.wanted.extend(missing);
        for null in &column.nulls {
            own.keys[*null as usize] = NULL;
        }
        if !column.nulls.is_empty() {
            self.wanted
                .retain(|row| column.nulls.binary_search(row).is_err());
        }
        // Each look into the table is one into far memory: they are taken together, so that none waits for another.
        let values = &mut self.values;
        let bits = |row: u32| u128::from_be_bytes(column.addrs[row as usize]);
        self.glances.clear();
        let glances = self.wanted.iter().map(|row| values.glance(bits(*row)));
        self.glances.extend(glances);
        for (row, glance) in self.wanted.iter().zip(&self.glances) {
            let bits = bits(*row);
            let seen = key_at(*glance, bits);
            own.keys[*row as usize] = seen.unwrap_or_else(|| values.number(bits));
        }
        keys.extend_from_slice(&own.keys);
    }

    /// Forgets all addresses.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// All addresses as texts, by key.
    pub(super) fn by_key(&self) -> AddrTexts {
        self.values.all.iter().copied().map(addr_of).collect()
    }

    /// All addresses in their order.
    pub(super) fn sorted(&self) -> SortedAddresses {
        let (mut v4, mut others) = (Vec::new(), Vec::new());
        for (key, bits) in (0u32..).zip(&self.values.all) {
            // Address and key in one word are sorted fastest.
            match v4_of(*bits) {
                Some(v4_bits) => v4.push(u64::from(v4_bits) << 32 | u64::from(key)),
                None => others.push((*bits, key)),
            }
        }
        v4.sort_unstable();
        others.sort_unstable();
        let mut places = vec![0; self.values.all.len()];
        let low = |word: u64| u32::try_from(word & u64::from(u32::MAX)).unwrap_or_default();
        let v4 = v4.into_iter().map(|word| {
            let octets = low(word >> 32).to_be_bytes();
            (Addr::from_v4(octets), low(word))
        });
        let others = others.into_iter().map(|(bits, key)| (addr_of(bits), key));
        let in_order = (0..).zip(v4.chain(others)).map(|(place, (addr, key))| {
            places[key as usize] = place;
            addr
        });
        let addrs: Vec<Addr> = in_order.collect();
        SortedAddresses {
            texts: addrs.iter().copied().collect(),
            addrs,
            places,
        }
    }
}

impl<'a> Appended<'a> {
    /// These rows of an array.
    pub(super) fn of(array: &'a FixedSizeBinaryArray, rows: Rows<'_>) -> Self {
        let (addrs, _) = array.value_data().as_chunks();
        let addrs = if rows.are_all {
            Cow::Borrowed(addrs)
        } else {
            rows.numbers
                .iter()
                .map(|row| addrs[*row as usize])
                .collect()
        };
        let mut nulls = Vec::new();
        if array.null_count() > 0 {
            let own = (0..).zip(rows.numbers);
            let own = own.filter(|(_, row)| array.is_null(**row as usize));
            nulls.extend(own.map(|(at, _)| at));
        }
        Self { addrs, nulls }
    }

    /// The address of a row.
    pub(super) fn addr(&self, row: usize) -> Option<&[u8; 16]> {
        let is_null = |row| self.nulls.binary_search(&row).is_ok();
        let addr = self.addrs.get(row)?;
        (!u32::try_from(row).is_ok_and(is_null)).then_some(addr)
    }
}

impl Keys {
    /// Takes the keys of addresses that columns before have in the same row.
    fn take<'c>(
        &mut self,
        addrs: &[[u8; 16]],
        before: impl Iterator<Item = (&'c Appended<'c>, &'c Self)>,
    ) {
        self.keys.resize(addrs.len(), NULL);
        for (of, known) in before.filter(|(_, of)| !of.is_repeated) {
            let known = of.addrs.iter().zip(&known.keys);
            for ((key, own), (addr, known)) in self.keys.iter_mut().zip(addrs).zip(known) {
                // Without a branch: which of two addresses it is, nothing foretells.
                *key = if own == addr { *known } else { *key };
            }
        }
    }
}

impl SortedAddresses {
    /// Texts by key, as they are.
    pub(super) fn of_texts(texts: AddrTexts) -> Self {
        Self {
            texts,
            ..Self::default()
        }
    }

    /// Turns keys of addresses into places; those that are null remain so.
    pub(crate) fn place(&self, keys: &mut [i32]) {
        if self.places.is_empty() {
            return;
        }
        for key in keys {
            if let Ok(at) = usize::try_from(*key) {
                *key = self.places[at].cast_signed();
            }
        }
    }
}

impl FromIterator<Addr> for AddrTexts {
    fn from_iter<I: IntoIterator<Item = Addr>>(addresses: I) -> Self {
        let addresses = addresses.into_iter();
        let mut texts = Self::default();
        texts.text.reserve(addresses.size_hint().0 * ADDR_CHARS);
        texts.ends.reserve(addresses.size_hint().0);
        for addr in addresses {
            texts.append(|text| push(text, addr));
        }
        texts
    }
}

impl AddrTexts {
    /// Appends a text that is written by `write`.
    pub(super) fn append(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text at a place.
    pub(crate) fn get(&self, at: usize) -> &str {
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from..self.ends[at]]
    }

    /// All, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }
}

/// Characters of most addresses of IPv4, at most.
const ADDR_CHARS: usize = 15;

fn addr_of(bits: u128) -> Addr {
    Addr::from_bytes(bits.to_be_bytes())
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
