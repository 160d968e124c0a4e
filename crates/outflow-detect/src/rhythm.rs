//! When a pair's connections began: for each bucket of a slot, how many did, and from which ports.
//!
//! Most pairs are met within one bucket. Theirs lies in their [`Counters`](crate::counters::Counters); the others have
//! a [`Rhythm`] beside the table. Which of the two it is depends on the set of records alone.

use crate::time::BUCKETS_PER_SLOT;

/// Cells that ports are told apart by.
pub(crate) const CELLS: u32 = 24;

/// Connections of a bucket that are counted; more stay at this number, and their rhythm is not judged.
pub(crate) const BEGUN_MAX: u32 = 255;

/// Rhythms of a page, so that growing moves none.
const PAGE: usize = 128;

/// What began within a bucket: a bit for each [cell](CELLS) of a port on the interface's side, and how many connections
/// began. Where the log has TCP flags these are the windows with SYN, else all records: whether each record is a
/// connection of its own, the ports tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Beat(u32);

/// The beats of a slot, by bucket.
pub(crate) type Rhythm = [Beat; BUCKETS_PER_SLOT as usize];

/// A slot in which nothing began.
pub(crate) const SILENCE: Rhythm = [Beat(0); BUCKETS_PER_SLOT as usize];

impl Beat {
    /// A record from this port; `begins`, if it counts as a connection.
    #[inline]
    pub(crate) fn of(port: u16, begins: bool) -> Self {
        // A fraction of the golden ratio puts ports that follow one another into different cells.
        let spread = u32::from(port.wrapping_mul(40_503));
        Self(1 << ((spread * CELLS) >> 16) | u32::from(begins) << CELLS)
    }

    /// Adds what another place saw: a union and a sum that stays at its greatest, so that order is free.
    #[inline]
    #[must_use]
    pub(crate) fn with(self, other: Self) -> Self {
        let begun = (self.begun() + other.begun()).min(BEGUN_MAX);
        Self(self.ports() | other.ports() | begun << CELLS)
    }

    /// The cells of the ports.
    pub(crate) fn ports(self) -> u32 {
        self.0 & ((1 << CELLS) - 1)
    }

    /// How many connections began.
    pub(crate) fn begun(self) -> u32 {
        self.0 >> CELLS
    }

    /// The beat as bits, which [`Beat::from_bits`] takes.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// The beat of these bits.
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

/// The rhythms of a shard.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rhythms {
    pages: Vec<Vec<Rhythm>>,
    len: usize,
}

impl Rhythms {
    /// Adds a rhythm; its place.
    pub(crate) fn push(&mut self, rhythm: Rhythm) -> u32 {
        if self.len.is_multiple_of(PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(rhythm);
        }
        let place = u32::try_from(self.len).unwrap_or(u32::MAX);
        self.len += 1;
        place
    }

    /// The rhythm at a place.
    ///
    /// # Panics
    /// If [`Rhythms::push`] did not tell that place.
    pub(crate) fn get(&self, place: u32) -> &Rhythm {
        &self.pages[place as usize / PAGE][place as usize % PAGE]
    }

    /// As [`Rhythms::get`], to change it.
    ///
    /// # Panics
    /// As [`Rhythms::get`].
    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Rhythm {
        &mut self.pages[place as usize / PAGE][place as usize % PAGE]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes on the heap, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.pages.len() * PAGE * size_of::<Rhythm>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_a_union_of_cells_and_a_sum_that_stays_at_its_greatest() {
        let (one, other) = (Beat::of(40_000, true), Beat::of(40_001, false));
        let both = one.with(other);
        assert_eq!(both, other.with(one));
        assert_eq!((both.ports().count_ones(), both.begun()), (2, 1));
        assert_eq!(both.with(one).ports(), both.ports());
        assert_eq!(Beat::from_bits(both.bits()), both);
        let full = (0..300).fold(Beat::default(), |sum, _| sum.with(one));
        assert_eq!((full.begun(), full.ports()), (BEGUN_MAX, one.ports()));
    }

    #[test]
    fn ports_that_follow_one_another_have_cells_of_their_own() {
        for step in [1, 2] {
            let ports = (0..16).map(|at| Beat::of(32_768 + at * step, true));
            let cells = ports.fold(Beat::default(), Beat::with).ports().count_ones();
            assert!(cells >= 15, "{cells} of 16 at steps of {step}");
        }
    }

    #[test]
    fn places_of_rhythms_hold_over_pages() {
        let mut rhythms = Rhythms::default();
        let of = |at: u16| {
            let mut rhythm = SILENCE;
            rhythm[0] = Beat::of(at, true);
            rhythm
        };
        let places: Vec<u32> = (0..300).map(|at| rhythms.push(of(at))).collect();
        rhythms.get_mut(places[7])[1] = Beat::of(9, true);
        for (at, place) in (0..).zip(&places) {
            assert_eq!(rhythms.get(*place)[0], of(at)[0]);
        }
        assert_eq!(rhythms.get(places[7])[1], Beat::of(9, true));
        assert_eq!((rhythms.len(), rhythms.heap_bytes()), (300, 3 * 128 * 144));
    }
}
