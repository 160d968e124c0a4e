//! What one client asked below one domain within a slot.

use super::names::{Item, Names};

/// Kinds of types, each a bit.
pub(super) type Kind = u8;

/// `A`.
const KIND_V4: Kind = 1;
/// `AAAA`.
const KIND_V6: Kind = 2;
/// Types of resolvers' own accord, and of services: `HTTPS`, `PTR`, `SRV`, `NS`, `SOA` and the like.
const KIND_COMMON: Kind = 4;
/// `TXT`, `NULL`, `CNAME`, `MX` and all others, whose answers hold anything.
const KIND_CARRYING: Kind = 8;

/// Kinds whose answers can carry data.
pub(super) const KINDS_ODD: Kind = KIND_CARRYING;

/// The kind of a type.
pub(super) fn kind(query_type: &str) -> Kind {
    match query_type {
        "A" => KIND_V4,
        "AAAA" => KIND_V6,
        "HTTPS" | "SVCB" | "TYPE64" | "TYPE65" | "PTR" | "SRV" | "NS" | "SOA" | "DS" | "DNSKEY" => {
            KIND_COMMON
        }
        _ => KIND_CARRYING,
    }
}

/// Counts that add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Queries.
    pub(crate) queries: u64,
    /// Information of all of them in thousandths of a bit, each as if it were asked for the first time.
    pub(crate) millibits: u64,
    /// Bytes of names.
    pub(crate) name_bytes: u64,
    /// Of these, bytes below the domain.
    pub(crate) below_bytes: u64,
    /// Bytes of answers.
    pub(crate) answer_bytes: u64,
    /// Of these, in answers whose type can carry data.
    pub(crate) carried_bytes: u64,
    /// Queries for types that can carry data.
    pub(crate) odd: u64,
    /// Queries for names that do not exist.
    pub(crate) nxdomain: u64,
    /// First query, Unix seconds.
    pub(crate) first: u32,
    /// Last query.
    pub(crate) last: u32,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            queries: 0,
            millibits: 0,
            name_bytes: 0,
            below_bytes: 0,
            answer_bytes: 0,
            carried_bytes: 0,
            odd: 0,
            nxdomain: 0,
            first: u32::MAX,
            last: 0,
        }
    }
}

impl Counts {
    /// Adds others; a sum stays at the greatest number.
    #[inline]
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, more) in [
            (&mut self.queries, other.queries),
            (&mut self.millibits, other.millibits),
            (&mut self.name_bytes, other.name_bytes),
            (&mut self.below_bytes, other.below_bytes),
            (&mut self.answer_bytes, other.answer_bytes),
            (&mut self.carried_bytes, other.carried_bytes),
            (&mut self.odd, other.odd),
            (&mut self.nxdomain, other.nxdomain),
        ] {
            *own = own.saturating_add(more);
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Counts, and the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) counts: Counts,
    /// Empty where memory did not suffice for names.
    pub(crate) names: Names,
}

impl Cell {
    #[inline]
    pub(super) fn add(&mut self, counts: &Counts, name: Option<Item>) {
        self.counts.add(counts);
        if let Some(item) = name {
            self.names.add(item);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.names.merge(&other.names);
    }
}
