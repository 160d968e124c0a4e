use super::*;

/// A stream of numbers between 0 and 1.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }

    /// A time to wait, as chance has it.
    fn by_chance(&mut self, mean: f64) -> f64 {
        -mean * self.next().max(1e-12).ln()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small and not negative"
)]
fn whole(number: f64) -> u32 {
    number as u32
}

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;

/// The days of connections that begin at these seconds.
fn days(times: &[f64]) -> Vec<(Day, Option<Begins>)> {
    let mut days: Vec<(Day, Option<Begins>)> = Vec::new();
    for time in times {
        let bucket = 20_000 * BUCKETS_PER_DAY + whole(time / 600.0);
        if days.last().is_none_or(|(day, _)| *day != day_of(bucket)) {
            days.push((day_of(bucket), Some(Begins::default())));
        }
        let all = &mut days.last_mut().unwrap().1.as_mut().unwrap().all;
        match all.last_mut() {
            Some(last) if last.bucket == bucket => last.count += 1,
            _ => all.push(Begun { bucket, count: 1 }),
        }
    }
    days
}

/// The first day, counted from one on, on which some times are a beacon; and the most bits of any day.
fn first_told(times: &[f64]) -> (Option<u32>, f64) {
    let days = days(times);
    let (mut first, mut most) = (None, 0.0_f64);
    for until in 1..=days.len() {
        let even = evenness(&days[..until], 0.0);
        let bits = even.map_or(0.0, |even| even.bits);
        most = most.max(bits);
        if bits >= 20.0 && first.is_none() {
            first = Some(days[until - 1].0.0 - 20_000 + 1);
        }
    }
    (first, most)
}

/// A timer of so many seconds: each sleep is shortened by up to `jitter`, as programs that hide do it. Calls may be lost,
/// and others come in between, in hundredths.
fn timer(seed: u64, period: f64, jitter: f64, (lost, extra): (u32, u32), length: f64) -> Vec<f64> {
    let mut dice = Dice(seed);
    let mut times = Vec::new();
    let mut at = dice.next() * period;
    while at < length {
        if dice.next() * 100.0 >= f64::from(lost) {
            // Records begin up to a minute later than packets.
            times.push(at + 60.0 * dice.next());
        }
        if dice.next() * 100.0 < f64::from(extra) {
            times.push(at + period * dice.next());
        }
        at += period * (1.0 - jitter * dice.next());
    }
    times.sort_by(f64::total_cmp);
    times.retain(|at| *at < length);
    times
}

#[test]
fn timers_are_told_within_days_whatever_their_jitter() {
    for (period, jitter, noise, within) in [
        (60.0, 0.5, (0, 0), 1),
        (60.0, 0.5, (30, 30), 4),
        (300.0, 0.9, (10, 10), 2),
        (HOUR, 0.5, (0, 0), 3),
        (HOUR, 0.5, (10, 10), 7),
        (4.0 * HOUR, 0.37, (0, 0), 4),
        (8.0 * HOUR, 0.2, (0, 0), 5),
        (24.0 * HOUR, 0.1, (0, 0), 11),
    ] {
        let seeds = 0..20;
        let days = seeds.map(|seed| first_told(&timer(seed, period, jitter, noise, 30.0 * DAY)).0);
        let latest = days.map(|day| day.unwrap_or(u32::MAX)).max();
        assert!(
            latest <= Some(within),
            "{period} s, {jitter}, {noise:?}: {latest:?}"
        );
    }
}

#[test]
fn what_chance_and_people_do_is_never_told() {
    let mut highest = 0.0_f64;
    for seed in 0..40 {
        for mean in [300.0, 1_200.0, HOUR, 4.0 * HOUR, 12.0 * HOUR] {
            let mut dice = Dice(seed * 7 + 1);
            let mut at = 0.0;
            let next = || {
                at += dice.by_chance(mean);
                Some(at)
            };
            let times: Vec<f64> = std::iter::from_fn(next)
                .take_while(|at| *at < 14.0 * DAY)
                .collect();
            highest = highest.max(first_told(&times).1);
        }
        // Working hours, in bursts.
        let mut dice = Dice(seed * 7 + 2);
        let (mut at, mut times) = (0.0, Vec::new());
        while at < 14.0 * DAY {
            if (8.0..18.0).contains(&(at % DAY / HOUR)) {
                let many = 1 + whole(dice.next() * 8.0);
                times.extend((0..many).map(|step| at + 20.0 * f64::from(step)));
            }
            at += dice.by_chance(900.0);
        }
        highest = highest.max(first_told(&times).1);
    }
    assert!(highest < 13.0, "{highest} bits");
}

