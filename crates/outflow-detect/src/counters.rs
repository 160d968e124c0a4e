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

/// The sums of a pair within a slot. Adding is associative and commutative, with the default as its zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// From the interface.
    pub up: Volume,
    /// To the interface.
    pub down: Volume,
    /// Records.
    pub flows: u64,
    /// Payload, up, of records that came after the watermark had closed their bucket.
    pub late_payload: u64,
    /// First packet, Unix seconds.
    pub first: i64,
    /// Last packet, Unix seconds.
    pub last: i64,
    /// A bit for each ten-minute bucket of the slot that had traffic.
    pub active: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            up: Volume::default(),
            down: Volume::default(),
            flows: 0,
            late_payload: 0,
            first: i64::MAX,
            last: i64::MIN,
            active: 0,
        }
    }
}

impl Counters {
    /// Adds what another place counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.up.add(&other.up);
        self.down.add(&other.down);
        self.flows = self.flows.saturating_add(other.flows);
        self.late_payload = self.late_payload.saturating_add(other.late_payload);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.active |= other.active;
    }

    /// The same traffic seen from the other side.
    #[must_use]
    pub(crate) fn reversed(mut self) -> Self {
        std::mem::swap(&mut self.up, &mut self.down);
        self
    }
}

/// A sum that stays at the greatest number once it would pass it: records may claim any count.
pub(crate) fn total(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
