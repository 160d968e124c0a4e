use super::*;

const MB: u64 = 1_000_000;

fn days(payloads: &[(u32, u64)]) -> Vec<DayPayload> {
    payloads
        .iter()
        .map(|(day, payload)| (Day(*day), *payload))
        .collect()
}

/// What the past explains on a day of which none before was asked.
fn allowance(history: &[DayPayload], day: Day, quarantine: u32, rule: &Baseline) -> u64 {
    super::allowance(history, day, (quarantine, rule), &mut Ratchet::default())
}

/// What the past explains on each of its days, asked in their order.
fn allowances(history: &[DayPayload], rule: &Baseline) -> Vec<u64> {
    let mut ratchet = Ratchet::default();
    let of = |(day, _): &DayPayload| super::allowance(history, *day, (7, rule), &mut ratchet);
    history.iter().map(of).collect()
}

#[test]
fn what_grows_slowly_raises_its_allowance_by_a_tenth_a_week_at_most() {
    // Four weeks of 20 MB a day, and then a tenth more each day, so that the days differ ever more.
    let mut payload = 20 * MB;
    let ramp: Vec<DayPayload> = (0..80)
        .map(|day| {
            payload += if day >= 28 { payload / 10 } else { 0 };
            (Day(day), payload)
        })
        .collect();
    let rule = Baseline::default();
    let held = allowances(&ramp, &rule);
    let free = Baseline {
        growth_percent: 1_000,
        ..Baseline::default()
    };
    let free = allowances(&ramp, &free);
    let start = held[35];
    assert!((40 * MB..50 * MB).contains(&start), "{start}");
    assert_eq!(&held[..=35], &free[..=35]);
    for week in 0..6usize {
        let (before, after) = (held[35 + 7 * week], held[42 + 7 * week]);
        assert!(after <= before + before / 10, "{before} {after}");
    }
    // Six weeks of a tenth each; without, the median follows.
    assert!(held[77] <= start * 178 / 100, "{} {start}", held[77]);
    assert!(free[77] > held[77] * 3 / 2, "{} {}", free[77], held[77]);
}

#[test]
fn an_allowance_may_fall_and_come_back_within_a_week_and_a_season_is_no_growth() {
    let rule = Baseline::default();
    let known = [(Day(0), MB), (Day(30), MB)];
    let mut ratchet = Ratchet::default();
    let mut hold = |day: u32, allowance: u64| {
        ratchet.hold((Day(day), &known), allowance * MB, rule.growth_percent) / MB
    };
    assert_eq!(hold(40, 100), 100);
    assert_eq!(hold(44, 300), 300, "nothing is a week old");
    assert_eq!(hold(47, 300), 110);
    assert_eq!(hold(48, 50), 50);
    assert_eq!(hold(50, 300), 110);
    assert_eq!(hold(51, 300), 300, "what was usual then");
    // Three weeks later, the last of before stands for all.
    assert_eq!(hold(80, 900), 300 * 14_641 / 10_000);
    let weekly = weeks(160 * MB, |day| day % 7 == 6);
    let of = allowances(&weekly, &rule);
    assert_eq!([of[61], of[62], of[63]], [20 << 20, 320 << 20, 20 << 20]);
}

#[test]
fn a_pair_is_established_by_days_spread_over_weeks_before_the_quarantine() {
    let rule = Baseline::default();
    let regular: Vec<DayPayload> = (100..130).map(|day| (Day(day), 50 * MB)).collect();
    assert_eq!(
        allowance(&regular, Day(110), 7, &rule),
        0,
        "ten days are too short a past"
    );
    assert_eq!(
        allowance(&regular, Day(121), 7, &rule),
        0,
        "the last seven days do not count"
    );
    let allowed = allowance(&regular, Day(122), 7, &rule);
    assert!(
        (100 * MB..120 * MB).contains(&allowed),
        "an octave above the median: {allowed}"
    );
    assert_eq!(
        allowance(&regular, Day(144), 30, &rule),
        0,
        "nor do the last thirty, where thirty are summed"
    );
    assert_eq!(allowance(&regular, Day(145), 30, &rule), allowed);
    let few = days(&[(100, MB), (105, MB), (110, MB), (116, MB)]);
    assert_eq!(
        allowance(&few, Day(130), 7, &rule),
        0,
        "four active days are too few"
    );
}

#[test]
fn one_outlier_does_not_raise_the_allowance() {
    let rule = Baseline::default();
    let mut history: Vec<DayPayload> = (100..130).map(|day| (Day(day), MB)).collect();
    history[3].1 = 50_000 * MB;
    assert!(allowance(&history, Day(140), 7, &rule) < 3 * MB);
}

#[test]
fn levels_climb_with_payload_and_come_back_within_an_eighth() {
    for shift in 0..60 {
        let payload = 1u64 << shift;
        assert!(level(payload) <= level(payload + payload / 4));
        let back = payload_at(level(payload));
        assert!(
            back >= payload && back <= payload + payload / 8 + 1,
            "{payload}: {back}"
        );
    }
}

/// Ten weeks of 10 MB a day, and so much on days that fit.
fn weeks(peak: u64, fits: impl Fn(u32) -> bool) -> Vec<DayPayload> {
    let day = |day: u32| (Day(day), if fits(day) { peak } else { 10 * MB });
    (0..70).map(day).collect()
}

#[test]
fn what_comes_each_week_is_explained_once_four_weeks_are_known() {
    let rule = Baseline::default();
    let history = weeks(160 * MB, |day| day % 7 == 6);
    let of = |day: u32, quarantine| allowance(&history, Day(day), quarantine, &rule);
    // An octave above the medians, to the end of their eighths.
    let (usual, peak) = (20 << 20, 320 << 20);
    assert_eq!(
        of(34, 7),
        usual,
        "days 6, 13 and 20 lie before the quarantine"
    );
    assert_eq!(of(41, 7), peak, "and so does day 27");
    assert_eq!((of(40, 7), of(42, 7)), (usual, usual), "other weekdays");
    // Where thirty days are summed, those within do not count.
    assert_eq!((of(55, 30), of(62, 30)), (usual, peak));
}

#[test]
fn one_week_makes_no_season_and_neither_does_half_of_them() {
    let rule = Baseline::default();
    let usual = 20 << 20;
    for history in [
        weeks(160 * MB, |day| day == 27),
        weeks(160 * MB, |day| day % 14 == 13),
        weeks(20 * MB, |day| day % 7 == 6),
    ] {
        assert_eq!(allowance(&history, Day(62), 7, &rule), usual);
    }
}
