//! The fold is a sum: nothing about how records arrive may show in the bytes of a state or in a finding.

use outflow_detect::{Engine, Policy, SHARD_KEYS_MAX, State};

use crate::fixture::{
    CASES, Case, Dice, Fold, Piece, cut, decode_in, pieces, state_of, strict, verdict,
};

/// Both states have the same bytes, and judge alike under the usual and the strict policy.
fn same(case: &Case, claim: &str, got: &State, expected: &State) {
    let name = case.name;
    assert!(got.encode() == expected.encode(), "{name}: bytes, {claim}");
    for policy in [Policy::default(), strict()] {
        let (got, expected) = (verdict(got, &policy), verdict(expected, &policy));
        assert!(got == expected, "{name}: findings, {claim}");
    }
}

fn fold<'a>(case: &Case, pieces: impl IntoIterator<Item = &'a Piece>) -> State {
    state_of(pieces, &case.networks, SHARD_KEYS_MAX)
}

#[test]
fn the_worlds_have_something_to_say() {
    for case in CASES.iter() {
        let rows: usize = case.pieces.iter().map(|p| p.decoded.flows.num_rows()).sum();
        let coverage: usize = case.pieces.iter().map(|p| p.decoded.coverage.len()).sum();
        let all = verdict(&case.state(), &strict());
        assert!(rows > 5_000 && coverage > 1_000, "{}", case.name);
        let mut families = vec![
            "VolumeLedger",
            "DestinationRare",
            "DnsBypass",
            "ProtocolMisuse",
        ];
        // Pairs whose own side no record tells have no beats.
        if !case.name.contains("own addresses") {
            families.extend(["Beacon", "ConnectionLong"]);
        }
        // No other format has the path.
        if case.name == "version 5" {
            families.push("PolicyPath");
        }
        for family in families {
            assert!(all.contains(family), "{}: {family}", case.name);
        }
    }
}

#[test]
fn merging_with_nothing_changes_nothing() {
    for case in CASES.iter() {
        let state = case.state();
        let mut after = state.clone();
        after.merge(State::default());
        same(case, "nothing after it", &after, &state);
        let mut before = State::default();
        before.merge(state.clone());
        same(case, "nothing before it", &before, &state);
    }
    let nothing = State::default().encode();
    let mut twice = State::default();
    twice.merge(State::default());
    assert_eq!(twice.encode(), nothing);
}

#[test]
fn the_order_of_batches_is_free() {
    for case in CASES.iter() {
        let state = case.state();
        let mut batches: Vec<&Piece> = case.pieces.iter().rev().collect();
        same(case, "reversed", &fold(case, batches.clone()), &state);
        Dice::new(7).shuffle(&mut batches);
        same(case, "shuffled", &fold(case, batches), &state);
    }
}

#[test]
fn the_order_of_records_is_free() {
    let mut dice = Dice::new(11);
    for case in CASES.iter() {
        let mut shuffled = case.objects.clone();
        for object in &mut shuffled {
            let (header, records) = object.text.split_once('\n').unwrap();
            let mut lines: Vec<&str> = records.lines().collect();
            dice.shuffle(&mut lines);
            object.text = format!("{header}\n{}\n", lines.join("\n"));
        }
        dice.shuffle(&mut shuffled);
        let batches: Vec<Piece> = shuffled.iter().flat_map(pieces).collect();
        same(
            case,
            "records shuffled",
            &fold(case, &batches),
            &case.state(),
        );
    }
}

#[test]
fn the_grouping_is_free() {
    let mut dice = Dice::new(13);
    for case in CASES.iter() {
        let state = case.state();
        for parts in [2, 3, 16] {
            let mut groups: Vec<Vec<Piece>> = vec![Vec::new(); parts];
            for piece in case.pieces.iter().flat_map(|piece| cut(piece, 97)) {
                groups[dice.below(parts)].push(piece);
            }
            let mut states: Vec<State> = groups.iter().map(|group| fold(case, group)).collect();
            while states.len() > 1 {
                let from = states.swap_remove(dice.below(states.len()));
                let into = dice.below(states.len());
                states[into].merge(from);
            }
            same(case, "some tree", &states[0], &state);
        }
    }
}

#[test]
fn the_cuts_of_bytes_and_batches_are_free() {
    let mut dice = Dice::new(17);
    for case in CASES.iter() {
        let state = case.state();
        let mut batches = Vec::new();
        for object in &case.objects {
            let lengths: Vec<usize> = (0..64).map(|_| 1 + dice.below(400)).collect();
            for decoded in decode_in(object.text.as_bytes(), &lengths) {
                let origin = object.origin.clone();
                batches.push(Piece { decoded, origin });
            }
        }
        same(case, "bytes cut anywhere", &fold(case, &batches), &state);
        for rows in [13, 1_000] {
            let smaller = case.pieces.iter().flat_map(|piece| cut(piece, rows));
            let smaller: Vec<Piece> = smaller.collect();
            same(case, "smaller batches", &fold(case, &smaller), &state);
        }
    }
    let case = &CASES[1];
    let some = &case.pieces[..12];
    let single: Vec<Piece> = some.iter().flat_map(|piece| cut(piece, 1)).collect();
    same(case, "one row", &fold(case, &single), &fold(case, some));
}

#[test]
fn bytes_decode_to_the_same_state() {
    for case in CASES.iter() {
        let state = case.state();
        let decoded = State::decode(&state.encode(), SHARD_KEYS_MAX).unwrap();
        same(case, "decoded", &decoded, &state);
        assert_eq!(decoded.interfaces(), state.interfaces());
        assert_eq!(decoded.resolution(), state.resolution());
    }
    let nothing = State::decode(&State::default().encode(), SHARD_KEYS_MAX).unwrap();
    assert_eq!(nothing.encode(), State::default().encode());
}

#[test]
fn a_kill_at_any_batch_loses_nothing() {
    for case in CASES.iter() {
        let mut state = State::default();
        for piece in &case.pieces {
            let engine = Engine::with_state(strict(), state);
            let mut fold = Fold::new(engine, &case.networks);
            fold.add(piece);
            let bytes = fold.engine.state().encode();
            state = State::decode(&bytes, SHARD_KEYS_MAX).unwrap();
        }
        same(case, "restored", &state, &case.state());
    }
}

#[test]
fn adding_the_same_batch_twice_is_seen() {
    let case = &CASES[0];
    let mut twice = case.state();
    twice.merge(fold(case, [&case.pieces[20]]));
    assert_ne!(twice.encode(), case.state().encode());
}
