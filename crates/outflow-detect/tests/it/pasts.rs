//! What is compared with a past: first meetings, shifts of what is established, and what is served.

use outflow_detect::{Judged, Policy, Scores};
use outflow_finding::{Family, Severity};

use crate::fixture::engine_of;
use crate::sums::{DAY, FULL, MB, START, upload};

fn told(policy: &Policy, family: Family, lines: &[String]) -> Vec<Judged> {
    let mut found = engine_of(policy.clone(), FULL, lines).finish().findings;
    found.retain(|judged| judged.finding.family == family);
    found
}

fn days(found: &[Judged]) -> Vec<u32> {
    found.iter().map(|judged| judged.day.0 - 20_000).collect()
}

/// So many hosts that send as many bytes each day, each to a place of its own.
fn fleet(hosts: u32, days: i64, payload: u64) -> Vec<String> {
    let of_host = |host: u32| {
        let day = move |day: i64| {
            upload(
                &format!("h{host}"),
                &format!("46.1.{host}.3"),
                day * DAY,
                payload,
            )
        };
        (0..days).map(day)
    };
    (0..hosts).flat_map(of_host).collect()
}

/// A policy under which a meeting is rare at so many bits.
fn rare_at(rare: u32) -> Policy {
    Policy {
        scores: Scores {
            rare,
            ..Scores::default()
        },
        ..Policy::default()
    }
}

#[test]
fn a_meeting_is_rare_once_enough_days_had_none_like_it() {
    let mut lines = fleet(40, 8, MB);
    // 40 · 7 workload-days before, none of which had a meeting but the first 40.
    lines.push(upload("h1", "45.1.2.3", 7 * DAY, 2 * MB));
    let found = told(&rare_at(8), Family::DestinationRare, &lines);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    assert_eq!(
        finding.title,
        "first payload to 45.1.2.3, new to all accounts: 2.0 MB"
    );
    assert_eq!((days(&found), finding.bits), (vec![7], Some(8.1)));
    assert_eq!(finding.severity, Severity::Medium);
    let why: Vec<_> = finding
        .why
        .iter()
        .map(|own| (own.observed, own.bound, own.unit.as_str()))
        .collect();
    assert_eq!(
        why[..2],
        [(8.1, Some(8.0), "bits"), (1.0, None, "workloads")]
    );
    assert_eq!(told(&rare_at(9), Family::DestinationRare, &lines), []);
    assert_eq!(
        told(&Policy::default(), Family::DestinationRare, &lines),
        []
    );
}

#[test]
fn no_meeting_of_a_young_log_is_rare() {
    for count in 1..4 {
        assert_eq!(
            told(&rare_at(1), Family::DestinationRare, &fleet(40, count, MB)),
            []
        );
    }
}

#[test]
fn what_is_met_every_day_is_not_rare_and_neither_is_what_is_lighter() {
    // A host meets a new place each day, with twice as much.
    let mut lines = fleet(40, 8, MB);
    lines.extend((0..8).map(|day| upload("h2", &format!("47.1.{day}.3"), day * DAY, 4 * MB)));
    lines.push(upload("h1", "45.1.2.3", 7 * DAY, 2 * MB));
    let found = told(&rare_at(6), Family::DestinationRare, &lines);
    assert_eq!(found, []);
    let heavier = upload("h1", "45.1.2.3", 7 * DAY, 8 * MB);
    lines.push(heavier);
    assert_eq!(told(&rare_at(6), Family::DestinationRare, &lines).len(), 1);
}

#[test]
fn what_is_rolled_out_is_not_rare() {
    let mut lines = fleet(40, 8, MB);
    lines.extend((0..4).map(|host| upload(&format!("h{host}"), "45.1.2.3", 7 * DAY, 20 * MB)));
    assert_eq!(told(&rare_at(8), Family::DestinationRare, &lines), []);
    lines.truncate(lines.len() - 1);
    assert_eq!(told(&rare_at(8), Family::DestinationRare, &lines).len(), 3);
}

