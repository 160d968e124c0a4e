use super::*;
use crate::counters::total;
use crate::state::SHARD_KEYS_MAX;
use outflow_finding::RowCounts;
use outflow_record::Addr;

const GREATEST: Volume = Volume {
    bytes: u64::MAX,
    payload: u64::MAX,
    packets: u64::MAX,
};

const UNPAIRED: Uncounted = Uncounted {
    repeated_bytes: 0,
    received_bytes: u64::MAX,
    inside_bytes: 3,
    inside_payload_bytes: 2,
    rejected_bytes: 1,
};

fn key(interface_id: &str, via: Via) -> PointKey {
    PointKey {
        interface: InterfaceKey {
            account_id: "111111111111".to_owned(),
            interface_id: interface_id.to_owned(),
        },
        flow_log: "fl-ü".to_owned(),
        via,
    }
}

fn service(port: u16) -> Service {
    Service {
        protocol: u8::MAX,
        role: Role::Server,
        external: true,
        resolving: Some(Resolving::DnsOverHttps),
        port,
    }
}

/// A pair of a point with as many beats as its number, two at most; and one without direction, with the greatest counts.
fn add_pairs(state: &mut State, number: u32, shard: usize, at: usize) {
    let a: Addr = "10.0.0.7".parse().unwrap();
    let b: Addr = "2001:db8::1".parse().unwrap();
    let pair = PairKey {
        entity: number,
        remote: b,
        service: service(u16::MAX),
        slot: Slot(u32::MAX),
    };
    // None, one and two beats.
    let from = Rhythms::default();
    for bucket in 0..u32::try_from(at).unwrap().min(2) {
        let beat = Beat::of(u16::MAX, true);
        let counters = Counters::default().beating(35 - bucket, beat);
        state.pairs.add(shard, pair, &counters, &from);
    }
    state.pairs.add(shard, pair, &Counters::default(), &from);
    let unoriented = UnorientedKey {
        entity: number,
        first: a,
        second: b,
        service: service(0),
        reverse: service(1),
        slot: Slot(0),
    };
    let mut counters = Counters::default().with_volumes(GREATEST, GREATEST);
    (counters.flows, counters.last) = (u32::MAX, u32::MAX);
    let counters = counters.with_marks(u64::MAX);
    state.unoriented.add(shard, unoriented, &counters, &from);
}

/// An interface of each form, with counters at both ends of their range; met in this order.
fn state(order: [usize; 4]) -> State {
    let a: Addr = "10.0.0.7".parse().unwrap();
    let b: Addr = "2001:db8::1".parse().unwrap();
    let own = [
        OwnAddress::Any,
        OwnAddress::One(a),
        OwnAddress::Two(a, b),
        OwnAddress::Several,
    ];
    let via = [
        Via::Own,
        Via::Received(a),
        Via::Forwarded(b),
        Via::Received(b),
    ];
    let mut state = State {
        unpaired: UNPAIRED,
        ..State::default()
    };
    for at in order {
        let number = state.entities.number(&key(&format!("eni-{at}"), via[at]));
        let entity = state.entities.get_mut(number);
        entity.interface = Interface {
            region: (at > 0).then(String::new),
            group: (at > 1).then(|| "größer; ☃".to_owned()),
            intermediary: at == 3,
            own_v4: own[at],
            own_v6: own[3 - at],
            addresses: [a, b].into_iter().take(at).collect(),
            flags_since: (at > 2).then_some(u32::MAX),
            ..Interface::default()
        };
        entity.watch.rows = RowCounts {
            accepted: u64::MAX,
            rejected: 1,
            unmeasured: 2,
            overlong: 3,
        };
        let shard = entity.shard();
        let marks = Marks {
            ok: (1 << 60) - 1,
            nodata: 1 << 59,
            skipdata: 1,
            skipdata_rows: u32::MAX,
            late_rows: u32::MAX,
            late_bytes: u64::MAX,
        };
        state.entities.cover(number, Hour(u32::MAX), &marks);
        add_pairs(&mut state, number, shard, at);
    }
    state
}

