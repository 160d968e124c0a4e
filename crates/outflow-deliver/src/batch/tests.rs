use proptest::prelude::*;

use super::*;
use crate::fixtures::item_of;

proptest! {
    #[test]
    fn every_item_is_once_in_a_batch_within_the_limits_or_oversize(
        sizes in prop::collection::vec((0_usize..60, 0_u8..3), 0..80),
        items_max in 1_usize..12,
        bytes_max in 1_usize..120,
        item_bytes_max in 1_usize..80,
    ) {
        let items: Vec<Item> = (0..).zip(&sizes).map(|(at, (size, group)): (usize, _)| {
            item_of(&format!("{at}"), &format!("[{group},\"{}\"]", "x".repeat(*size)))
        }).collect();
        let limits = Limits { items_max, bytes_max, item_bytes_max };
        let size = |item: &Item| item.body().len();
        let group = |item: &Item| item.body()[1..2].to_owned();
        let all: Vec<&Item> = items.iter().collect();
        let parted = part(&all, limits, size, group);
        for batch in &parted.batches {
            prop_assert!((1..=items_max).contains(&batch.len()));
            prop_assert!(batch.iter().map(|item| size(item)).sum::<usize>() <= bytes_max);
            prop_assert!(batch.iter().all(|item| group(item) == group(batch[0])));
            let ids: Vec<usize> = batch.iter().map(|item| item.id().parse().unwrap()).collect();
            prop_assert!(ids.is_sorted());
        }
        for (item, own) in &parted.oversize {
            prop_assert_eq!(size(item), *own);
            prop_assert!(*own > item_bytes_max.min(bytes_max));
        }
        let mut seen: Vec<usize> = parted.batches.iter().flatten().copied()
            .chain(parted.oversize.iter().map(|(item, _)| *item))
            .map(|item| item.id().parse().unwrap()).collect();
        seen.sort_unstable();
        prop_assert!(seen.into_iter().eq(0..items.len()));
    }
}

#[test]
fn a_batch_is_filled_to_its_limit() {
    let items: Vec<Item> = (0..25).map(|at| item_of(&format!("{at}"), "[0]")).collect();
    let all: Vec<&Item> = items.iter().collect();
    let counts = |items_max, bytes_max| {
        let limits = Limits {
            items_max,
            bytes_max,
            item_bytes_max: bytes_max,
        };
        let parted = part(&all, limits, |item| item.body().len(), |_| String::new());
        parted.batches.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(counts(10, 1_000), [10, 10, 5]);
    assert_eq!(counts(100, 36), [12, 12, 1]);
    assert_eq!(counts(100, 35), [11, 11, 3]);
}
