//! Which of many values, in their order, are in a column of a row group.

/// A set of places among all values. The place that one has among those that are in it is found without a table as large as
/// all of them, so that it stays in the cache.
#[derive(Default)]
pub(super) struct Occurring {
    /// A bit for each value.
    words: Vec<u64>,
    /// By word, how many values are before it.
    before: Vec<u32>,
}

impl Occurring {
    /// Takes those that are among keys, which are places among `count` values; null keys are left out.
    pub(super) fn take(&mut self, keys: &[i32], count: usize) {
        self.words.clear();
        self.words.resize(count.div_ceil(BITS), 0);
        for at in keys.iter().filter_map(|key| usize::try_from(*key).ok()) {
            self.words[at / BITS] |= 1 << (at % BITS);
        }
        self.before.clear();
        let mut before = 0;
        self.before.extend(self.words.iter().map(|word| {
            let own = before;
            before += word.count_ones();
            own
        }));
    }

    /// The place of a value among those that occur; it has to be one of them.
    #[inline]
    pub(super) fn place(&self, key: i32) -> u32 {
        let at = key.cast_unsigned() as usize;
        let below = self.words[at / BITS] & ((1 << (at % BITS)) - 1);
        self.before[at / BITS] + below.count_ones()
    }

    /// How many occur.
    pub(super) fn len(&self) -> usize {
        let last = self.before.last().zip(self.words.last());
        last.map_or(0, |(before, word)| (before + word.count_ones()) as usize)
    }

    /// Those that occur, in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then_some(rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at * BITS + bit as usize)
            })
        })
    }
}

const BITS: usize = u64::BITS as usize;
