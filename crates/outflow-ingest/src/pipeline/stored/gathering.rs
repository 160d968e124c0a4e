//! What workers find of each source, part by part, added up to one entry.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use outflow_enrich::InterfaceKey;

use super::catalog::StoredSource;
use crate::pipeline::asked::AskedRows;
use crate::pipeline::counter::{Counted, Counter};
use crate::pipeline::evidence::{Counts, ENTRIES_MAX, SourceRows};
use crate::pipeline::measures::Measures;

/// What all workers found.
#[derive(Debug)]
pub(super) struct Gathering {
    /// By the number of a source.
    sources: Vec<Mutex<Own>>,
    /// Interfaces, and the numbers that they have among all workers.
    interfaces: Mutex<BTreeMap<InterfaceKey, u32>>,
    /// Counts of evidence, as the workers of objects count them.
    entries: AtomicU64,
}

/// What was found of one source.
#[derive(Debug, Default)]
struct Own {
    /// Rows by number of the interface.
    rows: Counts,
    span: Option<(i64, i64)>,
    total: u64,
    measures: Measures,
}

/// By a worker's number of an interface, that among all.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<Option<u32>>);

/// What was found, in the order of the sources.
pub(super) struct Gathered {
    pub(super) rows: Vec<SourceRows>,
    /// The interfaces, by the numbers that rows have for them.
    pub(super) keys: Vec<InterfaceKey>,
    /// Counts of evidence that there were.
    pub(super) entries: u64,
    pub(super) measures: Vec<Measures>,
}

impl Gathering {
    pub(super) fn new(sources: &[StoredSource]) -> Self {
        Self {
            sources: sources.iter().map(|_| Mutex::default()).collect(),
            interfaces: Mutex::default(),
            entries: AtomicU64::new(0),
        }
    }

    /// Adds what some rows of a source came to.
    pub(super) fn add(
        &self,
        source: u32,
        counted: Counted,
        counter: &Counter<'_>,
        numbers: &mut Numbers,
    ) {
        let mut rows: Vec<(u32, u32)> = Vec::with_capacity(counted.rows.len());
        for (own, count) in counted.rows {
            rows.push((
                self.number(own, |own| counter.interface(own), numbers),
                count,
            ));
        }
        let source = &self.sources[source as usize];
        locked(source).measures.merge(counted.measures);
        self.enter(source, rows, counted.span);
    }

    /// Adds what some queries of a source came to.
    pub(super) fn add_asked(
        &self,
        source: u32,
        asked: AskedRows,
        counter: &Counter<'_>,
        numbers: &mut Numbers,
    ) {
        let key = |own: u32| &counter.clients()[own as usize];
        let rows = asked.rows.into_iter();
        let rows = rows.map(|(client, rows)| (self.number(client.0, key, numbers), rows));
        let rows = rows.collect();
        self.enter(&self.sources[source as usize], rows, asked.span);
    }

    fn enter(&self, source: &Mutex<Own>, mut rows: Vec<(u32, u32)>, span: Option<(i64, i64)>) {
        let mut source = locked(source);
        source.total += rows.iter().map(|(_, rows)| u64::from(*rows)).sum::<u64>();
        source.span = match (source.span, span) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (known, new) => known.or(new),
        };
        let before = source.rows.len();
        rows.extend(source.rows.iter());
        rows.sort_unstable();
        rows.dedup_by(|next, first| {
            let same = next.0 == first.0;
            first.1 = first.1.saturating_add(if same { next.1 } else { 0 });
            same
        });
        let more = (rows.len() - before) as u64;
        if self.entries.fetch_add(more, Ordering::Relaxed) + more > ENTRIES_MAX {
            rows.clear();
        }
        source.rows = rows.into();
    }

    fn number<'k>(
        &self,
        own: u32,
        key: impl Fn(u32) -> &'k InterfaceKey,
        numbers: &mut Numbers,
    ) -> u32 {
        let at = own as usize;
        if numbers.0.len() <= at {
            numbers.0.resize(at + 1, None);
        }
        *numbers.0[at].get_or_insert_with(|| {
            let key = key(own);
            let mut interfaces = locked(&self.interfaces);
            let next = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
            match interfaces.get(key) {
                Some(known) => *known,
                None => {
                    interfaces.insert(key.clone(), next);
                    next
                }
            }
        })
    }

    /// What was found of these sources, once all workers are done.
    pub(super) fn finish(self, sources: &[StoredSource]) -> Gathered {
        let mut keys: Vec<(InterfaceKey, u32)> = into_inner(self.interfaces).into_iter().collect();
        keys.sort_unstable_by_key(|(_, number)| *number);
        let keys = keys.into_iter().map(|(key, _)| key).collect();
        let (mut rows, mut measures) = (Vec::new(), Vec::new());
        for (source, own) in sources.iter().zip(self.sources) {
            let own = into_inner(own);
            measures.push(own.measures);
            rows.push(SourceRows {
                uri: source.row.given_uri.as_str().into(),
                sha256: source.row.sha256.as_deref().map(Into::into),
                span: own.span,
                total: own.total,
                rows: own.rows,
            });
        }
        Gathered {
            rows,
            keys,
            entries: self.entries.into_inner(),
            measures,
        }
    }
}

// A thread that panicked takes the run with it: what it left is not read.
fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(of: Mutex<T>) -> T {
    of.into_inner().unwrap_or_else(PoisonError::into_inner)
}
