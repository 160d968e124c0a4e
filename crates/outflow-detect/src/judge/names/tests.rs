use crate::judge::Judged;
use crate::policy::Policy;
use crate::reading::{Talk, findings};
use outflow_finding::{Family, Severity};

/// Questions over UDP to a resolver outside, spread over an hour.
fn dns(questions: u64, asked: u64, answered: u64) -> Talk<'static> {
    Talk {
        protocol: 17,
        port: 53,
        secs: 3_600,
        up: (questions, asked),
        down: (questions, answered),
        ..Talk::default()
    }
}

fn found(talks: &[Talk<'_>]) -> Vec<Judged> {
    findings(&Policy::default(), talks)
}

/// Family and severity of the one finding, or nothing.
fn grade(talk: Talk<'_>) -> Option<(Family, Severity)> {
    let found = found(&[talk]);
    assert!(found.len() <= 1, "{found:#?}");
    found
        .first()
        .map(|judged| (judged.finding.family, judged.finding.severity))
}

/// Addresses of different networks.
fn remotes(count: u8) -> Vec<String> {
    (1..=count).map(|at| format!("45.1.{at}.3")).collect()
}

/// The same conversation with each of them.
fn with_each<'t>(remotes: &'t [String], talk: Talk<'t>) -> Vec<Talk<'t>> {
    remotes
        .iter()
        .map(|remote| Talk { remote, ..talk })
        .collect()
}

const BYPASS: Family = Family::DnsBypass;

#[test]
fn ordinary_questions_to_an_outside_resolver_are_a_low_finding_above_a_bound() {
    // 400 questions of 40 bytes and answers of 120 are exactly the bound of a day.
    assert_eq!(grade(dns(400, 40, 120)), Some((BYPASS, Severity::Low)));
    assert_eq!(grade(dns(399, 40, 120)), None);
    let judged = &found(&[dns(400, 40, 120)])[0];
    assert_eq!(judged.finding.why[0].observed, 64_000.0);
    assert_eq!(judged.finding.destination.addresses, ["45.1.2.3"]);
    assert_eq!(
        (judged.finding.payload_bytes, judged.finding.flows),
        (16_000, 2)
    );
}

#[test]
fn allowed_resolvers_are_no_finding_unless_something_tunnels_through_them() {
    let policy = Policy {
        resolvers_allowed: vec!["45.1.0.0/16".parse().unwrap()],
        ..Policy::default()
    };
    assert_eq!(findings(&policy, &[dns(5_000, 40, 120)]), []);
    let through = findings(&policy, &[dns(5_000, 150, 120)]);
    assert_eq!(through[0].finding.severity, Severity::High);
}

#[test]
fn what_is_no_question_or_no_answer_is_a_tunnel() {
    let high = Some((BYPASS, Severity::High));
    // Headers of 28 bytes included, a question of 92 has 120 bytes.
    assert_eq!(grade(dns(1_000, 93, 300)), high);
    assert_eq!(grade(dns(1_000, 92, 300)), Some((BYPASS, Severity::Low)));
    assert_eq!(grade(dns(1_000, 40, 513)), high);
    assert_eq!(grade(dns(1_000, 40, 512)), Some((BYPASS, Severity::Low)));
    // An answer repeats its question.
    assert_eq!(grade(dns(1_000, 81, 100)), high);
    assert_eq!(grade(dns(1_000, 80, 100)), Some((BYPASS, Severity::Low)));
    // Nothing comes back.
    assert_eq!(grade(dns(2_000, 40, 0)), high);
}

#[test]
fn questions_over_tcp_are_few() {
    let over_tcp = |questions| Talk {
        protocol: 6,
        ..dns(questions, 60, 300)
    };
    assert_eq!(grade(over_tcp(1_600)), Some((BYPASS, Severity::Low)));
    assert_eq!(grade(over_tcp(1_700)), Some((BYPASS, Severity::High)));
}

#[test]
fn a_pace_that_no_host_asks_at_is_busy() {
    let within = |secs| Talk {
        secs,
        ..dns(6_000, 40, 120)
    };
    assert_eq!(grade(within(3_600)), Some((BYPASS, Severity::Low)));
    assert_eq!(grade(within(300)), Some((BYPASS, Severity::Medium)));
}

#[test]
fn inside_resolvers_are_judged_by_shape_alone() {
    let inside = |talk: Talk<'static>| Talk {
        remote: "10.0.0.2",
        ..talk
    };
    assert_eq!(grade(inside(dns(5_000, 40, 120))), None);
    assert_eq!(
        grade(inside(dns(5_000, 150, 120))),
        Some((Family::DnsTunnel, Severity::Medium))
    );
}

