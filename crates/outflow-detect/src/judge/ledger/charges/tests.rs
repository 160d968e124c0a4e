use super::*;
use crate::policy::Sanctioned;
use crate::reading::{NOTHING, Talk, state, state_of_lines};
use crate::state::State;

const MB: u64 = 1_000_000;

fn upload(remote: &str, at: i64, megabytes: u64) -> Talk<'_> {
    Talk {
        remote,
        at,
        up: (megabytes * 1_000, 1_000),
        ..Talk::default()
    }
}

/// For each charge its slot, what is unexplained and what is explained.
fn sums(state: &State, policy: &Policy) -> Vec<(u32, u64, u64)> {
    let view = View::new(state, policy, &NOTHING, Day(40_000));
    let charges = Charges::of(&view, policy, view.sift().chosen);
    charges
        .all()
        .map(|c| {
            let unexplained = c.unexplained.week;
            assert!(c.unexplained.month >= unexplained);
            (
                c.slot.0 - 80_000,
                unexplained / MB,
                (c.payload - unexplained) / MB,
            )
        })
        .collect()
}

#[test]
fn charges_are_sums_by_workload_group_and_slot() {
    let other_host = Talk {
        host: "b",
        ..upload("45.1.2.3", 0, 7)
    };
    let talks = [
        upload("45.1.2.3", 0, 1),
        upload("45.1.2.200", 21_599, 2),
        upload("45.1.2.3", 21_600, 3),
        upload("45.1.3.3", 0, 5),
        other_host,
    ];
    let found = sums(&state(&talks), &Policy::default());
    assert_eq!(found, [(0, 3, 0), (1, 3, 0), (0, 5, 0), (0, 7, 0)]);
}

#[test]
fn what_a_rule_allows_is_used_up_within_a_day_and_new_on_the_next() {
    let policy = Policy {
        sanctioned: vec![Sanctioned {
            destination: "45.1.2.0/24".parse().unwrap(),
            workload: None,
            bytes_per_day: 4 * MB,
            reason: String::new(),
        }],
        ..Policy::default()
    };
    let hour = |hour: i64| upload("45.1.2.3", hour * 3_600, 3);
    let found = sums(&state(&[hour(0), hour(7), hour(25)]), &policy);
    assert_eq!(found, [(1, 2, 1)], "what is explained whole is no charge");
}

/// Twenty hosts, ten each of two accounts (or all of one), send 1 MB to one address; a month later, each 10 MB.
fn common(accounts: u64, then: u64) -> State {
    let mut lines = String::new();
    for host in 0..20 {
        for (day, megabytes) in [(0, 1), (then, 10)] {
            let at = crate::reading::START + 86_400 * i64::try_from(day).unwrap();
            let (packets, bytes) = (megabytes * 1_000, megabytes * 1_000 * 1_052);
            let account = host % accounts;
            lines += &format!(
                "{account} eni-{host} 10.0.0.7 45.1.2.3 40000 443 6 {packets} {bytes} {at} {at} \
                 egress\n"
            );
        }
    }
    let format = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                  start end flow-direction";
    state_of_lines(format, &lines)
}

#[test]
fn a_destination_that_many_of_two_accounts_have_used_for_long_is_common() {
    let explained = |state: &State| -> Vec<u64> {
        let found = sums(state, &Policy::default());
        let later = found.iter().filter(|(slot, ..)| *slot > 0);
        later.map(|(.., explained)| *explained).collect()
    };
    // An octave above a megabyte, to the end of its eighth.
    assert_eq!(explained(&common(2, 14)), [2; 20]);
    assert_eq!(explained(&common(1, 14)), [0; 20], "one account");
    assert_eq!(explained(&common(2, 13)), [0; 20], "a day too early");
}

#[test]
fn a_ledger_charges_each_charge_once_and_none_that_another_has_charged() {
    let bounds = Horizons {
        day: 5 * MB,
        week: 8 * MB,
        month: 9 * MB,
    };
    let talks: Vec<Talk<'_>> = (0..4)
        .map(|day| upload("45.1.2.3", day * 86_400, 3))
        .collect();
    let state = state(&talks);
    let view = View::new(&state, &Policy::default(), &NOTHING, Day(40_000));
    let mut charges = Charges::of(&view, &Policy::default(), view.sift().chosen);
    let mut fine = Ledger::of(&charges, bounds, |charge| Some(charges.workload(charge)));
    let mut coarse = Ledger::of(&charges, bounds, |_| Some(0u8));
    let mut found = Vec::new();
    for day in 20_000..20_004 {
        for ledger in [&mut fine, &mut coarse] {
            for (crossing, members) in charges.cross(ledger, Day(day)) {
                let places: Vec<u32> = members.iter().map(|member| member.at.at).collect();
                found.push((crossing.day.0, places));
            }
        }
    }
    // Nine megabytes of three days cross the bound of a week; the fourth day is alone then.
    assert_eq!(found, [(20_002, vec![0, 1, 2])]);
}
