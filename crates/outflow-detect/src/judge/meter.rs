//! The DNS information meter: bits that names carried, by client and domain, against bounds.
//!
//! Three ledgers, asked in this order for each day: a client below one domain (ten minutes, 24 hours, 7 days); a domain,
//! over what clients told it below their own bound; a client, over what it told all domains that few ask. What one has
//! charged, none counts again.

mod buckets;
mod information;
mod series;
mod shape;
mod told;

use std::collections::BTreeMap;

use outflow_finding::Family;

use super::Judged;
use super::exceedance::Exceedance;
use super::telemetry::SentToS3;
use crate::parallel::in_parallel;
use crate::policy::Policy;
use crate::policy::dns::Known;
use crate::queries::{Cell, Queries, QueryShard, Zone};
use crate::time::{Day, Slot};
use crate::view::View;
use information::Information;
use series::{Crossing, Rest, Series};
use told::Teller;

/// The family of all findings here.
const FAMILY: Family = Family::DnsTunnel;

/// Findings of what was asked of the resolver, for all days up to one: `dns.tunnel`, and `policy.telemetry` of buckets that
/// policy does not allow.
pub(super) fn judge(
    view: &View<'_>,
    policy: &Policy,
    queries: &Queries,
    to_s3: &SentToS3,
    through: Day,
) -> Vec<Judged> {
    let asked = Asked::of(queries, through);
    let shards: Vec<Found<'_>> = in_parallel(&queries.shards, |shard| {
        judge_shard(shard, policy, &asked, through)
    });
    let rarities = Rarities::of(&shards);
    let teller = Teller::new(view, policy, queries);
    let mut findings = buckets::judge(&teller, queries, to_s3, through);
    let mut rare: BTreeMap<(u32, Day), Vec<(f64, &Below<'_>)>> = BTreeMap::new();
    for found in &shards {
        for (below, crossing) in &found.crossings {
            let bits = rarities.bits(crossing.day, crossing.told.bits());
            findings.push(teller.client(below, crossing, bits));
        }
        for (zone, day, told, clients) in &found.domains {
            findings.push(teller.domain(zone, *day, told, clients));
        }
        for (below, rest) in &found.rests {
            let excess = rest.told.bits() - policy.dns.rare_free_bits as f64;
            let of_client = rare.entry((below.client, rest.day)).or_default();
            of_client.push((excess, below));
        }
    }
    let mut recent: Vec<OfDay<'_, '_>> = Vec::new();
    let mut of: Option<u32> = None;
    for ((client, day), parts) in rare {
        if of.replace(client) != Some(client) {
            recent.clear();
        }
        recent.retain(|(past, ..)| past.0 + WEEK > day.0);
        let sum: f64 = parts.iter().map(|(bits, _)| bits).sum();
        recent.push((day, sum, parts));
        let week: f64 = recent.iter().map(|(_, sum, _)| sum).sum();
        let is_day = sum > policy.dns.rare_day_bits as f64;
        if is_day || week > policy.dns.rare_week_bits as f64 {
            // What is told of a day or a week is none of what comes after.
            let from = if is_day { recent.len() - 1 } else { 0 };
            let told = recent.drain(from..).flat_map(|(.., parts)| parts);
            let (told, sum) = (of_domains(told), if is_day { sum } else { week });
            findings.push(teller.rare(client, day, (is_day, sum), &told));
        }
    }
    findings
}

/// Days of a week.
const WEEK: u32 = 7;

/// What a client told rare domains on a day: the sum, and of each domain.
type OfDay<'b, 'a> = (Day, f64, Vec<(f64, &'b Below<'a>)>);

