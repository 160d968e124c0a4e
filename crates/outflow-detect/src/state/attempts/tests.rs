use super::*;
use crate::time::Slot;

fn tried(entity: u32, slot: u32, host: u8, port: u16) -> Try {
    Try {
        key: SlotKey {
            entity,
            slot: Slot(slot),
        },
        place: Place::new(Addr::from_v4([10, 0, 0, host]), port),
        packets: 2,
        bytes: 120,
        span: (u32::from(host), u32::from(host) + 9),
    }
}

fn of(tries: &[Try], keys_max: usize) -> Attempts {
    let mut attempts = Attempts::default();
    attempts.add_all(tries, keys_max);
    attempts
}

fn sorted(attempts: &Attempts) -> Vec<(SlotKey, Attempt)> {
    let all = attempts.iter();
    let mut all: Vec<_> = all.map(|(key, own)| (*key, own.clone())).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}

#[test]
fn places_are_exact_up_to_their_limit_and_estimated_beyond() {
    let count = |ports: u16| {
        let tries: Vec<Try> = (0..ports)
            .chain(0..ports)
            .map(|port| tried(0, 5, 1, port))
            .collect();
        let (_, own) = sorted(&of(&tries, 100_000)).remove(0);
        assert_eq!(own.records, 2 * u64::from(ports));
        own.count()
    };
    assert_eq!([1, 100, 128].map(count), [1, 100, 128]);
    for ports in [129, 1_000, 20_000] {
        let got = count(ports);
        let wrong = got.abs_diff(u64::from(ports));
        assert!(wrong <= u64::from(ports) / 3 && got > 128, "{ports}: {got}");
    }
}

#[test]
fn who_chooses_hashes_stays_above_every_bound() {
    // Of all ports of a host the 300 with the greatest hashes.
    let mut tries: Vec<Try> = (0..=u16::MAX).map(|port| tried(0, 5, 1, port)).collect();
    tries.sort_unstable_by_key(|of| std::cmp::Reverse(of.place));
    tries.truncate(300);
    let (_, own) = sorted(&of(&tries, 100_000)).remove(0);
    assert!(own.count() > PLACES_MAX as u64, "{}", own.count());
}

#[test]
fn order_and_grouping_are_free_also_beyond_the_limit() {
    let mut tries: Vec<Try> = (0..4_000_u32)
        .map(|at| {
            let (host, port) = (
                u8::try_from(at % 201).unwrap(),
                u16::try_from(at % 7).unwrap(),
            );
            tried(at % 3, at % 11, host, port)
        })
        .collect();
    for keys_max in [1_000_000, 4_000] {
        let expected = of(&tries, keys_max);
        assert_eq!(expected.kept_from() > 0, keys_max == 4_000);
        tries.reverse();
        let turned = of(&tries, keys_max);
        let (left, right) = tries.split_at(777);
        let mut merged = of(right, keys_max);
        merged.merge(of(left, keys_max), |entity| entity, keys_max);
        for got in [turned, merged] {
            assert_eq!(sorted(&got), sorted(&expected));
            assert_eq!(got.kept_from(), expected.kept_from());
        }
    }
}
