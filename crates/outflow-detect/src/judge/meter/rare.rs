//! What a client tells domains that few ask, below the bound of each: a theft that is split over domains.
//!
//! Sums of a day and of a week have bounds. They are also ranked among those of all clients on all days before, by their tail:
//! what hardly exceeds a bound stands out where nobody tells rare domains as much. And what would be enough for one domain is
//! told below these bounds, where names are like data and so much is rare.

use std::collections::BTreeMap;

use outflow_finding::{Why, human_count};

use super::information::Information;
use super::series::Rest;
use super::shape::Shape;
use super::told::{ATTACK, DOMAINS_MAX, Teller, Telling, bits_why, destination, in_bytes, made_of};
use super::{Below, FAMILY};
use crate::judge::chance::rounded;
use crate::judge::exceedance::{BITS_USUAL, Exceedance};
use crate::judge::{Judged, Rank, Stratum};
use crate::policy::Policy;
use crate::queries::Zone;
use crate::time::Day;

/// Days of a week.
const WEEK: u32 = 7;

/// What one domain was told on a day, beyond what is not counted.
type Part<'b, 'a> = (f64, &'b Below<'a>);

/// Findings of clients, of what is left below the bound of each domain; `active` are the clients that asked, by day.
pub(super) fn judge<'b, 'a: 'b>(
    teller: &Teller<'_>,
    active: &BTreeMap<Day, u64>,
    rests: impl Iterator<Item = &'b (Below<'a>, Rest)>,
) -> Vec<Judged> {
    let policy = teller.policy();
    let mut by_day: BTreeMap<Day, BTreeMap<u32, Vec<Part<'_, '_>>>> = BTreeMap::new();
    for (below, rest) in rests {
        let excess = rest.told.bits() - policy.dns.rare_free_bits as f64;
        let of_day = by_day.entry(rest.day).or_default();
        let parts = of_day.entry(below.client).or_default();
        parts.push((excess, below));
    }
    let mut tails = Tails::default();
    let mut clients: BTreeMap<u32, Vec<OfDay<'_, '_>>> = BTreeMap::new();
    let mut findings = Vec::new();
    for (day, active) in active {
        let mut sums = Vec::new();
        for (client, parts) in by_day.remove(day).unwrap_or_default() {
            let recent = clients.entry(client).or_default();
            recent.retain(|past| past.day.0 + WEEK > day.0);
            recent.push(OfDay {
                day: *day,
                bits: parts.iter().map(|(bits, _)| bits).sum(),
                parts,
                is_told: false,
            });
            sums.push(recent.iter().map(|own| own.bits).collect());
            let found = Rare::of(policy, &tails, recent);
            findings.extend(found.map(|rare| rare.finding(teller, client, *day)));
        }
        tails.pass(*active, &sums);
    }
    findings
}

/// What a client told rare domains on a day.
struct OfDay<'b, 'a> {
    day: Day,
    bits: f64,
    parts: Vec<Part<'b, 'a>>,
    /// What was told of is none of what comes after.
    is_told: bool,
}

/// Sums of all clients' days so far: of the day, and of the week up to it.
#[derive(Debug, Default)]
struct Tails {
    day: Exceedance,
    week: Exceedance,
}

impl Tails {
    /// Takes in a day on which so many clients asked, some of which told something on these days up to it.
    fn pass(&mut self, active: u64, sums: &[Vec<f64>]) {
        let quiet = active.saturating_sub(sums.len() as u64);
        let today = sums.iter().filter_map(|days| days.last());
        self.day.extend(today.map(|bits| counted(*bits)));
        let weeks = sums.iter().map(|days| counted(days.iter().sum()));
        self.week.extend(weeks);
        self.day.extend_quiet(quiet);
        self.week.extend_quiet(quiet);
    }

    /// How rare a sum is.
    fn bits(&self, span: Span, bits: f64) -> f64 {
        let tail = match span {
            Span::Week => &self.week,
            Span::Day | Span::BelowBounds => &self.day,
        };
        let log2 = |bits: u64| (bits.max(1) as f64).log2();
        tail.tail_bits(counted(bits), log2)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative"
)]
fn counted(bits: f64) -> u64 {
    bits as u64
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// The bound of a day was crossed.
    Day,
    /// That of a week.
    Week,
    /// None, by what a day has.
    BelowBounds,
}

impl Span {
    fn text(self) -> &'static str {
        match self {
            Self::Day | Self::BelowBounds => "a day",
            Self::Week => "7 days",
        }
    }
}

/// A client that told rare domains much.
struct Rare<'b, 'a> {
    span: Span,
    bits: f64,
    tail_bits: f64,
    /// Each domain once, those first that were told most.
    parts: Vec<Part<'b, 'a>>,
    told: Information,
}