/// The same by domain, those first that were told most.
fn of_domains<'b, 'a>(
    parts: impl Iterator<Item = (f64, &'b Below<'a>)>,
) -> Vec<(f64, &'b Below<'a>)> {
    let mut all: BTreeMap<Option<&Zone>, (f64, &'b Below<'a>)> = BTreeMap::new();
    for (bits, below) in parts {
        let own = all.entry(below.zone).or_insert((0.0, below));
        *own = (own.0 + bits, below);
    }
    let mut all: Vec<(f64, &Below<'_>)> = all.into_values().collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.zone.cmp(&b.1.zone)));
    all
}

/// What a client asked below a domain.
#[derive(Debug, Clone)]
struct Below<'a> {
    client: u32,
    /// None where memory did not suffice to tell domains apart.
    zone: Option<&'a Zone>,
    known: Option<Known<'a>>,
    slots: Vec<(Slot, &'a Cell)>,
    /// Clients that asked below it, with the day of their first query, by day.
    clients: usize,
    all_clients: usize,
}

/// What a shard came to.
#[derive(Debug, Default)]
struct Found<'a> {
    crossings: Vec<(Below<'a>, Crossing)>,
    domains: Vec<(&'a Zone, Day, Information, Vec<u32>)>,
    /// What is left below domains that few ask.
    rests: Vec<(Below<'a>, Rest)>,
    /// Bits of all clients, domains and days.
    bits: Vec<(Day, u64)>,
}

/// From which day on each client asked.
struct Asked(Vec<Day>);

impl Asked {
    fn of(queries: &Queries, through: Day) -> Self {
        let firsts = in_parallel(&queries.shards, |shard| {
            let mut first = vec![Day::LAST; queries.clients.len()];
            for (_, client, slot, _) in shard.cells() {
                let own = &mut first[client as usize];
                *own = slot.day().min(*own);
            }
            first
        });
        let mut all = vec![Day::LAST; queries.clients.len()];
        for first in firsts {
            for (own, day) in all.iter_mut().zip(first) {
                *own = day.min(*own);
            }
        }
        all.retain(|day| *day <= through);
        all.sort_unstable();
        Self(all)
    }

    /// Clients that had asked by the end of a day.
    fn by(&self, day: Day) -> usize {
        self.0.partition_point(|first| *first <= day)
    }
}

fn judge_shard<'a>(
    shard: &'a QueryShard,
    policy: &'a Policy,
    asked: &Asked,
    through: Day,
) -> Found<'a> {
    let mut cells: Vec<(Option<&Zone>, u32, Slot, &Cell)> = shard
        .cells()
        .filter(|(_, _, slot, _)| slot.day() <= through)
        .collect();
    cells.sort_unstable_by_key(|(zone, client, slot, _)| (*zone, *client, *slot));
    let mut found = Found::default();
    for of_zone in cells.chunk_by(|a, b| a.0 == b.0) {
        let zone = of_zone[0].0;
        let known = zone.and_then(|zone| policy.dns.known(&zone.domain, zone.is_expansion));
        let mut firsts: Vec<Day> = Vec::new();
        let mut series: Vec<Below<'_>> = Vec::new();
        for run in of_zone.chunk_by(|a, b| a.1 == b.1) {
            firsts.push(run[0].2.day());
            series.push(Below {
                client: run[0].1,
                zone,
                known,
                slots: run
                    .iter()
                    .map(|(_, _, slot, cell)| (*slot, *cell))
                    .collect(),
                clients: 0,
                all_clients: 0,
            });
        }
        firsts.sort_unstable();
        judge_zone(series, policy, asked, &firsts, &mut found);
    }
    found
}

fn judge_zone<'a>(
    series: Vec<Below<'a>>,
    policy: &Policy,
    asked: &Asked,
    firsts: &[Day],
    found: &mut Found<'a>,
) {
    let mut rests: BTreeMap<Day, Vec<(usize, Rest)>> = BTreeMap::new();
    for (at, below) in series.iter().enumerate() {
        for day in below.slots.chunk_by(|a, b| a.0.day() == b.0.day()) {
            let bits: u64 = day
                .iter()
                .map(|(_, cell)| cell.names.weight() / 1_000)
                .sum();
            found.bits.push((day[0].0.day(), bits));
        }
        let limits = policy.dns.limits(below.known);
        let of_series = Series {
            slots: &below.slots,
        };
        let judgement = of_series.judge(limits, policy.dns.rare_free_bits as f64);
        for crossing in judgement.crossings {
            let below = below.at(crossing.day, firsts, asked);
            found.crossings.push((below, crossing));
        }
        if below.known.is_none() {
            for rest in judgement.rests {
                rests.entry(rest.day).or_default().push((at, rest));
            }
        }
    }
    for (day, rests) in rests {
        let clients = firsts.partition_point(|first| *first <= day);
        let is_rare = policy.is_rare_domain(clients, asked.by(day));
        let sum: f64 = rests.iter().map(|(_, rest)| rest.told.bits()).sum();
        let zone = series[rests[0].0].zone;
        if rests.len() > 1 && sum > policy.dns.domain_day_bits as f64 {
            let (first, last) = (day.first_slot(), day.last_slot());
            let of_all = rests.iter().flat_map(|(at, _)| {
                let of_series = Series {
                    slots: &series[*at].slots,
                };
                series::cells(of_series.within(first, last))
            });
            let told = Information::of(of_all);
            let is_meant = is_rare || shape::Shape::of(&told).is_dense();
            if let Some(zone) =
                zone.filter(|_| is_meant && told.bits() > policy.dns.domain_day_bits as f64)
            {
                let clients = rests.iter().map(|(at, _)| series[*at].client).collect();
                found.domains.push((zone, day, told, clients));
                continue;
            }
        }
        if is_rare {
            for (at, rest) in rests {
                found.rests.push((series[at].at(day, firsts, asked), rest));
            }
        }
    }
}

impl Below<'_> {
    /// The same with how many asked by the end of a day.
    fn at(&self, day: Day, firsts: &[Day], asked: &Asked) -> Self {
        Self {
            clients: firsts.partition_point(|first| *first <= day),
            all_clients: asked.by(day),
            ..self.clone()
        }
    }
}

/// How rare it is that a client tells a domain so many bits a day, among all until then: by day and bits.
struct Rarities(BTreeMap<(Day, u64), f64>);

impl Rarities {
    fn of(shards: &[Found<'_>]) -> Self {
        let crossings = shards.iter().flat_map(|found| &found.crossings);
        let mut asked: Vec<(Day, u64)> = crossings
            .map(|(_, crossing)| (crossing.day, counted(crossing.told.bits())))
            .collect();
        asked.sort_unstable();
        let mut rarities = BTreeMap::new();
        if asked.is_empty() {
            return Self(rarities);
        }
        let mut all: Vec<(Day, u64)> = shards
            .iter()
            .flat_map(|found| &found.bits)
            .copied()
            .collect();
        all.sort_unstable();
        let (mut rest, mut known) = (&all[..], Exceedance::default());
        for of_day in asked.chunk_by(|a, b| a.0 == b.0) {
            let until = rest.partition_point(|(day, _)| *day <= of_day[0].0);
            known.extend(rest[..until].iter().map(|(_, bits)| *bits));
            rest = &rest[until..];
            rarities.extend(of_day.iter().map(|own| (*own, known.bits(own.1))));
        }
        Self(rarities)
    }

    fn bits(&self, day: Day, bits: f64) -> Option<f64> {
        self.0.get(&(day, counted(bits))).copied()
    }
}

/// Bits as ranks count them: of names alone, and up to the limit to which these are exact.
fn counted(bits: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and above the limit the limit counts"
    )]
    let bits = bits as u64;
    bits.min(crate::queries::INFORMATION_EXACT_MAX / 1_000)
}
