//! Hosts that take in much from many hosts inside, and then send about as much outside.
//!
//! Backups, collectors of logs and build servers do the same, every day. So a host is compared with its own past: what it
//! takes in must be several times what it ever took in within as many days, and go to where it has not been going. A host
//! without a past is not judged; what it sends is the ledger's.

use std::collections::BTreeMap;
use std::rc::Rc;

use outflow_finding::{Family, Severity, Why, human_bytes, human_count};

use super::Judged;
use super::baseline::{DayPayload, is_established};
use super::draft::{Charge, Draft, bounded};
use super::pairs::{AGAIN_DAYS, Census, of_part};
use super::severity::Measure;
use crate::counters::total;
use crate::policy::Policy;
use crate::state::{OfSlot as _, Receipt};
use crate::time::{Day, Slot};
use crate::view::{Entry, Received, View};

/// Days within which payload comes in and goes out.
const DAYS: u32 = 3;

/// Days that a host must have been seen for before those.
const PAST_DAYS: u32 = 7;

/// How many times as much as ever before comes in.
const TIMES_MIN: u64 = 4;

/// Of what comes in, this part at least goes out: what is packed is smaller.
const PACKED_MAX: u64 = 10;

/// And not more than so many times as much, or it is the host's own.
const GROWN_MAX: u64 = 2;

/// What a host relayed within the days that end with one.
#[derive(Debug)]
struct Relay<'a> {
    day: Day,
    /// The interface's workload when it last sent.
    workload: u32,
    /// Payload from inside, and the most that came in within as many days before.
    gathered: u64,
    before: u64,
    /// Of how many hosts inside, and whether of more.
    peers: (usize, bool),
    /// Payload outside that what had come in by then can be.
    relayed: u64,
    sent: Vec<&'a Entry<'a>>,
}

/// Findings `staging.relay`: one for an interface when it is first told, when it has doubled, and a week later.
pub(super) fn judge<'a>(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    chosen: &'a [Vec<Entry<'a>>],
) -> Vec<Judged> {
    let mut received = view.received();
    received.retain(|interface, slots| {
        let last = slots.last_key_value().map(|(slot, _)| slot.day());
        total(slots.values().map(|own| own.payload)) >= policy.bounds.relay
            && last.is_some_and(|last| {
                judged_from(view, *interface, last).is_some_and(|from| from <= last)
            })
    });
    let mut sent = unexplained(view, policy, chosen, &received);
    let mut findings = Vec::new();
    for (interface, slots) in &received {
        let host = Host {
            view,
            policy,
            interface: *interface,
            slots,
            past: Past::new(slots),
            sent: sent.remove(interface).unwrap_or_default(),
        };
        let mut told: Option<(Day, u64)> = None;
        for relay in host.relays() {
            let is_news = told.is_none_or(|(day, relayed)| {
                relay.day.0 >= day.0 + AGAIN_DAYS || relay.relayed >= relayed.saturating_mul(2)
            });
            if is_news {
                told = Some((relay.day, relay.relayed));
                findings.push(finding(view, policy, census, *interface, &relay));
            }
        }
    }
    findings
}

/// The first day that has enough of an interface's past before it, as far as its log reaches by the end of a day.
fn judged_from(view: &View<'_>, interface: u32, day: Day) -> Option<Day> {
    let limit = day.end().div_euclid(60) - 1;
    let (born, _) = view.watch(interface).life(limit)?;
    let born = Slot::of(born.saturating_mul(60)).day();
    let born = view.receipts_from().map_or(born, |kept| kept.max(born));
    Some(Day(born.0.saturating_add(PAST_DAYS)))
}

/// What an interface sent to a destination: the days of its whole workload, which its interfaces share, and its own entries
/// in the order of slots.
type ToGroup<'a> = (Rc<Vec<DayPayload>>, Vec<&'a Entry<'a>>);

