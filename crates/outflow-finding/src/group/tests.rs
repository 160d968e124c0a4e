use super::*;
use crate::{Coverage, Destination, Evidence, EvidenceObject, Family, Why, finding_id, write_json};

const HOUR: i64 = 3600;

fn finding(name: &str, first_hour: i64, last_hour: i64) -> Finding {
    Finding {
        id: finding_id(&[name]),
        title: name.to_owned(),
        first_seen: Some(Timestamp(first_hour * HOUR)),
        last_seen: Some(Timestamp(last_hour * HOUR)),
        ..Finding::new(Family::Beacon)
    }
}

fn from(interface: &str, finding: Finding) -> Finding {
    Finding {
        interface_id: Some(interface.to_owned()),
        ..finding
    }
}

fn to(group: &str, finding: Finding) -> Finding {
    let destination = Destination {
        group: Some(group.to_owned()),
        ..finding.destination
    };
    Finding {
        destination,
        ..finding
    }
}

fn medium(finding: Finding) -> Finding {
    Finding {
        severity: Severity::Medium,
        ..finding
    }
}

fn sizes(findings: &[Finding]) -> Vec<usize> {
    let (incidents, _) = group(findings.to_vec());
    let mut sizes: Vec<usize> = incidents.iter().map(|own| own.finding_ids.len()).collect();
    sizes.sort_unstable();
    sizes
}

// Splitmix64: a shuffle that is the same in every run.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let choice = (z ^ (z >> 31)) % (at as u64 + 1);
        items.swap(at, usize::try_from(choice).unwrap());
    }
}

fn many(count: usize) -> Vec<Finding> {
    let one = |at: usize| {
        let hour = i64::try_from(at * 37 % 900).unwrap();
        let mut finding = finding(&format!("finding {at}"), hour, hour + 3);
        finding.family = Family::ALL[at % Family::ALL.len()];
        finding.severity = Severity::ALL[at * 7 % 5];
        finding.risk = u8::try_from(at * 31 % 101).unwrap();
        finding.bytes = (at as u64 * 7919) % 100_000;
        finding.attack = vec![format!("T{}", at % 9)];
        finding.why = vec![Why {
            text: format!("reason {at}"),
            ..Why::default()
        }];
        finding.destination.addresses = vec![format!("198.51.100.{}", at % 250)];
        finding.evidence.objects = vec![EvidenceObject {
            uri: format!("s3://logs/{}", at % 99).into(),
            rows: 1,
            ..Default::default()
        }];
        to(
            &format!("group {}", at % 53),
            from(&format!("eni-{}", at % 211), finding),
        )
    };
    (0..count).map(one).collect()
}

fn rendered(findings: Vec<Finding>) -> String {
    let (incidents, findings) = group(findings);
    let mut out = Vec::new();
    write_json(&mut out, &incidents, &findings, &crate::Accounts::default()).unwrap();
    format!("{}{findings:?}", String::from_utf8(out).unwrap())
}

#[test]
fn nothing_groups_into_nothing() {
    assert_eq!(group(Vec::new()), (Vec::new(), Vec::new()));
}

#[test]
fn one_sender_within_a_day_is_one_incident() {
    let first = from("eni-1", finding("a", 0, 1));
    assert_eq!(
        sizes(&[first.clone(), from("eni-1", finding("b", 25, 26))]),
        [2]
    );
    assert_eq!(
        sizes(&[first.clone(), from("eni-1", finding("b", 26, 26))]),
        [1, 1]
    );
    assert_eq!(sizes(&[first, from("eni-2", finding("b", 0, 1))]), [1, 1]);
}

#[test]
fn a_long_interval_reaches_over_short_ones() {
    let long = from("eni-1", finding("long", 0, 200));
    let short = from("eni-1", finding("short", 1, 2));
    let late = from("eni-1", finding("late", 220, 221));
    assert_eq!(sizes(&[long, short, late]), [3]);
}

