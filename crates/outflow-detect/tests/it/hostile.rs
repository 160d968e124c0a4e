//! Bytes that are no state, or are one that nobody wrote, are refused or harmless.

use outflow_detect::{Day, Policy, SHARD_KEYS_MAX, State, judge};
use proptest::prelude::*;

use crate::fixture::{CASES, engine_of, state_of, strict};

/// The checksum behind the bytes of a state, as its layout defines it.
fn sealed(body: &[u8]) -> Vec<u8> {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64 ^ body.len() as u64;
    for chunk in body.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word))
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(29);
    }
    [body, &sum.to_le_bytes()].concat()
}

/// Whatever these bytes are, they are refused, or decode to a state whose own bytes decode to itself, which can
/// be judged and merged.
fn harmless(bytes: &[u8], keys_max: usize) {
    let Ok(state) = State::decode(bytes, keys_max) else {
        return;
    };
    let again = state.encode();
    let decoded = State::decode(&again, keys_max).unwrap();
    assert_eq!(decoded.encode(), again);
    let verdict = |state: &State| format!("{:?}", judge(state, &strict(), Day(u32::MAX / 4)));
    assert_eq!(verdict(&state), verdict(&decoded));
    let mut merged = state;
    merged.merge(decoded);
    let _ = judge(&merged, &Policy::default(), Day(u32::MAX / 4));
    let bytes = merged.encode();
    assert_eq!(State::decode(&bytes, keys_max).unwrap().encode(), bytes);
}

/// The bytes of a small state that has everything: oriented and unoriented pairs, coverage and attributes.
fn small() -> Vec<u8> {
    let format = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
                  bytes start end action log-status";
    let lines = [
        "2 1 eni-a 10.0.0.7 185.1.2.3 40000 443 6 100000 250000000 86400 86460 ACCEPT OK",
        "2 1 eni-a 185.1.2.3 10.0.0.7 443 40000 6 1000 60000 86400 86460 ACCEPT OK",
        "2 1 eni-a 10.0.0.7 45.1.2.3 40000 53 17 5000 900000 86400 90000 ACCEPT OK",
        "2 1 eni-b 147.32.84.1 9.9.9.9 40000 443 6 1000 250000000 86400 86460 ACCEPT OK",
        "2 1 eni-b 8.8.8.8 147.32.84.1 443 40000 6 1000 60000 86400 86460 ACCEPT OK",
        "2 1 eni-b 147.32.84.1 45.1.2.4 0 0 1 1000 1028000 86400 86460 ACCEPT OK",
        "2 1 eni-b - - - - - - - 108000 108060 - SKIPDATA",
    ];
    let lines = lines.map(str::to_owned);
    engine_of(Policy::default(), format, &lines)
        .state()
        .encode()
}

fn body_of(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() - 8]
}

#[test]
fn the_checksum_here_is_the_one_of_the_layout() {
    let bytes = small();
    assert_eq!(sealed(body_of(&bytes)), bytes);
}

#[test]
fn every_cut_is_refused() {
    let bytes = small();
    for len in 0..bytes.len() {
        assert!(
            State::decode(&bytes[..len], SHARD_KEYS_MAX).is_err(),
            "{len}"
        );
        // With a checksum that fits, the cut still leaves something unsaid.
        if len < body_of(&bytes).len() {
            let cut = sealed(&bytes[..len]);
            assert!(State::decode(&cut, SHARD_KEYS_MAX).is_err(), "{len}");
        }
    }
    let longer = sealed(&[body_of(&bytes), &[0]].concat());
    assert!(State::decode(&longer, SHARD_KEYS_MAX).is_err());
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = small();
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        assert!(State::decode(&flipped, SHARD_KEYS_MAX).is_err(), "{at}");
    }
}

#[test]
fn every_flipped_bit_under_a_new_checksum_is_harmless() {
    let bytes = small();
    for at in 0..body_of(&bytes).len() * 8 {
        let mut flipped = body_of(&bytes).to_vec();
        flipped[at / 8] ^= 1 << (at % 8);
        harmless(&sealed(&flipped), SHARD_KEYS_MAX);
    }
}

#[test]
fn another_version_is_refused() {
    let mut body = body_of(&small()).to_vec();
    body[0] += 1;
    let error = State::decode(&sealed(&body), SHARD_KEYS_MAX).unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");
}

#[test]
fn a_count_of_anything_allocates_nothing_ahead() {
    // A version, and a count of interfaces, then of the bytes of the first one's account.
    for count in [1, 1 << 32, u64::MAX] {
        for len in [0, 1 << 40, u64::MAX] {
            let body = [&[1][..], &count.to_le_bytes(), &len.to_le_bytes()].concat();
            assert!(State::decode(&sealed(&body), SHARD_KEYS_MAX).is_err());
        }
    }
}

#[test]
fn interfaces_in_another_order_or_twice_are_refused() {
    let bytes = small();
    let body = body_of(&bytes);
    // The two interfaces are the bytes from after the count to the levels of the first table.
    let a = body.windows(5).position(|w| w == b"eni-a").unwrap();
    let b = body.windows(5).position(|w| w == b"eni-b").unwrap();
    let mut swapped = body.to_vec();
    swapped[a..a + 5].copy_from_slice(b"eni-b");
    swapped[b..b + 5].copy_from_slice(b"eni-a");
    let mut twice = body.to_vec();
    twice[b..b + 5].copy_from_slice(b"eni-a");
    for body in [swapped, twice] {
        assert!(State::decode(&sealed(&body), SHARD_KEYS_MAX).is_err());
    }
}

#[test]
fn a_state_of_a_world_survives_a_smaller_limit() {
    let case = &CASES[0];
    let bytes = case.state().encode();
    for keys_max in [0, 1, 20, 300] {
        let small = State::decode(&bytes, keys_max).unwrap();
        let folded = state_of(&case.pieces, &case.networks, keys_max);
        assert!(small.encode() == folded.encode(), "{keys_max}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_are_harmless(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        harmless(&body, SHARD_KEYS_MAX);
        harmless(&sealed(&body), SHARD_KEYS_MAX);
        let versioned = [&[1], body.as_slice()].concat();
        harmless(&sealed(&versioned), SHARD_KEYS_MAX);
    }

    #[test]
    fn changed_bytes_under_a_new_checksum_are_harmless(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        keys_max in 0usize..4,
    ) {
        let mut body = body_of(&small()).to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        harmless(&sealed(&body), keys_max);
    }

    #[test]
    fn words_of_ones_under_a_new_checksum_are_harmless(
        places in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let mut body = body_of(&small()).to_vec();
        for at in places {
            let at = at.index(body.len() - 8);
            body[at..at + 8].fill(0xff);
        }
        harmless(&sealed(&body), SHARD_KEYS_MAX);
    }
}
