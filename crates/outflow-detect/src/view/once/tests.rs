use super::*;
use crate::coverage::Marks;
use crate::time::Hour;

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

fn stage(network: u32) -> Stage {
    Stage {
        network,
        forwarded: false,
    }
}

fn settled(own: &[(u32, u64)], stages: &[(u32, u64)]) -> (Vec<u32>, Vec<u32>) {
    let mut seen = Sightings::default();
    let at_noon = |bytes: u64| OfDay {
        bytes,
        active: [0, 0, 0b111, 0],
    };
    for (network, bytes) in own {
        seen.add_own(*network, &at_noon(*bytes));
    }
    for (network, bytes) in stages {
        seen.add(stage(*network), &at_noon(*bytes));
    }
    let counting = seen.settle();
    let stages = counting.stages.iter().map(|stage| stage.network);
    (stages.collect(), counting.without_own)
}

#[test]
fn a_host_that_is_logged_counts_itself() {
    assert_eq!(settled(&[(0, 1_000)], &[(0, 1_000)]), (vec![], vec![]));
    // The last window of the day is in the next one, at one of them.
    assert_eq!(settled(&[(0, 950)], &[(0, 1_000)]), (vec![], vec![]));
    // Some of it went another way.
    assert_eq!(settled(&[(0, 5_000)], &[(0, 1_000)]), (vec![], vec![]));
    // The same bytes again, two gateways further.
    assert_eq!(
        settled(&[(0, 1_000)], &[(0, 1_000), (7, 1_000)]),
        (vec![], vec![])
    );
}

#[test]
fn a_host_whose_own_log_lost_most_counts_where_it_was_seen_whole() {
    assert_eq!(settled(&[(0, 500)], &[(0, 1_000)]), (vec![0], vec![0]));
    assert_eq!(settled(&[], &[(0, 1_000)]), (vec![0], vec![]));
}

#[test]
fn the_same_address_in_another_network_is_taken_as_the_same_host_only_by_its_sum() {
    assert_eq!(settled(&[(0, 1_000)], &[(1, 995)]), (vec![], vec![]));
    assert_eq!(settled(&[(0, 5_000)], &[(1, 1_000)]), (vec![1], vec![]));
    assert_eq!(settled(&[(0, 500)], &[(1, 1_000)]), (vec![1], vec![]));
    assert_eq!(settled(&[], &[(1, 1_000), (2, 1_000)]), (vec![1], vec![]));
    assert_eq!(settled(&[], &[(1, 1_000), (2, 400)]), (vec![1, 2], vec![]));
    // Nearly the same is not the same, nor is what is nearly that.
    let falling = [(1, 1_000), (2, 995), (3, 988), (4, 981)];
    assert_eq!(settled(&[], &falling), (vec![1, 3], vec![]));
    // At another time it is another's.
    let mut seen = Sightings::default();
    for (network, slot) in [(1, 0), (2, 3)] {
        let mut active = [0; 4];
        active[slot] = 1;
        let of = OfDay {
            bytes: 1_000,
            active,
        };
        seen.add(stage(network), &of);
    }
    assert_eq!(seen.settle().stages.len(), 2);
}

/// What a flow log has of one peer in a slot: bytes, and the first and last minute that it covers.
type Log<'l> = &'l [(u64, u32, u32)];