#[test]
fn the_workload_outlives_its_interfaces_and_accounts_are_apart() {
    let on = |interface: &str, account: &str| Finding {
        workload: Some("asg-web".to_owned()),
        account_id: Some(account.to_owned()),
        ..from(interface, finding(&format!("{interface} {account}"), 0, 1))
    };
    assert_eq!(
        sizes(&[on("eni-1", "1"), on("eni-2", "1"), on("eni-3", "2")]),
        [1, 2]
    );
}

#[test]
fn one_destination_within_three_days_is_one_incident() {
    let at = |name: &str, hour: i64| medium(to("net", from(name, finding(name, hour, hour))));
    assert_eq!(sizes(&[at("eni-1", 0), at("eni-2", 72)]), [2]);
    assert_eq!(sizes(&[at("eni-1", 0), at("eni-2", 73)]), [1, 1]);
}

#[test]
fn a_popular_destination_does_not_chain_minor_findings() {
    let low = |name: &str| Finding {
        severity: Severity::Low,
        ..to("popular", from(name, finding(name, 0, 1)))
    };
    assert_eq!(
        sizes(&[low("eni-1"), low("eni-2"), medium(low("eni-3"))]),
        [1, 1, 1]
    );
}

#[test]
fn links_chain_through_senders_and_destinations() {
    let chain = [
        medium(to("x", from("eni-1", finding("a", 0, 1)))),
        medium(to("x", from("eni-2", finding("b", 0, 1)))),
        medium(to("y", from("eni-2", finding("c", 20, 21)))),
        medium(to("y", from("eni-3", finding("d", 90, 91)))),
    ];
    assert_eq!(sizes(&chain), [4]);
}

#[test]
fn what_is_unknown_links_nothing() {
    let nowhere = |name: &str| finding(name, 0, 1);
    let never = |name: &str| Finding {
        first_seen: None,
        last_seen: None,
        ..from("eni-1", finding(name, 0, 0))
    };
    assert_eq!(
        sizes(&[nowhere("a"), nowhere("b"), never("c"), never("d")]),
        [1, 1, 1, 1]
    );
}

#[test]
fn extreme_instants_do_not_overflow() {
    let at = |name: &str, secs: i64| Finding {
        first_seen: Some(Timestamp(secs)),
        last_seen: None,
        ..from("eni-1", finding(name, 0, 0))
    };
    assert_eq!(
        sizes(&[at("a", i64::MIN), at("b", i64::MAX), at("c", 0)]),
        [1, 1, 1]
    );
}

#[test]
fn the_result_does_not_depend_on_input_order() {
    let mut findings = many(400);
    findings.push(findings[7].clone());
    findings.push(Finding {
        bytes: 1,
        ..findings[9].clone()
    });
    let expected = rendered(findings.clone());
    for seed in 0..20 {
        shuffle(&mut findings, seed);
        assert_eq!(rendered(findings.clone()), expected, "seed {seed}");
    }
}

// Every pair compared, and links followed until nothing changes.
fn naive_smallest(findings: &[Finding]) -> Vec<usize> {
    let near = |a: &Finding, b: &Finding, gap_secs: i64| {
        let apart = a.first_seen.max(b.first_seen).unwrap().secs()
            - a.last_seen.min(b.last_seen).unwrap().secs();
        apart <= gap_secs
    };
    let linked = |a: &Finding, b: &Finding| {
        let grave = a.severity.min(b.severity) >= DESTINATION_SEVERITY_MIN;
        let one_destination = a.destination.group == b.destination.group && grave;
        (a.interface_id == b.interface_id && near(a, b, SENDER_GAP_SECS))
            || (one_destination && near(a, b, DESTINATION_GAP_SECS))
    };
    let mut smallest: Vec<usize> = (0..findings.len()).collect();
    loop {
        let before = smallest.clone();
        for a in 0..findings.len() {
            for b in 0..findings.len() {
                if linked(&findings[a], &findings[b]) {
                    smallest[a] = smallest[a].min(smallest[b]);
                }
            }
        }
        if smallest == before {
            return smallest;
        }
    }
}