#[test]
fn five_weeks_forget_what_was_met() {
    // The first meetings of all hosts are the only ones until the fortieth day.
    let heavy = |at: i64| upload("h1", "45.1.2.3", at * DAY, MB);
    let met = |at: i64| {
        let mut lines = fleet(4, 45, MB);
        lines.push(heavy(at));
        told(&rare_at(1), Family::DestinationRare, &lines)[0]
            .finding
            .bits
    };
    // Four meetings in 4 · 30 workload-days; none in 4 · 36.
    assert_eq!((met(30), met(40)), (Some(4.6), Some(7.1)));
}

/// A pair that sends 10 MB a day for four weeks, then what follows.
fn then(rest: &[u64]) -> Vec<String> {
    let days = std::iter::repeat_n(10 * MB, 28).chain(rest.iter().copied());
    let day = |(day, payload): (i64, u64)| upload("a", "185.1.2.3", day * DAY, payload);
    (0..).zip(days).map(day).collect()
}

fn shifts(lines: &[String]) -> Vec<Judged> {
    told(&Policy::default(), Family::VolumeShift, lines)
}

#[test]
fn a_shift_is_told_once_most_of_three_days_have_it() {
    let found = shifts(&then(&[60 * MB; 3]));
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    assert_eq!(days(&found), [29]);
    // The median of the past lies in the eighth of an octave that ends at 10 << 20.
    let (before, now) = (10 << 20, 60 * MB);
    let why = &finding.why[0];
    assert_eq!(
        (why.observed, why.expected),
        (now as f64, Some(before as f64))
    );
    assert_eq!(why.bound, Some((before + 20 * MB) as f64));
    assert_eq!(
        finding.title,
        "60.0 MB a day to 185.1.2.0/24, 10.5 MB before: for 3 active days"
    );
    assert_eq!(finding.severity, Severity::Low);
}

#[test]
fn one_busy_day_is_no_shift_and_neither_is_less_than_the_bound() {
    assert_eq!(
        shifts(&then(&[60 * MB, 10 * MB, 10 * MB, 60 * MB, 10 * MB])),
        []
    );
    let more = |bytes: u64| shifts(&then(&[bytes; 4])).len();
    assert_eq!(
        (more((10 << 20) + 20 * MB), more((10 << 20) + 19 * MB)),
        (1, 0)
    );
}

#[test]
fn a_past_that_swings_needs_more() {
    let past = [5, 10, 20, 40].iter().cycle().take(28);
    let days = past.chain(&[60; 4]).zip(0..);
    let swings = days.map(|(payload, day)| upload("a", "185.1.2.3", day * DAY, payload * MB));
    let swings: Vec<String> = swings.collect();
    assert_eq!(shifts(&swings), []);
}

#[test]
fn a_shift_that_stays_is_told_again_until_it_is_the_past() {
    let found = shifts(&then(&[60 * MB; 60]));
    // A week later, and so on, until most of the days that establish are of it.
    assert_eq!(days(&found)[..3], [29, 36, 43]);
    assert!(days(&found).last() < Some(&75), "{:?}", days(&found));
}

#[test]
fn a_shift_is_an_alarm_where_it_is_rare_and_more_than_the_ledger_would_let_pass() {
    let with_fleet = |payload: u64| {
        let mut lines = fleet(10, 32, 10 * MB);
        lines.extend(then(&[payload; 4]));
        shifts(&lines)[0].finding.severity
    };
    assert_eq!(with_fleet(60 * MB), Severity::Low);
    assert_eq!(with_fleet(150 * MB), Severity::Medium);
}

/// A day of what a service of a host sends to whoever came to it.
fn served(day: i64, payload: u64) -> String {
    let packets = payload / 1_000;
    let (bytes, at) = (payload + 52 * packets, START + day * DAY);
    format!(
        "111111111111 eni-a i-a 10.0.0.7 8.8.4.1 10.0.0.7 8.8.4.1 443 40000 6 {packets} {bytes} {at} {at} \
         ACCEPT 18 egress OK"
    )
}

