//! Hosts that take in much from many hosts inside, and then send about as much outside.
//!
//! Backups, collectors of logs and build servers do the same, every day. So a host is compared with its own past: what it
//! takes in must be several times what it ever took in within as many days, and go to where it has not been going. A host
//! without a past is not judged; what it sends is the ledger's.

use std::collections::BTreeMap;

use outflow_finding::{Family, Severity, Why, human_bytes, human_count};

use super::Judged;
use super::baseline::{DayPayload, is_established};
use super::draft::{Charge, Draft, bounded};
use super::pairs::{AGAIN_DAYS, Census, of_part};
use super::severity::Measure;
use crate::counters::total;
use crate::policy::Policy;
use crate::state::Receipt;
use crate::time::{Day, Slot};
use crate::view::{Entry, View};

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
    let mut findings = Vec::new();
    for ((workload, interface), slots) in view.received() {
        let all = total(slots.values().map(|own| own.payload));
        if all < policy.bounds.relay {
            continue;
        }
        let entries = of_workload(chosen, workload);
        let host = Host {
            view,
            policy,
            interface,
            slots: &slots,
            sent: unexplained(view, policy, entries, interface),
        };
        let mut told: Option<(Day, u64)> = None;
        for relay in host.relays() {
            let is_news = told.is_none_or(|(day, relayed)| {
                relay.day.0 >= day.0 + AGAIN_DAYS || relay.relayed >= relayed.saturating_mul(2)
            });
            if is_news {
                told = Some((relay.day, relay.relayed));
                findings.push(finding(view, policy, census, (workload, interface), &relay));
            }
        }
    }
    findings
}

/// What a workload chose to send outside.
fn of_workload<'a>(chosen: &'a [Vec<Entry<'a>>], workload: u32) -> &'a [Entry<'a>] {
    let Some(part) = chosen.get(workload as usize % chosen.len().max(1)) else {
        return &[];
    };
    let from = part.partition_point(|entry| entry.workload < workload);
    let until = part.partition_point(|entry| entry.workload <= workload);
    &part[from..until]
}

/// What an interface sent to a destination: the days of its whole workload, and its own entries.
type ToGroup<'a> = (Vec<DayPayload>, Vec<&'a Entry<'a>>);

fn unexplained<'a>(
    view: &View<'_>,
    policy: &Policy,
    entries: &'a [Entry<'a>],
    interface: u32,
) -> Vec<ToGroup<'a>> {
    let name = |entry: &Entry<'_>| view.workload(entry.workload).name.clone();
    let is_sanctioned = |entry: &Entry<'_>| {
        let mut rules = policy.sanctioned.iter();
        rules.any(|rule| {
            let is_meant = rule.workload.as_ref().is_none_or(|own| *own == name(entry));
            is_meant && entry.lies_in(&rule.destination)
        })
    };
    let of_pair = |entries: &'a [Entry<'a>], days| {
        let own = entries.iter().filter(|entry| {
            entry.interface == interface && entry.sends_payload() && !is_sanctioned(entry)
        });
        (days, own.collect::<Vec<_>>())
    };
    let pairs = of_part(entries).map(|pair| of_pair(pair.entries, pair.days()));
    pairs.filter(|(_, own)| !own.is_empty()).collect()
}

/// An interface, and what came in and went out.
struct Host<'h, 'a> {
    view: &'h View<'h>,
    policy: &'h Policy,
    interface: u32,
    slots: &'h BTreeMap<Slot, Receipt>,
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
        let gathered = self.gathered(first, day);
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
        let all = total(sent.iter().map(|entry| entry.counters.up().payload));
        let relayed = self.relayed(first, day, &sent);
        let is_relay = relayed >= bounds.relay
            && relayed >= gathered / PACKED_MAX
            && all <= gathered.saturating_mul(GROWN_MAX)
            && peers.0 >= bounds.relay_peers as usize;
        is_relay.then_some(Relay {
            day,
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

    fn gathered(&self, first: Day, last: Day) -> u64 {
        total(self.within(first, last).map(|(_, own)| own.payload))
    }

    /// The most that came in within as many days before; nothing, where the log does not reach back far enough.
    fn before(&self, first: Day, day: Day) -> Option<u64> {
        let limit = day.end().div_euclid(60) - 1;
        let (born, _) = self.view.watch(self.interface).life(limit)?;
        let born = Slot::of(born.saturating_mul(60)).day();
        let last = Day(first.0.checked_sub(1)?);
        if first.0 < born.0.saturating_add(PAST_DAYS) {
            return None;
        }
        let firsts = self.slots.range(..first.first_slot());
        let mut days: Vec<Day> = firsts.map(|(slot, _)| slot.day()).collect();
        days.dedup();
        let spans = days.into_iter().map(|from| {
            let until = Day(from.0.saturating_add(DAYS - 1)).min(last);
            self.gathered(from, until)
        });
        Some(spans.max().unwrap_or(0))
    }

    /// What it sent to where it had not been going.
    fn sent(&self, first: Day, last: Day) -> Vec<&'a Entry<'a>> {
        let baseline = &self.policy.baseline;
        let mut groups = self.sent.iter();
        let mut sent = Vec::new();
        for (days, own) in groups.by_ref() {
            if !is_established(days, last, baseline) {
                let within = own.iter().filter(|entry| {
                    let day = entry.slot.day();
                    first <= day && day <= last
                });
                sent.extend(within);
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
    (workload, interface): (u32, u32),
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
    let who = view.workload(workload);
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
        workload: Some(workload),
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
