//! Which objects hold the records behind a finding.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use outflow_enrich::InterfaceKey;
use outflow_finding::{EvidenceObject, Finding};
use serde::{Deserialize, Serialize};

/// Objects that a finding names: those with most rows. `objects_total` says how many there are, and its query finds
/// the records in all.
pub(super) const OBJECTS_MAX: usize = 16;

/// Counts of rows by object and interface that are kept, of 8 bytes each. Beyond, an object is evidence of all
/// interfaces alike, and a remark on the run says so.
pub(super) const ENTRIES_MAX: u64 = 16 << 20;

/// Bytes of an interface's key and list, about.
const INTERFACE_BYTES: usize = 160;

/// An object that was read, and whose rows it holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SourceRows {
    pub(super) uri: Arc<str>,
    pub(super) sha256: Option<Arc<str>>,
    /// Start of the earliest row and end of the latest.
    pub(super) span: Option<(i64, i64)>,
    /// All rows.
    pub(super) total: u64,
    /// Rows, by the worker's number of the interface; none once they are in a ledger.
    #[serde(skip)]
    pub(super) rows: Vec<(u32, u32)>,
}

/// Rows that an object holds of an interface.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Held {
    place: u32,
    rows: u32,
}

/// The objects of a run, and whose rows they hold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    sources: Vec<SourceRows>,
    /// Places of sources, ascending, and how many rows of the interface they hold.
    by_interface: BTreeMap<InterfaceKey, Vec<Held>>,
    /// Counts by object and interface that there were, kept or not.
    entries: u64,
}

impl Ledger {
    /// Adds what workers read, each with interfaces of its own numbers; `entries` is how many counts there were before
    /// any was dropped.
    pub(super) fn add(&mut self, workers: Vec<(Vec<SourceRows>, Vec<InterfaceKey>)>, entries: u64) {
        self.entries = self.entries.saturating_add(entries);
        if self.is_coarse() {
            self.by_interface = BTreeMap::new();
        }
        for (sources, keys) in workers {
            for mut source in sources {
                let place = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
                for (number, rows) in std::mem::take(&mut source.rows) {
                    if self.is_coarse() {
                        break;
                    }
                    let (key, held) = (&keys[number as usize], Held { place, rows });
                    match self.by_interface.get_mut(key) {
                        Some(places) => places.push(held),
                        None => {
                            self.by_interface.insert(key.clone(), vec![held]);
                        }
                    }
                }
                self.sources.push(source);
            }
        }
    }

    /// All objects.
    pub(super) fn sources(&self) -> &[SourceRows] {
        &self.sources
    }

    /// Forgets objects whose last row ends before a time, and those without a row that has one.
    pub(super) fn forget(&mut self, before: i64) {
        let mut places: Vec<Option<u32>> = Vec::with_capacity(self.sources.len());
        let mut kept = 0;
        for source in &self.sources {
            let is_kept = source.span.is_some_and(|(_, last)| last >= before);
            places.push(is_kept.then_some(kept));
            kept += u32::from(is_kept);
        }
        let mut of = places.iter();
        self.sources.retain(|_| matches!(of.next(), Some(Some(_))));
        self.sources.shrink_to_fit();
        let mut entries = 0;
        self.by_interface.retain(|_, held| {
            held.retain_mut(|own| {
                let place = places.get(own.place as usize).copied().flatten();
                own.place = place.unwrap_or_default();
                place.is_some()
            });
            held.shrink_to_fit();
            entries += held.len() as u64;
            !held.is_empty()
        });
        // Of counts that were dropped it is not known which were of these.
        if !self.is_coarse() {
            self.entries = entries;
        }
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let held = self.by_interface.values().map(Vec::capacity).sum::<usize>();
        let texts = self
            .sources
            .iter()
            .map(|own| own.uri.len() + own.sha256.as_ref().map_or(0, |digest| digest.len()));
        self.sources.capacity() * size_of::<SourceRows>()
            + texts.sum::<usize>()
            + held * size_of::<Held>()
            + self.by_interface.len() * INTERFACE_BYTES
    }