#[test]
fn a_service_that_sends_far_more_than_ever_is_told() {
    let usual = |days: i64| (0..days).map(|day| served(day, 100 * MB));
    let with = |days: i64, payload: u64| {
        let lines: Vec<String> = usual(days).chain([served(days, payload)]).collect();
        told(&Policy::default(), Family::VolumeServed, &lines)
    };
    let found = with(28, 3_000 * MB);
    let [one] = &found[..] else {
        panic!("{found:#?}")
    };
    let finding = &one.finding;
    // The median lies in the eighth that ends at 12 << 23.
    assert_eq!(
        finding.title,
        "3.0 GB served over tcp/443 in a day, 101 MB before"
    );
    assert_eq!((days(&found), finding.severity), (vec![28], Severity::Low));
    assert_eq!(finding.why[0].expected, Some(f64::from(12 << 23)));
    assert_eq!(with(28, 12_000 * MB)[0].finding.severity, Severity::Medium);
    // An octave above the median is explained.
    let explained = 12 << 24;
    assert_eq!(with(28, explained + 1_000 * MB).len(), 1);
    assert_eq!(with(28, explained + 999 * MB), []);
    // A young log knows no usual.
    assert_eq!(with(10, 12_000 * MB), []);
}

#[test]
fn a_service_that_swings_by_less_than_four_times_is_not_told() {
    let lines: Vec<String> = (0..28)
        .map(|day| served(day, 5_000 * MB))
        .chain([served(28, 15_000 * MB)])
        .collect();
    assert_eq!(told(&Policy::default(), Family::VolumeServed, &lines), []);
}

/// What the ledger says of what exceeds a past: day and severity.
fn beyond(lines: &[String]) -> Vec<(u32, Severity)> {
    let found = told(&Policy::default(), Family::VolumeLedger, lines);
    let beyond = found
        .iter()
        .filter(|judged| judged.finding.title.contains("beyond the usual"));
    beyond
        .map(|judged| (judged.day.0 - 20_000, judged.finding.severity))
        .collect()
}

#[test]
fn the_largest_of_all_swings_is_more_than_a_note() {
    let mut lines = fleet(10, 30, 10 * MB);
    lines.push(upload("h3", "46.1.3.3", 30 * DAY, 300 * MB));
    assert_eq!(
        beyond(&lines),
        [(30, Severity::High)],
        "no other of 300 workload-days"
    );
    // Nine hosts swing by more.
    let others = (0..9).map(|host| {
        (
            if host < 3 { host } else { host + 1 },
            26 + i64::from(host % 3),
        )
    });
    lines.extend(others.map(|(host, day)| {
        upload(
            &format!("h{host}"),
            &format!("46.1.{host}.3"),
            day * DAY + 60,
            400 * MB,
        )
    }));
    let now = beyond(&lines);
    assert!(now.contains(&(30, Severity::Low)), "{now:?}");
}

#[test]
fn what_exceeds_a_young_past_is_new_to_a_month() {
    // 45 MB a day are explained from the twenty-second day on, but not to the ledger of thirty days.
    let lines: Vec<String> = (0..25)
        .map(|day| upload("a", "185.1.2.3", day * DAY, 45 * MB))
        .collect();
    let found = told(&Policy::default(), Family::VolumeLedger, &lines);
    let month = found
        .iter()
        .find(|judged| judged.finding.title.contains("within 30 days"));
    let month = &month.unwrap().finding;
    assert!(
        month.title.contains("of unexplained payload"),
        "{}",
        month.title
    );
}

/// What a host exchanges with a web server that does not encrypt, on a day.
fn http(remote: &str, day: i64, (up, down): (u64, u64)) -> [String; 2] {
    let (start, end) = (START + day * DAY, START + day * DAY + 59);
    let row = |sides: String, payload: u64, way: &str| {
        let packets = payload / 1_000 + 1;
        let bytes = payload + 52 * packets;
        format!("111111111111 eni-a i-a {sides} 6 {packets} {bytes} {start} {end} ACCEPT {way} OK")
    };
    let (own, port) = ("10.0.0.7", 40_000);
    [
        row(
            format!("{own} {remote} {own} {remote} {port} 80"),
            up,
            "2 egress",
        ),
        row(
            format!("{remote} {own} {remote} {own} 80 {port}"),
            down,
            "18 ingress",
        ),
    ]
}

