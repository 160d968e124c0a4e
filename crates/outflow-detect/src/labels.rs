//! What a name says, in bits: its code length under a frozen model of the names that people give.
//!
//! A uniquely decodable code is, on average, never shorter than what it carries. So the sum of code lengths bounds what
//! names can have carried, whatever their alphabet or their words; a name as people give them merely costs less.

mod train;

use std::sync::LazyLock;

pub use train::LabelCounts;

use crate::Error;

/// What is trained by `examples/train_labels.rs`, whose documentation says on what.
const BUILT_IN: &[u8] = include_bytes!("labels/model.bin");

/// What the bytes of a model begin with.
const MAGIC: &[u8; 16] = b"outflow labels 1";

/// Thousandths of a bit for each step of a code length. Lengths are rounded up, so that the code stays decodable.
const STEP_MILLIBITS: u32 = 50;

/// The least that a name costs, so that none is free.
pub const NAME_MILLIBITS_MIN: u32 = 1_000;

/// Symbols: letters, digits, `-`, `_`, `.`, the end, and a byte that is none of these.
const SYMBOLS: usize = 41;

const END: usize = 39;

const OTHER: usize = 40;

/// Steps for telling which byte it is, if it is no other symbol: eight bits.
const OTHER_STEPS: u32 = 8_000 / STEP_MILLIBITS;

/// Contexts of two symbols, which all have a row of their own.
const PAIRS: usize = SYMBOLS * SYMBOLS;

/// Contexts of three symbols, of which those that differ most from their last two have one.
const TRIPLES: usize = PAIRS * SYMBOLS;

/// Rows of contexts of three symbols at most: with those of two symbols they take 400 kB.
const ROWS_MAX: usize = 7_800;

/// The context before the first symbol. The end is in no context, so that its number stands for the beginning.
const START: usize = (END * SYMBOLS + END) * SYMBOLS + END;

const NONE: u16 = u16::MAX;

/// A model of the characters of names, each by the three before it.
///
/// ```
/// use outflow_detect::LabelModel;
/// let model = LabelModel::built_in();
/// let bits = |name| model.millibits(name) / 1_000;
/// assert!(bits("www") < 16);
/// // 16 characters of base32 carry 80 bits.
/// assert!(bits("mzxw6ytboi4dqnzr") >= 80);
/// ```
#[derive(Debug)]
pub struct LabelModel {
    /// Where the row of a context of three symbols is, if it has one.
    places: Vec<u16>,
    /// Code lengths in steps: first the rows of all contexts of two symbols, then those of three.
    steps: Vec<u8>,
}

impl LabelModel {
    /// The model that all states are summed by. Another one is another layout of a state.
    pub fn built_in() -> &'static Self {
        static MODEL: LazyLock<LabelModel> = LazyLock::new(|| {
            LabelModel::from_bytes(BUILT_IN).unwrap_or_else(|_| LabelModel::flat())
        });
        &MODEL
    }

    /// The model that these bytes hold.
    ///
    /// # Errors
    /// [`Error::State`] if they are no model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = || Error::State {
            reason: "its model of labels is damaged".to_owned(),
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(wrong)?;
        let (kept, steps) = rest
            .split_at_checked(TRIPLES.div_ceil(8))
            .ok_or_else(wrong)?;
        let mut places = vec![NONE; TRIPLES];
        let mut rows = 0u16;
        for (triple, place) in places.iter_mut().enumerate() {
            if kept[triple / 8] & (1 << (triple % 8)) != 0 {
                *place = rows;
                rows = rows.checked_add(1).ok_or_else(wrong)?;
            }
        }
        let is_whole = steps.len() == (PAIRS + usize::from(rows)) * SYMBOLS;
        if !is_whole || usize::from(rows) > ROWS_MAX || steps.contains(&0) {
            return Err(wrong());
        }
        Ok(Self {
            places,
            steps: steps.to_vec(),
        })
    }

    /// A model that knows nothing: each symbol costs seven bits.
    fn flat() -> Self {
        Self {
            places: vec![NONE; TRIPLES],
            steps: vec![140; PAIRS * SYMBOLS],
        }
    }

    /// The code length of a name in thousandths of a bit. Letters have no case.
    pub fn millibits(&self, name: &str) -> u32 {
        let mut context = START;
        let mut steps = 0u32;
        for byte in name.bytes() {
            let symbol = symbol(byte);
            steps = steps.saturating_add(u32::from(self.row(context)[symbol]));
            if symbol == OTHER {
                steps = steps.saturating_add(OTHER_STEPS);
            }
            context = context % PAIRS * SYMBOLS + symbol;
        }
        steps = steps.saturating_add(u32::from(self.row(context)[END]));
        steps.saturating_mul(STEP_MILLIBITS).max(NAME_MILLIBITS_MIN)
    }

    /// The code lengths of all symbols in a context.
    #[inline]
    fn row(&self, context: usize) -> &[u8] {
        let row = match self.places[context] {
            NONE => context % PAIRS,
            place => PAIRS + usize::from(place),
        };
        &self.steps[row * SYMBOLS..][..SYMBOLS]
    }
}

/// The number of a byte's symbol.
#[inline]
fn symbol(byte: u8) -> usize {
    usize::from(match byte {
        b'a'..=b'z' => byte - b'a',
        b'A'..=b'Z' => byte - b'A',
        b'0'..=b'9' => byte - b'0' + 26,
        b'-' => 36,
        b'_' => 37,
        b'.' => 38,
        _ => 40,
    })
}

#[cfg(test)]
mod tests;
