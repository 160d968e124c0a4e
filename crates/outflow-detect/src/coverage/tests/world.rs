//! A simulated world in which an interface loses three hours and another logs REJECT only, compared with its own
//! lines minute by minute.

use std::collections::{BTreeMap, BTreeSet};

use outflow_enrich::{Enricher, InterfaceKey, Networks, Origin, PointKey};
use outflow_finding::{Blind, InterfaceCoverage, RowCounts};
use outflow_record::{Decoder, Field, Format};
use outflow_sim::{World, WorldConfig};

use super::{Told, plain};
use crate::policy::Policy;
use crate::state::{Grain, State};
use crate::{Day, Judged, judge};

/// The lost hours: 08:00 to 11:00 of the second day.
const LOST: std::ops::Range<i64> = 115_200..126_000;

/// What the lines of an interface say.
#[derive(Default)]
struct Truth {
    told: BTreeMap<i64, Told>,
    accepted: u64,
    rejected: u64,
}

/// The lines of a world, as they are left, and what they say by interface.
struct Made {
    lines: String,
    truth: BTreeMap<String, Truth>,
    lossy: String,
    refusing: String,
}

fn made() -> Made {
    let config = WorldConfig {
        days: 3,
        enis: 8,
        object_minutes: 1_440,
        ..WorldConfig::default()
    };
    let at = |field: Field| config.format.position(field).unwrap();
    let [eni, start, end, action, status] = [
        Field::InterfaceId,
        Field::Start,
        Field::End,
        Field::Action,
        Field::LogStatus,
    ]
    .map(at);
    let world = World::new(&config).unwrap();
    let texts: Vec<String> = world
        .objects()
        .map(|object| String::from_utf8(object.text).unwrap())
        .collect();
    let rows: Vec<Vec<&str>> = texts
        .iter()
        .flat_map(|text| text.lines().skip(1))
        .map(|line| line.split(' ').collect())
        .collect();
    let (lossy, refusing) = busiest(rows.iter().map(|row| row[eni]));
    let mut made = Made {
        lines: String::new(),
        truth: BTreeMap::new(),
        lossy,
        refusing,
    };
    for mut row in rows {
        let secs = |at: usize| row[at].parse::<i64>().unwrap();
        let (from, to) = (secs(start), secs(end));
        let since = from - config.start.secs();
        if row[eni] == made.lossy && LOST.contains(&since) {
            continue;
        }
        // The simulator writes no SKIPDATA: what it says of the first day's idle windows is made to be that.
        if row[eni] == made.lossy && row[status] == "NODATA" && since < LOST.start {
            row[status] = "SKIPDATA";
        }
        if row[eni] == made.refusing && row[action] == "ACCEPT" {
            row[action] = "REJECT";
        }
        let truth = made.truth.entry(row[eni].to_owned()).or_default();
        let state = match row[status] {
            "OK" => Told::Ok,
            "NODATA" => Told::NoData,
            _ => Told::SkipData,
        };
        for minute in from / 60..=to / 60 {
            let known = truth.told.entry(minute).or_insert(state);
            *known = known.with(state);
        }
        truth.accepted += u64::from(row[action] == "ACCEPT");
        truth.rejected += u64::from(row[action] == "REJECT");
        made.lines += &row.join(" ");
        made.lines.push('\n');
    }
    made
}

/// The two interfaces with most rows: the others may not live through the lost hours.
fn busiest<'a>(rows: impl Iterator<Item = &'a str>) -> (String, String) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for id in rows {
        *counts.entry(id).or_default() += 1;
    }
    let mut sorted: Vec<(u64, &str)> = counts.into_iter().map(|(id, rows)| (rows, id)).collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    (sorted[0].1.to_owned(), sorted[1].1.to_owned())
}

/// Folds lines into a state.
fn state_of(lines: &str) -> State {
    let mut state = State::default();
    let mut enricher = Enricher::new(Networks::default());
    let mut decoder = Decoder::new(Some(Format::version_5()));
    let mut rest = lines.as_bytes();
    while !rest.is_empty() {
        let taken = decoder.decode(rest).unwrap();
        rest = &rest[taken..];
        let Some(decoded) = decoder.flush() else {
            continue;
        };
        for row in &decoded.coverage {
            let key = PointKey::own(
                InterfaceKey {
                    account_id: row.account_id.clone().unwrap(),
                    interface_id: row.interface_id.clone().unwrap(),
                },
                String::new(),
            );
            state.fold_coverage(&key, row);
        }
        state.fold(
            &enricher.enrich(&decoded.flows, &Origin::default()),
            i64::MIN,
        );
    }
    state
}

