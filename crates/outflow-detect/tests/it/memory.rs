//! Under a small limit of keys a state keeps less of each, loses no byte, and still knows no order.

use outflow_detect::{Day, Engine, Policy, Resolution, SHARD_KEYS_MAX, SharedState, State, judge};
use outflow_enrich::{Enricher, Networks, Origin};
use proptest::prelude::*;

use crate::fixture::{CASES, Dice, Fold, Piece, decode_in, state_of};

const HEADER: &str = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                      bytes start end action flow-direction";

/// A record of few interfaces to many addresses: what decides its key, and its bytes.
#[derive(Debug, Clone)]
struct Record {
    interface: u8,
    remote: [u8; 2],
    port: u16,
    slot: u8,
    egress: Option<bool>,
    bytes: u32,
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record = (
        0u8..3,
        (0u8..6, 0u8..6),
        prop::sample::select(vec![22u16, 53, 443, 8_443]),
        0u8..3,
        prop::sample::select(vec![Some(true), Some(true), Some(false), None]),
        0u32..2_000_000,
    );
    let record = record.prop_map(
        |(interface, (group, host), port, slot, egress, bytes)| Record {
            interface,
            remote: [group, host],
            port,
            slot,
            egress,
            bytes,
        },
    );
    proptest::collection::vec(record, 1..120)
}

fn line(record: &Record) -> String {
    let Record {
        interface,
        remote: [group, host],
        port,
        slot,
        egress,
        bytes,
    } = record;
    // Both addresses are public, so that a record without direction stays unoriented.
    let (own, remote) = (format!("9.9.9.{interface}"), format!("45.1.{group}.{host}"));
    let at = 86_400 + 21_600 * i64::from(*slot);
    let (ends, direction) = match egress {
        Some(true) => (format!("{own} {remote} 40000 {port}"), "egress"),
        Some(false) => (format!("{remote} {own} {port} 40000"), "ingress"),
        None => (format!("{own} {remote} 40000 {port}"), "-"),
    };
    format!("1 eni-{interface} {ends} 6 1 {bytes} {at} {at} ACCEPT {direction}\n")
}

fn piece(records: &[Record]) -> Piece {
    let text: String = records.iter().map(line).collect();
    let text = format!("{HEADER}\n{text}");
    let decoded = decode_in(text.as_bytes(), &[usize::MAX]).remove(0);
    let origin = Origin::default();
    Piece { decoded, origin }
}

fn state(records: &[Record], keys_max: usize) -> State {
    state_of([&piece(records)], &Networks::default(), keys_max)
}

/// Bytes that left, whatever the keys.
fn sent(state: &State) -> u64 {
    judge(state, &Policy::default(), Day(40_000)).counted_bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn order_and_grouping_are_free_at_any_limit(
        records in records(),
        keys_max in 0usize..24,
        seed in any::<u64>(),
        parts in 1usize..6,
    ) {
        let expected = state(&records, keys_max);
        let mut dice = Dice::new(seed);
        let mut shuffled = records;
        dice.shuffle(&mut shuffled);
        prop_assert_eq!(state(&shuffled, keys_max).encode(), expected.encode());

        // Some parts grow so large that they keep less of their keys, others stay fine.
        let mut groups: Vec<Vec<Record>> = vec![Vec::new(); parts];
        for record in shuffled {
            let at = dice.below(parts).min(dice.below(parts));
            groups[at].push(record);
        }
        let mut states: Vec<State> = groups.iter().map(|group| state(group, keys_max)).collect();
        while states.len() > 1 {
            let from = states.swap_remove(dice.below(states.len()));
            let into = dice.below(states.len());
            states[into].merge(from);
        }
        prop_assert_eq!(states[0].encode(), expected.encode());
        prop_assert_eq!(states[0].resolution(), expected.resolution());
    }

    #[test]
    fn no_byte_is_lost_at_any_limit(records in records(), keys_max in 0usize..24) {
        let whole = state(&records, SHARD_KEYS_MAX);
        prop_assert_eq!(whole.resolution(), Resolution::Address);
        let small = state(&records, keys_max);
        let outwards = |record: &&Record| record.egress != Some(false);
        let expected: u64 = records.iter().filter(outwards).map(|r| u64::from(r.bytes)).sum();
        prop_assert_eq!(sent(&whole), expected);
        prop_assert_eq!(sent(&small), expected);
    }

    #[test]
    fn a_kill_changes_nothing_at_any_limit(records in records(), keys_max in 0usize..24) {
        let mut restored = State::with_keys_max(keys_max);
        for some in records.chunks(7) {
            let engine = Engine::with_state(Policy::default(), restored);
            let mut fold = Fold::new(engine, &Networks::default());
            fold.add(&piece(some));
            restored = State::decode(&fold.engine.state().encode(), keys_max).unwrap();
        }
        prop_assert_eq!(restored.encode(), state(&records, keys_max).encode());
    }
}

#[test]
fn a_world_under_a_small_limit_is_coarser_and_as_heavy() {
    for case in CASES.iter() {
        let whole = case.state();
        let mut last = Resolution::Service;
        for keys_max in [4, 60, 200, SHARD_KEYS_MAX] {
            let small = state_of(&case.pieces, &case.networks, keys_max);
            let resolution = small.resolution();
            assert!(resolution <= last, "{}: {keys_max}", case.name);
            last = resolution;
            // Only where gateways are told apart by address does the level show in what counts twice.
            if case.name.starts_with("version 2") || case.name == "no account" {
                assert_eq!(sent(&small), sent(&whole), "{}: {keys_max}", case.name);
            }
        }
        assert_eq!(last, Resolution::Address);
    }
}

