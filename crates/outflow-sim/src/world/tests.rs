use std::collections::{BTreeMap, BTreeSet};

use outflow_record::{Addr, Field, Timestamp};

use crate::reading::{read, small};
use crate::{Label, Scenario, World, WorldConfig};

#[test]
fn labels_equal_what_the_lines_add_up_to() {
    let config = small();
    let labels = World::new(&config).unwrap().labels();
    let mut counted: BTreeMap<(String, Addr), Label> = BTreeMap::new();
    let mut ports: BTreeSet<(String, Addr, String)> = BTreeSet::new();
    for label in &labels {
        let mut empty = label.clone();
        (empty.flows, empty.packets_out, empty.bytes_out) = (0, 0, 0);
        (empty.packets_in, empty.bytes_in) = (0, 0);
        (empty.start, empty.end) = (label.end, label.start);
        counted.insert((label.eni.clone(), label.peer), empty);
    }
    assert_eq!(counted.len(), labels.len());
    read(&config, |_, line| {
        if line.text(Field::LogStatus) != "OK" {
            return;
        }
        let egress = line.text(Field::FlowDirection) == "egress";
        let (peer, port) = match egress {
            true => (Field::DstAddr, Field::SrcPort),
            false => (Field::SrcAddr, Field::DstPort),
        };
        let (eni, peer) = (line.text(Field::InterfaceId).to_owned(), line.addr(peer));
        let Some(label) = counted.get_mut(&(eni.clone(), peer)) else {
            return;
        };
        label.flows += u64::from(ports.insert((eni, peer, line.text(port).to_owned())));
        let packets = line.number(Field::Packets).unsigned_abs();
        let bytes = line.number(Field::Bytes).unsigned_abs();
        label.start = label.start.min(Timestamp(line.number(Field::Start)));
        label.end = label.end.max(Timestamp(line.number(Field::End)));
        if egress {
            label.packets_out += packets;
            label.bytes_out += bytes;
        } else {
            label.packets_in += packets;
            label.bytes_in += bytes;
        }
    });
    for label in &labels {
        assert_eq!(counted[&(label.eni.clone(), label.peer)], *label);
    }
}

#[test]
fn scenarios_move_what_they_say() {
    let labels = World::new(&small()).unwrap().labels();
    let of = |scenario: Scenario| labels.iter().filter(move |l| l.label == scenario.name());
    let out = |scenario| of(scenario).map(|label| label.bytes_out).sum::<u64>();
    assert!((2_000_000_000..2_100_000_000).contains(&out(Scenario::Burst)));
    assert!((145_000_000..165_000_000).contains(&out(Scenario::Drip)));
    assert_eq!(of(Scenario::SplitDestinations).count(), 40);
    assert!((390_000_000..440_000_000).contains(&out(Scenario::SplitDestinations)));
    let tunnel = of(Scenario::ResolverBypass).next().unwrap();
    assert!(tunnel.bytes_out - 28 * tunnel.packets_out > 120 * tunnel.packets_out);
    assert!(
        (2_500_000..5_000_000).contains(&tunnel.bytes_out),
        "{}",
        tunnel.bytes_out
    );
    let icmp = of(Scenario::IcmpTunnel).next().unwrap();
    assert_eq!((icmp.packets_out, icmp.bytes_out), (18_000, 18_000_000));
    let download = of(Scenario::BigDownload).next().unwrap();
    assert!(download.bytes_in > 100_000_000_000);
    assert_eq!(download.bytes_out - 52 * download.packets_out, 4 * 1_400);
    assert_eq!(of(Scenario::Deploy).count(), 60);
    let enis: BTreeSet<&str> = labels.iter().map(|label| label.eni.as_str()).collect();
    assert_eq!(enis.len(), 5 + 1 + 12 + 1);
}

#[test]
fn the_drip_is_there_on_each_day() {
    let config = WorldConfig {
        days: 4,
        scenarios: vec![Scenario::Drip],
        ..small()
    };
    let [drip] = &World::new(&config).unwrap().labels()[..] else {
        panic!("one label")
    };
    let mut days: BTreeMap<i64, i64> = BTreeMap::new();
    read(&config, |_, line| {
        let sent = line.text(Field::DstAddr) == drip.peer.to_string();
        if sent && line.text(Field::InterfaceId) == drip.eni {
            let day = (line.number(Field::Start) - config.start.secs()) / 86_400;
            *days.entry(day).or_default() += line.number(Field::Bytes);
        }
    });
    assert_eq!(days.len(), 4);
    assert!(
        days.values()
            .all(|bytes| (70_000_000..85_000_000).contains(bytes)),
        "{days:?}"
    );
}

#[test]
fn the_backup_moves_to_another_hour_and_keeps_its_destination() {
    let config = WorldConfig {
        days: 3,
        scenarios: vec![Scenario::BackupMoved],
        ..small()
    };
    let [backup] = &World::new(&config).unwrap().labels()[..] else {
        panic!("one label")
    };
    let mut hours: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    read(&config, |_, line| {
        let sent = line.text(Field::DstAddr) == backup.peer.to_string();
        if sent && line.text(Field::InterfaceId) == backup.eni {
            let at = line.number(Field::Start) - config.start.secs();
            hours
                .entry(at / 86_400)
                .or_default()
                .insert(at / 3_600 % 24);
        }
    });
    let expected = [(0, [1]), (1, [1]), (2, [13])].map(|(day, hour)| (day, BTreeSet::from(hour)));
    assert_eq!(hours, BTreeMap::from(expected));
}