impl<'b, 'a> Rare<'b, 'a> {
    /// What the last of some days comes to, if it is to be told.
    fn of(policy: &Policy, tails: &Tails, recent: &mut [OfDay<'b, 'a>]) -> Option<Self> {
        let (dns, last) = (&policy.dns, recent.len().checked_sub(1)?);
        let today = recent[last].bits;
        let open = recent.iter().filter(|own| !own.is_told);
        let week: f64 = open.map(|own| own.bits).sum();
        let (span, from, bits) = if today > dns.rare_day_bits as f64 {
            (Span::Day, last, today)
        } else if week > dns.rare_week_bits as f64 {
            (Span::Week, 0, week)
        } else if today > dns.client_day_bits as f64 {
            (Span::BelowBounds, last, today)
        } else {
            return None;
        };
        let day = recent[last].day;
        let open = recent[from..].iter().filter(|own| !own.is_told);
        let parts = of_domains(open.flat_map(|own| own.parts.iter().copied()));
        let rare = Self {
            span,
            bits,
            tail_bits: tails.bits(span, bits),
            told: told(&parts, span, day),
            parts,
        };
        let is_meant = span != Span::BelowBounds
            || rare.parts.len() > 1
                && rare.tail_bits >= f64::from(policy.scores.trickle)
                && Shape::of(&rare.told).is_dense();
        if is_meant {
            recent[from..].iter_mut().for_each(|own| own.is_told = true);
        }
        is_meant.then_some(rare)
    }

    /// How rare that is, if there is a past to tell it by; below the bounds, it must have so many bits.
    fn rarity(&self, trickle: u32) -> Option<Why> {
        let text = || {
            format!(
                "by the tail of what clients tell such domains in {}, one client-day in 2^{:.0} has as much",
                self.span.text(),
                self.tail_bits
            )
        };
        (self.tail_bits >= 1.0).then(|| Why {
            observed: rounded(self.tail_bits),
            bound: (self.span == Span::BelowBounds).then(|| f64::from(trickle)),
            unit: "bits".to_owned(),
            text: text(),
            ..Why::default()
        })
    }

    /// The finding of a client on a day.
    fn finding(&self, teller: &Teller<'_>, client: u32, day: Day) -> Judged {
        let (dns, trickle) = (&teller.policy().dns, teller.policy().scores.trickle);
        let span = self.span.text();
        let (bound, identity, stratum, limit) = match self.span {
            Span::Day => (
                dns.rare_day_bits,
                "rare domains",
                Stratum::Plain,
                "the bound",
            ),
            Span::Week => (
                dns.rare_week_bits,
                "rare domains of a week",
                Stratum::Plain,
                "the bound",
            ),
            Span::BelowBounds => (
                dns.client_day_bits,
                "rare domains below their bounds",
                Stratum::Trickle,
                "what one domain alone may be told",
            ),
        };
        let (times, shape) = (self.bits / bound.max(1) as f64, Shape::of(&self.told));
        let count = human_count(self.parts.len() as u64);
        let text = format!(
            "{} of information in names below {count} domains that few ask, in {span} and beyond {} bits a day for each; \
             {limit} is {}",
            in_bytes(self.bits),
            dns.rare_free_bits,
            in_bytes(bound as f64),
        );
        let title = format!(
            "{} in names below {count} rare domains in {span}, {}",
            in_bytes(self.bits),
            shape.looks()
        );
        let mut why = vec![bits_why(self.bits, bound, text), made_of(&self.told)];
        why.extend(self.rarity(trickle));
        let severity = shape.severity(times);
        why.extend(shape.reasons);
        let zones = || self.parts.iter().filter_map(|(_, below)| below.zone);
        let mut destination = destination(zones());
        destination.group = None;
        destination.domain = None;
        let domains: Vec<&str> = zones().map(|zone| &*zone.domain).collect();
        let is_all = domains.len() == self.parts.len() && domains.len() <= DOMAINS_MAX;
        let finding = teller.tell(Telling {
            family: FAMILY,
            attack: &ATTACK,
            day,
            clients: &[client],
            identity,
            title,
            why,
            told: &self.told,
            bits: self.bits,
            bound,
            rarity: None,
            severity,
            destination,
            domains: is_all.then_some(domains),
        });
        // Never less than by how much the bound is exceeded, as the others of the family are ranked.
        let octaves = (self.tail_bits - BITS_USUAL).max(times.log2()).max(0.0);
        finding.ranked(Rank {
            stratum,
            octaves: Some(octaves),
        })
    }
}

/// All that domains were told until the end of a day.
fn told(parts: &[Part<'_, '_>], span: Span, day: Day) -> Information {
    let days = if span == Span::Week { WEEK } else { 1 };
    let from = Day((day.0 + 1).saturating_sub(days));
    let (first, last) = (from.first_slot(), day.last_slot());
    let of_part = |(_, below): &Part<'_, '_>| {
        let slots = below
            .slots
            .iter()
            .filter(|(slot, _)| (first..=last).contains(slot));
        Information::of(slots.map(|(_, cell)| *cell))
    };
    let told = parts.iter().map(of_part);
    told.reduce(|all, part| all.with(&part)).unwrap_or_default()
}

/// Parts by domain, those first that were told most.
fn of_domains<'b, 'a>(parts: impl Iterator<Item = Part<'b, 'a>>) -> Vec<Part<'b, 'a>> {
    let mut all: BTreeMap<Option<&Zone>, Part<'b, 'a>> = BTreeMap::new();
    for (bits, below) in parts {
        let own = all.entry(below.zone).or_insert((0.0, below));
        *own = (own.0 + bits, below);
    }
    let mut all: Vec<Part<'_, '_>> = all.into_values().collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.zone.cmp(&b.1.zone)));
    all
}
