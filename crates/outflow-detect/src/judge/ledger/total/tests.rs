use super::*;

const MB: u64 = 1 << 20;

/// Days of a workload from a day on, each with what it sent in all and what of it is explained.
fn days(sent: &[(u32, u64, u64)]) -> Vec<Sent> {
    let of = |(day, all, explained): &(u32, u64, u64)| Sent {
        workload: 7,
        day: Day(*day),
        all: *all,
        explained: *explained,
    };
    sent.iter().map(of).collect()
}

/// So many days with as much, and a last one.
fn then(count: u32, usual: u64, last: (u64, u64)) -> Vec<Sent> {
    let mut all: Vec<_> = (0..count).map(|day| (day, usual, usual)).collect();
    all.push((count, last.0, last.1));
    days(&all)
}

fn last_swing(sent: &[Sent], span: usize) -> Option<Swing> {
    let rows = rows(&Policy::default(), 0, sent);
    let last = rows
        .last()
        .filter(|row| row.day == sent[sent.len() - 1].day)?;
    last.swings[span]
}

#[test]
fn a_day_is_compared_with_those_before_the_quarantine() {
    // Two weeks, and the quarantine of one: the first day that is known is the twenty-second.
    assert_eq!(
        last_swing(&then(21, 64 * MB, (128 * MB, 128 * MB)), 0),
        None
    );
    let swing = last_swing(&then(22, 64 * MB, (128 * MB, 128 * MB)), 0).unwrap();
    assert_eq!((swing.rise, swing.spread), (8, 0));
    // A level is an eighth of an octave, and its end is told.
    assert_eq!(payload_at(swing.before.into()), 72 * MB);
}

#[test]
fn what_is_not_explained_makes_no_rise_and_all_makes_the_past() {
    let with = |last| last_swing(&then(30, 64 * MB, last), 0).unwrap().rise;
    assert_eq!(with((900 * MB, 64 * MB)), 0);
    assert_eq!(with((900 * MB, 128 * MB)), 8);
    let mut past: Vec<_> = (0..30).map(|day| (day, 128 * MB, 0)).collect();
    past.push((30, 128 * MB, 128 * MB));
    assert_eq!(last_swing(&days(&past), 0).unwrap().rise, 0);
}

#[test]
fn longer_spans_are_of_their_median_and_their_own_past() {
    let risen = |risen: u32| {
        let sent = (0..60).map(|day| (day, if day < 60 - risen { MB } else { 2 * MB }));
        let sent: Vec<_> = sent.map(|(day, all)| (day, all, all)).collect();
        let rows = rows(&Policy::default(), 0, &days(&sent));
        rows[rows.len() - 1].swings.map(|own| own.unwrap().rise)
    };
    assert_eq!(risen(1), [8, 0, 0]);
    assert_eq!(risen(4), [8, 8, 0]);
    assert_eq!(risen(16), [8, 8, 8]);
}

#[test]
fn a_weekday_that_has_more_is_compared_with_itself() {
    let of = |day: u32| if day % 7 == 6 { 256 * MB } else { 64 * MB };
    let all: Vec<_> = (0..49).map(|day| (day, of(day), of(day))).collect();
    assert_eq!(last_swing(&days(&all), 0).unwrap().rise, 0);
    // On any other weekday as much is two octaves more.
    let mut other = all.clone();
    other.truncate(48);
    other[47] = (47, 256 * MB, 256 * MB);
    assert_eq!(last_swing(&days(&other), 0).unwrap().rise, 16);
    // Of fewer than four, the weekday tells nothing.
    let young: Vec<_> = all[..35].to_vec();
    assert_eq!(last_swing(&days(&young), 0).unwrap().rise, 16);
}

#[test]
fn a_past_is_no_longer_than_its_limit() {
    let mut past = Past::default();
    let known: Vec<_> = (0..300).map(|day| (day, MB << (day / 100), MB)).collect();
    let known = days(&known);
    past.advance(&known, Some(300));
    assert_eq!(past.sorted.len(), ACTIVE_DAYS_MAX);
    assert!(past.sorted.iter().all(|own| *own == level(4 * MB)));
    assert_eq!(past.days(&known)[0].day, Day(300 - 90));
}

#[test]
fn deviations_are_counted_beyond_what_is_shared_and_the_least_spread() {
    let policy = Policy::default();
    let swing = |rise, spread| Swing {
        before: 0,
        rise,
        spread,
    };
    assert_eq!(tenths(&policy, swing(8, 0), 0), 40, "two eighths at least");
    assert_eq!(tenths(&policy, swing(8, 4), 0), 20);
    assert_eq!(tenths(&policy, swing(8, 0), 6), 10);
    assert_eq!(tenths(&policy, swing(8, 0), 9), 0);
    assert_eq!(tenths(&policy, swing(-8, 0), 0), 0);
}
