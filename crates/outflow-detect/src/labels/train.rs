//! How a model of labels is made: counts of what follows what, and code lengths of them.

use super::{
    END, LabelModel, MAGIC, PAIRS, ROWS_MAX, START, STEP_MILLIBITS, SYMBOLS, TRIPLES, symbol,
};

/// The share of each row that all symbols have alike, one in so many: no code length is longer than a byte can say.
const FLAT_ONE_IN: f64 = 128.0;

/// Counts of symbols by the three before them.
#[derive(Debug)]
pub struct LabelCounts(Vec<u32>);

impl Default for LabelCounts {
    fn default() -> Self {
        Self(vec![0; TRIPLES * SYMBOLS])
    }
}

impl LabelCounts {
    /// Adds a name, without the suffix below which anybody registers.
    pub fn add(&mut self, name: &str) {
        let mut context = START;
        for symbol in name.bytes().map(symbol).chain([END]) {
            let count = &mut self.0[context * SYMBOLS + symbol];
            *count = count.saturating_add(1);
            context = context % PAIRS * SYMBOLS + symbol;
        }
    }

    /// The bytes of a model of these counts, for [`LabelModel::from_bytes`].
    ///
    /// Probabilities are those of Witten and Bell: what a context has not seen goes to the shorter one. Of contexts of
    /// three symbols those are kept that save most.
    pub fn into_model(self) -> Vec<u8> {
        let mut singles = vec![0.0; SYMBOLS * SYMBOLS];
        let mut pairs = vec![0.0; PAIRS * SYMBOLS];
        let mut alone = vec![0.0; SYMBOLS];
        for (at, count) in self.0.iter().enumerate() {
            let (context, symbol) = (at / SYMBOLS, at % SYMBOLS);
            let count = f64::from(*count);
            pairs[context % PAIRS * SYMBOLS + symbol] += count;
            singles[context % SYMBOLS * SYMBOLS + symbol] += count;
            alone[symbol] += count;
        }
        let flat = [1.0 / SYMBOLS as f64; SYMBOLS];
        let alone = smoothed(&alone, &flat);
        let row = |of: &[f64], at: usize| of[at * SYMBOLS..][..SYMBOLS].to_vec();
        let singles: Vec<Vec<f64>> = (0..SYMBOLS)
            .map(|at| smoothed(&row(&singles, at), &alone))
            .collect();
        let pairs: Vec<Vec<f64>> = (0..PAIRS)
            .map(|at| smoothed(&row(&pairs, at), &singles[at % SYMBOLS]))
            .collect();
        let mut triples: Vec<(f64, usize, Vec<f64>)> = Vec::new();
        for triple in 0..TRIPLES {
            let counts = self.0[triple * SYMBOLS..][..SYMBOLS].iter();
            let counts: Vec<f64> = counts.map(|count| f64::from(*count)).collect();
            if counts.iter().any(|count| *count > 0.0) {
                let own = smoothed(&counts, &pairs[triple % PAIRS]);
                let shorter = &pairs[triple % PAIRS];
                let saved = (0..SYMBOLS).map(|at| counts[at] * (own[at] / shorter[at]).log2());
                triples.push((saved.sum(), triple, own));
            }
        }
        triples.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        triples.truncate(ROWS_MAX);
        triples.sort_by_key(|(_, triple, _)| *triple);
        let mut bytes = MAGIC.to_vec();
        let mut kept = vec![0u8; TRIPLES.div_ceil(8)];
        for (_, triple, _) in &triples {
            kept[triple / 8] |= 1 << (triple % 8);
        }
        bytes.extend(kept);
        let rows = pairs.iter().chain(triples.iter().map(|(.., row)| row));
        bytes.extend(rows.flatten().map(|probability| steps(*probability)));
        debug_assert!(LabelModel::from_bytes(&bytes).is_ok(), "it can be read");
        bytes
    }
}

/// The probabilities of symbols that were seen so often, where those of the shorter context are known.
fn smoothed(counts: &[f64], shorter: &[f64]) -> Vec<f64> {
    let all: f64 = counts.iter().sum();
    let kinds = counts.iter().filter(|count| **count > 0.0).count() as f64;
    if all == 0.0 {
        return shorter.to_vec();
    }
    let own = counts.iter().zip(shorter);
    own.map(|(count, shorter)| (count + kinds * shorter) / (all + kinds))
        .collect()
}

/// A code length, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 248: a probability is one in 5,248 at least"
)]
fn steps(probability: f64) -> u8 {
    let flat = 1.0 / SYMBOLS as f64;
    let mixed = probability + (flat - probability) / FLAT_ONE_IN;
    let millibits = -mixed.log2() * 1_000.0;
    (millibits / f64::from(STEP_MILLIBITS))
        .ceil()
        .clamp(1.0, 255.0) as u8
}
