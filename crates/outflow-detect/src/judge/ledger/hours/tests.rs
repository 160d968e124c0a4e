use super::*;
use crate::judge::pairs::in_order;
use crate::policy::Policy;
use crate::reading::{NOTHING, Talk, state};
use crate::view::View;

const DAY_SECS: i64 = 86_400;
const QUARANTINE: u32 = 7;

/// A megabyte at an hour of a day, which is counted from a Friday on.
fn upload(day: i64, hour: i64) -> Talk<'static> {
    Talk {
        at: day * DAY_SECS + hour * 3_600 + 600,
        up: (1_000, 1_000),
        ..Talk::default()
    }
}

/// What of such a host's entries says.
fn look<T>(talks: &[Talk<'_>], say: impl Fn(&[Entry<'_>]) -> T) -> T {
    let state = state(talks);
    let policy = Policy::default();
    let view = View::new(&state, &policy, &NOTHING, Day(40_000));
    let mut chosen = view.sift().chosen;
    in_order(&mut chosen);
    say(&chosen.concat())
}

/// From nine to five on working days.
fn office(days: i64) -> Vec<Talk<'static>> {
    let work = (0..days).filter(|day| !matches!(day % 7, 1 | 2));
    work.flat_map(|day| (9..17).map(move |hour| upload(day, hour)))
        .collect()
}

fn quiet_on(talks: &[Talk<'_>], day: u32) -> Option<Vec<usize>> {
    look(talks, |entries| {
        let quiet = Hours::of(entries).quiet(Day(20_000 + day), QUARANTINE)?;
        Some((0..24).filter(|hour| quiet[*hour]).collect())
    })
}

#[test]
fn nights_and_weekends_of_an_office_are_quiet_and_the_hours_beside_work_are_not() {
    let talks = office(60);
    let nights: Vec<usize> = (0..8).chain(18..24).collect();
    // 42 days after a Friday is a Friday.
    assert_eq!(quiet_on(&talks, 42), Some(nights.clone()));
    assert_eq!(quiet_on(&talks, 46), Some(nights), "a Tuesday");
    assert_eq!(quiet_on(&talks, 44), Some((0..24).collect()), "a Sunday");
}

#[test]
fn four_weeks_before_the_quarantine_must_be_known() {
    let talks = office(60);
    assert_eq!(quiet_on(&talks, 34), None);
    assert!(quiet_on(&talks, 35).is_some());
}

#[test]
fn a_host_that_works_around_the_clock_has_no_quiet_hour() {
    let always: Vec<Talk<'_>> = (0..42)
        .flat_map(|day| (0..24).map(move |hour| upload(day, hour)))
        .collect();
    assert_eq!(quiet_on(&always, 42), Some(Vec::new()));
}

#[test]
fn a_slot_is_spread_over_the_ten_minutes_that_had_traffic() {
    // Within one slot of six hours, a connection in the third hour and one in the fifth, of half a megabyte and more.
    let talks = [upload(0, 2), upload(0, 4)];
    let mut quiet = [false; OF_DAY];
    quiet[4] = true;
    assert_eq!(look(&talks, |entries| in_hours(entries, &quiet)), 1_000_000);
    assert_eq!(
        look(&talks, |entries| in_hours(entries, &[true; OF_DAY])),
        2_000_000
    );
    assert_eq!(
        look(&talks, |entries| in_hours(entries, &[false; OF_DAY])),
        0
    );
}