/// What those who received much sent outside, but for what policy sanctions, by interface; one pass over all entries.
fn unexplained<'a>(
    view: &View<'_>,
    policy: &Policy,
    chosen: &'a [Vec<Entry<'a>>],
    received: &Received,
) -> BTreeMap<u32, Vec<ToGroup<'a>>> {
    let mut sent: BTreeMap<u32, Vec<ToGroup<'a>>> = BTreeMap::new();
    if received.is_empty() {
        return sent;
    }
    let is_meant =
        |entry: &Entry<'_>| entry.sends_payload() && received.contains_key(&entry.interface);
    let workloads = chosen
        .iter()
        .flat_map(|part| part.chunk_by(|a, b| a.workload == b.workload));
    for entries in workloads.filter(|entries| entries.iter().any(is_meant)) {
        let name = &view.workload(entries[0].workload).name;
        let rules = policy.sanctioned.iter();
        let rules: Vec<_> = rules
            .filter(|rule| rule.workload.as_ref().is_none_or(|own| own == name))
            .collect();
        for pair in of_part(entries) {
            let mut by_interface: BTreeMap<u32, Vec<&'a Entry<'a>>> = BTreeMap::new();
            for entry in pair.entries.iter().filter(|entry| is_meant(entry)) {
                if !rules.iter().any(|rule| entry.lies_in(&rule.destination)) {
                    by_interface.entry(entry.interface).or_default().push(entry);
                }
            }
            if !by_interface.is_empty() {
                let days = Rc::new(pair.days());
                for (interface, own) in by_interface {
                    let groups = sent.entry(interface).or_default();
                    groups.push((Rc::clone(&days), own));
                }
            }
        }
    }
    sent
}

/// Payload that came in, by days.
#[derive(Debug)]
struct Past {
    days: BTreeMap<Day, u64>,
    /// By days with payload: the most that came in within [`DAYS`] days that end with it or before.
    most: Vec<DayPayload>,
}

impl Past {
    fn new(slots: &BTreeMap<Slot, Receipt>) -> Self {
        let mut days: BTreeMap<Day, u64> = BTreeMap::new();
        for (slot, own) in slots {
            let sum = days.entry(slot.day()).or_default();
            *sum = sum.saturating_add(own.payload);
        }
        let most = days.keys().scan(0, |most, day| {
            let first = Day(day.0.saturating_sub(DAYS - 1));
            *most = total(days.range(first..=*day).map(|(_, sum)| *sum)).max(*most);
            Some((*day, *most))
        });
        let most = most.collect();
        Self { days, most }
    }

    fn gathered(&self, first: Day, last: Day) -> u64 {
        total(self.days.range(first..=last).map(|(_, sum)| *sum))
    }

    /// The most that came in within so many days before one.
    fn before(&self, first: Day) -> u64 {
        let until = self.most.partition_point(|(day, _)| *day < first);
        let last = until.checked_sub(1).and_then(|at| self.most.get(at));
        last.map_or(0, |(_, most)| *most)
    }
}

/// An interface, and what came in and went out.
struct Host<'h, 'a> {
    view: &'h View<'h>,
    policy: &'h Policy,
    interface: u32,
    slots: &'h BTreeMap<Slot, Receipt>,
    past: Past,
    sent: Vec<ToGroup<'a>>,
}

impl<'a> Host<'_, 'a> {
    /// What it relayed, by the days on which it sent something.
    fn relays(&self) -> Vec<Relay<'a>> {
        let entries = self.sent.iter().flat_map(|(_, own)| own);
        let mut days: Vec<Day> = entries.map(|entry| entry.slot.day()).collect();
        days.sort_unstable();
        days.dedup();
        days.into_iter().filter_map(|day| self.relay(day)).collect()
    }

    fn relay(&self, day: Day) -> Option<Relay<'a>> {
        let bounds = &self.policy.bounds;
        let first = Day(day.0.checked_sub(DAYS - 1)?);
        let gathered = self.past.gathered(first, day);
        if gathered < bounds.relay {
            return None;
        }
        let before = self.before(first, day)?;
        if gathered < before.saturating_mul(TIMES_MIN) {
            return None;
        }
        let mut union = Receipt::default();
        self.within(first, day).for_each(|(_, own)| union.add(own));
        let peers = union.peers();
        let sent = self.sent(first, day);
        let last = sent
            .iter()
            .max_by_key(|entry| (entry.slot, entry.workload))?;
        let workload = last.workload;
        let all = total(sent.iter().map(|entry| entry.counters.up().payload));
        let relayed = self.relayed(first, day, &sent);
        let is_relay = relayed >= bounds.relay
            && relayed >= gathered / PACKED_MAX
            && all <= gathered.saturating_mul(GROWN_MAX)
            && peers.0 >= bounds.relay_peers as usize;
        is_relay.then_some(Relay {
            day,
            workload,
            gathered,
            before,
            peers,
            relayed,
            sent,
        })
    }

    fn within(&self, first: Day, last: Day) -> impl Iterator<Item = (&Slot, &Receipt)> {
        self.slots.range(first.first_slot()..=last.last_slot())
    }

    /// The most that came in within as many days before; nothing, where the log, or what is kept of receipts, does not reach
    /// back far enough.
    fn before(&self, first: Day, day: Day) -> Option<u64> {
        let from = judged_from(self.view, self.interface, day)?;
        (first >= from).then(|| self.past.before(first))
    }

    /// What it sent to where it had not been going.
    fn sent(&self, first: Day, last: Day) -> Vec<&'a Entry<'a>> {
        let baseline = &self.policy.baseline;
        let mut sent = Vec::new();
        for (days, own) in &self.sent {
            if !is_established(days, last, baseline) {
                let from = own.partition_point(|entry| entry.slot.day() < first);
                let until = own.partition_point(|entry| entry.slot.day() <= last);
                sent.extend_from_slice(&own[from..until]);
            }
        }
        sent
    }

    /// Of what was sent, that which had come in by then: what goes out first was there before.
    fn relayed(&self, first: Day, last: Day, sent: &[&Entry<'_>]) -> u64 {
        let mut outgoing: BTreeMap<Slot, u64> = BTreeMap::new();
        for entry in sent {
            let own = outgoing.entry(entry.slot).or_default();
            *own = own.saturating_add(entry.counters.up().payload);
        }
        let mut incoming = self.within(first, last).peekable();
        let (mut held, mut relayed) = (0_u64, 0_u64);
        for (slot, out) in outgoing {
            while let Some((_, own)) = incoming.next_if(|(at, _)| **at <= slot) {
                held = held.saturating_add(own.payload);
            }
            let passed = out.min(held);
            held -= passed;
            relayed = relayed.saturating_add(passed);
        }
        relayed
    }
}