/// A day of one interface: a tunnel through DNS, one through DNS over HTTPS, an SSH upload and a ping flood, among
/// uploads to more networks than its shard has room for.
fn hidden_in_a_flood(networks: u16) -> Vec<String> {
    let at = 86_400 * 20_000;
    let row = |remote: &str, number: u8, port: u16, packets: u64, bytes: u64| {
        let (there, back) = (
            format!("10.0.0.7 {remote} 40000 {port}"),
            format!("{remote} 10.0.0.7 {port} 40000"),
        );
        format!(
            "1 eni-a {there} {number} {packets} {bytes} {at} {at} ACCEPT egress\n\
             1 eni-a {back} {number} {packets} {packets}00 {at} {at} ACCEPT ingress\n"
        )
    };
    let mut rows: Vec<String> = (0..networks)
        .map(|of| row(&format!("45.{}.{}.9", of >> 8, of & 255), 6, 443, 10, 1_000))
        .collect();
    rows.push(row("46.1.2.3", 17, 53, 3_000, 600_000));
    rows.push(row("9.9.9.9", 6, 443, 3_000, 3_000_000));
    rows.push(row("46.1.2.5", 6, 22, 3_000, 3_000_000));
    rows.push(row("46.1.2.6", 1, 0, 3_000, 3_000_000));
    rows
}

#[test]
fn a_flood_of_destinations_hides_no_family() {
    let header = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                  start end action flow-direction\n";
    // Room for all, for fewer than there are networks, and for next to nothing.
    let mut levels = Vec::new();
    for keys_max in [10_000, 300, 4, 0] {
        let text = header.to_owned() + &hidden_in_a_flood(500).concat();
        let decoded = decode_in(text.as_bytes(), &[usize::MAX]).remove(0);
        let origin = Origin::default();
        let state = state_of([&Piece { decoded, origin }], &Networks::default(), keys_max);
        levels.push(state.resolution());
        let findings = judge(&state, &Policy::default(), Day(40_000)).findings;
        for part in [
            "of DNS with outside resolver",
            "of DNS over HTTPS with outside resolver",
            "ssh to",
            "of ICMP to",
        ] {
            let found = findings
                .iter()
                .any(|judged| judged.finding.title.contains(part));
            assert!(found, "{part}, {keys_max} keys: {findings:#?}");
        }
        // No query asks for an address that is only the start of a network.
        let coarse = findings
            .iter()
            .filter_map(|judged| judged.finding.evidence.sql.as_deref());
        assert!(coarse.clone().count() >= 4);
        for sql in coarse {
            assert!(
                !sql.contains("'46.1.2.0'") && !sql.contains("'::'"),
                "{sql}"
            );
        }
    }
    assert_eq!(levels[0], Resolution::Address);
    assert_eq!(levels[3], Resolution::Service);
    assert!(levels.contains(&Resolution::Watched), "{levels:?}");
}

/// A state of these lines, with so much room.
fn state_of_text(rows: &[String], keys_max: usize) -> State {
    let header = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                  start end action tcp-flags flow-direction\n";
    let text = header.to_owned() + &rows.concat();
    let decoded = decode_in(text.as_bytes(), &[usize::MAX]).remove(0);
    let origin = Origin::default();
    state_of([&Piece { decoded, origin }], &Networks::default(), keys_max)
}

fn row(ports: (u16, u16), remote: &str, day: i64, megabytes: u64, flags: u8) -> String {
    let at = 86_400 * (20_000 + day);
    let (own, other) = ports;
    format!(
        "1 eni-a 10.0.0.7 {remote} {own} {other} 6 {megabytes}000 {megabytes}052000 {at} {at} ACCEPT \
         {flags} egress\n"
    )
}

#[test]
fn the_past_of_addresses_that_are_not_told_apart_vouches_for_none() {
    let mut rows: Vec<String> = (0..40)
        .map(|day| row((40_000, 443), "45.1.2.3", day, 900, 2))
        .collect();
    rows.push(row((40_000, 443), "46.1.2.3", 40, 900, 2));
    for keys_max in [10_000, 0] {
        let state = state_of_text(&rows, keys_max);
        let findings = judge(&state, &Policy::default(), Day(40_000)).findings;
        let last = findings.iter().any(|judged| judged.day == Day(20_040));
        assert!(last, "{keys_max} keys");
    }
}

#[test]
fn a_port_that_was_dropped_serves_nothing() {
    let rows = [
        row((8_080, 50_000), "45.1.2.3", 0, 1, 18),
        row((443, 50_000), "46.1.2.3", 0, 5_000, 0),
    ];
    for keys_max in [10_000, 0] {
        let state = state_of_text(&rows, keys_max);
        let findings = judge(&state, &Policy::default(), Day(40_000)).findings;
        assert_eq!(findings.len(), 1, "{keys_max} keys");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_that_share_a_state_make_the_one_that_a_single_one_makes(
        records in records(),
        keys_max in 0usize..24,
        threads in 1usize..5,
    ) {
        let expected = state(&records, keys_max).encode();
        let shared = SharedState::with_keys_max(keys_max);
        std::thread::scope(|scope| {
            for part in records.chunks(records.len().div_ceil(threads)) {
                let shared = &shared;
                scope.spawn(move || {
                    let mut folder = shared.folder();
                    let mut enricher = Enricher::new(Networks::default());
                    for few in part.chunks(7) {
                        let Piece { decoded, origin } = piece(few);
                        folder.fold(&enricher.enrich(&decoded.flows, &origin), 0);
                    }
                });
            }
        });
        prop_assert_eq!(shared.into_state().encode(), expected);
    }
}
