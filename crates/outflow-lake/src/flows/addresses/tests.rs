use super::*;

fn addr(number: u32) -> Addr {
    // Some of IPv6, some that differ in one byte, the very first and the very last.
    match number % 5 {
        0 => format!("2001:db8::{number:x}").parse().unwrap(),
        1 if number > 4_000 => Addr::from_v4(u32::MAX.wrapping_sub(number).to_be_bytes()),
        _ => Addr::from_v4(number.to_be_bytes()),
    }
}

#[test]
fn equal_addresses_have_one_key_and_different_ones_their_own() {
    let mut addresses = Addresses::default();
    for _ in 0..2 {
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for batch in 0..4 {
            let rows = || (0..5_000u32).map(move |row| (row != 7).then_some(row * (batch % 2 + 1)));
            addresses.append(&mut sources, rows().map(|of| of.map(addr)));
            addresses.append(&mut targets, rows().map(|of| of.map(|of| addr(of / 3))));
            addresses.end();
        }
        let mut by_key = std::collections::BTreeMap::new();
        let texts = addresses.texts();
        for (key, text) in texts.iter() {
            assert!(by_key.insert(key, text.to_owned()).is_none());
        }
        let different: std::collections::BTreeSet<&String> = by_key.values().collect();
        assert_eq!(
            (by_key.len(), texts.len()),
            (different.len(), different.len())
        );
        let rows = (0..4).flat_map(|batch| (0..5_000u32).map(move |row| (row, batch % 2 + 1)));
        for (at, (row, factor)) in rows.enumerate() {
            let told = |key: i32| by_key.get(&key.cast_unsigned()).cloned();
            let wanted = |of: u32| (row != 7).then(|| addr(of).to_string());
            assert_eq!(told(sources[at]), wanted(row * factor), "row {at}");
            assert_eq!(told(targets[at]), wanted(row * factor / 3), "row {at}");
        }
        addresses.clear();
        assert_eq!(addresses.texts().len(), 0);
    }
}
