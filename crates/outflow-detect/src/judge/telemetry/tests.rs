use outflow_enrich::{
    DnsAnswer, GeoDatabases, GroupSources, Knowledge, KnownDestinations, Operators, PassiveDns,
};
use outflow_finding::Finding;
use outflow_record::{Addr, Timestamp};

use super::*;
use crate::judge::judge_with;
use crate::policy::{Jurisdiction, Telemetry};
use crate::reading::{START, state_of_lines};

const FORMAT: &str = "account-id vpc-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes \
                      start end flow-direction";

const NAMES: [(&str, &str); 5] = [
    ("http-intake.logs.datadoghq.eu", "3.64.0.1"),
    ("http-intake.logs.us5.datadoghq.com", "34.1.0.1"),
    ("http-inputs-acme.splunkcloud.com", "3.64.0.2"),
    ("http-inputs-other.splunkcloud.com", "3.64.1.3"),
    ("example.com", "3.64.0.4"),
];

const EU: &str = NAMES[0].1;
const US5: &str = NAMES[1].1;
const ACME: &str = NAMES[2].1;
const OTHER: &str = NAMES[3].1;

fn knowledge() -> Knowledge {
    let mut names = PassiveDns::default();
    for day in 0..60 {
        for (name, addr) in NAMES {
            names.feed(&DnsAnswer {
                vpc_id: "vpc-1",
                at: Timestamp(START + day * 86_400),
                name,
                addrs: &[addr.parse::<Addr>().unwrap()],
            });
        }
    }
    let operators = Operators::new(GroupSources {
        ranges: None,
        known: &KnownDestinations::built_in().unwrap(),
        names: &names,
        geo: &GeoDatabases::default(),
    });
    Knowledge {
        operators: operators.unwrap(),
        ..Knowledge::default()
    }
}

/// An upload of so many packets of 1,000 bytes of payload by a host, on a day.
fn sent(host: u32, to: &str, day: i64, packets: u64) -> String {
    let (bytes, start) = (packets * 1_052, START + day * 86_400);
    format!(
        "1 vpc-1 eni-{host} 10.0.0.{host} {to} 40000 443 6 {packets} {bytes} {start} {start} egress\n"
    )
}

/// What some hosts send to a place every day for four weeks, which establishes it.
fn established(hosts: std::ops::Range<u32>, to: &str) -> Vec<String> {
    let days = (0..28).flat_map(|day| hosts.clone().map(move |host| (host, day)));
    days.map(|(host, day)| sent(host, to, day, 2_000)).collect()
}

fn judged(lines: &[String], change: impl FnOnce(&mut Policy)) -> Vec<Finding> {
    let mut policy = Policy::default();
    change(&mut policy);
    policy.validate().unwrap();
    let state = state_of_lines(FORMAT, &lines.concat());
    let verdict = judge_with(&state, &policy, &knowledge(), Day(40_000));
    let findings = verdict.findings.into_iter().map(|judged| judged.finding);
    findings
        .filter(|finding| finding.family == Family::PolicyTelemetry)
        .collect()
}

fn told(findings: &[Finding]) -> Vec<(&str, Severity)> {
    let told = findings
        .iter()
        .map(|own| (own.title.as_str(), own.severity));
    told.collect()
}

fn sites(names: &[&str]) -> Telemetry {
    Telemetry {
        sites_allowed: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Telemetry::default()
    }
}

#[test]
fn by_default_nothing_is_forbidden() {
    let lines = [EU, US5, ACME, OTHER].map(|to| sent(1, to, 0, 9_000));
    assert_eq!(judged(&lines, |_| {}), []);
}

#[test]
fn sites_that_policy_does_not_allow_are_told_from_the_bound_on() {
    let lines = |packets| [EU, US5, "3.64.0.4"].map(|to| sent(1, to, 0, packets));
    let allow = |policy: &mut Policy| policy.telemetry = sites(&["Datadog EU1"]);
    let found = judged(&lines(1_000), allow);
    assert_eq!(
        told(&found),
        [(
            "1.0 MB of payload to Datadog US5 (US), against policy",
            Severity::Medium
        )]
    );
    assert_eq!(judged(&lines(999), allow), []);
    let text = &found[0].why[0].text;
    assert!(
        text.contains("none of the sites that policy allows"),
        "{text}"
    );
}

