use std::collections::BTreeMap;

use super::*;
use crate::counters::Volume;
use crate::key::{PairKey, Role, Service, UnorientedKey};
use crate::rhythm::{Beat, Rhythm, Rhythms};
use crate::time::Slot;
use outflow_record::Addr;
use proptest::prelude::*;

fn service(port: u16) -> Service {
    Service {
        protocol: 6,
        role: Role::Client,
        external: true,
        resolving: None,
        port,
    }
}

fn pair() -> impl Strategy<Value = PairKey> {
    let port = prop::sample::select(vec![22u16, 80, 443]);
    (0u32..4, (0u8..5, 0u8..5), port, 0u32..3).prop_map(|(entity, (group, host), port, slot)| {
        PairKey {
            entity,
            remote: Addr::from_v4([45, 1, group, host]),
            service: service(port),
            slot: Slot(slot),
        }
    })
}

fn unoriented() -> impl Strategy<Value = UnorientedKey> {
    (pair(), prop::sample::select(vec![22u16, 80, 443])).prop_map(|(pair, port)| UnorientedKey {
        entity: pair.entity,
        first: Addr::from_v4([9, 9, 9, 9]),
        second: pair.remote,
        service: pair.service,
        reverse: service(port),
        slot: pair.slot,
    })
}

fn counters() -> impl Strategy<Value = Counters> {
    (
        0u64..1_000_000,
        0u64..1_000_000,
        any::<bool>(),
        0i64..60_000,
    )
        .prop_map(|(bytes, payload, up, at)| {
            let volume = Volume {
                bytes,
                payload,
                packets: bytes / 1_000,
            };
            let counters = Counters::sent(volume, at, at + 59, 1 << (at % 36), at % 2 == 0);
            let port = u16::try_from(at).unwrap();
            let bucket = u32::from(port) % 36 / (1 + u32::from(port) % 30);
            if up {
                counters.beating(bucket, Beat::of(port, at % 3 > 0))
            } else {
                counters.reversed()
            }
        })
}

type Adds<K> = Vec<(K, Counters)>;

fn adds<K: std::fmt::Debug>(key: impl Strategy<Value = K>) -> impl Strategy<Value = Adds<K>> {
    proptest::collection::vec((key, counters()), 0..100)
}

/// Keys go to shards by their interface, two to a shard.
fn shard_of<K: Key>(key: &K) -> usize {
    key.entity() as usize / 2
}

fn table<K: Key>(adds: &[(K, Counters)], keys_max: usize) -> Table<K> {
    let mut table = Table::new(keys_max);
    for (key, counters) in adds {
        table.add(shard_of(key), *key, counters, &Rhythms::default());
    }
    table
}

type Content<K> = BTreeMap<K, (Counters, Rhythm)>;

fn content<K: Key>(table: &Table<K>) -> (Vec<Resolution>, Content<K>) {
    let shards =
        (0..SHARDS).flat_map(|at| table.shard(at).map(move |(key, own, _)| (at, key, own)));
    // Where a rhythm lies is of no matter.
    let all = shards.map(|(at, key, own)| (*key, (own.without_beats(), table.rhythm(at, own))));
    (table.levels().collect(), all.collect())
}

/// Beats by key, added up in the plainest way.
fn expected_beats<K: Key>(
    adds: &[(K, Counters)],
    level: impl Fn(&K) -> Resolution,
) -> BTreeMap<K, Rhythm> {
    let mut all: BTreeMap<K, Rhythm> = BTreeMap::new();
    for (key, counters) in adds {
        let own = all
            .entry(key.at(level(key)))
            .or_insert(crate::rhythm::SILENCE);
        let beats = counters.rhythm(&Rhythms::default());
        for (own, beat) in own.iter_mut().zip(beats) {
            *own = own.with(beat);
        }
    }
    all
}

/// How many keys have connections that began in two buckets or more.
fn rhythms<K: Key>(beats: &BTreeMap<K, Rhythm>) -> usize {
    let has_two =
        |rhythm: &&Rhythm| rhythm.iter().filter(|own| **own != Beat::default()).count() > 1;
    beats.values().filter(has_two).count()
}