#[test]
fn what_is_pushed_in_the_clear_is_told_from_its_first_day_on() {
    let uploads = |exchanges: &[(i64, (u64, u64))]| -> Vec<(u32, Severity)> {
        let lines: Vec<String> = exchanges
            .iter()
            .flat_map(|(day, sides)| http("45.1.2.3", *day, *sides))
            .collect();
        let found = told(&Policy::default(), Family::ProtocolMisuse, &lines);
        let days = found
            .iter()
            .map(|one| (one.day.0 - 20_000, one.finding.severity));
        days.collect()
    };
    assert_eq!(uploads(&[(0, (2 * MB, MB / 10))]), [(0, Severity::Medium)]);
    assert_eq!(uploads(&[(0, (MB / 2, 0))]), [], "below the bound");
    assert_eq!(
        uploads(&[(0, (2 * MB, 5 * MB))]).len(),
        1,
        "and fetched from, too"
    );
    assert_eq!(uploads(&[(0, (2 * MB, 100 * MB))]), [], "fetched");
    let daily: Vec<_> = (0..30).map(|day| (day, (2 * MB, 0))).collect();
    let told = uploads(&daily);
    assert_eq!(told.len(), 30);
    assert_eq!(told[29].1, Severity::Low, "established by then");
}

/// Forty hosts that have sent to places of their own since the log began, and a drip that begins after a month.
fn drip(host: &str, to: &str, payload: u64, days: i64) -> Vec<String> {
    let mut lines = fleet(40, 30 + days, MB);
    lines.extend((30..30 + days).map(|day| upload(host, to, day * DAY, payload)));
    lines
}

/// A policy under which so many bits tell of what trickles.
fn trickles_at(trickle: u32) -> Policy {
    Policy {
        scores: Scores {
            trickle,
            ..Scores::default()
        },
        ..Policy::default()
    }
}

#[test]
fn what_trickles_below_every_bound_is_told_where_it_is_rare_and_again_once_it_has_doubled() {
    // 40 hosts and 16 days since the first two weeks: 9 bits are all that ranks can tell.
    let found = told(
        &trickles_at(9),
        Family::VolumeLedger,
        &drip("h1", "45.1.2.3", 10 * MB, 12),
    );
    // Without the greatest day, 30 MB are there on the fourth; five days are asked for. Twice as much is there four days on.
    assert_eq!(days(&found), [34, 38]);
    let finding = &found[0].finding;
    assert_eq!(
        finding.title,
        "50.0 MB of payload to 45.1.2.3 within 30 days, 10.0 MB at most on one"
    );
    assert_eq!(finding.severity, Severity::Medium);
    assert!(
        finding.why[0]
            .text
            .contains("without that day it is 40.0 MB")
    );
    assert_eq!(
        (finding.why[0].observed, finding.why[0].bound),
        (40e6, Some(30e6))
    );
    // By default, so young a log tells of no trickle.
    let young = drip("h1", "45.1.2.3", 10 * MB, 12);
    assert_eq!(told(&Policy::default(), Family::VolumeLedger, &young), []);
}

#[test]
fn one_large_day_is_no_trickle_and_neither_is_what_is_as_old_as_the_log() {
    let mut lines = drip("h1", "45.1.2.3", MB, 12);
    lines.push(upload("h1", "45.1.2.4", 33 * DAY, 60 * MB));
    assert_eq!(told(&trickles_at(9), Family::VolumeLedger, &lines), []);
    // Each day as much, from the first day on: the ledger of a month tells, and no trickle.
    let old = fleet(40, 42, 10 * MB);
    let found = told(&trickles_at(9), Family::VolumeLedger, &old);
    assert!(
        found
            .iter()
            .all(|own| own.finding.title.contains("unexplained")),
        "{found:#?}"
    );
}

#[test]
fn a_rise_that_all_uploads_of_a_workload_share_is_a_note() {
    let places = ["45.1.2.3", "45.1.3.3", "45.1.4.3", "45.1.5.3", "45.1.6.3"];
    let of = |rises: &dyn Fn(usize) -> bool| {
        let mut lines = fleet(40, 30, MB);
        for day in 0..30 {
            for (at, place) in places.iter().enumerate() {
                let payload = if day >= 25 && rises(at) {
                    400 * MB
                } else {
                    50 * MB
                };
                lines.push(upload("h1", place, day * DAY, payload));
            }
        }
        let found = told(&Policy::default(), Family::VolumeShift, &lines);
        let to = |own: &Judged| own.finding.destination.group.as_deref() == Some("45.1.2.0/24");
        found.into_iter().find(to).map(|own| own.finding).unwrap()
    };
    let (one, all) = (of(&|at| at == 0), of(&|_| true));
    assert_eq!(
        (one.severity, all.severity),
        (Severity::Medium, Severity::Low)
    );
    let shared = all.why.last().unwrap();
    assert!(
        shared
            .text
            .contains("rose by a factor of 8.0 at the same time"),
        "{}",
        shared.text
    );
    assert!(one.why.iter().all(|why| !why.text.contains("elsewhere")));
}

