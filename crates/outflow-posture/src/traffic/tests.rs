use proptest::prelude::*;

use super::*;

fn flow<'a>(interface_id: &'a str, destination: &str) -> Flow<'a> {
    Flow {
        account_id: "123456789012",
        vpc_id: "vpc-1",
        interface_id,
        port: 443,
        protocol: 6,
        bytes: 100,
        payload_bytes: 60,
        flows: 1,
        opened: Opened::Outbound,
        ..Flow::to(destination.parse().unwrap(), Timestamp(600))
    }
}

#[test]
fn what_was_refused_is_no_byte_and_what_serves_is_kept_by_network() {
    let mut traffic = Traffic::default();
    let refused = Flow {
        refused: true,
        traffic_path: Some(8),
        ..flow("eni-1", "203.0.113.5")
    };
    traffic.add(&refused);
    traffic.add(&Flow {
        direction: Direction::Ingress,
        ..refused
    });
    for destination in ["198.51.100.7", "198.51.100.8"] {
        let served = flow("eni-1", destination);
        traffic.add(&Flow {
            opened: Opened::Inbound,
            port: 50_000,
            traffic_path: Some(8),
            ..served
        });
    }
    let entries: Vec<_> = traffic.entries().collect();
    let of = |at: usize| {
        let (key, entry) = entries[at];
        (
            key.destination.to_string(),
            key.port,
            entry.bytes,
            entry.path_bytes[8],
            entry.refused_flows,
        )
    };
    assert_eq!(of(0), ("198.51.100.0".to_owned(), 0, 200, 200, 0));
    assert_eq!(of(1), ("203.0.113.5".to_owned(), 443, 0, 0, 1));
    assert_eq!(entries.len(), 2);
}

#[test]
fn a_row_without_direction_or_with_a_path_of_the_future_is_not_lost_silently() {
    let mut traffic = Traffic::default();
    traffic.add(&Flow {
        direction: Direction::Unknown,
        flows: 3,
        ..flow("eni-1", "203.0.113.5")
    });
    assert_eq!(
        (traffic.undirected_rows(), traffic.entries().count()),
        (3, 0)
    );
    traffic.add(&Flow {
        traffic_path: Some(200),
        ..flow("eni-1", "203.0.113.5")
    });
    let (_, entry) = traffic.entries().next().unwrap();
    assert_eq!((entry.bytes, entry.path_bytes[0]), (100, 100));
}

#[test]
fn coverage_of_an_interface_comes_in_parts() {
    let part = |accepted, rejected| InterfaceCoverage {
        vpc_id: Some("vpc-1".to_owned()),
        interface_id: Some("eni-1".to_owned()),
        minutes: Minutes {
            ok: 10,
            ..Minutes::default()
        },
        rows: RowCounts {
            accepted,
            rejected,
            ..RowCounts::default()
        },
        ..InterfaceCoverage::default()
    };
    let mut traffic = Traffic::default();
    traffic.cover(&part(0, 3));
    traffic.cover(&part(2, 0));
    let (vpc, interface, covered) = traffic.covered().next().unwrap();
    assert_eq!((vpc, interface), ("vpc-1", "eni-1"));
    assert_eq!((covered.minutes.ok, covered.rows.accepted), (20, 2));
    assert!(!covered.rows.is_reject_only());
}

#[test]
fn what_finds_no_room_is_counted_with_its_vpc() {
    let mut traffic = Traffic::bounded(1);
    for destination in ["203.0.113.5", "203.0.113.6", "203.0.113.5"] {
        traffic.add(&flow("eni-1", destination));
    }
    traffic.add(&flow("eni-new", "203.0.113.5"));
    let sums: Vec<u64> = traffic.entries().map(|(_, entry)| entry.bytes).collect();
    assert_eq!(sums, [200]);
    let beyond = Beyond {
        rows: 2,
        bytes: 200,
    };
    assert_eq!(traffic.beyond_of("123456789012", "vpc-1"), beyond);
    let mut other = Traffic::bounded(1);
    other.add(&flow("eni-2", "203.0.113.7"));
    other.merge(&traffic);
    assert_eq!(other.beyond_rows(), 4);
}

/// A row drawn from few names, so that keys meet.
fn rows() -> impl Strategy<Value = Vec<(u8, u8, u8, u64, bool)>> {
    let row = (0u8..3, 0u8..4, 0u8..12, 0u64..1 << 40, any::<bool>());
    proptest::collection::vec(row, 0..40)
}

fn sum(rows: &[(u8, u8, u8, u64, bool)]) -> Traffic {
    let mut traffic = Traffic::default();
    for (interface, destination, domain, bytes, outward) in rows {
        let (interface, domain) = (format!("eni-{interface}"), format!("{domain}.example.com"));
        let base = flow(&interface, &format!("203.0.113.{destination}"));
        traffic.add(&Flow {
            bytes: *bytes,
            domain: Some(&domain),
            country: Some(if bytes % 2 == 0 { "DE" } else { "US" }),
            traffic_path: Some(destination + 5),
            first_at: Timestamp(600 - i64::from(*domain.as_bytes().first().unwrap())),
            direction: match outward {
                true => Direction::Egress,
                false => Direction::Ingress,
            },
            ..base
        });
    }
    traffic
}

proptest! {
    #[test]
    fn sums_are_free_of_order_and_grouping(rows in rows(), cut in 0usize..40) {
        let whole = sum(&rows);
        let mut reversed = rows.clone();
        reversed.reverse();
        prop_assert_eq!(&sum(&reversed), &whole);
        let (front, back) = rows.split_at(cut.min(rows.len()));
        let (mut left, mut right) = (sum(front), sum(back));
        let (first, second) = (left.clone(), right.clone());
        left.merge(&second);
        right.merge(&first);
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
        left.merge(&Traffic::default());
        prop_assert_eq!(&left, &whole);
        let bytes: u64 = rows.iter().map(|row| row.3).sum();
        let kept: u64 = whole.entries().map(|(_, entry)| entry.processed_bytes()).sum();
        prop_assert_eq!(kept, bytes);
    }
}