fn finding(
    view: &View<'_>,
    policy: &Policy,
    census: &Census,
    interface: u32,
    relay: &Relay<'_>,
) -> Judged {
    let bound = policy.bounds.relay;
    let draft = Draft::of(relay.sent.iter().copied());
    let day = relay.day;
    let place = draft.place(view);
    let gathered = human_bytes(relay.gathered);
    let sent = human_bytes(draft.up().payload);
    let (peers, is_more) = relay.peers;
    let hosts = match is_more {
        true => format!("more than {peers} hosts"),
        false => format!("{peers} hosts"),
    };
    let measure = draft.measure(relay.relayed, bound);
    let main = draft.main_groups().first().map(|(group, _)| *group);
    let prevalence = main.map_or(0, |group| census.prevalence(group, day));
    let is_rare = policy.is_rare(prevalence, census.workloads(day));
    let why = vec![
        Why {
            expected: Some(relay.before as f64),
            ..bounded(
                relay.gathered,
                bound.max(relay.before.saturating_mul(TIMES_MIN)),
                "bytes",
                format!(
                    "{gathered} of payload came in from {hosts} inside within the {DAYS} days to {day}, where as many days \
                     before had {} at most",
                    human_bytes(relay.before)
                ),
            )
        },
        bounded(
            relay.relayed,
            bound,
            "bytes",
            format!(
                "{} of that, and {sent} in all, went to {place}, where it had not been going, after that; the bound is {}",
                human_bytes(relay.relayed),
                human_bytes(bound)
            ),
        ),
        bounded(
            peers as u64,
            u64::from(policy.bounds.relay_peers),
            "hosts",
            format!(
                "{hosts} inside sent it windows of 16 kB and more; the bound is {}",
                human_count(u64::from(policy.bounds.relay_peers))
            ),
        ),
        super::ledger::shape_reason(&measure),
        census.prevalence_reason(policy, prevalence, day),
    ];
    let who = view.workload(relay.workload);
    let host = view.interface(interface).id();
    let charge = Charge {
        family: Family::StagingRelay,
        day,
        identity: &[&who.account_id, &who.unique_name(), &host],
        title: format!("{gathered} gathered from {hosts} inside, then {sent} sent to {place}"),
        severity: severity(&measure, is_rare),
        risk: measure.risk(),
        bits: None,
        attack: &["T1074.002", "T1048"],
        why,
        workload: Some(relay.workload),
    };
    draft.finish(view, charge)
}

/// A new place for backups looks alike, until others use it.
fn severity(measure: &Measure, is_rare: bool) -> Severity {
    match is_rare && measure.up >= measure.down.saturating_mul(4) {
        true => Severity::Medium,
        false => Severity::Low,
    }
}

#[cfg(test)]
mod tests;
