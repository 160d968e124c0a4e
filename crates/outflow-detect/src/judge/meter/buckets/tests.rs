use std::fmt::Write as _;

use outflow_enrich::Knowledge;
use outflow_finding::{Family, Finding, Severity};
use outflow_record::Timestamp;

use super::*;
use crate::judge::judge_with;
use crate::policy::Policy;
use crate::queries::Query;
use crate::reading::{START, state_of_lines};

const FORMAT: &str = "account-id vpc-id interface-id instance-id srcaddr dstaddr srcport dstport protocol packets bytes \
                      start end flow-direction pkt-dst-aws-service";

/// Findings of names that i-1 asked for on a day each, while it sent so many megabytes to S3 on these days.
fn told(asked: &[(i64, &str)], sent: &[(i64, u64)], allowed: &[&str]) -> Vec<Finding> {
    let mut lines = String::new();
    for (day, megabytes) in sent {
        let (bytes, start) = (megabytes * 1_000_000, START + day * 86_400);
        writeln!(
            lines,
            "1 vpc-1 eni-1 i-1 10.0.0.7 52.219.1.1 40000 443 6 1 {bytes} {start} {start} egress S3"
        )
        .unwrap();
    }
    let mut state = state_of_lines(FORMAT, &lines);
    state.fold_queries(asked.iter().map(|(day, name)| Query {
        account_id: "1",
        region: "eu-central-1",
        vpc_id: "vpc-1",
        instance: Some("i-1"),
        at: Timestamp(START + day * 86_400),
        name,
        query_type: "A",
        rcode: "NOERROR",
        ..Query::default()
    }));
    let mut policy = Policy::default();
    policy.telemetry.buckets_allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
    let verdict = judge_with(&state, &policy, &Knowledge::default(), Day(40_000));
    let findings = verdict.findings.into_iter().map(|judged| judged.finding);
    findings
        .filter(|finding| finding.family == Family::PolicyTelemetry)
        .collect()
}

fn named(findings: &[Finding]) -> Vec<(&str, Severity)> {
    let told = findings
        .iter()
        .map(|own| (own.title.as_str(), own.severity));
    told.collect()
}

const OURS: &str = "ours.s3.eu-central-1.amazonaws.com";
const THEIRS: &str = "theirs.s3.eu-central-1.amazonaws.com";
const TITLE: &str = "bucket theirs of s3 (eu-central-1) was asked for, against policy";

#[test]
fn hosts_of_buckets_are_told_from_others() {
    let of = |domain| bucket_of(domain).map(|(bucket, service)| format!("{bucket} {service}"));
    assert_eq!(of(OURS).as_deref(), Some("ours s3 (eu-central-1)"));
    assert_eq!(of("ours.s3.amazonaws.com").as_deref(), Some("ours s3"));
    let dual = "ours.s3.dualstack.eu-central-1.amazonaws.com";
    assert_eq!(of(dual).as_deref(), Some("ours s3 (eu-central-1)"));
    for other in [
        "s3.example.com",
        "kms.eu-central-1.amazonaws.com",
        "amazonaws.com",
        "",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn a_bucket_that_is_not_allowed_is_told_by_its_name() {
    let asked = [(0, OURS), (0, THEIRS), (0, "www.example.com")];
    let found = told(&asked, &[], &["ours"]);
    assert_eq!(named(&found), [(TITLE, Severity::Low)]);
    assert_eq!(found[0].destination.domain.as_deref(), Some(THEIRS));
    let sql = found[0].evidence.sql.as_deref().unwrap();
    assert!(sql.contains(THEIRS), "{sql}");
    assert_eq!(told(&asked, &[], &["ours", "our.theirs"]), []);
    // Without a list, any may be asked for.
    assert_eq!(told(&asked, &[], &[]), []);
}

#[test]
fn what_went_to_s3_on_the_same_day_makes_it_graver() {
    let asked = [(0, THEIRS), (1, THEIRS), (2, THEIRS), (3, THEIRS)];
    let sent = [(1, 2), (2, 3), (3, 4)];
    let found = told(&asked, &sent, &["ours"]);
    let expected = [Severity::Low, Severity::Medium, Severity::Medium].map(|own| (TITLE, own));
    assert_eq!(named(&found), expected);
    let text = &found[2].why[1].text;
    assert!(
        text.starts_with("4.0 MB of payload went from there to S3"),
        "{text}"
    );
    // Another day's upload is none of it.
    assert_eq!(
        named(&told(&asked[..1], &sent, &["ours"])),
        [(TITLE, Severity::Low)]
    );
}
