use super::*;

/// Names of which each carries so much, spread over buckets.
fn items(count: u64, millibits: u32) -> Vec<Item> {
    let item = |at: u64| {
        let hash = outflow_sketch::hash64(&at.to_le_bytes());
        let bucket = u32::try_from(at % u64::from(BUCKETS_PER_SLOT)).unwrap();
        Item::new(
            hash,
            bucket,
            millibits + u32::try_from(at % 7).unwrap() * 1_000,
            1,
        )
    };
    (0..count).map(item).collect()
}

fn names<'i>(items: impl IntoIterator<Item = &'i Item>) -> Names {
    let mut names = Names::default();
    items.into_iter().for_each(|item| names.add(*item));
    names
}

fn truth(items: &[Item]) -> f64 {
    items.iter().map(|item| item.millibits() as f64).sum()
}

#[test]
fn a_name_counts_once_however_often_it_comes() {
    let items = items(100, 20_000);
    let twice = names(items.iter().chain(&items));
    assert_eq!(twice, names(&items));
    let estimate = twice.estimate();
    assert_eq!((estimate.millibits, estimate.names), (truth(&items), 100.0));
    assert_eq!(estimate.deviation, 0.0);
}

#[test]
fn the_set_is_exact_up_to_the_limit_and_no_longer() {
    let at_limit = items(400, 97_000);
    assert!(truth(&at_limit) <= INFORMATION_EXACT_MAX as f64);
    assert!(!names(&at_limit).is_sample());
    let beyond = items(500, 97_000);
    assert!(names(&beyond).is_sample());
    assert_eq!(names(&beyond).items().len(), SAMPLE);
}

#[test]
fn order_and_parts_have_no_influence_beyond_the_limit_either() {
    for count in [50, 300, 410, 5_000] {
        let items = items(count, 97_000);
        let all = names(&items);
        assert_eq!(names(items.iter().rev()), all, "{count}");
        for parts in [2, 7, 50] {
            let mut merged = Names::default();
            for part in (0..parts).rev() {
                merged.merge(&names(items.iter().skip(part).step_by(parts)));
            }
            assert_eq!(merged, all, "{count} in {parts}");
        }
        assert_eq!(Names::of_items(all.items().to_vec(), all.is_sample()), all);
    }
}

#[test]
fn a_sample_tells_the_sum_as_exactly_as_it_says() {
    for (count, millibits) in [(600, 90_000), (5_000, 20_000), (20_000, 300_000)] {
        let items = items(count, millibits);
        let estimate = names(&items).estimate();
        let off = (estimate.millibits - truth(&items)).abs();
        assert!(off <= 4.0 * estimate.deviation, "{count}: off by {off}");
        assert!(estimate.deviation <= 0.12 * truth(&items), "{count}");
        assert!(
            (estimate.names - count as f64).abs() <= 0.4 * count as f64,
            "{count}"
        );
    }
}

#[test]
fn a_bucket_has_the_names_that_were_asked_for_in_it() {
    let items = items(72, 20_000);
    let of_bucket: Vec<Item> = items.iter().copied().skip(5).step_by(36).collect();
    assert_eq!(names(&items).in_bucket(5).millibits, truth(&of_bucket));
}

#[test]
fn a_union_of_exact_sets_is_exact() {
    let items = items(900, 97_000);
    let parts = items.chunks(300).map(names).collect::<Vec<_>>();
    let union = Names::union(parts.iter().chain(&parts));
    assert_eq!(union.estimate().millibits, truth(&items));
    let sampled = names(&items);
    let with_sample = Names::union(parts.iter().chain([&sampled]));
    assert_eq!(with_sample, sampled);
}

#[test]
fn a_name_longer_than_any_is_held_at_the_most() {
    let item = Item::new(7, 35, u32::MAX, 15);
    assert_eq!(item.millibits(), u64::from(INFORMATION_MAX));
    assert_eq!((item.buckets(), item.kinds()), (1 << 35, 15));
}
