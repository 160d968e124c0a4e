//! What is counted of a pair within a slot.

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
    /// A bit for each ten-minute bucket of the slot that had traffic, and [`TOLD`].
    marks: u64,
    up_packets: u32,
    down_packets: u32,
    /// Records.
    pub flows: u32,
    /// First packet, Unix seconds; times that do not fit count as the nearest that does.
    pub first: u32,
    /// Last packet, likewise.
    pub last: u32,
}

/// The bit of [`Counters`] that says that TCP flags of some window told who opened the connection. A slot has fewer
/// buckets than there are bits.
const TOLD: u64 = 1 << 63;

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
        self.marks & !TOLD
    }

    /// Whether TCP flags of some window told who opened the connection.
    pub(crate) fn is_told(&self) -> bool {
        self.marks & TOLD != 0
    }

    /// What [`Counters::with_marks`] takes.
    pub(crate) fn marks(&self) -> u64 {
        self.marks
    }

    /// Sets what [`Counters::marks`] told.
    #[must_use]
    pub(crate) fn with_marks(self, marks: u64) -> Self {
        Self { marks, ..self }
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

    /// Adds what another place counted.
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
        self.marks |= other.marks;
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
