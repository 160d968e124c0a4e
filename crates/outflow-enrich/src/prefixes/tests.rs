use proptest::prelude::*;

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn addr(text: &str) -> Addr {
    text.parse().unwrap()
}

fn table(nets: &[&str]) -> PrefixTable<usize> {
    let nets = nets.iter().enumerate();
    PrefixTable::new(nets.map(|(at, text)| (net(text), at))).unwrap()
}

fn value(table: &PrefixTable<usize>, text: &str) -> Option<usize> {
    table.get(addr(text)).map(|(_, value)| *value)
}

#[test]
fn prefix_length_zero_is_not_skipped() {
    let table = table(&["0.0.0.0/0", "::/0", "10.0.0.0/8"]);
    for (text, expected) in [
        ("0.0.0.0", 0),
        ("255.255.255.255", 0),
        ("9.255.255.255", 0),
        ("10.0.0.0", 2),
        ("11.0.0.0", 0),
        ("::", 1),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1),
    ] {
        assert_eq!(value(&table, text), Some(expected), "{text}");
    }
}

#[test]
fn families_are_apart() {
    assert_eq!(value(&table(&["::/0"]), "10.0.0.1"), None);
    assert_eq!(value(&table(&["0.0.0.0/0"]), "2001:db8::1"), None);
    let mapped = table(&["::ffff:10.0.0.0/104"]);
    assert_eq!(value(&mapped, "10.9.9.9"), Some(0));
    assert_eq!(value(&mapped, "11.0.0.0"), None);
}

#[test]
fn hosts_at_both_ends_are_found_and_their_neighbours_are_not() {
    let table = table(&["0.0.0.0/32", "255.255.255.255/32", "::/128"]);
    assert_eq!(value(&table, "0.0.0.0"), Some(0));
    assert_eq!(value(&table, "0.0.0.1"), None);
    assert_eq!(value(&table, "255.255.255.254"), None);
    assert_eq!(value(&table, "255.255.255.255"), Some(1));
    assert_eq!(value(&table, "::"), Some(2));
    assert_eq!(value(&table, "::1"), None);
    assert_eq!(value(&PrefixTable::default(), "::"), None);
}

#[test]
fn of_equal_prefixes_the_last_is_first_and_both_cover() {
    let table = table(&["10.0.0.0/8", "10.7.7.7/8", "10.0.0.0/9"]);
    let covering: Vec<usize> = table
        .covering(addr("10.1.1.1"))
        .map(|(_, value)| *value)
        .collect();
    assert_eq!(covering, [2, 1, 0]);
    assert_eq!(value(&table, "10.200.0.0"), Some(1));
    assert_eq!(table.iter().count(), table.len());
}

/// Prefixes and addresses in a few bits of space, so that they nest, touch and repeat.
fn prefixes() -> impl Strategy<Value = Vec<IpNet>> {
    let v4 = (any::<u8>(), 0..=32u8).prop_map(|(byte, len)| {
        let bits = u32::from(byte >> 4) << 28 | u32::from(byte & 15);
        IpNet::new(bits.to_be_bytes().into(), len).unwrap()
    });
    let v6 = (any::<u8>(), 0..=128u8).prop_map(|(byte, len)| {
        let bits = u128::from(byte >> 4) << 124 | u128::from(byte & 15);
        IpNet::new(bits.to_be_bytes().into(), len).unwrap()
    });
    prop::collection::vec(prop_oneof![v4, v6], 0..40)
}

proptest! {
    #[test]
    fn a_lookup_is_a_scan(nets in prefixes(), points in prop::collection::vec(any::<(u8, bool, bool)>(), 40)) {
        let table = PrefixTable::new(nets.iter().copied().zip(0..)).unwrap();
        let near = points.iter().map(|(byte, v6, below)| {
            let (high, low) = (u32::from(byte >> 4), u32::from(byte & 15));
            let shift = u32::from(*below);
            let v4 = (high << 28 | low).wrapping_sub(shift);
            let wide = (u128::from(high) << 124 | u128::from(low)).wrapping_sub(shift.into());
            if *v6 { Addr::from_bytes(wide.to_be_bytes()) } else { Addr::from_v4(v4.to_be_bytes()) }
        });
        let edges = nets.iter().flat_map(|net| [net.network(), net.broadcast()]).map(Addr::from);
        for addr in near.chain(edges) {
            // `::ffff:…` is an IPv4 address here.
            let ip = addr.to_ip();
            let mut expected: Vec<(u8, usize)> = nets
                .iter()
                .enumerate()
                .filter(|(_, net)| net.contains(&ip))
                .map(|(at, net)| (net.prefix_len(), at))
                .collect();
            expected.sort_unstable();
            expected.reverse();
            let found: Vec<(u8, usize)> = table
                .covering(addr)
                .map(|(net, at)| (net.prefix_len(), *at))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
