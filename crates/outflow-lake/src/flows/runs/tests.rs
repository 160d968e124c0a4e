use super::*;

/// The keys of a part of the order, as its runs tell them.
fn told(runs: &Runs<'_>, keys: &[i32], order: &[u32], part: Range<usize>) -> Vec<i32> {
    let determined = runs.determined(keys).unwrap();
    let mut told = Vec::new();
    runs.each(&determined, part, |run, key| {
        let own = order[run].iter().map(|row| keys[*row as usize]);
        told.extend(own.map(|own| key.unwrap_or(own)));
    });
    told
}

#[test]
fn runs_tell_what_rows_have() {
    let interfaces: Vec<i32> = (0..1_000).map(|row| row % 5 - 1).collect();
    let mut order: Vec<u32> = (0..1_000).collect();
    order.sort_by_key(|row| interfaces[*row as usize]);
    let runs = Runs::new(Values::Own(&interfaces), 4, &order);
    assert_eq!(runs.runs.len(), 5);
    // One interface changes in its midst, one has no value.
    let keys: Vec<i32> = (0..1_000)
        .map(|row| match interfaces[row] {
            2 if row > 500 => 9,
            3 => NULL,
            interface => (interface + 1) * 2,
        })
        .collect();
    let wanted: Vec<i32> = order.iter().map(|row| keys[*row as usize]).collect();
    assert_eq!(told(&runs, &keys, &order, 0..1_000), wanted);
    assert_eq!(told(&runs, &keys, &order, 150..350), wanted[150..350]);
    let mut seen = Vec::new();
    runs.each(&runs.determined(&keys).unwrap(), 0..1_000, |_, key| {
        seen.push(key);
    });
    assert_eq!(seen, [Some(0), Some(2), Some(4), None, Some(NULL)]);
}

#[test]
fn what_changes_from_row_to_row_is_not_determined() {
    let interfaces: Vec<i32> = (0..10_000).map(|row| row % 5).collect();
    let keys: Vec<i32> = (0..10_000).collect();
    let order: Vec<u32> = (0..10_000).collect();
    assert!(
        Runs::new(Values::Own(&interfaces), 5, &order)
            .determined(&keys)
            .is_none()
    );
}

#[test]
fn rows_that_columns_end_before_are_looked_at_one_by_one() {
    // Of both columns, or of either, the last row has nothing, and the first one has a value but no interface.
    let order: Vec<u32> = (0..3).collect();
    for (interfaces, keys) in [
        (&[NULL, 0][..], &[5, 6][..]),
        (&[NULL, 0], &[5, 6, 7]),
        (&[NULL, 0, NULL], &[5, 6]),
    ] {
        assert!(
            Runs::new(Values::Own(interfaces), 1, &order)
                .determined(keys)
                .is_none()
        );
    }
}
