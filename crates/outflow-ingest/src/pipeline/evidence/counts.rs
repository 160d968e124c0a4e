//! Counts by number, packed.

use serde::{Deserialize, Serialize};

/// Numbers, ascending, and a count of each. A run over many objects keeps millions, of which most are near the one before
/// and small: each is kept as its distance and its count in groups of seven bits (LEB128), which are two or three bytes in
/// place of eight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u32, u32)>", into = "Vec<(u32, u32)>")]
pub(in crate::pipeline) struct Counts {
    packed: Vec<u8>,
    len: u32,
    last: u32,
}

impl Counts {
    /// Adds a number that comes behind all others.
    pub(super) fn push(&mut self, number: u32, count: u32) {
        pack(&mut self.packed, number.wrapping_sub(self.last));
        pack(&mut self.packed, count);
        self.last = number;
        self.len += 1;
    }

    /// The numbers in their order, and their counts.
    pub(in crate::pipeline) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let (mut packed, mut last) = (self.packed.as_slice(), 0_u32);
        std::iter::from_fn(move || {
            last = last.wrapping_add(unpack(&mut packed)?);
            Some((last, unpack(&mut packed)?))
        })
    }

    /// The greatest number.
    pub(in crate::pipeline) fn last(&self) -> Option<u32> {
        (self.len > 0).then_some(self.last)
    }

    /// How many numbers there are.
    pub(in crate::pipeline) fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.packed.capacity()
    }
}

impl From<Vec<(u32, u32)>> for Counts {
    fn from(mut counts: Vec<(u32, u32)>) -> Self {
        counts.sort_unstable();
        let mut all: Self = counts.into_iter().collect();
        all.packed.shrink_to_fit();
        all
    }
}

impl From<Counts> for Vec<(u32, u32)> {
    fn from(counts: Counts) -> Self {
        counts.iter().collect()
    }
}

impl FromIterator<(u32, u32)> for Counts {
    /// Of numbers that ascend.
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(counts: I) -> Self {
        let mut all = Self::default();
        counts
            .into_iter()
            .for_each(|(number, count)| all.push(number, count));
        all
    }
}

fn pack(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(low(number) | 0x80);
        number >>= 7;
    }
    out.push(low(number));
}

fn low(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

fn unpack(packed: &mut &[u8]) -> Option<u32> {
    let end = packed.iter().position(|byte| *byte < 0x80)?;
    let (own, rest) = packed.split_at(end + 1);
    *packed = rest;
    Some(
        own.iter()
            .rfold(0, |number, byte| number << 7 | u32::from(byte & 0x7f)),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            counts in proptest::collection::btree_map(
                prop_oneof![0..300_u32, any::<u32>(), u32::MAX - 200..=u32::MAX],
                prop_oneof![0..300_u32, any::<u32>()],
                0..200,
            ),
        ) {
            let all: Vec<(u32, u32)> = counts.into_iter().collect();
            let packed: Counts = all.iter().copied().collect();
            prop_assert!(packed.iter().eq(all.iter().copied()));
            prop_assert_eq!(packed.len(), all.len());
            prop_assert_eq!(packed.last(), all.last().map(|(number, _)| *number));
            let mut mixed = all;
            mixed.reverse();
            prop_assert_eq!(Counts::from(mixed), packed);
        }
    }

    #[test]
    fn most_counts_take_two_bytes() {
        let counts: Counts = (0..1_000).map(|number| (number * 100, 3)).collect();
        assert_eq!(counts.heap_bytes().next_power_of_two(), 2_048);
    }
}