#[test]
fn the_sweep_links_what_comparing_every_pair_links() {
    for seed in 0..12 {
        let mut findings = many(1500);
        shuffle(&mut findings, seed);
        findings.truncate(120);
        findings.sort_by(|a, b| a.id.cmp(&b.id));
        let (_, grouped) = group(findings.clone());
        for (finding, smallest) in findings.iter().zip(naive_smallest(&findings)) {
            let incident = crate::incident_id(&findings[smallest].id);
            let own = grouped.iter().find(|own| own.id == finding.id).unwrap();
            assert_eq!(own.incident, Some(incident), "seed {seed}");
        }
    }
}

#[test]
fn every_finding_ends_in_exactly_one_incident_that_names_it() {
    let (incidents, findings) = group(many(700));
    assert_eq!(findings.len(), 700);
    let mut named = 0;
    for incident in &incidents {
        named += incident.finding_ids.len();
        let smallest = incident.finding_ids.iter().min().unwrap();
        assert_eq!(incident.body.id, crate::incident_id(smallest));
        assert_eq!(incident.body.incident, None);
        for id in &incident.finding_ids {
            let finding = findings.iter().find(|own| own.id == *id).unwrap();
            assert_eq!(finding.incident.as_ref(), Some(&incident.body.id));
        }
    }
    assert_eq!(named, 700);
    assert!(incidents.is_sorted_by(|a, b| risk_then_id(a, b).is_le()));
}

#[test]
fn ten_thousand_findings_of_one_sender_are_one_incident() {
    let findings: Vec<Finding> = many(10_000)
        .into_iter()
        .map(|own| from("eni-1", own))
        .collect();
    let (incidents, _) = group(findings);
    assert_eq!(incidents.len(), 1);
    let body = &incidents[0].body;
    assert_eq!(incidents[0].finding_ids.len(), 10_000);
    assert_eq!(body.destination.addresses.len(), INCIDENT_ADDRESSES_MAX);
    assert_eq!(body.why.len(), INCIDENT_WHY_MAX);
    assert_eq!(body.evidence.objects.len(), INCIDENT_OBJECTS_MAX);
    assert_eq!(body.risk, 100);
}

#[test]
fn the_body_is_the_gravest_finding_and_the_extent_of_all() {
    let gravest = Finding {
        severity: Severity::High,
        risk: 60,
        bits: Some(12.0),
        attack: vec!["T2".to_owned()],
        coverage: Some(Coverage {
            share: 1.0,
            ..Coverage::default()
        }),
        ..from("eni-1", finding("grave", 5, 6))
    };
    let other = Finding {
        family: Family::DnsTunnel,
        severity: Severity::Low,
        risk: 70,
        bits: Some(20.0),
        attack: vec!["T1".to_owned(), "T2".to_owned()],
        coverage: Some(Coverage {
            share: 0.5,
            ..Coverage::default()
        }),
        ..from("eni-1", finding("minor", 0, 9))
    };
    let (incidents, _) = group(vec![other, gravest]);
    let body = &incidents[0].body;
    assert_eq!(body.title, "grave (+1 more)");
    assert_eq!(
        (body.family, body.severity, body.risk),
        (Family::Beacon, Severity::High, 75)
    );
    assert_eq!(body.bits, Some(20.0));
    assert_eq!(body.attack, ["T1", "T2"]);
    assert_eq!(body.first_seen, Some(Timestamp(0)));
    assert_eq!(body.last_seen, Some(Timestamp(9 * HOUR)));
    assert_eq!(body.coverage.as_ref().unwrap().share, 0.5);
}

