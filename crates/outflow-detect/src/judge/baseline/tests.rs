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