/// A host that sends 50 MB each day, and a gigabyte on each seventh, for so many days.
fn weekly(days: i64) -> Vec<String> {
    let payload = |day: i64| if day % 7 == 6 { 1_000 * MB } else { 50 * MB };
    (0..days)
        .map(|day| upload("h1", "46.1.1.3", day * DAY, payload(day)))
        .collect()
}

#[test]
fn a_weekly_peak_is_charged_until_four_weeks_of_it_are_known_and_a_peak_on_another_day_always() {
    let mut lines = fleet(10, 70, MB);
    lines.extend(weekly(70));
    let told: Vec<u32> = beyond(&lines).into_iter().map(|(day, _)| day).collect();
    // Established from day 22 on; on day 41, those of days 6, 13, 20 and 27 lie before the quarantine.
    assert_eq!(told, [27, 34]);
    lines.push(upload("h1", "46.1.1.3", 66 * DAY + 600, 1_000 * MB));
    let told: Vec<u32> = beyond(&lines).into_iter().map(|(day, _)| day).collect();
    assert_eq!(told, [27, 34, 66]);
    // Twice the peak is beyond the season, too.
    lines.push(upload("h1", "46.1.1.3", 69 * DAY + 600, 1_500 * MB));
    let told: Vec<u32> = beyond(&lines).into_iter().map(|(day, _)| day).collect();
    assert_eq!(told, [27, 34, 66, 69]);
}

#[test]
fn what_goes_out_off_hours_is_rarer_than_the_same_at_work() {
    // Each host works at midnight, and one of them meets a new place then on each day, with as much as the theft.
    let theft = |at: i64| {
        let mut lines = fleet(40, 71, MB);
        for day in 20..70 {
            let (host, place) = (format!("h{}", day % 40), format!("45.{day}.2.3"));
            lines.push(upload(&host, &place, day * DAY + 1_800, 300 * MB));
        }
        lines.push(upload("h1", "79.1.2.3", 70 * DAY + at, 300 * MB));
        let mut found = told(&Policy::default(), Family::VolumeLedger, &lines);
        found.retain(|one| one.finding.destination.group.as_deref() == Some("79.1.2.0/24"));
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0).finding
    };
    let (at_work, off_hours) = (theft(1_800), theft(12 * 3_600));
    let says = |finding: &outflow_finding::Finding| {
        let mut why = finding.why.iter();
        why.any(|why| why.text.contains("300 MB of it went out off hours"))
    };
    assert_eq!((says(&at_work), says(&off_hours)), (false, true));
    assert!(
        off_hours.urgency.unwrap() > at_work.urgency.unwrap() + 4.0,
        "{:?} {:?}",
        off_hours.urgency,
        at_work.urgency
    );
    assert_eq!(off_hours.severity, at_work.severity);
}

#[test]
fn what_else_a_host_does_on_that_day_makes_a_theft_no_more_usual() {
    // A new service that all begin to use, and the theft of one of them, each without and with the other.
    let with = |service: u64, theft: u64| {
        let mut lines = fleet(40, 41, MB);
        let all =
            (0..40).map(|host| upload(&format!("h{host}"), "47.1.2.3", 40 * DAY + 60, service));
        lines.extend(all);
        lines.push(upload("h1", "79.1.2.3", 40 * DAY + 120, theft));
        let mut found = told(&Policy::default(), Family::VolumeLedger, &lines);
        found.retain(|one| one.finding.title.contains("79.1.2.0/24"));
        found.first().map(|one| one.finding.urgency.unwrap())
    };
    let (alone, beside) = (with(MB, 150 * MB), with(15 * MB, 150 * MB));
    assert_eq!(alone, beside);
    // Where the bound is crossed by both together alone, it is what many do.
    assert!(with(30 * MB, 90 * MB) < beside);
}
