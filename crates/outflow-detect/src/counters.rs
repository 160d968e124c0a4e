//! What is counted of a pair within a slot.

use crate::rhythm::{Beat, Rhythm, Rhythms, SILENCE};
use crate::time::BUCKETS_PER_SLOT;

/// Bytes and packets one way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// Bytes, headers included.
    pub bytes: u64,
    /// Bytes beyond the headers.
    pub payload: u64,
    /// Packets.
    pub packets: u64,
}

impl Volume {
    /// Adds what another place counted.
    pub(crate) fn add(&mut self, other: &Self) {
        // A sum of counts that are not negative saturates in any order at the same value.
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.payload = self.payload.saturating_add(other.payload);
        self.packets = self.packets.saturating_add(other.packets);
    }
}

/// The sums of a pair within a slot, in 64 bytes, as a log has millions of pairs. Adding is associative and
/// commutative, with the default as its zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    up_bytes: u64,
    up_payload: u64,
    down_bytes: u64,
    down_payload: u64,
    /// A bit for each ten-minute bucket of the slot that had traffic, one for each path that records told, [`TOLD`], and
    /// which form `beats` has.
    marks: u64,
    up_packets: u32,
    down_packets: u32,
    /// Records.
    pub flows: u32,
    /// First packet, Unix seconds; times that do not fit count as the nearest that does.
    pub first: u32,
    /// Last packet, likewise.
    pub last: u32,
    /// The beat of the only bucket in which connections began, or the place of a rhythm; nothing, if none began.
    beats: u32,
}

/// The bits of [`Counters`] that mean buckets.
const BUCKETS: u64 = (1 << BUCKETS_PER_SLOT) - 1;

/// Where the bits begin that mean paths: the one behind it is that of path 1. There is none of path 0, which means that a
/// record does not tell.
const PATH_AT: u32 = BUCKETS_PER_SLOT;

/// The greatest number of a path that there is a bit for. AWS has eight; all that are beyond this are kept as this.
const PATH_MAX: u8 = 15;

/// The bits of [`Counters`] that mean paths.
const PATHS: u64 = ((1 << (PATH_MAX + 1)) - 2) << PATH_AT;

/// The bit of [`Counters`] that says that TCP flags of some window told who opened the connection. A slot has fewer
/// buckets than there are bits.
const TOLD: u64 = 1 << 63;

/// The bit that says that `beats` is the place of a rhythm.
const HAS_RHYTHM: u64 = 1 << 62;

/// Where the bits are that say of which bucket `beats` is the only beat; counted from one on, as zero means no bucket.
const BUCKET_AT: u32 = 56;

const _: () = assert!(PATH_AT + (PATH_MAX as u32) < BUCKET_AT);

/// Paths that records told, of one or many counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Paths(u64);

impl Paths {
    /// Those of counters.
    pub(crate) fn of(counters: &Counters) -> Self {
        Self(counters.marks & PATHS)
    }

    /// These and others.
    #[must_use]
    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The numbers that AWS gives them, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        let marks = self.0 >> PATH_AT;
        (1..=PATH_MAX).filter(move |path| marks & (1 << path) != 0)
    }
}

/// What of a pair's beats its counters have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beats {
    Nothing,
    /// The only bucket, and its beat.
    One(usize, Beat),
    /// The place of a rhythm.
    Rhythm(u32),
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            up_bytes: 0,
            up_payload: 0,
            down_bytes: 0,
            down_payload: 0,
            marks: 0,
            up_packets: 0,
            down_packets: 0,
            flows: 0,
            first: u32::MAX,
            last: 0,
            beats: 0,
        }
    }
}

impl Counters {
    /// A record that the interface sent; `told`, if its TCP flags say who opened the connection.
    #[inline]
    pub(crate) fn sent(volume: Volume, first: i64, last: i64, active: u64, told: bool) -> Self {
        Self {
            up_bytes: volume.bytes,
            up_payload: volume.payload,
            up_packets: narrow(volume.packets),
            marks: active | if told { TOLD } else { 0 },
            flows: 1,
            first: narrow(first.max(0).unsigned_abs()),
            last: narrow(last.max(0).unsigned_abs()),
            ..Self::default()
        }
    }

    /// A bit for each ten-minute bucket of the slot that had traffic.
    pub(crate) fn active(&self) -> u64 {
        self.marks & BUCKETS
    }

    /// Whether TCP flags of some window told who opened the connection.
    pub(crate) fn is_told(&self) -> bool {
        self.marks & TOLD != 0
    }

    /// The same on a path, as `traffic-path` numbers it.
    #[inline]
    #[must_use]
    pub(crate) fn on_path(self, path: u8) -> Self {
        let bit = 1_u64 << (PATH_AT + u32::from(path.min(PATH_MAX)));
        Self {
            marks: self.marks | (bit & PATHS),
            ..self
        }
    }

    /// The paths that records of the interface's own told, in order; none where no record tells.
    pub(crate) fn paths(&self) -> impl Iterator<Item = u8> {
        Paths::of(self).iter()
    }

