use std::collections::BTreeMap;

use super::*;

mod world;

/// The state of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Ok,
    NoData,
    SkipData,
}

impl Told {
    /// What lost records is not vouched for, and a record is more than none.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::SkipData, _) | (_, Self::SkipData) => Self::SkipData,
            (Self::Ok, _) | (_, Self::Ok) => Self::Ok,
            _ => Self::NoData,
        }
    }
}

/// Small numbers in a fixed but irregular order.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % bound.unsigned_abs()).unwrap()
    }
}

fn add(watch: &mut Watch, told: Told, start: i64, end: i64) {
    let touched = Touched::of(start, end);
    for (hour, minutes) in [
        (touched.hour, touched.minutes),
        (touched.next_hour(), touched.next),
    ] {
        let mut marks = Marks::default();
        match told {
            Told::Ok => marks.ok = minutes,
            Told::NoData => marks.nodata = minutes,
            Told::SkipData => marks.skipdata = minutes,
        }
        if minutes != 0 {
            watch.add(hour, &marks);
        }
    }
}

/// What [`Watch::minutes`] means, minute by minute.
fn plain(told: &BTreeMap<i64, Told>, first: i64, last: i64, limit: i64) -> Minutes {
    let mut out = Minutes::default();
    for minute in first..=last {
        match told.get(&minute) {
            Some(Told::Ok) => out.ok += 1,
            Some(Told::NoData) => out.nodata += 1,
            Some(Told::SkipData) => out.skipdata += 1,
            None => {
                let before = told
                    .range(..minute)
                    .next_back()
                    .map_or(first - 1, |(at, _)| *at);
                let after = told
                    .range(minute..=limit)
                    .next()
                    .map_or(last + 1, |(at, _)| *at);
                if after - before - 1 <= BETWEEN_MINUTES_MAX {
                    out.between += 1;
                } else {
                    out.missing += 1;
                }
            }
        }
    }
    out
}

#[test]
fn minutes_are_those_of_a_plain_map_of_minutes() {
    let mut draw = Draw(7);
    for _ in 0..60 {
        let (mut watch, mut told) = (Watch::default(), BTreeMap::new());
        let from = 29_000_000 + draw.below(500);
        for _ in 0..draw.below(60) + 1 {
            let start = (from + draw.below(600)) * 60 + draw.below(60);
            let end = start + draw.below(700);
            let state =
                [Told::Ok, Told::NoData, Told::SkipData][usize::try_from(draw.below(3)).unwrap()];
            add(&mut watch, state, start, end);
            for minute in start / 60..=end / 60 {
                let known = told.entry(minute).or_insert(state);
                *known = known.with(state);
            }
        }
        let (born, gone) = watch.life(i64::MAX).unwrap();
        let known = |at: Option<(&i64, &Told)>| at.map(|(minute, _)| *minute);
        assert_eq!(
            (Some(born), Some(gone)),
            (known(told.first_key_value()), known(told.last_key_value()))
        );
        for _ in 0..40 {
            let first = born + draw.below(gone - born + 1);
            let last = first + draw.below(gone - first + 1);
            let limit = last + draw.below(gone - last + 1);
            assert_eq!(
                watch.minutes(first, last, limit),
                plain(&told, first, last, limit),
                "{first} {last} {limit}"
            );
        }
        let whole = watch.minutes(born, gone, gone);
        assert_eq!(whole.expected(), (gone - born + 1).unsigned_abs());
        let mut sum = Minutes::default();
        for hour in watch.by_hour() {
            sum.add(&hour.minutes);
        }
        assert_eq!(sum, whole, "the hours add up");
    }
}

#[test]
fn a_record_covers_the_minutes_of_its_first_and_last_second() {
    let of = |start, end| {
        let touched = Touched::of(start, end);
        (
            touched.hour.0,
            touched.minutes,
            touched.next,
            touched.is_overlong,
        )
    };
    assert_eq!(of(0, 0), (0, 1, 0, false));
    assert_eq!(of(59, 60), (0, 0b11, 0, false));
    assert_eq!(of(3_599, 3_600), (0, 1 << 59, 1, false));
    assert_eq!(
        of(7_200 - 60, 7_200 + 599),
        (1, 1 << 59, (1 << 10) - 1, false)
    );
    assert_eq!(of(60, 0), (0, 0b10, 0, false), "an end before the start");
    assert_eq!(of(0, 899), (0, (1 << 15) - 1, 0, false));
    assert_eq!(of(0, 900), (0, (1 << 15) - 1, 0, true), "sixteen minutes");
    assert_eq!(of(0, i64::MAX), (0, (1 << 15) - 1, 0, true));
    assert_eq!(of(i64::MIN, i64::MIN), (0, 1, 0, false));
    let last = of(i64::MAX, i64::MAX);
    assert_eq!((last.0, last.2), (u32::MAX, 0));
}

#[test]
fn hours_without_any_row_are_told_as_one() {
    let mut watch = Watch::default();
    add(&mut watch, Told::Ok, 30 * 60, 30 * 60);
    add(&mut watch, Told::Ok, 10 * 3_600, 10 * 3_600);
    let told: Vec<_> = watch
        .by_hour()
        .iter()
        .map(|of| (of.start.secs(), of.hours, of.minutes.ok, of.minutes.missing))
        .collect();
    assert_eq!(told, [(0, 1, 1, 29), (3_600, 9, 0, 540), (36_000, 1, 1, 0)]);
}

#[test]
fn what_one_flow_log_lost_another_may_have() {
    let marks = |ok, skipdata| Marks {
        ok,
        skipdata,
        ..Marks::default()
    };
    let beside = |a: Marks, b: Marks| {
        let mut all = a;
        all.add_beside(&b);
        (all.ok, all.skipdata)
    };
    // Minute 0 is whole in one, 1 in none, 2 in both; of 3 both lost some.
    let (a, b) = (marks(0b1100, 0b1011), marks(0b1101, 0b1010));
    assert_eq!(beside(a, b), (0b1101, 0b1010));
    assert_eq!(beside(b, a), (0b1101, 0b1010));
}
