//! Which objects hold the records behind a finding.

use std::collections::BTreeMap;

use outflow_enrich::InterfaceKey;
use outflow_finding::{EvidenceObject, Finding};

/// Objects that a finding names, the first by name; its query finds all others.
pub(super) const OBJECTS_MAX: usize = 16;

/// Counts of rows by object and interface that are kept, of 8 bytes each. Beyond, an object is evidence of all
/// interfaces alike, and a remark on the run says so.
pub(super) const ENTRIES_MAX: u64 = 16 << 20;

/// An object that was read, and whose rows it holds.
#[derive(Debug)]
pub(super) struct SourceRows {
    pub(super) uri: String,
    pub(super) sha256: String,
    /// Start of the earliest row and end of the latest.
    pub(super) span: Option<(i64, i64)>,
    /// All rows.
    pub(super) total: u64,
    /// Rows, by the worker's number of the interface.
    pub(super) rows: Vec<(u32, u32)>,
}

/// The objects of a run, and whose rows they hold.
#[derive(Debug)]
pub(super) struct Ledger {
    sources: Vec<SourceRows>,
    by_interface: BTreeMap<InterfaceKey, Vec<(usize, u32)>>,
    coarse: bool,
}

impl Ledger {
    /// The ledger of what the workers read; `entries` is how many counts there were before any was dropped.
    pub(super) fn new(workers: Vec<(Vec<SourceRows>, Vec<InterfaceKey>)>, entries: u64) -> Self {
        let coarse = entries > ENTRIES_MAX;
        let mut by_uri: Vec<(SourceRows, usize)> = Vec::new();
        let mut interfaces = Vec::new();
        for (worker, (sources, keys)) in workers.into_iter().enumerate() {
            interfaces.push(keys);
            by_uri.extend(sources.into_iter().map(|source| (source, worker)));
        }
        // Names need not be unique: a file may be called `stdin`, or differ from another in bytes that no text has.
        by_uri.sort_by(|(a, _), (b, _)| (&a.uri, &a.sha256).cmp(&(&b.uri, &b.sha256)));
        let mut by_interface: BTreeMap<InterfaceKey, Vec<(usize, u32)>> = BTreeMap::new();
        let mut sources = Vec::new();
        for (place, (mut source, worker)) in by_uri.into_iter().enumerate() {
            for (number, rows) in std::mem::take(&mut source.rows) {
                if !coarse {
                    let key = &interfaces[worker][number as usize];
                    match by_interface.get_mut(key) {
                        Some(places) => places.push((place, rows)),
                        None => {
                            by_interface.insert(key.clone(), vec![(place, rows)]);
                        }
                    }
                }
            }
            sources.push(source);
        }
        Self {
            sources,
            by_interface,
            coarse,
        }
    }

    /// Whether there were too many counts to keep them by interface.
    pub(super) fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// The objects that hold rows of these interfaces within the finding's time, with how many rows of theirs.
    pub(super) fn objects(
        &self,
        interfaces: &[InterfaceKey],
        finding: &Finding,
    ) -> Vec<EvidenceObject> {
        let (Some(first), Some(last)) = (finding.first_seen, finding.last_seen) else {
            return Vec::new();
        };
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        if self.coarse {
            rows.extend(self.sources.iter().map(|source| source.total).enumerate());
        }
        for key in interfaces {
            for (place, count) in self.by_interface.get(key).into_iter().flatten() {
                *rows.entry(*place).or_default() += u64::from(*count);
            }
        }
        let overlaps = |place: &usize| {
            let span = self.sources[*place].span;
            span.is_some_and(|(from, to)| from <= last.secs() && to >= first.secs())
        };
        rows.into_iter()
            .filter(|(place, _)| overlaps(place))
            .take(OBJECTS_MAX)
            .map(|(place, rows)| {
                let source = &self.sources[place];
                EvidenceObject {
                    uri: source.uri.clone(),
                    sha256: source.sha256.clone(),
                    rows,
                }
            })
            .collect()
    }
}
