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

fn database() -> Database {
    Database {
        name: "GeoLite2-Country".to_owned(),
        built_at: Timestamp(1_790_000_000),
    }
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
    identified(addrs, names).domain
}

fn identified(addrs: &[&str], names: &PassiveDns) -> Destination {
    let mut finding = finding(addrs);
    let registers = Registers {
        context: &Context::default(),
        names,
        known: Some(&KnownDestinations::built_in().unwrap()),
        databases: &[database()].into(),
    };
    identify(&mut finding, registers);
    finding.destination
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

#[test]
fn what_shares_an_address_is_told() {
    let names = named(&[
        query("vpc-1", "a.example.com.", &answer("A", "203.0.113.1")),
        query("vpc-1", "b.example.net.", &answer("A", "203.0.113.1")),
        query("vpc-1", "c.example.org.", &answer("A", "203.0.113.2")),
    ]);
    let shared = identified(&["203.0.113.1"], &names);
    assert!(shared.ambiguous);
    assert_eq!(shared.domains, ["a.example.com", "b.example.net"]);
    assert_eq!((shared.domains_total, shared.domain), (2, None));
    let one = identified(&["203.0.113.2"], &names);
    assert!(!one.ambiguous);
    assert_eq!(
        (one.domains_total, &*one.domains),
        (1, &["c.example.org".to_owned()][..])
    );
    assert_eq!(identified(&["203.0.113.9"], &names).domains_total, 0);

    let many: Vec<String> = (0..=ADDR_DOMAINS_MAX)
        .map(|at| {
            query(
                "vpc-1",
                &format!("x.example{at}.com."),
                &answer("A", "203.0.113.3"),
            )
        })
        .collect();
    let many = identified(&["203.0.113.3"], &named(&many));
    assert!(many.ambiguous && many.domains.is_empty());
    assert_eq!(many.domains_total, 65);
    let nine: Vec<String> = (0..9)
        .map(|at| {
            query(
                "vpc-1",
                &format!("x.example{at}.com."),
                &answer("A", "203.0.113.3"),
            )
        })
        .collect();
    let nine = identified(&["203.0.113.3"], &named(&nine));
    assert_eq!((nine.domains.len(), nine.domains_total), (8, 9));
}

#[test]
fn a_known_service_is_told_where_all_addresses_are_its_own() {
    let names = named(&[
        query(
            "vpc-1",
            "http-intake.logs.datadoghq.eu.",
            &answer("A", "203.0.113.1"),
        ),
        query("vpc-1", "api.datadoghq.eu.", &answer("A", "203.0.113.2")),
        query("vpc-1", "api.datadoghq.com.", &answer("A", "203.0.113.3")),
        query(
            "vpc-1",
            "trace.agent.datadoghq.eu.",
            &answer("A", "203.0.113.4"),
        ),
        query("vpc-1", "other.example.com.", &answer("A", "203.0.113.4")),
    ]);
    let of = |addrs: &[&str]| {
        let Destination {
            vendor,
            site,
            category,
            country,
            ..
        } = identified(addrs, &names);
        vendor.map(|vendor| {
            [Some(vendor), site, category, country]
                .map(Option::unwrap_or_default)
                .join(" ")
        })
    };
    let eu = Some("Datadog EU1 telemetry DE".to_owned());
    assert_eq!(of(&["203.0.113.1"]), eu);
    assert_eq!(of(&["203.0.113.1", "203.0.113.2"]), eu);
    assert_eq!(of(&["203.0.113.1", "203.0.113.3"]), None, "two sites");
    assert_eq!(
        of(&["203.0.113.1", "203.0.113.9"]),
        None,
        "one is anybody's"
    );
    assert_eq!(of(&["203.0.113.4"]), None, "shared");
    // By a network of the vendor's own, without a name.
    assert_eq!(
        of(&["185.221.84.7"]),
        Some("New Relic EU telemetry DE".to_owned())
    );
    assert_eq!(of(&[]), None);
}
