use std::collections::{BTreeMap, BTreeSet};

use outflow_record::{Addr, Field, Format, LogKind};

use crate::reading::{read, slot_start, small};
use crate::{World, WorldConfig};

fn bytes(config: &WorldConfig) -> Vec<crate::SimObject> {
    World::new(config).unwrap().objects().collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let config = WorldConfig {
        days: 1,
        scenarios: Vec::new(),
        ..small()
    };
    assert_eq!(bytes(&config), bytes(&config));
    assert_ne!(
        bytes(&config),
        bytes(&WorldConfig {
            seed: 8,
            ..config.clone()
        })
    );
}

/// FNV-1a, which needs no dependency.
fn digest(objects: &[crate::SimObject]) -> u64 {
    let bytes = objects
        .iter()
        .flat_map(|object| object.path.bytes().chain(object.text.iter().copied()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Changes whenever any byte of a world does: then the committed archive is to be written anew.
#[test]
fn bytes_are_the_same_on_every_platform() {
    let config = WorldConfig {
        days: 2,
        object_minutes: 1_440,
        ..WorldConfig::breach()
    };
    assert_eq!(digest(&bytes(&config)), 7_400_089_332_014_316_361);
}

#[test]
fn paths_are_unique_and_in_time_order() {
    let objects = bytes(&WorldConfig {
        accounts: 2,
        enis: 24,
        scenarios: Vec::new(),
        ..small()
    });
    let paths: BTreeSet<&str> = objects.iter().map(|object| object.path.as_str()).collect();
    assert_eq!(paths.len(), objects.len());
    let slots: Vec<i64> = objects
        .iter()
        .map(|object| slot_start(&object.path))
        .collect();
    assert!(slots.is_sorted());
    let account = &objects[0].path[8..20];
    let begin = format!(
        "AWSLogs/{account}/vpcflowlogs/us-east-1/2026/09/01/{account}_vpcflowlogs_us-east-1_fl-0"
    );
    assert!(objects[0].path.starts_with(&begin), "{}", objects[0].path);
    assert!(objects[0].path.ends_with(".log.gz"));
}

#[test]
fn ends_fall_into_the_slot_but_for_a_few_late_rows() {
    for object_minutes in [5, 60, 1_440] {
        let config = WorldConfig {
            object_minutes,
            days: 1,
            scenarios: Vec::new(),
            ..small()
        };
        let slot_secs = i64::from(object_minutes) * 60;
        let (mut rows, mut late) = (0_u32, 0_u32);
        read(&config, |slot, line| {
            let end = line.number(Field::End);
            let delay = slot + slot_secs - 1 - end;
            rows += 1;
            late += u32::from(end < slot);
            assert!(
                end < slot + slot_secs && delay < slot_secs + 3_600,
                "{end} in {slot}"
            );
            let start = line.number(Field::Start);
            assert!(start <= end && end - start <= 63, "{start} {end}");
        });
        assert!(late * 1_000 < rows * 8, "{late} of {rows}");
        assert!(late > 0 || object_minutes == 1_440);
    }
}

#[test]
fn gateways_repeat_what_instances_send() {
    let config = WorldConfig {
        days: 1,
        scenarios: Vec::new(),
        ..small()
    };
    let world = World::new(&config).unwrap();
    let gateway = &world.inventory.enis[world.inventory.accounts[0].nat];
    let own = gateway.addr;
    // Bytes by direction, as (to the gateway, from the gateway) and (on instances that pass it).
    let mut hops = [0_u64; 4];
    let mut instances = [0_u64; 2];
    let mut to_endpoint = 0;
    read(&config, |_, line| {
        if line.text(Field::LogStatus) != "OK" || line.text(Field::Action) != "ACCEPT" {
            return;
        }
        let bytes = line.number(Field::Bytes).unsigned_abs();
        let (src, dst) = (line.addr(Field::SrcAddr), line.addr(Field::DstAddr));
        let pkt = (line.addr(Field::PktSrcAddr), line.addr(Field::PktDstAddr));
        let egress = line.text(Field::FlowDirection) == "egress";
        let path = line.text(Field::TrafficPath);
        let private = |addr: Addr| addr.is_ipv4() && addr.bytes()[12] == 10;
        if line.text(Field::InterfaceId) == gateway.id {
            assert_eq!(line.text(Field::InstanceId), "-");
            let hop = match (egress, private(pkt.0), private(pkt.1)) {
                (false, true, false) => 0,
                (true, true, false) => 1,
                (false, false, true) => 2,
                (true, false, true) => 3,
                other => panic!("{other:?}"),
            };
            let ends = [
                (src, dst) == (pkt.0, own),
                (src, dst) == pkt,
                (src, dst) == pkt,
            ];
            assert!(ends.get(hop).copied().unwrap_or((src, dst) == (own, pkt.1)));
            assert_eq!(path, ["-", "8", "-", "1"][hop]);
            hops[hop] += bytes;
            return;
        }
        assert_eq!(pkt, (src, dst));
        to_endpoint += u64::from(path == "7");
        // From a private subnet over IPv4, and not by an endpoint.
        let by_gateway = |own: Addr, other: Addr, service| {
            let subnet = own.bytes()[14];
            let endpoint = matches!(line.text(service), "S3" | "DYNAMODB");
            private(own) && !private(other) && subnet >= 64 && !endpoint
        };
        if egress && by_gateway(src, dst, Field::PktDstAwsService) {
            assert_eq!(path, "1");
            instances[0] += bytes;
        } else if !egress && by_gateway(dst, src, Field::PktSrcAwsService) {
            instances[1] += bytes;
        }
    });
    let [up_in, up_out, down_in, down_out] = hops;
    assert_eq!((up_in, down_in), (up_out, down_out));
    // Windows of the gateway begin at another second, so only the span's last minute may differ.
    let close = |a: u64, b: u64| a.abs_diff(b) * 50 <= a;
    assert!(
        close(instances[0], up_in) && close(instances[1], down_in),
        "{instances:?} {hops:?}"
    );
    assert!(up_in > 0 && to_endpoint > 0);
}

#[test]
fn every_field_of_version_11_has_a_token_in_any_order() {
    let fields = Field::ALL.iter().copied().rev();
    let fields: Vec<Field> = fields
        .filter(|field| field.only_in() != Some(LogKind::TransitGateway))
        .collect();
    let format = Format::try_new(fields.clone()).unwrap();
    let config = WorldConfig {
        format,
        days: 1,
        scenarios: Vec::new(),
        ..small()
    };
    let mut seen: BTreeMap<Field, BTreeSet<String>> = BTreeMap::new();
    read(&config, |_, line| {
        assert_eq!(line.text(Field::Version), "11");
        for field in &fields {
            let values = seen.entry(*field).or_default();
            if values.len() < 400 {
                values.insert(line.text(*field).to_owned());
            }
        }
    });
    assert!(
        seen[&Field::InstanceTag]
            .iter()
            .any(|tag| tag.starts_with("web%20server%2F"))
    );
    assert!(seen[&Field::AsgTag].contains("app%20fleet"));
    assert!(seen[&Field::InterfaceType].contains("nat_gateway"));
    assert!(seen[&Field::Type].contains("IPv6"));
    assert_eq!(seen[&Field::EcsTaskId].len(), 1);
    let paths = ["-", "1", "7", "8"].map(str::to_owned);
    assert_eq!(seen[&Field::TrafficPath], BTreeSet::from(paths));
    let flags = ["-", "0", "1", "2", "3", "4", "6", "18", "19"].map(str::to_owned);
    assert!(seen[&Field::TcpFlags].is_subset(&BTreeSet::from(flags)));
}

#[test]
fn the_version_is_the_highest_of_the_fields() {
    for (format, version) in [(Format::version_2(), "2"), (Format::version_5(), "5")] {
        let config = WorldConfig {
            format,
            days: 1,
            scenarios: Vec::new(),
            ..small()
        };
        read(&config, |_, line| {
            assert_eq!(line.text(Field::Version), version);
        });
    }
}

#[test]
fn nothing_ordinary_uses_the_addresses_of_the_malicious() {
    let config = WorldConfig {
        scenarios: Vec::new(),
        ..small()
    };
    let mut statuses: BTreeMap<String, u32> = BTreeMap::new();
    read(&config, |_, line| {
        *statuses
            .entry(line.text(Field::LogStatus).to_owned())
            .or_default() += 1;
        for field in [Field::SrcAddr, Field::DstAddr] {
            let text = line.text(field);
            assert!(
                !text.starts_with("45.") && !text.starts_with("185."),
                "{text}"
            );
        }
    });
    assert!(statuses["NODATA"] > 100, "{statuses:?}");
}

#[test]
fn capture_fails_once_in_a_while() {
    let config = WorldConfig {
        days: 14,
        base_flows_per_eni_hour: 0,
        scenarios: Vec::new(),
        ..small()
    };
    let mut skipped = 0;
    read(&config, |_, line| {
        if line.text(Field::LogStatus) == "SKIPDATA" {
            skipped += 1;
            assert_eq!(line.text(Field::Bytes), "-");
            assert_eq!(line.text(Field::Action), "-");
        }
    });
    assert!((1..30).contains(&skipped), "{skipped}");
}
