//! What each past explains, together: a little more to many destinations is told, and what has other reasons is not.

use outflow_detect::{Day, Judged, Policy};
use outflow_finding::{Family, Severity};

use crate::fixture::{Dice, engine_of};
use crate::sums::{DAY, FULL, MB, START};

const HOSTS: u32 = 24;
const PLACES: u32 = 20;

/// What a host sends to a place on a day, from what it usually does.
type Change<'c> = &'c dyn Fn(u32, u32, i64, u64) -> u64;

/// Hosts of an account that send some 15 MB a day to each of twenty places, each its own, for so many days.
fn world(days: i64, change: Change<'_>) -> Vec<String> {
    let mut dice = Dice::new(11);
    let mut lines = Vec::new();
    for day in 0..days {
        for (host, place) in (0..HOSTS).flat_map(|host| (0..PLACES).map(move |place| (host, place)))
        {
            let swing = 13 * MB + 4 * MB * u64::try_from(dice.below(1_000)).unwrap() / 1_000;
            let payload = change(host, place, day, swing);
            let (packets, at) = (payload / 1_000, START + day * DAY + i64::from(place) * 60);
            let bytes = payload + 52 * packets;
            let (own, remote) = (format!("10.0.1.{host}"), format!("46.{host}.{place}.3"));
            lines.push(format!(
                "111111111111 eni-h{host} i-h{host} {own} {remote} {own} {remote} 40000 443 6 {packets} {bytes} {at} {} \
                 ACCEPT 2 egress OK",
                at + 59
            ));
        }
    }
    lines
}

fn told(lines: &[String]) -> Vec<Judged> {
    let mut found = engine_of(Policy::default(), FULL, lines).finish().findings;
    found.retain(|judged| judged.finding.family == Family::VolumeTotal);
    found
}

fn days(found: &[Judged]) -> Vec<u32> {
    found.iter().map(|judged| judged.day.0 - 20_000).collect()
}

#[test]
fn a_little_more_to_each_of_many_is_told_where_no_other_family_tells() {
    // 12 MB more to each of twenty: below every allowance, and below the bound of a shift.
    let lines = world(62, &|host, _, day, usual| {
        if host == 3 && day >= 54 {
            usual * 9 / 5
        } else {
            usual
        }
    });
    let of_host = |lines: &[String]| -> Vec<Family> {
        let mut all = engine_of(Policy::default(), FULL, lines).finish().findings;
        all.retain(|own| own.day >= Day(20_054) && own.finding.workload.as_deref() == Some("i-h3"));
        all.iter().map(|own| own.finding.family).collect()
    };
    let mut families = of_host(&lines);
    families.retain(|own| *own != Family::VolumeTotal);
    assert_eq!(families, []);
    let found = told(&lines);
    // The day on which it begins, and again after a week.
    assert_eq!(days(&found), [54, 61]);
    let finding = &found[0].finding;
    assert_eq!(finding.workload.as_deref(), Some("i-h3"));
    assert_eq!(finding.severity, Severity::Medium);
    assert_eq!(finding.destination.groups_total, u64::from(PLACES));
    let volume = &finding.why[0];
    assert!(volume.observed >= volume.bound.unwrap(), "{volume:?}");
    assert!((500e6..580e6).contains(&volume.observed), "{volume:?}");
    assert!(finding.urgency.is_some());
}

#[test]
fn a_busy_day_of_all_is_not_told_and_neither_is_a_season() {
    let busy = world(42, &|_, _, day, usual| {
        if day == 40 { usual * 9 / 5 } else { usual }
    });
    assert_eq!(told(&busy), []);
    // Each Saturday, for six weeks.
    let weekly = world(49, &|host, _, day, usual| {
        if host == 3 && day % 7 == 6 {
            usual * 9 / 5
        } else {
            usual
        }
    });
    let found = days(&told(&weekly));
    assert!(found.iter().all(|day| *day < 41), "{found:?}");
}

#[test]
fn what_has_no_past_and_what_exceeds_one_is_left_to_others() {
    let lines = world(41, &|host, place, day, usual| {
        // Twice a gigabyte: to one that is known, and to one that is not.
        let is_theft = day == 40 && host == 3 && place == 0;
        if is_theft { usual + 1_000 * MB } else { usual }
    });
    let mut new = world(41, &|_, _, _, usual| usual);
    new.push(crate::sums::upload("h3", "79.1.2.3", 40 * DAY, 1_000 * MB));
    for lines in [&lines, &new] {
        assert_eq!(told(lines), []);
        let all = engine_of(Policy::default(), FULL, lines).finish().findings;
        let is_ledger = |own: &Judged| own.finding.family == Family::VolumeLedger;
        assert!(
            all.iter()
                .any(|own| is_ledger(own) && own.day == Day(20_040))
        );
    }
}

#[test]
fn a_rise_below_the_bound_is_not_told() {
    // A tenth of it: 24 MB more in all.
    let lines = world(48, &|host, _, day, usual| {
        let usual = usual / 10;
        if host == 3 && day >= 40 {
            usual * 9 / 5
        } else {
            usual
        }
    });
    assert_eq!(told(&lines), []);
}

#[test]
fn later_days_have_no_say() {
    let change: Change<'_> = &|host, _, day, usual| {
        if host == 3 && day >= 40 {
            usual * 9 / 5
        } else {
            usual
        }
    };
    let (short, long) = (told(&world(41, change)), told(&world(48, change)));
    assert_eq!(short[..], long[..1]);
}
