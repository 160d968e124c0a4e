use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::Error;

fn of(items: impl IntoIterator<Item = u64>) -> Distinct {
    let mut counted = Distinct::new();
    for item in items {
        counted.insert(&item.to_le_bytes());
    }
    counted
}

fn merged(a: &Distinct, b: &Distinct) -> Distinct {
    let mut merged = a.clone();
    merged.merge(b);
    merged
}

fn bytes(counted: &Distinct) -> Vec<u8> {
    let mut out = Vec::new();
    counted.encode(&mut out);
    out
}

// Few different items, so that sets overlap and stand on both sides of EXACT_MAX.
fn items() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        vec(0..40u64, 0..60),
        vec(0..300u64, 0..600),
        vec(any::<u64>(), 0..2000)
    ]
}

proptest! {
    #[test]
    fn order_and_repetition_leave_no_trace(items in items(), seed in any::<u64>()) {
        let mut shuffled = items.clone();
        shuffled.sort_by_key(|item| hash64(&(item ^ seed).to_le_bytes()));
        shuffled.extend_from_slice(&items);
        prop_assert_eq!(bytes(&of(shuffled)), bytes(&of(items)));
    }

    #[test]
    fn many_at_once_are_as_one_by_one(items in items(), cuts in vec(1..300usize, 1..20)) {
        let mut hashes: Vec<u64> = items.iter().map(|item| hash64(&item.to_le_bytes())).collect();
        let mut counted = Distinct::new();
        let mut rest = &mut hashes[..];
        for cut in cuts.into_iter().cycle() {
            let (some, others) = rest.split_at_mut(cut.min(rest.len()));
            counted.insert_hashes(some);
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(bytes(&counted), bytes(&of(items)));
    }

    #[test]
    fn every_tree_of_merges_gives_the_same_bytes(
        items in items(),
        owners in vec(0..9usize, 2000),
        joins in vec((any::<usize>(), any::<usize>()), 8),
    ) {
        let mut parts = vec![Distinct::new(); 9];
        for (item, owner) in items.iter().zip(owners) {
            parts[owner].insert(&item.to_le_bytes());
        }
        for (a, b) in joins {
            let taken = parts.swap_remove(a % parts.len());
            let into = b % parts.len();
            parts[into].merge(&taken);
        }
        prop_assert_eq!(parts.len(), 1);
        prop_assert_eq!(bytes(&parts[0]), bytes(&of(items)));
    }

    #[test]
    fn merge_obeys_its_laws(a in items(), b in items(), c in items()) {
        let (a, b, c) = (of(a), of(b), of(c));
        prop_assert_eq!(&merged(&a, &Distinct::new()), &a);
        prop_assert_eq!(&merged(&Distinct::new(), &a), &a);
        prop_assert_eq!(&merged(&a, &a), &a);
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
    }

    #[test]
    fn counts_are_exact_up_to_the_limit(items in items()) {
        let truth: BTreeSet<u64> = items.iter().copied().collect();
        let counted = of(items);
        prop_assert_eq!(counted.exact(), truth.len() <= EXACT_MAX);
        if counted.exact() {
            prop_assert_eq!(counted.count(), truth.len() as u64);
        }
        prop_assert!(counted.lower_bound() <= counted.count());
        prop_assert!(counted.heap_bytes() <= 2 * REGISTERS);
    }

    #[test]
    fn the_codec_round_trips_and_leaves_the_rest(items in items(), rest in vec(any::<u8>(), 0..20)) {
        let counted = of(items);
        let mut encoded = bytes(&counted);
        let size = encoded.len();
        encoded.extend_from_slice(&rest);
        prop_assert_eq!(Distinct::decode(&encoded), Ok((counted, size)));
    }

    #[test]
    fn hostile_bytes_never_panic_and_what_is_read_is_canonical(
        head in vec(prop_oneof![Just(1u8), Just(255u8), any::<u8>()], 0..3),
        body in vec(any::<u8>(), 0..1100),
        mask in prop_oneof![Just(0xffu8), Just(0x1fu8), Just(0u8)],
    ) {
        let mut hostile = head;
        hostile.extend(body.iter().map(|byte| byte & mask));
        if let Ok((read, size)) = Distinct::decode(&hostile) {
            prop_assert_eq!(bytes(&read), hostile[..size].to_vec());
            prop_assert!(read.lower_bound() <= read.count());
        }
    }

    #[test]
    fn a_flipped_bit_never_panics(items in items(), at in any::<usize>(), bit in 0..8u8) {
        let mut encoded = bytes(&of(items));
        let at = at % encoded.len();
        encoded[at] ^= 1 << bit;
        if let Ok((read, size)) = Distinct::decode(&encoded) {
            prop_assert_eq!(bytes(&read), encoded[..size].to_vec());
        }
    }
}

// The streams are fixed: a bound of three standard errors fails by chance once in some hundred random ones.
#[test]
fn counts_stay_within_three_standard_errors() {
    let mut squares = 0.0;
    let mut trials = 0.0;
    for stream in 0..12u64 {
        let mut counted = Distinct::new();
        let mut inserted = 0u64;
        for size in [129, 200, 500, 1_000, 2_500, 5_000, 20_000, 100_000] {
            while inserted < size {
                counted.insert(&((stream << 40) + inserted).to_le_bytes());
                inserted += 1;
            }
            let error = counted.count() as f64 / size as f64 - 1.0;
            assert!(
                error.abs() <= 3.0 * STANDARD_ERROR,
                "stream {stream}, {size}: {error}"
            );
            assert!(counted.lower_bound() <= size, "stream {stream}, {size}");
            squares += error * error;
            trials += 1.0;
        }
    }
    let deviation = f64::sqrt(squares / trials);
    assert!(deviation <= 1.15 * STANDARD_ERROR, "{deviation}");
}

#[test]
fn a_million_items_stay_within_three_standard_errors() {
    for stream in 0..4u64 {
        let counted = of((0..1_000_000).map(|item| (stream << 40) + item));
        let error = counted.count() as f64 / 1e6 - 1.0;
        assert!(
            error.abs() <= 3.0 * STANDARD_ERROR,
            "stream {stream}: {error}"
        );
    }
}

#[test]
fn the_exact_set_turns_into_registers_one_past_the_limit() {
    let mut counted = of(0..EXACT_MAX as u64);
    assert!(counted.exact());
    counted.insert(&7u64.to_le_bytes());
    assert!(counted.exact());
    counted.insert(&(EXACT_MAX as u64).to_le_bytes());
    assert!(!counted.exact());
    assert!(counted.count() > EXACT_MAX as u64);
    assert_eq!(counted.heap_bytes(), REGISTERS);
}

#[test]
fn the_extreme_hashes_have_their_registers() {
    assert_eq!(place(0), (0, RANK_MAX));
    assert_eq!(place(u64::MAX), (REGISTERS - 1, 1));
    assert_eq!(place(1 << 53), (0, 1));
    assert_eq!(place(1), (0, RANK_MAX - 1));
}

#[test]
fn full_registers_count_without_overflow() {
    let full = Distinct(State::Registers(Box::new([RANK_MAX; REGISTERS])));
    assert_eq!(full.count(), u64::MAX);
    assert_eq!(full.lower_bound(), u64::MAX);
}

#[test]
fn damaged_bytes_are_refused_with_a_reason() {
    let needs = |needed, available| Err(Error::Truncated { needed, available });
    assert_eq!(Distinct::decode(&[]), needs(2, 0));
    assert_eq!(Distinct::decode(&[1]), needs(2, 1));
    assert_eq!(Distinct::decode(&[1, 2, 0]), needs(18, 3));
    assert_eq!(Distinct::decode(&[1, 255]), needs(1026, 2));
    assert_eq!(
        Distinct::decode(&[2, 0]),
        Err(Error::UnknownVersion { found: 2 })
    );
    let damaged = |bytes: &[u8]| matches!(Distinct::decode(bytes), Err(Error::Damaged { .. }));
    assert!(damaged(&[1, 129]));
    assert!(damaged(&[&[1, 2][..], &[5; 16]].concat()));
    assert!(damaged(&[&[1, 255][..], &[56; REGISTERS]].concat()));
    assert!(damaged(&[&[1, 255][..], &[0; REGISTERS]].concat()));
}

// Computed by an independent implementation.
#[test]
fn encoded_states_are_pinned() {
    assert_eq!(bytes(&Distinct::new()), [1, 0]);
    let one = bytes(&of([0]));
    assert_eq!(one, [1, 1, 0x66, 0xc9, 0x0a, 0x6c, 0x26, 0xe4, 0x42, 0x44]);
    assert_eq!(hash64(&bytes(&of(0..1000))), 0x54ee_ee14_bbe7_7ce8);
}
