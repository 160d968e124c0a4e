use std::hash::BuildHasher;

use super::*;
use proptest::prelude::*;

fn addr() -> impl Strategy<Value = Addr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(Addr::from_v4),
        any::<[u8; 16]>().prop_map(Addr::from_bytes),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    let parts = (any::<u8>(), any::<bool>(), any::<bool>(), any::<u16>());
    parts.prop_map(|(protocol, served, external, port)| Service {
        protocol,
        served,
        external,
        port,
    })
}

fn pair() -> impl Strategy<Value = PairKey> {
    (any::<u32>(), addr(), service(), any::<u32>()).prop_map(|(entity, remote, service, slot)| {
        PairKey {
            entity,
            remote,
            service,
            slot: Slot(slot),
        }
    })
}

fn unoriented() -> impl Strategy<Value = UnorientedKey> {
    (pair(), addr(), service()).prop_map(|(pair, first, reverse)| UnorientedKey {
        entity: pair.entity,
        first,
        second: pair.remote,
        service: pair.service,
        reverse,
        slot: pair.slot,
    })
}

const LEVELS: [Resolution; 3] = [Resolution::Address, Resolution::Group, Resolution::Service];

/// Each level is a function of the one before: going there at once or by steps is the same.
fn is_a_chain<K: Key + std::fmt::Debug>(key: K) -> Result<(), TestCaseError> {
    for (at, level) in LEVELS.into_iter().enumerate() {
        for coarser in &LEVELS[at..] {
            prop_assert_eq!(key.at(level).at(*coarser), key.at(*coarser));
        }
        prop_assert_eq!(key.at(level).entity(), key.entity());
        prop_assert_eq!(key.with_entity(7).at(level), key.at(level).with_entity(7));
    }
    prop_assert_eq!(key.at(Resolution::Address), key);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn levels_are_a_chain(pair in pair(), unoriented in unoriented()) {
        is_a_chain(pair)?;
        is_a_chain(unoriented)?;
    }

    #[test]
    fn equal_keys_have_equal_hashes_and_other_services_mostly_others(
        pair in pair(),
        service in service(),
    ) {
        let hash = |key: &PairKey| FixedState::default().hash_one(key);
        prop_assert_eq!(hash(&pair), hash(&pair.at(Resolution::Address)));
        let other = PairKey { service, ..pair };
        prop_assert!(other == pair || hash(&other) != hash(&pair));
    }
}

#[test]
fn the_levels_go_from_the_address_to_nothing_of_it() {
    let chain: Vec<Option<Resolution>> = LEVELS.iter().map(|level| level.coarser()).collect();
    assert_eq!(
        chain,
        [Some(Resolution::Group), Some(Resolution::Service), None]
    );
    assert!(LEVELS.is_sorted());
    let key = PairKey {
        entity: 1,
        remote: "45.1.2.3".parse().unwrap(),
        service: Service {
            protocol: 6,
            served: true,
            external: true,
            port: 443,
        },
        slot: Slot(5),
    };
    let group = key.at(Resolution::Group);
    assert_eq!(group.remote, "45.1.2.0".parse().unwrap());
    assert_eq!(group.service, key.service);
    let service = key.at(Resolution::Service);
    assert_eq!((service.remote, service.service.port), (Addr::default(), 0));
    assert!(service.service.served && service.service.external);
    assert_eq!(service.slot, key.slot);
}
