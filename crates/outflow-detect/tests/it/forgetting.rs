//! A state that forgets is the state of the records that it still holds, and does not grow for ever.

use std::collections::BTreeMap;

use outflow_detect::{Day, Lessons, Policy, Query, SHARD_KEYS_MAX, State};
use outflow_record::{Decoded, Field, FlowBatch, Timestamp};

use crate::fixture::{CASES, Dice, Piece, engine_of, state_of, strict, verdict};

const DAY: i64 = 86_400;

/// The rows of a piece, by the day of their start; those without one are of the day of the rows before.
fn by_day(piece: &Piece) -> BTreeMap<Day, Vec<Piece>> {
    let day = |secs: i64| Day(u32::try_from(secs.div_euclid(DAY)).unwrap());
    let mut days: BTreeMap<Day, Vec<Piece>> = BTreeMap::new();
    let with = |decoded: Decoded| Piece {
        decoded,
        origin: piece.origin.clone(),
    };
    let without_rows = Decoded {
        flows: FlowBatch::try_new(piece.decoded.flows.record_batch().slice(0, 0)).unwrap(),
        coverage: Vec::new(),
        ..piece.decoded.clone()
    };
    for row in &piece.decoded.coverage {
        let of = Decoded {
            coverage: vec![row.clone()],
            ..without_rows.clone()
        };
        let at = day(row.start.unwrap().secs());
        days.entry(at).or_default().push(with(of));
    }
    let starts = piece.decoded.flows.times(Field::Start).unwrap();
    let mut last = starts
        .iter()
        .flatten()
        .next()
        .map_or(0, |secs| secs.div_euclid(DAY));
    let of_rows: Vec<i64> = starts
        .iter()
        .map(|secs| {
            last = secs.map_or(last, |secs| secs.div_euclid(DAY));
            last
        })
        .collect();
    let mut first = 0;
    for same in of_rows.chunk_by(|a, b| a == b) {
        let rows = piece.decoded.flows.record_batch().slice(first, same.len());
        first += same.len();
        let of = Decoded {
            flows: FlowBatch::try_new(rows).unwrap(),
            ..without_rows.clone()
        };
        days.entry(day(same[0] * DAY)).or_default().push(with(of));
    }
    days
}

#[test]
fn what_is_forgotten_was_never_there() {
    for case in CASES.iter() {
        let mut days: BTreeMap<Day, Vec<Piece>> = BTreeMap::new();
        for piece in &case.pieces {
            for (day, pieces) in by_day(piece) {
                days.entry(day).or_default().extend(pieces);
            }
        }
        assert!(days.len() >= 2, "{}: {} days", case.name, days.len());
        let fold = |pieces: Vec<&Piece>| state_of(pieces, &case.networks, SHARD_KEYS_MAX);
        let (mut all, mut lessons) = (State::default(), BTreeMap::new());
        for (day, pieces) in &days {
            let own = fold(pieces.iter().collect());
            let taught = Lessons::of(&own, *day);
            let kept = Lessons::decode(&taught.encode(), SHARD_KEYS_MAX).unwrap();
            assert_eq!(kept.encode(), taught.encode());
            lessons.insert(*day, kept);
            all.merge(own);
        }
        for day in days.keys() {
            let mut left = all.clone();
            left.forget(*day, lessons.range(*day..).map(|(_, own)| own));
            let expected = fold(days.range(*day..).flat_map(|(_, own)| own).collect());
            let name = case.name;
            assert!(
                left.encode() == expected.encode(),
                "{name}: bytes from {day}"
            );
            for policy in [Policy::default(), strict()] {
                let (left, expected) = (verdict(&left, &policy), verdict(&expected, &policy));
                assert!(left == expected, "{name}: findings from {day}");
            }
        }
    }
}

/// The first day of a stream.
const BEGIN: u32 = 20_000;

/// Days that are kept at least, and how many are forgotten together.
const KEEP: u32 = 31;
const PERIOD: u32 = 10;

