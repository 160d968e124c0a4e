//! The guarantees, on simulated nulls.

use super::*;

/// Numbers that nobody chose: splitmix64.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The mean share of false ones among what is told, of so many runs.
fn rate(runs: u64, mut run: impl FnMut(&mut Random) -> (usize, usize)) -> f64 {
    let mut random = Random(7);
    let share = |(wrong, all): (usize, usize)| wrong as f64 / all.max(1) as f64;
    let sum: f64 = (0..runs).map(|_| share(run(&mut random))).sum();
    sum / runs as f64
}

/// A day of 200 tests, of which the first few are no nulls: their p-values are those of what is rare by itself.
fn day(random: &mut Random, true_ones: usize) -> Vec<f64> {
    let p = |at: usize, random: &mut Random| match at < true_ones {
        true => random.uniform() * 1e-5,
        false => random.uniform(),
    };
    (0..200).map(|at| p(at, random)).collect()
}

#[test]
fn a_day_of_nulls_tells_something_as_rarely_as_promised() {
    let told = |random: &mut Random| {
        let q = adjusted(&day(random, 0), 200);
        let all = q.iter().filter(|q| **q <= DAILY_RATE).count();
        (all, all)
    };
    // All are false, so that the rate is how often there is one at all: one in ten, to three standard errors.
    let share = rate(4_000, told);
    assert!((0.085..0.115).contains(&share), "{share}");
}

#[test]
fn among_true_ones_the_false_share_holds_and_most_are_found() {
    let mut found = 0;
    let told = |random: &mut Random| {
        let q = adjusted(&day(random, 5), 200);
        let is_told = |at: &usize| q[*at] <= DAILY_RATE;
        found += (0..5).filter(is_told).count();
        let wrong = (5..200).filter(is_told).count();
        (wrong, (0..200).filter(is_told).count())
    };
    let share = rate(2_000, told);
    assert!(share <= DAILY_RATE, "{share}");
    assert!(found > 9_900, "{found} of 10,000");
}

#[test]
fn nulls_that_move_together_change_nothing() {
    // Ten workloads at a time do the same: p-values depend positively.
    let told = |random: &mut Random| {
        let groups: Vec<f64> = (0..20).map(|_| random.uniform()).collect();
        let p: Vec<f64> = (0..200).map(|at| groups[at % 20]).collect();
        let all = adjusted(&p, 200)
            .iter()
            .filter(|q| **q <= DAILY_RATE)
            .count();
        (all, all)
    };
    let share = rate(4_000, told);
    assert!(share <= 0.115, "{share}");
}

#[test]
fn what_is_not_listed_counts_as_a_test() {
    assert_eq!(adjusted(&[0.004], 10), [0.04]);
    assert_eq!(adjusted(&[0.004], 0), [0.004]);
    assert_eq!(adjusted(&[0.5], 10), [1.0]);
    assert!(adjusted(&[], 10).is_empty());
}

#[test]
fn adjusted_values_choose_what_the_procedure_itself_does() {
    let mut random = Random(3);
    for true_ones in 0..20 {
        let p = day(&mut random, true_ones);
        let mut sorted = p.clone();
        sorted.sort_by(f64::total_cmp);
        let reaches = |rank: &usize| sorted[rank - 1] <= DAILY_RATE * *rank as f64 / 200.0;
        let chosen = (1..=200).rev().find(reaches).unwrap_or(0);
        let q = adjusted(&p, 200);
        assert_eq!(q.iter().filter(|q| **q <= DAILY_RATE).count(), chosen);
    }
}

#[test]
fn e_values_of_nulls_are_one_on_average_and_never_discover_by_chance() {
    let mut random = Random(11);
    let mean: f64 = (0..200_000).map(|_| e_value(random.uniform())).sum::<f64>() / 200_000.0;
    // The tail is so heavy that the mean of a sample stays below the expectation.
    assert!((0.5..1.5).contains(&mean), "{mean}");
    // All do the same, the worst of dependences.
    let told = |random: &mut Random| {
        let e = vec![e_value(random.uniform()); 200];
        let all = e_discoveries(&e, 200, DAILY_RATE);
        (all, all)
    };
    let share = rate(20_000, told);
    assert!(share <= DAILY_RATE, "{share}");
    let e = [e_value(1e-9), e_value(1e-8), e_value(0.01)];
    assert_eq!(e_discoveries(&e, 1_000, AUTOMATIC_RATE), 2);
    assert_eq!(e_value(0.0), 0.0);
    assert_eq!(e_value(1.0), 0.0);
}

#[test]
fn a_stream_of_nulls_keeps_its_rate_at_any_time() {
    // The share of false ones among 1 + all, faded: the bound holds at each of the times that are looked at.
    let half_life = 200;
    let fade = (-1.0 / half_life as f64).exp2();
    let (mut random, runs) = (Random(5), 2_000);
    let mut sums = [0.0; 5];
    for _ in 0..runs {
        let mut stream = OnlineDiscoveries::new(DAILY_RATE, half_life);
        let (mut wrong, mut all) = (0.0, 0.0);
        for at in 1..=1_000_usize {
            let is_true = at % 97 == 0;
            let p = random.uniform() * if is_true { 1e-6 } else { 1.0 };
            let found = f64::from(u8::from(stream.test(p)));
            all = all * fade + found;
            wrong = wrong * fade + if is_true { 0.0 } else { found };
            if at % 200 == 0 {
                sums[at / 200 - 1] += wrong / (1.0 + all);
            }
        }
    }
    for sum in sums {
        let share = sum / f64::from(runs);
        assert!(share <= DAILY_RATE, "{share}");
    }
}

#[test]
fn levels_of_a_stream_never_sum_to_more_than_they_earn() {
    let fade = (-1.0 / 50.0_f64).exp2();
    let mut random = Random(1);
    let mut stream = OnlineDiscoveries::new(DAILY_RATE, 50);
    let (mut levels, mut all) = (0.0, 0.0);
    for at in 0..5_000 {
        levels = levels * fade + stream.level();
        let p = if at % 31 == 0 { 0.0 } else { random.uniform() };
        all = all * fade + f64::from(u8::from(stream.test(p)));
        assert!(levels <= DAILY_RATE * (1.0 + all) + 1e-12, "{at}");
    }
    // Quiet times use up nothing: the level stays, however long.
    let mut quiet = OnlineDiscoveries::new(DAILY_RATE, 50);
    let before = quiet.level();
    quiet.pass(1_000_000);
    assert_eq!(quiet.level(), before);
    assert!(quiet.test(before / 2.0));
    assert!(quiet.level() > before);
}
