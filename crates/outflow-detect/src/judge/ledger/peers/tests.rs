use outflow_enrich::Knowledge;
use outflow_enrich::inventory::{InventoryBuilder, Place, Snapshot};

use super::*;
use crate::policy::Policy;
use crate::reading::{NOTHING, Talk, state, state_of_lines};

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

/// What nothing explains of all that some new hosts send on the day behind the month, 30 MB each.
fn unexplained_of_new(hosts: usize) -> (u64, Vec<u64>) {
    let policy = Policy::default();
    let names: Vec<String> = (0..hosts).map(|number| format!("new-{number}")).collect();
    let mut talks = month(8);
    talks.extend(names.iter().map(|name| upload(name, "45.1.2.3", 30, 30)));
    let state = state(&talks);
    let view = View::new(&state, &policy, &NOTHING, Day(40_000));
    let charges = Charges::of(&view, &policy, view.sift().chosen);
    let is_last = |own: &&Unexplained| own.slot.day() == Day(20_030);
    let last = charges.all().filter(is_last);
    let last = last.filter(|own| {
        view.workload(charges.workload(own))
            .name
            .starts_with("i-new-")
    });
    let each: Vec<u64> = last.map(|own| own.unexplained.week / MB).collect();
    (each.iter().sum(), each)
}

#[test]
fn each_new_host_may_send_what_peers_do_until_they_are_more_than_its_peers() {
    // Eight know the destination. Each charge is whole in thirty days still, so that each host has one.
    for hosts in [1, 2, 8] {
        assert_eq!(unexplained_of_new(hosts), (0, vec![0; hosts]));
    }
    // Thirty-two share what eight may send, 8 * 44 MB: 11 of 30 MB each.
    let (sum, each) = unexplained_of_new(32);
    assert_eq!(each.len(), 32);
    assert!(each.iter().all(|own| *own == each[0]), "{each:?}");
    assert!(
        (32 * 30 - 8 * 46..=32 * 30 - 8 * 40).contains(&sum),
        "{sum}"
    );
}

#[test]
fn what_a_group_suddenly_sends_together_is_found_however_little_each_host_sends() {
    let policy = Policy::default();
    let names: Vec<String> = (0..32).map(|number| format!("new-{number}")).collect();
    let mut talks = month(8);
    talks.extend(names.iter().map(|name| upload(name, "45.1.2.3", 30, 30)));
    let found = crate::reading::findings(&policy, &talks);
    let of_day = found
        .iter()
        .filter(|own| own.finding.family == outflow_finding::Family::VolumeLedger);
    let titles: Vec<&str> = of_day.map(|own| own.finding.title.as_str()).collect();
    assert!(
        titles.iter().any(|title| title.contains("45.1.2.0/24")),
        "{titles:?}"
    );
}

#[test]
fn a_host_in_two_groups_of_peers_is_one_host() {
    let format = "account-id interface-id instance-id subnet-id srcaddr dstaddr srcport dstport protocol packets \
                  bytes start end action flow-direction";
    let mut lines = String::new();
    let mut send = |(host, subnet): (&str, &str), secs: i64, megabytes: u64| {
        let at = crate::reading::START + secs;
        let (packets, bytes) = (megabytes * 1_000, megabytes * 1_000 * 1_052);
        lines += &format!(
            "1 eni-{host}-{subnet} i-{host} subnet-{subnet} 10.0.0.7 45.1.2.3 40000 443 6 {packets} {bytes} {at} {} \
             ACCEPT egress\n",
            at + 59
        );
    };
    for day in 0..30 {
        for subnet in ["a", "b"] {
            for host in HOSTS {
                send((&format!("{host}{subnet}"), subnet), day * DAY_SECS, 20);
            }
        }
    }
    // In two slots of one day.
    send(("new", "a"), 30 * DAY_SECS, 60);
    send(("new", "b"), 30 * DAY_SECS + SLOT_SECS, 60);
    let state = state_of_lines(format, &lines);
    let policy = Policy::default();
    let view = View::new(&state, &policy, &NOTHING, Day(40_000));
    let charges = Charges::of(&view, &policy, view.sift().chosen);
    let of_host = charges
        .all()
        .filter(|own| view.workload(charges.workload(own)).name == "i-new");
    let sum: u64 = of_host.map(|own| own.unexplained.week / MB).sum();
    // An octave above 20 MB is explained once.
    assert!((74..=80).contains(&sum), "{sum}");
}

/// An inventory in which some hosts have a security group of their own, beside one that all have.
fn groups_of(members: &[&str], others: &[&str]) -> Knowledge {
    let listed = |hosts: &[&str], own: &str| -> Vec<String> {
        let of_host = |host: &&str| {
            format!(
                r#"{{"NetworkInterfaceId": "eni-{host}", "InterfaceType": "interface", "SubnetId": "",
                    "TagSet": [{{"Key": "app", "Value": "{host}"}}],
                    "Groups": [{{"GroupId": "sg-all"}}, {{"GroupId": "{own}"}}]}}"#
            )
        };
        hosts.iter().map(of_host).collect()
    };
    let all = [listed(members, "sg-fleet"), listed(others, "sg-rest")].concat();
    let json = format!(r#"{{"NetworkInterfaces": [{}]}}"#, all.join(","));
    let mut inventory = InventoryBuilder::default();
    let snapshot = Snapshot {
        place: Place::default(),
        taken_at: Timestamp(crate::reading::START),
    };
    inventory.add("x", json.as_bytes(), &snapshot).unwrap();
    Knowledge {
        inventory: std::sync::Arc::new(inventory.build().unwrap()),
        ..Knowledge::default()
    }
}

#[test]
fn hosts_of_the_same_security_groups_are_closer_peers_than_those_of_an_account() {
    // Twelve of thirty-two hosts send to a destination: no three fifths of the account, but all of their groups.
    let rest: Vec<String> = (0..20).map(|number| format!("rest-{number}")).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let mut talks = month(HOSTS.len());
    for day in 0..30 {
        talks.extend(rest.iter().map(|host| upload(host, "50.9.9.9", day, 20)));
    }
    talks.push(upload("new", "45.1.2.3", 30, 30));
    let state = state(&talks);
    let policy = Policy::default();
    let of_new = |knowledge: &Knowledge| -> u64 {
        let view = View::new(&state, &policy, knowledge, Day(40_000));
        let charges = Charges::of(&view, &policy, view.sift().chosen);
        let of_host = charges.all().filter(|own| {
            let name = &view.workload(charges.workload(own)).name;
            ["i-new", "app=new"].contains(&name.as_str())
        });
        of_host.map(|own| own.unexplained.week / MB).sum()
    };
    assert_eq!(of_new(&NOTHING), 30);
    let with_new: Vec<&str> = HOSTS.into_iter().chain(["new"]).collect();
    assert_eq!(of_new(&groups_of(&with_new, &rest)), 0);
    // Not of the group, it has the account's peers alone.
    let others: Vec<&str> = rest.iter().copied().chain(["new"]).collect();
    assert_eq!(of_new(&groups_of(&HOSTS, &others)), 30);
    // Where too few have the same groups, those of the account are asked.
    assert_eq!(of_new(&groups_of(&with_new[8..], &rest)), 30);
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