/// A day of a network whose interfaces come and go, and that always finds new places to send to.
fn a_day(day: u32, dice: &mut Dice) -> State {
    let format = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    let mut lines = Vec::new();
    for _ in 0..120 {
        let host = u32::try_from(dice.below(12)).unwrap();
        // Two of three live for a day or two, and have addresses of others.
        let eni = if host < 4 { host } else { 100 * day + host };
        let own = format!("10.0.{}.{}", eni / 200 % 200, host + 1);
        let peer = match dice.below(3) {
            0 => format!("203.0.113.{}", dice.below(4)),
            1 => format!("192.0.2.{}", dice.below(200)),
            _ => format!("198.51.{}.{}", day % 250, dice.below(250)),
        };
        let start = i64::from(day) * DAY + i64::try_from(dice.below(86_400)).unwrap();
        let end = start + i64::try_from(dice.below(600)).unwrap();
        let bytes = 1 << (10 + dice.below(18));
        let port = [443, 53, 22][dice.below(3)];
        lines.push(format!(
            "eni-{eni:08x} {own} {peer} {} {port} 6 {} {bytes} {start} {end} ACCEPT OK",
            40_000 + dice.below(9_000),
            1 + bytes / 1_000,
        ));
    }
    let mut state = engine_of(Policy::default(), format, &lines).into_state();
    let names: Vec<(i64, String, String)> = (0..60)
        .map(|_| {
            let at = i64::from(day) * DAY + i64::try_from(dice.below(86_400)).unwrap();
            let client = format!("i-{}", if dice.below(2) == 0 { 0 } else { day });
            let zone = if dice.below(2) == 0 { 0 } else { day };
            (
                at,
                client,
                format!("n{}.zone{zone}.com", dice.below(100_000)),
            )
        })
        .collect();
    state.fold_queries(names.iter().map(|(at, client, name)| Query {
        account_id: "111122223333",
        region: "eu-central-1",
        vpc_id: "vpc-1",
        instance: Some(client),
        at: Timestamp(*at),
        name,
        query_type: "A",
        rcode: "NOERROR",
        answer_bytes: 9,
        ..Query::default()
    }));
    state
}

#[test]
fn a_stream_of_a_hundred_and_twenty_days_is_bounded_and_tells_what_its_last_days_tell() {
    let mut dice = Dice::new(5);
    let days: Vec<(u32, State)> = (BEGIN..BEGIN + 120)
        .map(|day| (day, a_day(day, &mut dice)))
        .collect();
    let (mut all, mut lessons): (State, BTreeMap<u32, Lessons>) = Default::default();
    let (mut from, mut sizes) = (BEGIN / PERIOD * PERIOD, Vec::new());
    for (day, own) in &days {
        let period = day / PERIOD * PERIOD;
        let taught = Lessons::of(own, Day(period));
        lessons.entry(period).or_default().merge(taught);
        all.merge(own.clone());
        let wanted = day.saturating_sub(KEEP) / PERIOD * PERIOD;
        if wanted > from {
            from = wanted;
            lessons.retain(|period, _| *period >= from);
            all.forget(Day(from), lessons.values());
            // The law, with random data: the same as if only these days had ever been.
            let mut expected = State::default();
            for (_, own) in days.iter().filter(|(own, _)| (from..=*day).contains(own)) {
                expected.merge(own.clone());
            }
            assert!(all.encode() == expected.encode(), "from {from} on {day}");
            let (got, expected) = (verdict(&all, &strict()), verdict(&expected, &strict()));
            assert!(got == expected, "findings from {from} on {day}");
            assert!(got.contains("Judged {"), "nothing was found");
            assert!(!all.is_coarse(Day(from)));
        }
        let taught = lessons.values().map(Lessons::heap_bytes).sum::<usize>();
        sizes.push((
            all.encode().len(),
            all.heap_bytes() + all.taught_bytes() + taught,
        ));
    }
    // Full once it holds as many days as it ever will; from then on it only goes up and down with its periods.
    let full = usize::try_from(KEEP + PERIOD).unwrap();
    let most = |of: &[(usize, usize)]| {
        let (bytes, heap): (Vec<_>, Vec<_>) = of.iter().copied().unzip();
        (*bytes.iter().max().unwrap(), *heap.iter().max().unwrap())
    };
    let (early, late) = (most(&sizes[..=full]), most(&sizes[full..]));
    assert!(
        late.0 * 100 <= early.0 * 105,
        "{late:?} bytes after {early:?}"
    );
    assert!(
        late.1 * 100 <= early.1 * 115,
        "{late:?} in memory after {early:?}"
    );
    // Without forgetting it would have grown threefold.
    let mut whole = State::default();
    days.iter().for_each(|(_, own)| whole.merge(own.clone()));
    assert!(whole.encode().len() > 2 * late.0);
}

#[test]
fn a_state_that_was_full_says_so_until_nothing_of_it_is_left() {
    let mut dice = Dice::new(9);
    let (first, second) = (a_day(BEGIN, &mut dice), a_day(BEGIN + 1, &mut dice));
    let mut small = State::with_keys_max(2);
    small.merge(first);
    assert!(small.is_coarse(Day(BEGIN)));
    let lessons = Lessons::of(&second, Day(BEGIN + 1));
    let mut all = small.clone();
    all.merge(second);
    all.forget(Day(BEGIN + 1), [&lessons]);
    assert!(all.is_coarse(Day(BEGIN + 1)));
    small.forget(Day(BEGIN + 1), [&Lessons::default()]);
    assert!(small.is_empty() && !small.is_coarse(Day(BEGIN + 1)));
    assert_eq!(small.encode(), State::default().encode());
}