/// The flow logs and slots of which the peer does not count; the same whether their coverage is kept or was dropped.
fn not_counted(logs: &[(u32, Log<'_>)]) -> Vec<(u32, u32)> {
    let peer = |slot: u32| Peer {
        slot: Slot(slot),
        remote: addr("45.1.2.3"),
        protocol: 6,
        external: true,
    };
    let (mut watches, mut seen) = (Vec::new(), ByPeer::default());
    for (point, slots) in logs {
        let mut watch = Watch::default();
        for (slot, (bytes, first, last)) in (0..).zip(*slots) {
            let mut active = 0;
            for minute in *first..=*last {
                active |= 1 << (minute / 10);
                let marks = Marks {
                    ok: 1 << (minute % 60),
                    ..Marks::default()
                };
                watch.add(Hour(slot * 6 + minute / 60), &marks);
            }
            let second = |minute: u32| (slot * 360 + minute) * 60;
            let logged = Logged {
                bytes: *bytes,
                active,
                span: (second(*first), second(*last) + 59),
            };
            seen.entry(*point).or_default().insert(peer(slot), logged);
        }
        watches.push((*point, watch));
    }
    let nothing = Watch::default();
    let found = |is_kept: bool| {
        let rivals = watches.iter().map(|(point, watch)| Rival {
            point: *point,
            watch: if is_kept { watch } else { &nothing },
        });
        let kept_from = Hour(if is_kept { 0 } else { u32::MAX });
        let found = redundant(&[rivals.collect()], &seen, kept_from).into_iter();
        let mut found: Vec<(u32, u32)> = found.map(|(point, peer)| (point, peer.slot.0)).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(found(true), found(false));
    found(true)
}

#[test]
fn of_two_flow_logs_the_one_that_has_all_counts() {
    let whole = (100, 0, 359);
    assert_eq!(
        not_counted(&[(3, &[whole, whole]), (5, &[whole, whole])]),
        [(5, 0), (5, 1)]
    );
    // The second began later, and the first ended earlier.
    let found = not_counted(&[
        (3, &[whole, whole, (10, 0, 30)]),
        (5, &[(40, 200, 359), whole, whole]),
    ]);
    assert_eq!(found, [(3, 2), (5, 0), (5, 1)]);
    // A window over the end of a slot does not make the other one count.
    assert_eq!(
        not_counted(&[(3, &[whole, (95, 0, 359)]), (5, &[(95, 0, 359), whole])]),
        [(3, 1), (5, 0)]
    );
}

#[test]
fn minutes_of_a_window_that_began_before_the_slot_make_no_difference() {
    for bytes in [100, 95] {
        assert_eq!(
            not_counted(&[(3, &[(100, 5, 9)]), (5, &[(bytes, 0, 9)])]),
            [(5, 0)]
        );
    }
}

#[test]
fn a_flow_log_that_followed_another_counts_beside_it() {
    assert_eq!(
        not_counted(&[(3, &[(50, 0, 179)]), (5, &[(50, 180, 359)])]),
        []
    );
    // Also within ten minutes.
    assert_eq!(
        not_counted(&[(3, &[(500, 0, 354)]), (5, &[(400, 355, 359)])]),
        []
    );
}

#[test]
fn later_slots_do_not_change_which_flow_log_counts() {
    let slots: [[u64; 2]; 5] = [[100, 98], [98, 100], [100, 50], [10, 100], [100, 100]];
    let log = |until: usize, at: usize| -> Vec<(u64, u32, u32)> {
        slots[..until].iter().map(|slot| (slot[at], 0, 9)).collect()
    };
    let mut whole = not_counted(&[(0, &log(5, 0)), (1, &log(5, 1))]);
    for until in (1..=slots.len()).rev() {
        whole.retain(|(_, slot)| (*slot as usize) < until);
        let found = not_counted(&[(0, &log(until, 0)), (1, &log(until, 1))]);
        assert_eq!(found, whole);
    }
}

fn point(point: u32, network: u32, via: Via, addresses: &BTreeSet<Addr>) -> Seen<'_> {
    Seen {
        point,
        network,
        via,
        is_host: via == Via::Own,
        addresses,
    }
}

#[test]
fn a_host_behind_an_intermediary_belongs_with_the_interfaces_of_its_network() {
    let (none, host) = (BTreeSet::new(), BTreeSet::from([addr("10.0.0.5")]));
    let via = |text| Via::Received(addr(text));
    let points = [
        point(0, 0, Via::Own, &host),
        point(1, 1, Via::Own, &host),
        point(2, 1, via("10.0.0.5"), &none),
        point(3, 2, via("10.0.0.6"), &none),
        point(4, 3, via("10.0.0.6"), &none),
        point(5, 4, Via::Own, &none),
    ];
    let hosts = Hosts::of(&points);
    assert_eq!(hosts.group(2), hosts.group(1));
    assert_eq!(hosts.group(0), None);
    assert_eq!(hosts.group(5), None);
    assert_eq!(hosts.group(3), hosts.group(4));
    assert_ne!(hosts.group(3), hosts.group(2));
}
