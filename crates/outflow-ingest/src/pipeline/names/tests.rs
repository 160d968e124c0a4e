use outflow_finding::Family;
use outflow_record::{DnsDecoder, Timestamp};

use super::*;

const AT: &str = "2026-09-21T14:13:20Z";

fn query(vpc: &str, name: &str, answers: &str) -> String {
    format!(
        r#"{{"query_timestamp":"{AT}","query_name":"{name}","vpc_id":"{vpc}","answers":[{answers}]}}"#
    )
}

fn answer(kind: &str, rdata: &str) -> String {
    format!(r#"{{"Rdata":"{rdata}","Type":"{kind}","Class":"IN"}}"#)
}

fn named(lines: &[String]) -> PassiveDns {
    let mut decoder = DnsDecoder::new();
    let text = lines.join("\n");
    assert_eq!(decoder.decode(text.as_bytes()), text.len());
    decoder.finish();
    let mut names = PassiveDns::default();
    feed(&mut names, &decoder.flush().unwrap().queries);
    names
}

fn finding(addrs: &[&str]) -> Finding {
    let at: Timestamp = AT.parse().unwrap();
    let mut finding = Finding::new(Family::VolumeLedger);
    finding.vpc_id = Some("vpc-1".to_owned());
    finding.destination.addresses = addrs.iter().map(|addr| (*addr).to_owned()).collect();
    (finding.first_seen, finding.last_seen) = (Some(at), Some(Timestamp(at.secs() + 60)));
    finding
}

fn domain_of(addrs: &[&str], names: &PassiveDns) -> Option<String> {
    let mut finding = finding(addrs);
    identify(&mut finding, &Context::default(), names);
    finding.destination.domain
}

#[test]
fn a_destination_is_called_what_its_vpc_asked_for() {
    let alias = [
        answer("CNAME", "s3-r-w.eu-west-1.amazonaws.com."),
        answer("A", "203.0.113.9"),
    ];
    let names = named(&[
        query(
            "vpc-1",
            "Leak.s3.eu-west-1.amazonaws.com.",
            &alias.join(","),
        ),
        query("vpc-2", "other.example.com.", &answer("A", "203.0.113.10")),
        query("vpc-1", "six.example.com.", &answer("AAAA", "2001:db8::9")),
        query("vpc-1", "text.example.com.", &answer("TXT", "203.0.113.11")),
    ]);
    assert_eq!(
        domain_of(&["203.0.113.9"], &names).as_deref(),
        Some("leak.s3.eu-west-1.amazonaws.com")
    );
    assert_eq!(
        domain_of(&["2001:db8::9"], &names).as_deref(),
        Some("six.example.com")
    );
    assert_eq!(
        domain_of(&["203.0.113.10"], &names),
        None,
        "another VPC asked"
    );
    assert_eq!(
        domain_of(&["203.0.113.11"], &names),
        None,
        "no address record"
    );
}

#[test]
fn addresses_that_disagree_or_are_shared_have_no_name() {
    let names = named(&[
        query("vpc-1", "a.example.com.", &answer("A", "203.0.113.1")),
        query("vpc-1", "b.example.net.", &answer("A", "203.0.113.2")),
        query("vpc-1", "b.example.net.", &answer("A", "203.0.113.1")),
        query("vpc-1", "c.example.org.", &answer("A", "203.0.113.3")),
    ]);
    assert_eq!(
        domain_of(&["203.0.113.1"], &names),
        None,
        "shared by two domains"
    );
    assert_eq!(
        domain_of(&["203.0.113.2", "203.0.113.3"], &names),
        None,
        "two names"
    );
    assert_eq!(
        domain_of(&["203.0.113.2", "203.0.113.8"], &names).as_deref(),
        Some("b.example.net")
    );
}
