use std::ops::Range;

use super::*;

const BOUNDS: Horizons = Horizons {
    day: 100,
    week: 400,
    month: 1_000,
};

/// Day by day over the whole series, as a ledger does.
fn found(series: &[(u32, u64)]) -> Vec<(u32, Horizon, Range<usize>)> {
    let sum = |payload| Payload {
        week: payload,
        month: payload,
    };
    let series: Vec<(Slot, Payload)> = series
        .iter()
        .map(|(slot, payload)| (Slot(*slot), sum(*payload)))
        .collect();
    let mut found = Vec::new();
    let (mut charged, mut until) = (0, 0);
    for of_day in series.chunk_by(|a, b| a.0.day() == b.0.day()) {
        until += of_day.len();
        let open = &series[charged..until];
        if let Some(crossing) = crossing(open, of_day[0].0.day(), &BOUNDS) {
            let members = charged + crossing.from..until;
            found.push((crossing.day.0, crossing.horizon, members));
            charged = until;
        }
    }
    found
}

#[test]
fn a_burst_is_charged_once() {
    assert_eq!(found(&[(41, 150)]), [(10, Horizon::Day, 0..1)]);
    assert_eq!(found(&[(41, 99)]), []);
}

#[test]
fn a_burst_over_midnight_is_seen_whole() {
    assert_eq!(found(&[(43, 60), (44, 60)]), [(11, Horizon::Day, 0..2)]);
    assert_eq!(found(&[(43, 60), (47, 60)]), [], "24 hours apart");
}

#[test]
fn what_goes_on_is_charged_day_by_day() {
    let daily: Vec<(u32, u64)> = (0..3).map(|day| (40 + 4 * day, 150)).collect();
    assert_eq!(
        found(&daily),
        [
            (10, Horizon::Day, 0..1),
            (11, Horizon::Day, 1..2),
            (12, Horizon::Day, 2..3)
        ]
    );
}

#[test]
fn low_and_slow_crosses_the_longer_bounds_once_for_all_its_bytes() {
    let week: Vec<(u32, u64)> = (0..7).map(|day| (40 + 4 * day, 60)).collect();
    assert_eq!(found(&week), [(16, Horizon::Week, 0..7)]);
    let month: Vec<(u32, u64)> = (0..40).map(|day| (40 + 4 * day, 35)).collect();
    assert_eq!(found(&month), [(38, Horizon::Month, 0..29)]);
}

#[test]
fn several_destinations_of_a_slot_add_up() {
    assert_eq!(found(&[(40, 60), (40, 60)]), [(10, Horizon::Day, 0..2)]);
}

#[test]
fn a_longer_series_does_not_change_what_was_found() {
    let series: Vec<(u32, u64)> = (0..80)
        .map(|slot| (slot, u64::from(slot * 37 % 61)))
        .collect();
    let whole = found(&series);
    for cut in (0..80).step_by(4) {
        let days = u32::try_from(cut / 4).unwrap();
        let before: Vec<_> = whole
            .iter()
            .filter(|found| found.0 < days)
            .cloned()
            .collect();
        assert_eq!(found(&series[..cut]), before);
    }
}