#[test]
fn no_byte_is_counted_twice() {
    let sent = |name: &str, group: Option<&str>, bytes: u64| Finding {
        bytes,
        workload: Some("web".to_owned()),
        destination: Destination {
            group: group.map(str::to_owned),
            ..Destination::default()
        },
        ..from("eni-1", finding(name, 0, 1))
    };
    let total = |findings: &[Finding]| group(findings.to_vec()).0[0].body.bytes;
    let of = |family, own: Finding| Finding { family, ..own };
    let (to_x, to_y) = (sent("a", Some("x"), 10), sent("c", Some("y"), 5));
    let again = of(Family::DnsBypass, sent("b", Some("x"), 7));
    assert_eq!(
        total(&[to_x.clone(), again.clone()]),
        10,
        "two families tell of the same bytes"
    );
    assert_eq!(
        total(&[to_x.clone(), to_y.clone()]),
        15,
        "one family tells of each byte once"
    );
    assert_eq!(total(&[to_x.clone(), again, to_y.clone()]), 15);
    let of_all = |bytes| Finding {
        interface_id: None,
        ..sent("d", None, bytes)
    };
    assert_eq!(total(&[to_x.clone(), to_y.clone(), of_all(12)]), 15);
    assert_eq!(total(&[to_x.clone(), to_y, of_all(18)]), 18);
    assert_eq!(total(&[to_x, sent("e", Some("z"), u64::MAX)]), u64::MAX);
}

fn with_evidence(name: &str, severity: Severity, rows: u64, sql: Option<&str>) -> Finding {
    Finding {
        severity,
        evidence: Evidence {
            objects: vec![EvidenceObject {
                uri: "s3://logs/1".into(),
                rows,
                ..Default::default()
            }],
            sql: sql.map(str::to_owned),
            objects_total: rows,
        },
        ..from("eni-1", finding(name, 0, 1))
    }
}

fn evidence_of(findings: &[Finding]) -> Finding {
    let (incidents, _) = group(findings.to_vec());
    assert_eq!(incidents.len(), 1);
    incidents[0].body.clone()
}

#[test]
fn evidence_is_one_entry_per_object() {
    let body = evidence_of(&[
        with_evidence("a", Severity::Low, 9, None),
        with_evidence("b", Severity::High, 4, None),
    ]);
    assert_eq!(body.evidence.objects.len(), 1);
    assert_eq!(body.evidence.objects[0].rows, 9);
    assert_eq!(body.evidence.objects_total, 9, "at the least");
    assert_eq!(body.evidence.sql, None);
}

#[test]
fn the_query_of_an_incident_covers_all_of_its_findings() {
    let (a, b) = (
        with_evidence("a", Severity::Low, 1, Some("select 1")),
        with_evidence("b", Severity::High, 1, Some("select 2")),
    );
    let without = with_evidence("c", Severity::Low, 1, None);
    let alone = evidence_of(std::slice::from_ref(&a)).evidence.sql;
    assert_eq!(alone.as_deref(), Some("select 1"));
    let expected = format!("-- {}\nselect 2;\n-- {}\nselect 1;", b.id, a.id);
    let all = evidence_of(&[a.clone(), without.clone(), b]).evidence.sql;
    assert_eq!(all, Some(expected));
    let expected = format!("-- {}\nselect 1;", a.id);
    assert_eq!(
        evidence_of(&[a, without]).evidence.sql,
        Some(expected),
        "whose it is, is said: it is not that of all"
    );
}

#[test]
fn the_queries_of_an_incident_are_bounded_and_say_so() {
    let findings: Vec<Finding> = (0..INCIDENT_QUERIES_MAX + 3)
        .map(|at| with_evidence(&format!("f{at}"), Severity::Low, 1, Some("select 1")))
        .collect();
    let sql = evidence_of(&findings).evidence.sql.unwrap();
    assert_eq!(sql.matches("select 1;").count(), INCIDENT_QUERIES_MAX);
    assert!(
        sql.ends_with("\n-- 3 more: each finding has its own"),
        "{sql}"
    );
}
