use super::*;
use proptest::prelude::*;

/// Ordinary counts, and such as only a broken record claims.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..1_000_000, u64::MAX - 10..=u64::MAX]
}

fn volume() -> impl Strategy<Value = Volume> {
    (count(), count(), count()).prop_map(|(bytes, payload, packets)| Volume {
        bytes,
        payload,
        packets,
    })
}

fn counters() -> impl Strategy<Value = Counters> {
    let times = (any::<u32>(), any::<u32>(), any::<u64>());
    (volume(), volume(), any::<u32>(), times).prop_map(
        |(up, down, flows, (first, last, active))| {
            let counters = Counters {
                flows,
                first,
                last,
                marks: active & (BUCKETS | TOLD),
                ..Counters::default()
            };
            counters.with_volumes(up, down)
        },
    )
}

fn sum(a: &Counters, b: &Counters) -> Counters {
    let mut sum = *a;
    sum.add(b);
    sum
}

proptest! {
    #[test]
    fn adding_is_a_commutative_monoid(a in counters(), b in counters(), c in counters()) {
        prop_assert_eq!(sum(&a, &b), sum(&b, &a));
        prop_assert_eq!(sum(&sum(&a, &b), &c), sum(&a, &sum(&b, &c)));
        prop_assert_eq!(sum(&a, &Counters::default()), a);
        prop_assert_eq!(sum(&Counters::default(), &a), a);
    }

    #[test]
    fn turning_round_commutes_with_adding(a in counters(), b in counters()) {
        prop_assert_eq!(a.reversed().reversed(), a);
        prop_assert_eq!(sum(&a, &b).reversed(), sum(&a.reversed(), &b.reversed()));
    }

    #[test]
    fn a_total_knows_no_order_and_stays_at_the_greatest_number(
        counts in proptest::collection::vec(count(), 0..8),
    ) {
        let wide: u128 = counts.iter().map(|count| u128::from(*count)).sum();
        let expected = u64::try_from(wide).unwrap_or(u64::MAX);
        prop_assert_eq!(total(counts.iter().copied()), expected);
        prop_assert_eq!(total(counts.iter().rev().copied()), expected);
    }
}

#[test]
fn a_pair_takes_a_cache_line_and_times_that_do_not_fit_the_nearest() {
    assert_eq!(size_of::<Counters>(), 64);
    let sent = Counters::sent(Volume::default(), -5, i64::MAX, 1, false);
    assert_eq!((sent.first, sent.last), (0, u32::MAX));
}

#[test]
fn paths_are_a_set_that_beats_and_marks_leave_alone() {
    let sent = |path| Counters::sent(Volume::default(), 0, 0, 1, true).on_path(path);
    let paths = |counters: &Counters| counters.paths().collect::<Vec<u8>>();
    assert_eq!(paths(&sent(0)), [0; 0]);
    assert_eq!(paths(&sent(8)), [8]);
    assert_eq!(paths(&sent(200)), [PATH_MAX]);
    let mut both = sent(1).beating(35, Beat::of(40_000, true));
    both.add(&sent(8));
    assert_eq!(paths(&both), [1, 8]);
    assert_eq!(paths(&both.without_beats().reversed()), [1, 8]);
    assert_eq!((both.active(), both.is_told()), (1, true));
    assert_eq!(both.marks(), both.with_marks(both.marks()).marks());
}