fn total<'c>(counters: impl Iterator<Item = &'c Counters>) -> Counters {
    counters.fold(Counters::default(), |mut sum, own| {
        sum.add(own);
        sum.without_beats()
    })
}

/// The finest level at which the keys of a shard fit, or the coarsest.
fn expected_level<K: Key>(adds: &[(K, Counters)], shard: usize, keys_max: usize) -> Resolution {
    let mut level = Resolution::Address;
    loop {
        let own = adds.iter().filter(|(key, _)| shard_of(key) == shard);
        let own: Vec<(K, Counters)> = own.copied().collect();
        let keys = expected_beats(&own, |_| level);
        let is_over = keys.len() > keys_max || rhythms(&keys) > keys_max - keys_max / 4;
        match level.coarser() {
            Some(coarser) if is_over => level = coarser,
            _ => return level,
        }
    }
}

fn is_bounded<K: Key>(adds: &[(K, Counters)], keys_max: usize) -> Result<(), TestCaseError> {
    let table = table(adds, keys_max);
    for (at, shard) in table.shards.iter().enumerate() {
        let coarsest = shard.level.coarser().is_none();
        prop_assert!(shard.counters.len() <= keys_max || coarsest);
        prop_assert_eq!(shard.level, expected_level(adds, at, keys_max));
        prop_assert!(
            shard
                .counters
                .entries()
                .all(|(key, _)| key.at(shard.level) == *key)
        );
    }
    let levels: Vec<Resolution> = table.levels().collect();
    let beats = expected_beats(adds, |key| levels[shard_of(key)]);
    let kept = content(&table)
        .1
        .into_iter()
        .map(|(key, (_, rhythm))| (key, rhythm));
    prop_assert!(kept.eq(beats));
    let sum = total(adds.iter().map(|(_, own)| own));
    prop_assert_eq!(total(table.iter().map(|(_, own, _)| own)), sum);
    Ok(())
}

fn is_free<K: Key>(adds: &Adds<K>, cut: usize, keys_max: usize) -> Result<(), TestCaseError> {
    let whole = content(&table(adds, keys_max));
    let reversed: Adds<K> = adds.iter().rev().copied().collect();
    prop_assert!(content(&table(&reversed, keys_max)) == whole);
    let (head, tail) = adds.split_at(cut.min(adds.len()));
    for (own, other) in [(head, tail), (tail, head)] {
        let mut merged = table(own, keys_max);
        merged.merge(table(other, keys_max), |entity| entity);
        prop_assert!(content(&merged) == whole);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_shard_keeps_the_finest_keys_that_fit_and_every_count(
        adds in adds(pair()),
        keys_max in 0usize..30,
    ) {
        is_bounded(&adds, keys_max)?;
    }

    #[test]
    fn so_does_one_of_keys_that_keep_their_addresses(
        adds in adds(unoriented()),
        keys_max in 0usize..30,
    ) {
        is_bounded(&adds, keys_max)?;
    }

    #[test]
    fn merging_knows_no_order_between_tables_of_different_levels(
        adds in adds(pair()),
        cut in 0usize..100,
        keys_max in 0usize..30,
    ) {
        is_free(&adds, cut, keys_max)?;
    }

    #[test]
    fn nor_for_keys_that_keep_their_addresses(
        adds in adds(unoriented()),
        cut in 0usize..100,
        keys_max in 0usize..30,
    ) {
        is_free(&adds, cut, keys_max)?;
    }
}

#[test]
fn merging_renumbers_interfaces() {
    let key = PairKey {
        entity: 0,
        remote: Addr::from_v4([45, 1, 2, 3]),
        service: service(443),
        slot: Slot(0),
    };
    let mut own = table(&[(key, Counters::default())], 10);
    own.merge(table(&[(key, Counters::default())], 10), |entity| {
        entity + 1
    });
    let entities: Vec<u32> = content(&own).1.keys().map(Key::entity).collect();
    assert_eq!(entities, [0, 1]);
}
