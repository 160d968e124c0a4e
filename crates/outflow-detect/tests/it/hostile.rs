//! Bytes that are no state, or are one that nobody wrote, are refused or harmless.

use outflow_detect::{Day, Engine, Error, Policy, SHARD_KEYS_MAX, State, judge};
use outflow_record::Timestamp;
use proptest::prelude::*;

use crate::fixture::{CASES, Dice, engine_of, state_of, strict};
use crate::network::{CLOSED, fold, items};

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
fn every_other_version_is_refused_with_the_remedy() {
    let refused = |bytes: &[u8], body: &[u8], decode: Refusal| {
        assert_eq!(decode(bytes), None);
        let mut body = body.to_vec();
        let current = body[0];
        for version in (0..=u8::MAX).filter(|version| *version != current) {
            body[0] = version;
            let error = decode(&sealed(&body)).unwrap().to_string();
            assert!(error.contains(&format!("version {version}")), "{error}");
            assert!(error.contains(REMEDY), "{error}");
        }
    };
    let (bytes, engine) = (small(), engine());
    refused(&bytes, body_of(&bytes), refusal_of_state);
    refused(&engine, body_of(&engine), refusal_of_engine);
}

/// Why bytes are refused, if they are.
type Refusal = fn(&[u8]) -> Option<Error>;

/// That of a state.
fn refusal_of_state(bytes: &[u8]) -> Option<Error> {
    State::decode(bytes, SHARD_KEYS_MAX).err()
}

/// That of an engine.
fn refusal_of_engine(bytes: &[u8]) -> Option<Error> {
    Engine::decode(bytes, Policy::default(), SHARD_KEYS_MAX).err()
}

/// What a refusal says to do.
const REMEDY: &str = "fold the records again, from the lake or the logs";

/// The bytes of an engine that holds a state of everything that is kept, and has told some days.
fn engine() -> Vec<u8> {
    let mut engine = Engine::with_state(Policy::default(), of_a_network());
    engine.advance(Timestamp(CLOSED));
    engine.encode()
}

/// A state with pairs, rhythms, receipts, services of AWS, late records and queries.
fn of_a_network() -> State {
    fold(&items().iter().collect::<Vec<_>>(), SHARD_KEYS_MAX)
}

#[test]
fn a_state_of_everything_is_refused_with_the_remedy_wherever_it_is_cut_or_changed() {
    let mut dice = Dice::new(23);
    let refused = |bytes: &[u8], decode: Refusal, what: &str| {
        let error = decode(bytes).unwrap_or_else(|| panic!("{what} is taken"));
        assert!(error.to_string().contains(REMEDY), "{what}: {error}");
    };
    let decoders: [Refusal; 2] = [refusal_of_state, refusal_of_engine];
    for (bytes, decode) in [of_a_network().encode(), engine()]
        .into_iter()
        .zip(decoders)
    {
        let body = body_of(&bytes);
        for _ in 0..2_000 {
            let at = dice.below(bytes.len());
            refused(&bytes[..at], decode, &format!("cut at {at}"));
            let mut changed = bytes.clone();
            changed[at] ^= u8::try_from(1 + dice.below(255)).unwrap();
            refused(&changed, decode, &format!("changed at {at}"));
            // With a checksum that fits, too, a cut leaves something unsaid.
            let at = dice.below(body.len());
            refused(
                &sealed(&body[..at]),
                decode,
                &format!("cut and sealed at {at}"),
            );
        }
    }
}

#[test]
fn a_state_of_everything_that_is_changed_under_a_new_checksum_is_harmless() {
    let mut dice = Dice::new(29);
    let bytes = of_a_network().encode();
    for _ in 0..150 {
        let mut body = body_of(&bytes).to_vec();
        let at = dice.below(body.len());
        body[at] ^= 1 << dice.below(8);
        harmless(&sealed(&body), SHARD_KEYS_MAX);
    }
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
        let versioned = [&small()[..1], body.as_slice()].concat();
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
