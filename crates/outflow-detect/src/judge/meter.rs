//! The DNS information meter: bits that names carried, by client and domain, against bounds.
//!
//! Three ledgers, asked in this order for each day: a client below one domain (ten minutes, 24 hours, 7 days); a domain,
//! over what clients told it below their own bound; a client, over what it told all domains that few ask (`rare`). What one
//! has charged, none counts again.

mod buckets;
mod information;
mod rare;
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
    for found in &shards {
        for (below, crossing) in &found.crossings {
            let bits = rarities.bits(crossing.day, crossing.told.bits());
            findings.push(teller.client(below, crossing, bits));
        }
        for (zone, day, told, clients) in &found.domains {
            findings.push(teller.domain(zone, *day, told, clients));
        }
    }
    let rests = shards.iter().flat_map(|found| &found.rests);
    findings.extend(rare::judge(&teller, &asked.active, rests));
    findings
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

/// Who asked when.
struct Asked {
    /// The first day of each client, in order.
    firsts: Vec<Day>,
    /// How many clients asked on each day.
    active: BTreeMap<Day, u64>,
}

/// Clients that asked, by day: a bit for each.
type OfDays = BTreeMap<Day, Vec<u64>>;

impl Asked {
    fn of(queries: &Queries, through: Day) -> Self {
        let words = queries.clients.len().div_ceil(64);
        let parts: Vec<OfDays> = in_parallel(&queries.shards, |shard| {
            let mut days = OfDays::new();
            let cells = shard.cells().map(|(_, client, slot, _)| (client, slot));
            for (client, slot) in cells.filter(|(_, slot)| slot.day() <= through) {
                let bits = days.entry(slot.day()).or_insert_with(|| vec![0; words]);
                bits[client as usize / 64] |= 1 << (client % 64);
            }
            days
        });
        let mut days = OfDays::new();
        for (day, bits) in parts.into_iter().flatten() {
            let all = days.entry(day).or_insert_with(|| vec![0; words]);
            all.iter_mut()
                .zip(bits)
                .for_each(|(own, bits)| *own |= bits);
        }
        let (mut met, mut firsts) = (vec![0u64; words], Vec::new());
        let mut active = BTreeMap::new();
        for (day, bits) in days {
            let (mut all, mut new) = (0, 0);
            for (met, bits) in met.iter_mut().zip(bits) {
                all += u64::from(bits.count_ones());
                new += (bits & !*met).count_ones() as usize;
                *met |= bits;
            }
            firsts.extend(std::iter::repeat_n(day, new));
            active.insert(day, all);
        }
        Self { firsts, active }
    }

    /// Clients that had asked by the end of a day.
    fn by(&self, day: Day) -> usize {
        self.firsts.partition_point(|first| *first <= day)
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
