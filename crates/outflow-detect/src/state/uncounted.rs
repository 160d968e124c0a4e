//! Bytes that are read and not counted as leaving, by reason.

use outflow_enrich::Flow;

use crate::counters::Counters;

/// Where the bytes of records are that [`crate::Verdict::counted_bytes`] does not have. Together with these, they are
/// all bytes of the records that were folded, each once for every time that it was logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uncounted {
    /// Sent outwards, but counted at another observation point.
    pub repeated_bytes: u64,
    /// Came in from outside, at every point that logged them.
    pub received_bytes: u64,
    /// Did not cross the border as the record has it, at every point that logged them. So are those on the way between a
    /// host and its gateway, where no record of packets tells where they went.
    pub inside_bytes: u64,
    /// Of these, bytes beyond the headers.
    pub inside_payload_bytes: u64,
    /// Rejected by a security group or a network ACL.
    pub rejected_bytes: u64,
}

impl Uncounted {
    /// Adds what another place has.
    pub(crate) fn add(&mut self, other: &Self) {
        more(&mut self.repeated_bytes, other.repeated_bytes);
        more(&mut self.received_bytes, other.received_bytes);
        more(&mut self.inside_bytes, other.inside_bytes);
        more(&mut self.inside_payload_bytes, other.inside_payload_bytes);
        more(&mut self.rejected_bytes, other.rejected_bytes);
    }

    /// Adds an accepted record that did not cross the border, of which no pair is kept.
    #[inline]
    pub(super) fn add_inside(&mut self, flow: &Flow) {
        more(&mut self.inside_bytes, flow.bytes);
        more(&mut self.inside_payload_bytes, flow.payload_bytes);
    }

    /// Adds a record that was rejected.
    #[inline]
    pub(super) fn add_rejected(&mut self, flow: &Flow) {
        more(&mut self.rejected_bytes, flow.bytes);
    }

    /// Adds a record of what came in, of which no pair is kept.
    #[inline]
    pub(super) fn add_received(&mut self, flow: &Flow) {
        more(&mut self.received_bytes, flow.bytes);
    }

    /// Adds what a pair does not send outwards.
    #[inline]
    pub(crate) fn add_pair(&mut self, counters: &Counters, is_external: bool) {
        let (up, down) = (counters.up(), counters.down());
        if is_external {
            more(&mut self.received_bytes, down.bytes);
        } else {
            for way in [up, down] {
                more(&mut self.inside_bytes, way.bytes);
                more(&mut self.inside_payload_bytes, way.payload);
            }
        }
    }

    /// Adds what another observation point counts.
    pub(crate) fn add_repeated(&mut self, bytes: u64) {
        more(&mut self.repeated_bytes, bytes);
    }
}

/// Records may claim any count: a sum stays at the greatest number.
#[inline]
pub(crate) fn more(sum: &mut u64, bytes: u64) {
    *sum = sum.saturating_add(bytes);
}
