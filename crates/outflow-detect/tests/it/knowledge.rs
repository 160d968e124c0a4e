//! Knowledge beside the records: judging stays a function of the sums, whatever order they came in.

use std::sync::Arc;

use outflow_detect::{Day, Grain, SHARD_KEYS_MAX, State, judge_with};
use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};
use outflow_enrich::{
    AwsRanges, DestinationGroups, DnsAnswer, GeoDatabases, GroupSources, Knowledge,
    KnownDestinations, PassiveDns,
};
use outflow_record::{Addr, Field, Timestamp};

use crate::fixture::{CASES, Case, Dice, Piece, state_of, strict};

/// What somebody might know of a world: workloads that interfaces change on the way, a gateway, and names of half of
/// the addresses.
fn knowledge(case: &Case) -> Knowledge {
    let starts = case.objects.iter().map(|object| object.slot);
    let (first, last) = (starts.clone().min().unwrap(), starts.max().unwrap());
    let interfaces = case.state().coverage(Grain::Interface);
    let mut inventory = InventoryBuilder::default();
    for (part, taken_at) in [(3, first), (2, (first + last) / 2)] {
        let listed: Vec<String> = (0..)
            .zip(&interfaces)
            .map(|(number, of)| {
                let id = of.interface_id.as_deref().unwrap();
                let kind = if number == 0 {
                    "nat_gateway"
                } else {
                    "interface"
                };
                let app = number % part;
                format!(
                    r#"{{"NetworkInterfaceId": "{id}", "VpcId": "vpc-1", "InterfaceType": "{kind}",
                        "TagSet": [{{"Key": "app", "Value": "{app}"}}]}}"#
                )
            })
            .collect();
        let json = format!(r#"{{"NetworkInterfaces": [{}]}}"#, listed.join(","));
        let snapshot = Snapshot {
            place: Place::default(),
            taken_at: Timestamp(taken_at),
        };
        inventory.add("x", json.as_bytes(), &snapshot).unwrap();
    }
    let mut names = PassiveDns::default();
    for piece in &case.pieces {
        for addr in piece
            .decoded
            .flows
            .addrs(Field::DstAddr)
            .unwrap()
            .iter()
            .flatten()
        {
            let addr = Addr::from_bytes(addr.try_into().unwrap());
            let [.., low] = addr.bytes();
            let name = ["a.example.com", "b.example.com", "a.example.net"][usize::from(low) % 3];
            for of in interfaces.iter().filter(|_| low < 128) {
                names.feed(&DnsAnswer {
                    vpc_id: of.vpc_id.as_deref().unwrap_or("vpc-1"),
                    at: Timestamp(first + 43_200),
                    name,
                    addrs: &[addr],
                });
            }
        }
    }
    let ranges = br#"{"createDate": "2026-08-22-21-17-05", "ipv6_prefixes": [], "prefixes": [
        {"ip_prefix": "52.0.0.0/8", "region": "eu-west-1", "service": "S3", "network_border_group": "x"}]}"#;
    let destinations = DestinationGroups::new(GroupSources {
        ranges: Some(&AwsRanges::from_json(ranges).unwrap()),
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    });
    Knowledge {
        inventory: Arc::new(inventory.build().unwrap()),
        destinations: destinations.unwrap(),
    }
}

fn verdict(state: &State, knowledge: &Knowledge) -> String {
    format!(
        "{:#?}",
        judge_with(state, &strict(), knowledge, Day(40_000))
    )
}

#[test]
fn order_and_grouping_are_free_whatever_is_known() {
    for case in &CASES[..2] {
        let known = knowledge(case);
        let fold =
            |pieces: &[&Piece]| state_of(pieces.iter().copied(), &case.networks, SHARD_KEYS_MAX);
        let expected = verdict(&case.state(), &known);
        let name = case.name;
        for said in ["app=1", "s3.eu-west-1", "\"example.com\""] {
            assert!(expected.contains(said), "{name}: nothing of {said}");
        }
        assert!(expected != verdict(&case.state(), &Knowledge::default()));
        let mut pieces: Vec<&Piece> = case.pieces.iter().collect();
        Dice::new(11).shuffle(&mut pieces);
        assert!(verdict(&fold(&pieces), &known) == expected, "{name}: order");
        let (left, right) = pieces.split_at(pieces.len() / 3);
        let mut merged = fold(right);
        merged.merge(fold(left));
        assert!(verdict(&merged, &known) == expected, "{name}: grouping");
        let restored = State::decode(&merged.encode(), SHARD_KEYS_MAX).unwrap();
        assert!(verdict(&restored, &known) == expected, "{name}: restored");
    }
}