    /// What [`Counters::with_marks`] takes.
    pub(crate) fn marks(&self) -> u64 {
        self.marks & (BUCKETS | PATHS | TOLD)
    }

    /// Sets what [`Counters::marks`] told, and no beats.
    #[must_use]
    pub(crate) fn with_marks(self, marks: u64) -> Self {
        let marks = marks & (BUCKETS | PATHS | TOLD);
        let beats = 0;
        Self {
            marks,
            beats,
            ..self
        }
    }

    /// The same with a beat in one bucket, which must be one of a slot, and no other.
    #[inline]
    #[must_use]
    pub(crate) fn beating(self, bucket: u32, beat: Beat) -> Self {
        Self {
            marks: self.marks() | u64::from(bucket + 1) << BUCKET_AT,
            beats: beat.bits(),
            ..self
        }
    }

    #[inline]
    fn beats(&self) -> Beats {
        if self.marks & HAS_RHYTHM != 0 {
            return Beats::Rhythm(self.beats);
        }
        let [upper, ..] = self.marks.to_be_bytes();
        match usize::from(upper & 0x3f).checked_sub(1) {
            None => Beats::Nothing,
            Some(bucket) => Beats::One(bucket, Beat::from_bits(self.beats)),
        }
    }

    /// The beats of the slot; `among` are the rhythms of the table that the counters are of.
    pub(crate) fn rhythm(&self, among: &Rhythms) -> Rhythm {
        match self.beats() {
            Beats::Nothing => SILENCE,
            Beats::One(bucket, beat) => {
                let mut rhythm = SILENCE;
                rhythm[bucket] = beat;
                rhythm
            }
            Beats::Rhythm(place) => *among.get(place),
        }
    }

    /// Adds the beats of another place to these: `among` and `from` are the rhythms of the one and the other.
    #[inline]
    pub(crate) fn add_beats(&mut self, among: &mut Rhythms, other: &Self, from: &Rhythms) {
        match other.beats() {
            Beats::Nothing => {}
            Beats::One(bucket, beat) => self.add_beat(among, bucket, beat),
            Beats::Rhythm(place) => {
                for (bucket, beat) in from.get(place).iter().enumerate() {
                    if *beat != Beat::default() {
                        self.add_beat(among, bucket, *beat);
                    }
                }
            }
        }
    }

    /// Adds a beat of a bucket.
    #[inline]
    pub(crate) fn add_beat(&mut self, among: &mut Rhythms, bucket: usize, beat: Beat) {
        match self.beats() {
            Beats::Nothing => {
                self.marks |= (bucket as u64 + 1) << BUCKET_AT;
                self.beats = beat.bits();
            }
            Beats::One(own, one) if own == bucket => self.beats = one.with(beat).bits(),
            Beats::One(own, one) => {
                let mut rhythm = SILENCE;
                (rhythm[own], rhythm[bucket]) = (one, beat);
                self.marks = self.marks() | HAS_RHYTHM;
                self.beats = among.push(rhythm);
            }
            Beats::Rhythm(place) => {
                let own = &mut among.get_mut(place)[bucket];
                *own = own.with(beat);
            }
        }
    }

    /// The same without beats.
    #[inline]
    #[must_use]
    pub(crate) fn without_beats(self) -> Self {
        self.with_marks(self.marks)
    }

    /// From the interface.
    pub(crate) fn up(&self) -> Volume {
        Volume {
            bytes: self.up_bytes,
            payload: self.up_payload,
            packets: u64::from(self.up_packets),
        }
    }

    /// To the interface.
    pub(crate) fn down(&self) -> Volume {
        Volume {
            bytes: self.down_bytes,
            payload: self.down_payload,
            packets: u64::from(self.down_packets),
        }
    }

    /// Sets both ways, as [`Counters::up`] and [`Counters::down`] told them.
    #[must_use]
    pub(crate) fn with_volumes(self, up: Volume, down: Volume) -> Self {
        Self {
            up_bytes: up.bytes,
            up_payload: up.payload,
            up_packets: narrow(up.packets),
            down_bytes: down.bytes,
            down_payload: down.payload,
            down_packets: narrow(down.packets),
            ..self
        }
    }

    /// Adds what another place counted, but for its beats.
    #[inline]
    pub(crate) fn add(&mut self, other: &Self) {
        self.up_bytes = self.up_bytes.saturating_add(other.up_bytes);
        self.up_payload = self.up_payload.saturating_add(other.up_payload);
        self.up_packets = self.up_packets.saturating_add(other.up_packets);
        self.down_bytes = self.down_bytes.saturating_add(other.down_bytes);
        self.down_payload = self.down_payload.saturating_add(other.down_payload);
        self.down_packets = self.down_packets.saturating_add(other.down_packets);
        self.flows = self.flows.saturating_add(other.flows);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.marks |= other.marks();
    }

    /// The same traffic seen from the other side.
    #[must_use]
    pub(crate) fn reversed(self) -> Self {
        self.with_volumes(self.down(), self.up())
    }
}

/// A count that stays at the greatest number that fits: four milliards of packets or records of one pair within
/// six hours.
fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A sum that stays at the greatest number once it would pass it: records may claim any count.
pub(crate) fn total(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