#[test]
fn every_form_and_every_extreme_comes_back() {
    let before = state([0, 1, 2, 3]);
    let after = State::decode(&before.encode(), SHARD_KEYS_MAX).unwrap();
    let all = |state: &State| -> Vec<Entity> {
        let sorted = state.entities.sorted();
        sorted.map(|(_, entity)| entity.clone()).collect()
    };
    assert_eq!(all(&after), all(&before));
    assert_eq!(after.unpaired, before.unpaired);
    let counters: Vec<&Counters> = after.unoriented.iter().map(|(_, own, _)| own).collect();
    assert_eq!(counters.len(), 4);
    assert!(
        counters
            .iter()
            .all(|own| own.up().bytes == u64::MAX && own.first == u32::MAX)
    );
    let shards = |state: &State| -> Vec<Rhythm> {
        let all =
            (0..SHARDS).flat_map(|at| state.pairs.shard(at).map(move |(_, own, _)| (at, own)));
        let mut all: Vec<Rhythm> = all.map(|(at, own)| state.pairs.rhythm(at, own)).collect();
        all.sort_unstable_by_key(|rhythm| rhythm.map(Beat::bits));
        all
    };
    let beats = shards(&after);
    assert_eq!(beats, shards(&before));
    let counts = |rhythm: &Rhythm| rhythm.iter().filter(|own| **own != Beat::default()).count();
    assert_eq!(beats.iter().map(counts).collect::<Vec<_>>(), [0, 1, 2, 2]);
    assert!(
        after
            .pairs
            .iter()
            .all(|(_, own, _)| own.without_beats() == Counters::default())
    );
    assert_eq!(total(after.pairs.iter().map(|_| 1)), 4);
    assert_eq!(after.encode(), before.encode());
}

#[test]
fn the_bytes_do_not_tell_in_which_order_interfaces_were_met() {
    let bytes = state([0, 1, 2, 3]).encode();
    for order in [[3, 2, 1, 0], [2, 0, 3, 1]] {
        assert_eq!(state(order).encode(), bytes);
    }
}

#[test]
fn none_and_empty_are_told_apart() {
    let mut none = State::default();
    none.entities.number(&key("eni-0", Via::Own));
    let mut empty = none.clone();
    empty.entities.get_mut(0).interface.region = Some(String::new());
    assert_ne!(none.encode(), empty.encode());
}

#[test]
fn a_level_comes_back_although_its_keys_would_fit_again() {
    let mut state = state([0, 1, 2, 3]);
    state.pairs.raise(5, Resolution::Group);
    let again = State::decode(&state.encode(), SHARD_KEYS_MAX).unwrap();
    assert_eq!(again.resolution(), Resolution::Group);
    assert!(again.pairs.levels().eq(state.pairs.levels()));
}

#[test]
fn a_state_of_another_version_is_refused_with_the_remedy() {
    for version in [7, 8, VERSION + 1] {
        let mut out = Writer::default();
        out.u8(version);
        let refused = State::decode(&out.finish(), SHARD_KEYS_MAX).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains("fold the records again"), "{text}");
    }
}

#[test]
fn receipts_come_back() {
    let mut state = state([0, 1, 2, 3]);
    let own = state.entities.get_mut(0).shard();
    let key = SlotKey {
        entity: 0,
        slot: Slot(80_000),
    };
    let receipt = Receipt::of_parts(1 << 20, vec![1, 5]).unwrap();
    state.receipts[own].add(key, &receipt, SHARD_KEYS_MAX);
    let bytes = state.encode();
    let again = State::decode(&bytes, SHARD_KEYS_MAX).unwrap();
    assert!(
        again
            .receipts
            .iter()
            .any(|own| own.iter().any(|(_, got)| *got == receipt))
    );
    assert_eq!(again.encode(), bytes);
}

#[test]
fn attempts_come_back_and_places_that_are_none_are_refused() {
    let mut state = state([0, 1, 2, 3]);
    let own = state.entities.get_mut(0).shard();
    let key = SlotKey {
        entity: 0,
        slot: Slot(80_000),
    };
    let place = |host| Place::new(Addr::from_v4([10, 0, 0, host]), 445);
    let mut places = [place(1), place(2)];
    places.sort_unstable();
    let of = |places: &[Place]| Attempt::of_parts([3, 5, 7], (9, 11), places.to_vec());
    let attempt = of(&places).unwrap();
    state.attempts[own].add(key, &attempt, SHARD_KEYS_MAX);
    let bytes = state.encode();
    let again = State::decode(&bytes, SHARD_KEYS_MAX).unwrap();
    let mut kept = again.attempts.iter().flat_map(|own| own.iter());
    assert_eq!(kept.next(), Some((&key, &attempt)));
    assert_eq!(again.encode(), bytes);
    places.reverse();
    assert_eq!(of(&places), None);
    assert_eq!(of(&[places[0]; 2]), None);
}

#[test]
fn peers_out_of_order_are_refused() {
    for peers in [vec![5, 1], vec![1, 1], (0..40).collect()] {
        assert_eq!(Receipt::of_parts(1, peers), None);
    }
}

#[test]
fn beats_of_no_bucket_are_refused() {
    for (bucket, bits) in [(36, 1), (0, 0)] {
        let mut out = Writer::default();
        out.u8(1);
        out.u8(bucket);
        out.u32(bits);
        let bytes = out.finish();
        let mut input = Reader::new(&bytes).unwrap();
        let (mut counters, mut among) = (Counters::default(), Rhythms::default());
        assert!(read_rhythm(&mut input, &mut counters, &mut among).is_err());
    }
}
