//! Where the tokens of a block of lines lie.

use wide::u8x16;

/// Bytes looked at in one step.
const STEP: usize = 64;

/// Delimiters written at once; the last group of a step may write some that do not count. Twelve are more than
/// most steps have, so that the loop hardly ever turns, and its end is foreseen.
const GROUP: usize = 12;

/// Bytes that must follow a row, so that words may be loaded from any of its tokens.
const SLACK: usize = 24;

/// Finds the delimiters of ordinary lines: tokens parted by one space, as many as the format has.
#[derive(Debug)]
pub(super) struct Delimiters {
    starts: Vec<u32>,
    width: usize,
}

impl Delimiters {
    pub(super) fn new(width: usize, rows_max: usize) -> Self {
        Self {
            starts: vec![0; rows_max * width + STEP + GROUP + 1],
            width,
        }
    }

    /// Where each token starts, after [`Delimiters::find`]: `width` a row, and one start behind the last row.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The number of ordinary lines at the head of `buf`, at most `rows_max`.
    #[inline(always)]
    pub(super) fn find(&mut self, buf: &[u8], rows_max: usize) -> usize {
        let Some(usable) = buf.len().checked_sub(SLACK) else {
            return 0;
        };
        let mut rows = match self.find_regular(buf, rows_max) {
            Some(rows) => rows,
            None => self.find_one_by_one(buf, rows_max),
        };
        while rows > 0 && self.starts[rows * self.width] as usize > usable {
            rows -= 1;
        }
        rows
    }

    /// As [`Delimiters::find`], where no line is out of the ordinary: the delimiters are counted off by the width
    /// of a row, and only then is it checked that the line feeds are where rows end, and nowhere else.
    #[inline(always)]
    fn find_regular(&mut self, buf: &[u8], rows_max: usize) -> Option<usize> {
        let wanted = rows_max * self.width;
        let (mut found, mut base) = (0, 0);
        let mut feeds = Feeds::default();
        for bytes in buf.as_chunks::<STEP>().0 {
            let delimiters = feeds.delimiters_of(bytes);
            self.record(found, base, delimiters);
            found += delimiters.count_ones() as usize;
            base += 64;
            if found >= wanted {
                break;
            }
        }
        let is_feed = |at: usize| buf.get(self.starts[at] as usize - 1) == Some(&b'\n');
        let rows = (found / self.width).min(rows_max);
        let behind = (rows * self.width + 1..=found)
            .filter(|at| is_feed(*at))
            .count();
        let ends = (1..=rows).all(|row| is_feed(row * self.width));
        (ends && feeds.count() == rows + behind).then_some(rows)
    }

    /// As [`Delimiters::find`], line by line up to the first that is out of the ordinary.
    fn find_one_by_one(&mut self, buf: &[u8], rows_max: usize) -> usize {
        let (mut rows, mut found, mut base) = (0, 0, 0);
        for bytes in buf.as_chunks::<STEP>().0 {
            let marks = Marks::of(bytes);
            self.record(found, base, marks.delimiters);
            let (ended, in_order) = self.rows_ended(rows, found, &marks, rows_max);
            rows = ended;
            found += marks.delimiters.count_ones() as usize;
            base += 64;
            let too_many_tokens = found >= (rows + 1) * self.width;
            if !in_order || too_many_tokens || rows == rows_max {
                break;
            }
        }
        rows
    }

    /// Writes the start behind each delimiter of a step.
    #[inline(always)]
    fn record(&mut self, found: usize, base: u32, delimiters: u64) {
        let mut left = delimiters;
        let mut at = found + 1;
        while left != 0 {
            if let Some(group) = self
                .starts
                .get_mut(at..)
                .and_then(|tail| tail.first_chunk_mut())
            {
                let group: &mut [u32; GROUP] = group;
                for start in group {
                    *start = base + left.trailing_zeros() + 1;
                    left &= left.wrapping_sub(1);
                }
            }
            at += GROUP;
        }
    }

    /// Rows complete after a step, and whether each line feed came exactly behind a row's last token.
    #[inline(always)]
    fn rows_ended(
        &self,
        rows: usize,
        found: usize,
        marks: &Marks,
        rows_max: usize,
    ) -> (usize, bool) {
        let mut rows = rows;
        let mut feeds = marks.feeds;
        while feeds != 0 && rows < rows_max {
            let lowest = feeds & feeds.wrapping_neg();
            let before = (marks.delimiters & (lowest - 1)).count_ones() as usize;
            if found + before + 1 != (rows + 1) * self.width {
                return (rows, false);
            }
            rows += 1;
            feeds &= feeds - 1;
        }
        (rows, true)
    }
}

/// Counts line feeds while delimiters are found, byte by byte of a vector, which takes no work to gather bits.
#[derive(Default)]
struct Feeds {
    /// Less one for each line feed, modulo 256.
    lanes: u8x16,
    /// Steps since the lanes were added up; they hold 63, each of which looks at four vectors.
    steps: usize,
    counted: usize,
}

impl Feeds {
    const STEPS_MAX: usize = 63;

    #[inline(always)]
    fn delimiters_of(&mut self, bytes: &[u8; STEP]) -> u64 {
        if self.steps == Self::STEPS_MAX {
            self.counted = self.count();
            (self.lanes, self.steps) = (u8x16::default(), 0);
        }
        self.steps += 1;
        let bits = vectors(bytes).map(|part| {
            let feeds = part.simd_eq(u8x16::splat(b'\n'));
            self.lanes += feeds;
            u64::from((part.simd_eq(u8x16::splat(b' ')) | feeds).to_bitmask())
        });
        gathered(bits)
    }

    #[inline(always)]
    fn count(&self) -> usize {
        let lanes = self.lanes.to_array();
        let counts = lanes.iter().map(|lane| usize::from(lane.wrapping_neg()));
        self.counted + counts.sum::<usize>()
    }
}

/// A bit for each byte of a step, the first in the lowest place.
///
/// Other blanks than these two are left within the tokens, where no column takes them.
struct Marks {
    delimiters: u64,
    feeds: u64,
}

impl Marks {
    #[inline(always)]
    fn of(bytes: &[u8; STEP]) -> Self {
        let parts = vectors(bytes);
        let bits = |byte: u8| {
            gathered(parts.map(|part| u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask())))
        };
        let feeds = bits(b'\n');
        Self {
            delimiters: bits(b' ') | feeds,
            feeds,
        }
    }
}

#[inline(always)]
fn vectors(bytes: &[u8; STEP]) -> [u8x16; 4] {
    std::array::from_fn(|at| {
        let mut part = [0; 16];
        part.copy_from_slice(&bytes[16 * at..16 * at + 16]);
        u8x16::new(part)
    })
}

#[inline(always)]
fn gathered([a, b, c, d]: [u64; 4]) -> u64 {
    a | b << 16 | c << 32 | d << 48
}

#[cfg(test)]
mod tests;
