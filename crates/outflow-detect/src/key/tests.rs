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
    let roles = vec![Role::Client, Role::Server, Role::LikelyServer];
    let ways = vec![None, Some(Resolving::Dns), Some(Resolving::DnsOverHttps)];
    let (role, way) = (prop::sample::select(roles), prop::sample::select(ways));
    let port = prop_oneof![any::<u16>(), Just(22), Just(53)];
    let number = prop_oneof![any::<u8>(), Just(protocol::TCP), Just(protocol::ICMP)];
    (number, role, any::<bool>(), way, port).prop_map(
        |(protocol, role, external, resolving, port)| Service {
            protocol,
            role,
            external,
            resolving,
            port,
        },
    )
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

/// Each level is a function of the one before: going there at once or by steps is the same.
fn is_a_chain<K: Key + std::fmt::Debug>(key: K) -> Result<(), TestCaseError> {
    for (at, level) in Resolution::ALL.into_iter().enumerate() {
        for coarser in &Resolution::ALL[at..] {
            prop_assert_eq!(key.at(level).at(*coarser), key.at(*coarser));
        }
        prop_assert_eq!(key.at(level).entity(), key.entity());
        prop_assert_eq!(key.with_entity(7).at(level), key.at(level).with_entity(7));
    }
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
        prop_assert_eq!(hash(&pair), hash(&pair.clone()));
        let other = PairKey { service, ..pair };
        prop_assert!(other == pair || hash(&other) != hash(&pair));
    }
}

fn key(service: Service) -> PairKey {
    PairKey {
        entity: 1,
        remote: "45.1.2.3".parse().unwrap(),
        service,
        slot: Slot(5),
    }
}

const WEB: Service = Service {
    protocol: protocol::TCP,
    role: Role::Client,
    external: true,
    resolving: None,
    port: 443,
};

/// The remote address and the port at each level.
fn kept(service: Service) -> Vec<(String, u16)> {
    let levels = Resolution::ALL.iter();
    levels
        .map(|level| key(service).at(*level))
        .map(|key| (key.remote.to_string(), key.service.port))
        .collect()
}

#[test]
fn each_level_keeps_less_and_none_drops_what_tells_families_apart() {
    assert!(Resolution::ALL.is_sorted());
    assert_eq!(Resolution::Service.coarser(), None);
    let (whole, group, none) = ("45.1.2.3", "45.1.2.0", "::");
    let is = |service, expected: [(&str, u16); 4]| {
        let expected = expected.map(|(remote, port)| (remote.to_owned(), port));
        assert_eq!(kept(service), expected, "{service:?}");
    };
    is(WEB, [(whole, 443), (group, 443), (none, 0), (none, 0)]);
    let ssh = Service { port: 22, ..WEB };
    is(ssh, [(whole, 22), (group, 22), (group, 22), (none, 22)]);
    let https_dns = Service {
        resolving: Some(Resolving::DnsOverHttps),
        ..WEB
    };
    is(
        https_dns,
        [(whole, 443), (group, 443), (group, 443), (none, 443)],
    );
    let ping = Service {
        protocol: protocol::ICMP,
        port: 0,
        ..WEB
    };
    is(ping, [(whole, 0), (group, 0), (group, 0), (none, 0)]);
    let likely = Service {
        role: Role::LikelyServer,
        ..WEB
    };
    is(likely, [(whole, 443), (group, 443), (none, 443), (none, 0)]);
    let server = Service {
        role: Role::Server,
        ..WEB
    };
    is(server, [(none, 443), (none, 443), (none, 443), (none, 0)]);
    let resolver = Service {
        resolving: Some(Resolving::Dns),
        port: 53,
        ..server
    };
    is(
        resolver,
        [(whole, 53), (group, 53), (group, 53), (none, 53)],
    );
}

#[test]
fn what_a_key_says_of_its_remote_is_what_it_keeps() {
    for service in [WEB, Service { port: 22, ..WEB }] {
        for level in Resolution::ALL {
            let remote = key(service).at(level).remote.to_string();
            let expected = match level.of_remote(service) {
                Remote::Whole => "45.1.2.3",
                Remote::Group => "45.1.2.0",
                Remote::Dropped => "::",
            };
            assert_eq!(remote, expected, "{level:?}");
        }
    }
}
