//! Judging: a pure function from sums and policy to findings.

mod baseline;
mod draft;
mod exceedance;
mod icmp;
mod ledger;
mod names;
mod ports;
mod severity;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use outflow_enrich::InterfaceKey;
use outflow_finding::Finding;

use crate::policy::Policy;
use crate::state::State;
use crate::time::Day;
use crate::view::{Sifted, View};

/// A finding, the day that it belongs to, and the interfaces that its records are of.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The UTC day at whose end it is known.
    pub day: Day,
    /// The interfaces, those with most payload first.
    pub interfaces: Vec<InterfaceKey>,
    /// The finding, still without evidence objects and incident.
    pub finding: Finding,
}

/// What a state tells of all days up to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The findings, by day, then by id.
    pub findings: Vec<Judged>,
    /// Bytes that crossed the border outwards, headers included, each counted at one interface.
    pub counted_bytes: u64,
}

/// Judges every day up to `through`. Later traffic has no influence, so that the verdict on a day is the same
/// whenever it is asked for.
pub fn judge(state: &State, policy: &Policy, through: Day) -> Verdict {
    let view = View::new(state, policy, through);
    let Sifted {
        chosen,
        icmp,
        names,
        counted_bytes,
    } = view.sift();
    let mut findings = ports::judge(&view, policy, &chosen);
    let (ledgers, others) = thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut found = names::judge(&view, policy, names);
            found.extend(icmp::judge(&view, policy, icmp));
            found
        });
        let ledgers = ledger::judge(&view, policy, chosen);
        (ledgers, joined(others))
    });
    findings.extend(ledgers);
    findings.extend(others);
    findings.sort_by(|a, b| (a.day, &a.finding.id).cmp(&(b.day, &b.finding.id)));
    Verdict {
        findings,
        counted_bytes,
    }
}

/// Threads that findings are made on. Each is a pure function of its own entries.
const THREADS: usize = 4;

/// The results for all items, in their order.
fn in_parallel<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, R)> {
        let places = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let items = places.map_while(|at| items.get(at).map(|item| (at, of(item))));
        items.collect()
    };
    let threads = THREADS.min(items.len());
    let mut all: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let mut all = work();
        others
            .into_iter()
            .for_each(|thread| all.extend(joined(thread)));
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}

// A panic in a thread is a fault of the program: it goes on here.
fn joined<R>(thread: thread::ScopedJoinHandle<'_, R>) -> R {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