    /// Whether there were too many counts to keep them by interface.
    pub(super) fn is_coarse(&self) -> bool {
        self.entries > ENTRIES_MAX
    }

    /// Objects that were counted beside another of the very same bytes: what only reading them could tell.
    pub(super) fn twins(&self) -> usize {
        let counted = self.sources.iter().filter(|source| source.total > 0);
        let mut digests: Vec<&str> = counted.filter_map(|s| s.sha256.as_deref()).collect();
        let all = digests.len();
        digests.sort_unstable();
        digests.dedup();
        all - digests.len()
    }

    /// Names in the finding's evidence the objects that hold most rows of these interfaces within its time, with
    /// how many rows of theirs (of equal ones the first by name), and counts all that hold any.
    pub(super) fn attest(&self, interfaces: &[InterfaceKey], finding: &mut Finding) {
        let mut places = self.places(interfaces, finding);
        finding.evidence.objects_total = places.len() as u64;
        let rank = |(place, rows): &(u32, u64)| {
            let source = &self.sources[*place as usize];
            // Names need not be unique: a file may be called `stdin`, or differ from another in bytes that no text has.
            (Reverse(*rows), &source.uri, &source.sha256)
        };
        if places.len() > OBJECTS_MAX {
            places.select_nth_unstable_by(OBJECTS_MAX, |a, b| rank(a).cmp(&rank(b)));
            places.truncate(OBJECTS_MAX);
        }
        places.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)));
        let object = |(place, rows): (u32, u64)| {
            let source = &self.sources[place as usize];
            EvidenceObject {
                uri: Arc::clone(&source.uri),
                sha256: source.sha256.clone(),
                rows,
            }
        };
        finding.evidence.objects = places.into_iter().map(object).collect();
    }

    /// How many objects hold rows of these findings, each object once; `senders` are their interfaces, by id.
    pub(super) fn objects_total(
        &self,
        findings: &[Finding],
        senders: &BTreeMap<String, Vec<InterfaceKey>>,
    ) -> u64 {
        if let [one] = findings {
            return one.evidence.objects_total;
        }
        let of = |finding: &Finding| {
            let interfaces = senders.get(&finding.id).map_or(&[][..], Vec::as_slice);
            self.places(interfaces, finding)
        };
        let places = findings.iter().flat_map(of).map(|(place, _)| place);
        let mut places: Vec<u32> = places.collect();
        places.sort_unstable();
        places.dedup();
        places.len() as u64
    }

    /// The places of all objects that hold rows of these interfaces within the finding's time, and how many.
    fn places(&self, interfaces: &[InterfaceKey], finding: &Finding) -> Vec<(u32, u64)> {
        let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) else {
            return Vec::new();
        };
        let overlaps = |(place, rows): &(u32, u64)| {
            let span = self.sources[*place as usize].span;
            let is_then = |(from, to)| from <= last.secs() && to >= first.secs();
            *rows > 0 && span.is_some_and(is_then)
        };
        let held = |key: &InterfaceKey| self.by_interface.get(key).into_iter().flatten();
        if let ([one], false) = (interfaces, self.is_coarse()) {
            let rows = held(one).map(|own| (own.place, u64::from(own.rows)));
            return rows.filter(overlaps).collect();
        }
        let held: Vec<Held> = interfaces.iter().flat_map(held).copied().collect();
        let mut rows: Vec<(u32, u64)>;
        if self.is_coarse() || held.len() > self.sources.len() {
            let total = |source: &SourceRows| if self.is_coarse() { source.total } else { 0 };
            rows = (0..).zip(self.sources.iter().map(total)).collect();
            for own in held {
                rows[own.place as usize].1 += u64::from(own.rows);
            }
        } else {
            rows = held
                .iter()
                .map(|own| (own.place, u64::from(own.rows)))
                .collect();
            rows.sort_unstable();
            rows.dedup_by(|next, first| {
                let same = next.0 == first.0;
                first.1 += if same { next.1 } else { 0 };
                same
            });
        }
        rows.retain(overlaps);
        rows
    }
}