#[test]
fn where_a_site_keeps_data_is_judged_by_the_jurisdiction() {
    let lines = [EU, US5].map(|to| sent(1, to, 0, 2_000));
    let with = |allowed: &[&str], denied: &[&str]| Jurisdiction {
        countries_allowed: allowed.iter().map(|code| (*code).to_owned()).collect(),
        countries_denied: denied.iter().map(|code| (*code).to_owned()).collect(),
        ..Jurisdiction::default()
    };
    let allowed = judged(&lines, |policy| policy.jurisdiction = with(&["DE"], &[]));
    let title = "2.0 MB of payload to Datadog US5 (US), against policy";
    assert_eq!(told(&allowed), [(title, Severity::Medium)]);
    let denied = judged(&lines, |policy| policy.jurisdiction = with(&[], &["US"]));
    assert_eq!(told(&denied), [(title, Severity::High)]);
}

#[test]
fn customers_that_policy_does_not_allow_are_told() {
    let lines = [ACME, OTHER, EU].map(|to| sent(1, to, 0, 2_000));
    let found = judged(&lines, |policy| {
        policy.telemetry.customers_allowed = vec!["acme".to_owned()];
    });
    let title = "2.0 MB of payload to Splunk Cloud Platform of customer other, against policy";
    assert_eq!(told(&found), [(title, Severity::Medium)]);
}

#[test]
fn a_second_site_is_told_beside_one_that_is_established() {
    let mut lines = established(1..9, EU);
    lines.push(sent(3, US5, 27, 9_000));
    let found = judged(&lines, |_| {});
    let title = "9.0 MB of payload to Datadog US5 (US), beside the one in use";
    assert_eq!(told(&found), [(title, Severity::Medium)]);
    let texts: Vec<&str> = found[0].why.iter().map(|why| &*why.text).collect();
    assert!(
        texts[0].contains("the account uses Datadog EU1 (DE)"),
        "{texts:?}"
    );
    assert!(texts[1].starts_with("1 of 8 workloads"), "{texts:?}");
    // Not in the first weeks, when nothing is in use yet.
    lines.pop();
    lines.push(sent(3, US5, 15, 9_000));
    assert_eq!(judged(&lines, |_| {}), []);
    // A site that is allowed by name is none that is second.
    lines.push(sent(3, US5, 27, 9_000));
    let allowed = judged(&lines, |policy| {
        policy.telemetry = sites(&["Datadog EU1", "Datadog US5"]);
    });
    assert_eq!(allowed, []);
}

#[test]
fn a_second_customer_is_told_and_again_only_when_it_has_doubled() {
    let mut lines = established(1..9, ACME);
    let days = [(25, 2_000), (26, 3_000), (27, 4_000)];
    lines.extend(days.map(|(day, packets)| sent(3, OTHER, day, packets)));
    let found = judged(&lines, |_| {});
    let payloads: Vec<u64> = found.iter().map(|own| own.payload_bytes / 1_000).collect();
    assert_eq!(payloads, [2_000, 4_000]);
    assert!(
        found[0].title.contains("customer other"),
        "{}",
        found[0].title
    );
}

#[test]
fn whom_an_account_allows_is_enough_to_compare_with() {
    let lines = [sent(3, OTHER, 0, 2_000), sent(4, ACME, 0, 2_000)];
    let found = judged(&lines, |policy| {
        policy.telemetry.customers_allowed = vec!["acme".to_owned()];
    });
    let rules: Vec<&str> = found[0].why.iter().map(|why| &*why.text).collect();
    assert!(rules[0].contains("none of the customers"), "{rules:?}");
    assert!(rules[1].contains("the account uses"), "{rules:?}");
}

#[test]
fn a_move_of_many_is_a_note() {
    let mut lines = established(1..9, EU);
    lines.extend((1..9).map(|host| sent(host, US5, 27, 9_000)));
    let severities: BTreeSet<Severity> = judged(&lines, |_| {})
        .iter()
        .map(|own| own.severity)
        .collect();
    assert_eq!(severities, BTreeSet::from([Severity::Low]));
}

#[test]
fn sites_that_there_are_not_are_named() {
    let policy = Policy {
        telemetry: sites(&["Datadog EU9"]),
        ..Policy::default()
    };
    let error = policy.validate().unwrap_err().to_string();
    assert!(
        error.contains("`Datadog EU9`") && error.contains("Datadog EU1"),
        "{error}"
    );
}