#[test]
fn what_is_told_says_how_many_and_how_often() {
    let times: Vec<f64> = (0..288).map(|step| 300.0 * f64::from(step)).collect();
    let even = evenness(&days(&times), 20.0).unwrap();
    // By buckets, of which there are 143 between the first and the last.
    assert_eq!((even.connections, even.period_secs()), (288, 298));
    assert!(even.dispersion < 0.1 && even.bits == BITS_MAX);
    assert_eq!(even.first_day(), Day(20_000));
    assert_eq!(evenness(&days(&times[..5]), 1.0), None);
    // A day that is not counted tells nothing.
    assert_eq!(evenness(&[(Day(20_000), None)], 1.0), None);
}

#[test]
fn a_change_of_pace_hides_nothing() {
    let mut times = timer(1, 10.0, 0.2, (0, 0), 4.0 * HOUR);
    let slower = timer(2, 135.0, 0.9, (0, 0), 18.0 * HOUR);
    times.extend(slower.into_iter().map(|at| at + 4.0 * HOUR));
    assert_eq!(first_told(&times).0, Some(1));
}

#[test]
fn full_cells_are_not_taken_for_even() {
    let mut dice = Dice(5);
    let mut all: Vec<Begun> = Vec::new();
    // Twelve new ports a bucket by chance fill nine cells or so.
    for bucket in 0..144 {
        let mut cells = 0u32;
        let mut at = dice.by_chance(50.0);
        while at < 600.0 {
            cells |= 1 << whole(dice.next() * 23.99);
            at += dice.by_chance(50.0);
        }
        let count = cells.count_ones();
        let bucket = 20_000 * BUCKETS_PER_DAY + bucket;
        all.push(Begun { bucket, count });
    }
    let begins = |are_cells| {
        Some(Begins {
            all: all.clone(),
            are_cells,
        })
    };
    let bits = |are_cells| {
        evenness(&[(Day(20_000), begins(are_cells))], 0.0).map_or(0.0, |even| even.bits)
    };
    assert!(bits(true) < 8.0, "{}", bits(true));
}

/// Whether so many calls drift; each is so many seconds behind the one before.
fn drift_of(calls: u32, mut wait: impl FnMut() -> f64) -> bool {
    let mut at = 1_234.0;
    let times: Vec<f64> = (0..calls)
        .map(|_| {
            at += wait();
            at
        })
        .collect();
    let all: Vec<Begun> = days(&times)
        .into_iter()
        .flat_map(|(_, begins)| begins.unwrap().all)
        .collect();
    drifts(&all)
}

#[test]
fn what_sleeps_between_calls_drifts() {
    let mut dice = Dice(7);
    // 4 h and 24 h, less up to 37 % and 10 %.
    for (calls, period, jitter) in [
        (14, 4.0 * HOUR, 0.37),
        (60, 4.0 * HOUR, 0.37),
        (8, DAY, 0.1),
    ] {
        let times = (0..40).filter(|_| drift_of(calls, || period * (1.0 - jitter * dice.next())));
        assert!(times.count() >= 36, "{calls} calls every {period} s");
    }
}

#[test]
fn what_keeps_a_clock_does_not_drift_however_late_it_is_and_whatever_its_period() {
    let mut dice = Dice(8);
    for period in [2.0, 3.0, 4.0, 5.0, 7.3, 24.0] {
        for calls in [7, 20, 60] {
            // Up to five minutes late, each for itself.
            let mut late = 0.0;
            let drifts = drift_of(calls, || {
                let before = late;
                late = 300.0 * dice.next();
                period * HOUR + late - before
            });
            assert!(!drifts, "{calls} calls every {period} h");
        }
    }
    // One in ten is missing.
    let mut call = 0;
    assert!(!drift_of(40, || {
        call += 1;
        4.0 * HOUR * if call % 11 == 5 { 2.0 } else { 1.0 }
    }));
}

#[test]
fn of_calls_within_two_hours_nothing_is_said() {
    let mut dice = Dice(9);
    assert!(!drift_of(200, || HOUR * (1.0 - 0.5 * dice.next())));
    assert!(!drift_of(3, || 5.0 * HOUR * dice.next()));
}
