//! Which objects may hold the records behind a finding: those with rows of its interfaces that meet its time.
//!
//! How many rows of which interface an object holds is kept, and from when to when its rows are; not from when to when those of
//! each interface, nor where they went. So every object that holds a record of the finding is among them, and the query of the
//! evidence tells which do.

mod counts;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use outflow_enrich::InterfaceKey;
use outflow_finding::{EvidenceObject, Finding};
use serde::{Deserialize, Serialize};

pub(super) use counts::Counts;

/// Objects that a finding names: those with most rows. `objects_total` says how many there are, and its query finds
/// the records in all.
pub(super) const OBJECTS_MAX: usize = 16;

/// Counts of rows by object and interface that are kept, of two or three bytes each. Beyond, an object is evidence of all
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
    pub(super) rows: Counts,
}

/// The objects of a run, and whose rows they hold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    sources: Vec<SourceRows>,
    /// Places of sources, and how many rows of the interface they hold.
    by_interface: BTreeMap<InterfaceKey, Counts>,
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
                for (number, rows) in std::mem::take(&mut source.rows).iter() {
                    if self.is_coarse() {
                        break;
                    }
                    let key = &keys[number as usize];
                    match self.by_interface.get_mut(key) {
                        Some(places) => places.push(place, rows),
                        None => {
                            let places = Counts::from_iter([(place, rows)]);
                            self.by_interface.insert(key.clone(), places);
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
            let renumbered = held.iter().filter_map(|(place, rows)| {
                let place = places.get(place as usize).copied().flatten()?;
                Some((place, rows))
            });
            *held = renumbered.collect::<Vec<_>>().into();
            entries += held.len() as u64;
            held.len() > 0
        });
        // Of counts that were dropped it is not known which were of these.
        if !self.is_coarse() {
            self.entries = entries;
        }
    }

    /// Bytes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let held = self.by_interface.values().map(Counts::heap_bytes);
        let texts = self
            .sources
            .iter()
            .map(|own| own.uri.len() + own.sha256.as_ref().map_or(0, |digest| digest.len()));
        self.sources.capacity() * size_of::<SourceRows>()
            + texts.sum::<usize>()
            + held.sum::<usize>()
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

    /// Names in the finding's evidence the objects that hold most rows of these interfaces and meet its time, with how many
    /// rows of theirs they hold (of equal ones the first by name), and counts all of them.
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

    /// How many objects [`Ledger::attest`] counts for these findings, each object once; `senders` are their interfaces, by id.
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

    /// The places of all objects that hold rows of these interfaces and meet the finding's time, and how many rows.
    fn places(&self, interfaces: &[InterfaceKey], finding: &Finding) -> Vec<(u32, u64)> {
        let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) else {
            return Vec::new();
        };
        let overlaps = |(place, rows): &(u32, u64)| {
            let span = self.sources[*place as usize].span;
            let is_then = |(from, to)| from <= last.secs() && to >= first.secs();
            *rows > 0 && span.is_some_and(is_then)
        };
        let lists = interfaces
            .iter()
            .filter_map(|key| self.by_interface.get(key));
        let of = |(place, rows): (u32, u32)| (place, u64::from(rows));
        if let ([_], false) = (interfaces, self.is_coarse()) {
            return lists
                .flat_map(Counts::iter)
                .map(of)
                .filter(overlaps)
                .collect();
        }
        let held: usize = lists.clone().map(Counts::len).sum();
        let mut rows;
        if self.is_coarse() || held > self.sources.len() {
            let total = |source: &SourceRows| if self.is_coarse() { source.total } else { 0 };
            rows = (0..)
                .zip(self.sources.iter().map(total))
                .collect::<Vec<_>>();
            for (place, own) in lists.flat_map(Counts::iter).map(of) {
                rows[place as usize].1 += own;
            }
        } else {
            rows = lists.flat_map(Counts::iter).map(of).collect();
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
