use std::collections::BTreeMap;

use outflow_enrich::registered_domain;

use super::*;
use crate::world::WorldConfig;

fn world() -> World {
    World::new(&WorldConfig {
        seed: 9,
        enis: 40,
        accounts: 2,
        learn_days: 14,
        test_days: 10,
        ..WorldConfig::default()
    })
    .unwrap()
}

#[test]
fn every_scenario_happens_within_the_test_window_on_its_own_interfaces() {
    let world = world();
    let apart = BTreeSet::from([0, 1, 2]);
    for scenario in Scenario::ALL {
        let placement = Placement::of(&world, *scenario, 3, &apart);
        let name = scenario.name();
        assert_eq!(placement.rows.is_empty(), scenario.is_of_names(), "{name}");
        assert_eq!(
            placement.asked.is_empty(),
            !scenario.is_of_names(),
            "{name}"
        );
        assert_eq!(
            placement.domains.is_empty(),
            placement.asked.is_empty(),
            "{name}"
        );
        assert!(
            placement.asked.is_sorted() && placement.last() < world.end(),
            "{name}"
        );
        let is_later = placement.start >= world.test_start();
        assert_eq!(is_later, !scenario.is_old(), "{name}");
        assert!(
            placement.rows.iter().all(|row| row.end < world.end()),
            "{name}"
        );
        assert!(
            placement.enis.iter().all(|eni| !apart.contains(eni)),
            "{name}"
        );
        let own = |row: &Row| placement.enis.contains(&row.eni);
        assert!(placement.rows.iter().all(own), "{name}");
        assert_eq!(
            scenario.target().is_some(),
            scenario.kind() == Kind::Malicious,
            "{name}"
        );
    }
}

#[test]
fn the_same_number_is_the_same_placement_and_another_one_another() {
    let world = world();
    let of = |number| Placement::of(&world, Scenario::Drip, number, &BTreeSet::new()).rows;
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_burst_has_its_fifty_gigabytes_and_loses_them_evenly() {
    let world = world();
    let burst = Placement::of(&world, Scenario::Burst, 1, &BTreeSet::new());
    assert_eq!(burst.lost_until(burst.start + 7_200), 50_000_000_000);
    let half = burst.lost_until(burst.start + 1_800);
    assert!((24_000_000_000..26_000_000_000).contains(&half), "{half}");
}

#[test]
fn staging_gathers_from_thirty_hosts_before_it_sends() {
    let world = world();
    let staging = Placement::of(&world, Scenario::Staging, 1, &BTreeSet::new());
    let got: u64 = staging.received.iter().map(Row::down_payload).sum();
    let sent: u64 = staging.rows.iter().map(Row::up_payload).sum();
    assert!((19_000_000_000..21_000_000_000).contains(&got), "{got}");
    assert!((sent / 2..sent * 2).contains(&got), "{sent}");
    let peers: BTreeSet<u32> = staging.received.iter().map(|row| row.peer).collect();
    assert_eq!(peers.len(), 30);
    assert!(staging.received.iter().all(|row| row.start < staging.start));
    assert!(
        world
            .received()
            .iter()
            .flatten()
            .all(|row| row.peer >> 24 == 10)
    );
}

#[test]
fn names_carry_what_their_scenario_says() {
    let world = world();
    let of = |scenario| Placement::of(&world, scenario, 1, &BTreeSet::new());
    let split = of(Scenario::DnsSplit);
    assert_eq!(split.domains.len(), 20);
    assert_eq!(split.lost_until(split.start + 5 * DAY_SECS), 5 * 20 * 500);
    let full = of(Scenario::DnsFull);
    assert_eq!(full.lost_until(full.start + 9), 10 * 350 * 143);
    assert!(full.asked.iter().all(|own| own.name.len() <= 253));
    // 0.7 bytes a second, more or less.
    let words = of(Scenario::DnsWords);
    let per_day = words.lost_until(world.end());
    assert!((50_000..80_000).contains(&per_day), "{per_day}");
}

#[test]
fn no_harmless_domain_is_one_that_an_attack_may_choose() {
    let world = world();
    assert!(world.asked().iter().flatten().count() > 20_000);
    for own in world
        .asked()
        .iter()
        .flatten()
        .filter(|own| own.carried == 0)
    {
        let domain = registered_domain(&own.name).unwrap();
        assert!(!domain.contains('-'), "{}", own.name);
    }
}

#[test]
fn a_fleet_gains_hosts_that_go_where_its_others_do_and_one_that_does_not() {
    let world = world();
    let fleet = world.fleet();
    assert!(
        fleet
            .clone()
            .all(|eni| world.rows()[eni as usize].is_empty())
    );
    let grown = Placement::of(&world, Scenario::FleetGrown, 1, &BTreeSet::new());
    let with_rows: BTreeSet<u32> = grown.rows.iter().map(|row| row.eni).collect();
    assert_eq!(with_rows, fleet.collect());
    let known: BTreeSet<u32> = world.rows().iter().flatten().map(|row| row.peer).collect();
    let (old, new): (Vec<&Row>, Vec<&Row>) =
        grown.rows.iter().partition(|row| known.contains(&row.peer));
    // What is left are first meetings, as every host has them.
    assert!(new.len() * 50 < old.len(), "{} of {}", new.len(), old.len());
    let theft = Placement::of(&world, Scenario::FleetTheft, 1, &BTreeSet::new());
    let [to] = theft.peers[..] else {
        panic!("{:?}", theft.peers)
    };
    let stolen = theft.rows.iter().filter(|row| row.peer == to);
    assert!(stolen.clone().all(|row| row.start >= theft.theft));
    assert_eq!(stolen.map(Row::up_payload).sum::<u64>(), 1_000_000_000);
}

#[test]
fn growth_is_beside_what_was_sent_before_and_compounds() {
    let world = world();
    let by_day = |scenario: Scenario| {
        let placement = Placement::of(&world, scenario, 2, &BTreeSet::new());
        assert_eq!(placement.peers.len(), 1);
        let first = placement.start / DAY_SECS;
        let mut days: BTreeMap<u32, u64> = BTreeMap::new();
        for row in &placement.rows {
            *days.entry(row.start / DAY_SECS - first).or_default() += row.up_payload();
        }
        (placement.start, days)
    };
    let sum = |days: &BTreeMap<u32, u64>, from: u32| {
        days.range(from..from + 4).map(|(_, own)| *own).sum::<u64>() as f64
    };
    // Of a level of 1.007 to the power of days, what is above one: from days 15 to 18 on 2.7 times as much as from 5 to 8.
    let (start, grown) = by_day(Scenario::OrganicGrowth);
    assert!(start < crate::world::WORLD_START + DAY_SECS);
    let ratio = sum(&grown, 15) / sum(&grown, 5);
    assert!((2.0..3.4).contains(&ratio), "{ratio} {grown:?}");
    // Of one that doubles within seven days: from days 5 to 8 on 2.8 times as much as from 1 to 4.
    let (start, ramp) = by_day(Scenario::Ramp);
    assert!(start >= world.test_start());
    let ratio = sum(&ramp, 5) / sum(&ramp, 1);
    assert!((2.0..3.8).contains(&ratio), "{ratio} {ramp:?}");
}
