use super::*;
use crate::policy::Policy;
use crate::reading::{NOTHING, Talk, state};

const MB: u64 = 1_000_000;
const DAY_SECS: i64 = 86_400;

/// Hosts of one account.
const HOSTS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// An upload on a day, in packets of a kilobyte.
fn upload<'t>(host: &'t str, remote: &'t str, day: i64, megabytes: u64) -> Talk<'t> {
    Talk {
        host,
        remote,
        at: day * DAY_SECS,
        up: (megabytes * 1_000, 1_000),
        ..Talk::default()
    }
}

/// Thirty days on which some hosts send 20 MB a day to a destination, and the others elsewhere.
fn month(users: usize) -> Vec<Talk<'static>> {
    let days = 0..30;
    let of_day = |day: i64| {
        let of_host = move |(at, host): (usize, &&'static str)| {
            let remote = if at < users { "45.1.2.3" } else { "50.9.9.9" };
            upload(host, remote, day, 20)
        };
        HOSTS.iter().enumerate().map(of_host)
    };
    days.flat_map(of_day).collect()
}

/// What a host sends on a day behind the month, and how much of that nothing explains, over a day and over thirty.
fn unexplained<'t>(mut talks: Vec<Talk<'t>>, policy: &Policy, last: Talk<'t>) -> (u64, u64) {
    let slot = last.at / SLOT_SECS;
    let host = format!("i-{}", last.host);
    talks.push(last);
    let state = state(&talks);
    let view = View::new(&state, policy, &NOTHING, Day(40_000));
    let charges = Charges::of(&view, policy, view.sift().chosen);
    let of_host = charges.all().filter(|own| {
        let is_last = i64::from(own.slot.0) - 80_000 == slot;
        is_last && view.workload(charges.workload(own)).name == host
    });
    let (mut day, mut month) = (0, 0);
    for own in of_host {
        day += own.unexplained.week;
        month += own.unexplained.month;
    }
    (day / MB, month / MB)
}

#[test]
fn what_most_peers_established_is_explained_for_a_new_one_up_to_what_they_send() {
    let policy = Policy::default();
    let new = |megabytes| upload("new", "45.1.2.3", 30, megabytes);
    // Eight of twelve are more than sixty in a hundred.
    let (day, month_) = unexplained(month(8), &policy, new(30));
    assert_eq!(day, 0);
    assert_eq!(month_, 30, "over thirty days, nothing is established yet");
    // An octave above what they send is explained, and no more.
    let (day, _) = unexplained(month(8), &policy, new(100));
    assert!((55..=60).contains(&day), "{day}");
}

#[test]
fn too_few_peers_explain_nothing() {
    let policy = Policy::default();
    let new = || upload("new", "45.1.2.3", 30, 30);
    assert_eq!(
        unexplained(month(7), &policy, new()).0,
        30,
        "seven of twelve"
    );
    // Nor do most of a group that is too small.
    let mut larger = Policy::default();
    larger.baseline.peers = 13;
    assert_eq!(unexplained(month(8), &larger, new()).0, 30);
    let mut stricter = Policy::default();
    stricter.baseline.peers_percent = 67;
    assert_eq!(unexplained(month(8), &stricter, new()).0, 30);
    // What they know elsewhere is another destination.
    let elsewhere = upload("new", "45.1.3.3", 30, 30);
    assert_eq!(unexplained(month(8), &policy, elsewhere).0, 30);
}

#[test]
fn peers_that_are_gone_have_no_say() {
    let policy = Policy::default();
    let new = |day| upload("new", "45.1.2.3", day, 30);
    // Thirty days after they were active last, they still count; a day later, nobody does.
    assert_eq!(unexplained(month(8), &policy, new(59)).0, 0);
    assert_eq!(unexplained(month(8), &policy, new(60)).0, 30);
}

#[test]
fn a_stay_is_thirty_days_from_the_day_after() {
    let days = [(0, 5), (0, 6), (0, 60), (1, 7)].map(|(group, day)| (group, Day(day)));
    let stays = stays(&BTreeSet::from(days));
    let expected = [(0, 6, 37), (0, 61, 91), (1, 8, 38)];
    assert_eq!(
        stays,
        expected.map(|(group, from, until)| (group, Day(from), Day(until)))
    );
}