#[test]
fn a_resolver_that_the_host_itself_is_may_be_tunnelled_through() {
    let served = |asked, answered| Talk {
        served: true,
        up: (5_000, answered),
        down: (5_000, asked),
        ..dns(0, 0, 0)
    };
    assert_eq!(grade(served(40, 120)), None);
    assert_eq!(
        grade(served(150, 120)),
        Some((Family::DnsTunnel, Severity::Medium))
    );
}

#[test]
fn encrypted_resolution_is_told_by_port_or_address_and_judged_by_its_balance() {
    let session = |remote, port, asked, answered| Talk {
        remote,
        port,
        up: (1_000, asked),
        down: (1_000, answered),
        ..Talk::default()
    };
    let low = Some((BYPASS, Severity::Low));
    assert_eq!(grade(session("45.1.2.3", 853, 100, 300)), low);
    assert_eq!(grade(session("9.9.9.9", 443, 100, 300)), low);
    assert_eq!(grade(session("45.1.2.3", 443, 100, 300)), None);
    let high = Some((BYPASS, Severity::High));
    assert_eq!(grade(session("45.1.2.3", 853, 700, 300)), high);
    assert_eq!(grade(session("1.1.1.1", 443, 700, 300)), high);
}

#[test]
fn a_tunnel_split_over_resolvers_is_one_finding() {
    let remotes = remotes(10);
    // Each carries 25 kB, below the bound.
    let talks = with_each(&remotes, dns(100, 150, 100));
    let found = found(&talks);
    let [judged] = &found[..] else {
        panic!("one finding: {found:#?}")
    };
    assert_eq!(judged.finding.severity, Severity::High);
    assert_eq!(judged.finding.destination.addresses.len(), 10);
    assert_eq!(judged.finding.payload_bytes, 150_000);
}

#[test]
fn days_and_hosts_are_judged_apart() {
    let day = |at: i64| Talk {
        at: at * 86_400,
        ..dns(300, 40, 120)
    };
    assert_eq!(found(&[day(0), day(1)]), []);
    let other = Talk {
        host: "b",
        ..dns(300, 40, 120)
    };
    assert_eq!(found(&[day(0), other]), []);
    assert_eq!(found(&[day(0), day(0)]).len(), 1);
}

#[test]
fn each_transport_is_told_by_itself() {
    let tls = Talk {
        remote: "45.1.9.9",
        protocol: 6,
        port: 853,
        up: (9_000, 100),
        down: (9_000, 300),
        ..Talk::default()
    };
    let found = found(&[dns(1_000, 150, 120), tls]);
    let told: Vec<(&str, Severity)> = found
        .iter()
        .map(|judged| (judged.finding.title.as_str(), judged.finding.severity))
        .collect();
    let is = |text: &str, severity| {
        let found = told
            .iter()
            .any(|told| told.0.contains(text) && told.1 == severity);
        assert!(found, "{text}: {told:#?}");
    };
    assert_eq!(told.len(), 2);
    is(
        "270 kB of DNS with outside resolver 45.1.2.3, shaped like a tunnel",
        Severity::High,
    );
    is(
        "3.6 MB of DNS over TLS with outside resolver 45.1.9.9, shaped like questions",
        Severity::Low,
    );
}

#[test]
fn beside_a_tunnel_one_that_is_split_is_still_seen() {
    let remotes = remotes(10);
    let mut talks = with_each(&remotes, dns(100, 150, 100));
    talks.push(Talk {
        remote: "45.9.9.9",
        ..dns(1_000, 180, 100)
    });
    let found = found(&talks);
    assert!(!found.is_empty());
    let payload: u64 = found
        .iter()
        .map(|judged| judged.finding.payload_bytes)
        .sum();
    assert_eq!(payload, 150_000 + 180_000);
    let ids: std::collections::BTreeSet<&str> =
        found.iter().map(|j| j.finding.id.as_str()).collect();
    assert_eq!(ids.len(), found.len(), "each has its own id");
    assert!(
        found
            .iter()
            .all(|judged| judged.finding.severity == Severity::High)
    );
}

#[test]
fn ordinary_questions_do_not_hide_a_split_tunnel_among_them() {
    let remotes = remotes(19);
    let mut talks = with_each(&remotes, dns(200, 150, 100));
    talks.push(Talk {
        remote: "8.8.8.8",
        ..dns(60_000, 40, 120)
    });
    let found = found(&talks);
    let high = found
        .iter()
        .find(|judged| judged.finding.severity == Severity::High)
        .unwrap();
    assert_eq!(high.finding.destination.addresses.len(), 19);
}
