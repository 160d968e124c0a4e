use super::*;

const MB: u64 = 1_000_000;

fn days(payloads: &[(u32, u64)]) -> Vec<DayPayload> {
    payloads
        .iter()
        .map(|(day, payload)| (Day(*day), *payload))
        .collect()
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
