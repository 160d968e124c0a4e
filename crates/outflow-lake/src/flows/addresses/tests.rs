use super::*;

fn addr(number: u32) -> Addr {
    // Some of IPv6, some that differ in one byte, the very first and the very last.
    match number % 5 {
        0 => format!("2001:db8::{number:x}").parse().unwrap(),
        1 if number > 4_000 => Addr::from_v4(u32::MAX.wrapping_sub(number).to_be_bytes()),
        _ => Addr::from_v4(number.to_be_bytes()),
    }
}

fn appended(of: impl Iterator<Item = Option<Addr>>) -> Appended<'static> {
    let rows: Vec<Option<Addr>> = of.collect();
    let addrs = rows.iter().map(|of| of.map_or([0; 16], Addr::bytes));
    let nulls = (0..).zip(&rows).filter(|(_, of)| of.is_none());
    Appended {
        addrs: addrs.collect(),
        nulls: nulls.map(|(at, _)| at).collect(),
    }
}

#[test]
fn equal_addresses_have_one_key_and_different_ones_their_own() {
    let mut addresses = Addresses::default();
    for _ in 0..2 {
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        let (mut again, mut mixed) = (Vec::new(), Vec::new());
        for batch in 0..4 {
            let rows = || (0..5_000u32).map(move |row| (row != 7).then_some(row * (batch % 2 + 1)));
            let thirds = rows().map(|of| of.map(|of| addr(of / 3)));
            let own = || rows().map(|of| of.map(addr));
            let either = rows().map(|of| of.map(|of| addr(if of % 2 == 0 { of } else { of / 3 })));
            // One as a column before it, and one that has of both what they have.
            let columns = [
                (&mut sources, appended(own())),
                (&mut targets, appended(thirds)),
                (&mut again, appended(own())),
                (&mut mixed, appended(either)),
            ];
            let mut before = Vec::new();
            for (keys, column) in columns {
                addresses.append(keys, &before, &column);
                before.push(column);
            }
        }
        let sorted = addresses.sorted();
        let different: std::collections::BTreeSet<&str> = sorted.texts.iter().collect();
        assert_eq!(sorted.texts.len(), different.len());
        for (addr, text) in sorted.addrs.iter().zip(sorted.texts.iter()) {
            assert_eq!(addr.to_string(), text);
        }
        let in_order = sorted.addrs.iter();
        assert!(in_order.is_sorted_by_key(|addr| (!addr.is_ipv4(), addr.bytes())));
        let by_key: Vec<String> = addresses.by_key().iter().map(str::to_owned).collect();
        assert_eq!(again, sources);
        let (mut source_places, mut target_places) = (sources.clone(), targets.clone());
        sorted.place(&mut source_places);
        sorted.place(&mut target_places);
        let rows = (0..4).flat_map(|batch| (0..5_000u32).map(move |row| (row, batch % 2 + 1)));
        for (at, (row, factor)) in rows.enumerate() {
            let key = |key: i32| usize::try_from(key).ok();
            let told = |place: i32| key(place).map(|at| sorted.texts.get(at).to_owned());
            let wanted = |of: u32| (row != 7).then(|| addr(of).to_string());
            assert_eq!(told(source_places[at]), wanted(row * factor), "row {at}");
            assert_eq!(
                told(target_places[at]),
                wanted(row * factor / 3),
                "row {at}"
            );
            let of = if row * factor % 2 == 0 {
                sources[at]
            } else {
                targets[at]
            };
            assert_eq!(mixed[at], of, "row {at}");
            let source = key(sources[at]).map(|at| by_key[at].clone());
            assert_eq!(source, wanted(row * factor), "row {at}");
        }
        addresses.clear();
        assert_eq!(addresses.sorted().texts.len(), 0);
    }
}
