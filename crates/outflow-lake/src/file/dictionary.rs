//! The different values of a column.

use parquet::bloom_filter::Sbbf;
use parquet::data_type::ByteArray;
use parquet::file::statistics::Statistics;

use super::BLOOM_FALSE_POSITIVES;
use crate::error::EncodeError;

/// Texts longer than this are in no statistics: these are there to be compared with in passing.
const TOLD_BYTES_MAX: usize = 64;

/// The different values of a column, in ascending order if pages are to tell theirs.
pub(super) enum Dictionary<'a> {
    Texts(&'a [&'a str]),
    Smalls(&'a [i32]),
    Longs(&'a [i64]),
}

impl Dictionary<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Smalls(numbers) => numbers.len(),
            Self::Longs(numbers) => numbers.len(),
        }
    }

    /// Writes all values as a dictionary page has them.
    pub(super) fn plain(&self, into: &mut Vec<u8>) {
        into.clear();
        match self {
            Self::Texts(texts) => {
                into.reserve(texts.iter().map(|text| text.len() + 4).sum());
                for text in *texts {
                    let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    into.extend_from_slice(&len.to_le_bytes());
                    into.extend_from_slice(text.as_bytes());
                }
            }
            Self::Smalls(numbers) => into.extend(numbers.iter().flat_map(|n| n.to_le_bytes())),
            Self::Longs(numbers) => into.extend(numbers.iter().flat_map(|n| n.to_le_bytes())),
        }
    }

    /// A value as the page index has it; none if it is too long to tell.
    pub(super) fn told(&self, at: u32) -> Option<Vec<u8>> {
        match self {
            Self::Texts(texts) => {
                let text = texts[at as usize];
                (text.len() <= TOLD_BYTES_MAX).then(|| text.as_bytes().to_vec())
            }
            Self::Smalls(numbers) => Some(numbers[at as usize].to_le_bytes().to_vec()),
            Self::Longs(numbers) => Some(numbers[at as usize].to_le_bytes().to_vec()),
        }
    }

    pub(super) fn statistics(&self, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        match self {
            Self::Texts(texts) => {
                let told = |text: Option<(u64, &str)>| {
                    text.filter(|(_, text)| text.len() <= TOLD_BYTES_MAX)
                        .map(|(_, text)| ByteArray::from(text))
                };
                let (min, max) = range(texts.iter().map(by_start)).unzip();
                let (min, max) = (told(min), told(max));
                Statistics::byte_array(min, max, None, nulls, false)
            }
            Self::Smalls(numbers) => {
                let (min, max) = range(numbers.iter().copied()).unzip();
                Statistics::int32(min, max, None, nulls, false)
            }
            Self::Longs(numbers) => {
                let (min, max) = range(numbers.iter().copied()).unzip();
                Statistics::int64(min, max, None, nulls, false)
            }
        }
    }

    pub(super) fn bloom_filter(&self) -> Result<Sbbf, EncodeError> {
        let mut filter = Sbbf::new_with_ndv_fpp(self.len().max(1) as u64, BLOOM_FALSE_POSITIVES)?;
        match self {
            Self::Texts(texts) => texts.iter().for_each(|text| filter.insert(*text)),
            Self::Smalls(numbers) => numbers.iter().for_each(|number| filter.insert(number)),
            Self::Longs(numbers) => numbers.iter().for_each(|number| filter.insert(number)),
        }
        Ok(filter)
    }
}

/// The least and the greatest of these.
pub(super) fn range<T: Copy + Ord>(mut of: impl Iterator<Item = T>) -> Option<(T, T)> {
    let first = of.next()?;
    let wider = |(least, greatest): (T, T), of: T| (least.min(of), greatest.max(of));
    Some(of.fold((first, first), wider))
}

/// A text to be compared with others: most differ in the first bytes, which are compared as a number.
fn by_start<'t>(text: &&'t str) -> (u64, &'t str) {
    let bytes = text.as_bytes();
    let start = match bytes.first_chunk() {
        Some(start) => u64::from_be_bytes(*start),
        // What is missing counts as zeros.
        None => bytes
            .iter()
            .rev()
            .fold(0, |all, byte| all >> 8 | u64::from(*byte) << 56),
    };
    (start, text)
}