fn id(of: &InterfaceCoverage) -> &str {
    of.interface_id.as_deref().unwrap()
}

#[test]
fn the_ledger_is_the_truth_of_a_world_minute_by_minute() {
    let made = made();
    let state = state_of(&made.lines);
    let report = state.coverage(Grain::Hour);
    assert_eq!(report.len(), made.truth.len());
    let mut kinds = BTreeSet::new();
    for (of, (_, entity)) in report.iter().zip(state.entities.sorted()) {
        let truth = &made.truth[id(of)];
        let (born, gone) = entity.watch.life(i64::MAX).unwrap();
        for minute in born..=gone {
            let said = entity.watch.minutes(minute, minute, gone);
            assert_eq!(
                (
                    said.expected(),
                    said.ok,
                    said.nodata,
                    said.between,
                    said.missing
                ),
                {
                    let plain = plain(&truth.told, minute, minute, gone);
                    (1, plain.ok, plain.nodata, plain.between, plain.missing)
                },
                "{} at {minute}",
                id(of)
            );
        }
        let whole = plain(&truth.told, born, gone, gone);
        kinds.extend([
            (0, whole.ok > 0),
            (1, whole.nodata > 0),
            (2, whole.skipdata > 0),
            (3, whole.between > 0),
            (4, whole.missing > 0),
        ]);
        let counts = (of.minutes.ok, of.minutes.nodata, of.minutes.skipdata);
        assert_eq!(counts, (whole.ok, whole.nodata, whole.skipdata));
        assert_eq!(of.minutes.missing, whole.missing);
        let rows = RowCounts {
            accepted: truth.accepted,
            rejected: truth.rejected,
            ..RowCounts::default()
        };
        assert_eq!(of.rows, rows);
    }
    for kind in 0..5 {
        assert!(kinds.contains(&(kind, true)), "the world has every kind");
    }
}

#[test]
fn the_gap_and_the_refusing_interface_are_told() {
    let made = made();
    let report = state_of(&made.lines).coverage(Grain::Hour);
    let of = |eni: &str| report.iter().find(|of| id(of) == eni).unwrap();
    let start = WorldConfig::default().start.secs();
    let lost: u64 = of(&made.lossy)
        .hours
        .iter()
        .filter(|hour| LOST.contains(&(hour.start.secs() - start)))
        .map(|hour| hour.minutes.missing)
        .sum();
    // A record that began before may reach into the gap.
    assert!((175..=180).contains(&lost), "{lost} of 180 minutes");
    assert!(of(&made.refusing).blind().contains(&Blind::RejectOnly));
    let blind = |of: &&InterfaceCoverage| of.rows.is_reject_only();
    assert_eq!(report.iter().filter(blind).count(), 1);
}

#[test]
fn a_finding_says_of_its_time_what_the_ledger_says() {
    let made = made();
    let mut lines = made.lines.clone();
    let start = WorldConfig::default().start.secs();
    // An upload ten minutes before the lost hours, and one ten minutes after: one finding.
    let uploads = [start + LOST.start - 600, start + LOST.end + 600];
    let account = made.lines.split(' ').nth(1).unwrap();
    let vpc = "vpc-1 subnet-1 i-1 2 IPv4 10.0.0.9 185.1.2.3 us-east-1 use1-az1 - - - - egress 8";
    for at in uploads {
        let (packets, end) = (1_000_000, at + 59);
        let bytes = packets * 1_052;
        lines += &format!(
            "5 {account} {} 10.0.0.9 185.1.2.3 40000 443 6 {packets} {bytes} {at} {end} ACCEPT OK {vpc}\n",
            made.lossy
        );
    }
    let mut told = made.truth[&made.lossy].told.clone();
    told.extend(uploads.map(|at| (at / 60, Told::Ok)));
    let verdict = judge(&state_of(&lines), &Policy::default(), Day(30_000));
    let own = |judged: &&Judged| judged.finding.interface_id.as_ref() == Some(&made.lossy);
    let mut missing = 0;
    for Judged { finding, day, .. } in verdict.findings.iter().filter(own) {
        let [first, last] =
            [finding.first_seen, finding.last_seen].map(|at| at.unwrap().secs() / 60);
        let limit = day.end() / 60 - 1;
        let gone = *told.range(..=limit).next_back().unwrap().0;
        let truth = plain(&told, first, last.min(gone), limit);
        let said = finding.coverage.as_ref().unwrap();
        assert_eq!(
            (said.minutes_covered, said.minutes_expected),
            (truth.covered(), truth.expected())
        );
        assert!(said.share == truth.share());
        missing += truth.missing;
    }
    assert!(missing >= 175, "a finding spans the lost hours");
}
