//! Findings for tests of renderings.

use std::collections::BTreeMap;

use crate::{
    Coverage, Database, Destination, Evidence, EvidenceObject, Family, Finding, Harmless, Held,
    JudgedState, Parameters, Prevalence, RiskPart, RiskTerm, SecurityGroup, Sender, Severity,
    Stage, Tested, TrafficPath, Why, finding_id,
};

/// A theft of which much is known.
pub(crate) fn theft() -> Finding {
    Finding {
        id: finding_id(&["payments-api", "volume.ledger", "2026-10-01"]),
        title: "48.2 GB to a network never sent to before".to_owned(),
        severity: Severity::Critical,
        risk: 91,
        bits: Some(12.5),
        rate_bits: Some(9.0),
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        vpc_id: Some("vpc-0f00ba11".to_owned()),
        interface_id: Some("eni-0123456789abcdef0".to_owned()),
        workload: Some("asg/payments-api".to_owned()),
        destination: rented(),
        first_seen: "2026-10-01T08:30:00Z".parse().ok(),
        last_seen: "2026-10-01T10:40:00Z".parse().ok(),
        bytes: 48_200_000_000,
        payload_bytes: 47_000_000_000,
        packets: 33_000_000,
        flows: 410,
        attack: vec!["T1048.003".to_owned(), "T1567".to_owned()],
        why: vec![Why {
            observed: 47e9,
            bound: Some(1e8),
            unit: "bytes".to_owned(),
            text: "47.0 GB of payload within 24 hours is explained by nothing known".to_owned(),
            ..Why::default()
        }],
        coverage: Some(Coverage {
            share: 0.985,
            minutes_covered: 985,
            minutes_expected: 1_000,
            skipdata: 2,
            late_bytes: 0,
        }),
        evidence: Evidence {
            objects: vec![EvidenceObject {
                uri: "s3://logs/1.gz".into(),
                sha256: Some("00ff".into()),
                rows: 410,
            }],
            sql: Some("SELECT 1".to_owned()),
            objects_total: 1,
        },
        sender: Sender {
            instance_id: Some("i-0123456789abcdef0".to_owned()),
            subnet_id: Some("subnet-1".to_owned()),
            security_groups: vec![SecurityGroup {
                id: "sg-1".to_owned(),
                name: Some("web".to_owned()),
            }],
            tags: BTreeMap::from([("app".to_owned(), "payments".to_owned())]),
            tags_total: 1,
            ..Sender::default()
        },
        risk_parts: [
            (RiskTerm::Bound, 49),
            (RiskTerm::Volume, 27),
            (RiskTerm::Direction, 15),
        ]
        .map(|(part, points)| RiskPart { part, points })
        .to_vec(),
        stages: vec![Stage::Exfiltration],
        paths: vec![TrafficPath(8)],
        parameters: Some(parameters("0.1.0", "00ff")),
        ..Finding::new(Family::VolumeLedger)
    }
}

/// Where a theft went to.
fn rented() -> Destination {
    Destination {
        group: Some("198.51.100.0/24".to_owned()),
        addresses: vec!["198.51.100.7".to_owned(), "2001:db8::7".to_owned()],
        domain: Some("drop.example.net".to_owned()),
        asn: Some(64_500),
        org: Some("Example Transit".to_owned()),
        country: Some("NL".to_owned()),
        addresses_total: 2,
        groups_total: 1,
        prevalence: Some(Prevalence {
            workloads: 1,
            of: 31,
        }),
        first_seen: "2026-10-01T08:30:00Z".parse().ok(),
        databases: database("GeoLite2-City").into(),
        ..Destination::default()
    }
}

fn database(name: &str) -> Vec<Database> {
    "2026-09-15T04:00:00Z"
        .parse()
        .map(|built_at| Database {
            name: name.to_owned(),
            built_at,
        })
        .into_iter()
        .collect()
}

fn state(sha256: &str) -> JudgedState {
    JudgedState {
        objects: 1,
        rows: 2,
        sha256: sha256.into(),
    }
}

fn parameters(version: &str, sha256: &str) -> Parameters {
    Parameters {
        version: version.into(),
        sha256: sha256.into(),
    }
}

/// A beacon of the same workload on the same day, of which little is known.
pub(crate) fn beacon() -> Finding {
    Finding {
        id: finding_id(&["payments-api", "beacon"]),
        title: "A connection every 60 s".to_owned(),
        severity: Severity::Medium,
        risk: 40,
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        workload: Some("asg/payments-api".to_owned()),
        first_seen: "2026-10-01T00:00:00Z".parse().ok(),
        last_seen: "2026-10-02T00:00:00Z".parse().ok(),
        bytes: 1_440_000,
        stages: vec![Stage::CommandAndControl],
        why: vec![Why {
            observed: 60.0,
            expected: Some(0.5),
            unit: "seconds".to_owned(),
            ..Why::default()
        }],
        ..Finding::new(Family::Beacon)
    }
}

/// Texts that break formats which do not escape: markup, quotes, controls, reordering, beyond the basic plane.
pub(crate) const HOSTILE: [&str; 10] = [
    "</script><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' -- \\",
    "\u{1b}[31m\u{7}\0",
    "\u{202e}\u{2066}\u{feff}",
    "a\r\nb\n,{}",
    "\u{e0001}\u{10ffff}\u{1f4a9}",
    "<!--<svg/onload=alert(1)>]]>",
    "&amp;&#x3c;",
    "   \t ",
];

/// A finding that has a text in every place that takes one, longer than any format allows if it is repeated so often.
pub(crate) fn filled(text: &str, repeated: usize) -> Finding {
    let of = || text.repeat(repeated);
    let some = || Some(of());
    Finding {
        id: of(),
        incident: None,
        title: of(),
        account_id: some(),
        region: some(),
        vpc_id: some(),
        interface_id: some(),
        workload: some(),
        destination: Destination {
            group: some(),
            addresses: vec![of(), "198.51.100.7".to_owned()],
            domain: some(),
            org: some(),
            country: some(),
            service: some(),
            vendor: some(),
            product: some(),
            site: some(),
            category: some(),
            domains: vec![of(); 8],
            databases: database(&of()).into(),
            ..theft().destination
        },
        attack: vec![of()],
        harmless: vec![Tested::new(Harmless::Suppression, Held::Partly, of())],
        state: Some(state(&of())),
        why: vec![
            Why {
                unit: of(),
                text: of(),
                ..theft().why.remove(0)
            };
            6
        ],
        evidence: Evidence {
            objects: vec![
                EvidenceObject {
                    uri: of().into(),
                    sha256: Some(of().into()),
                    rows: u64::MAX,
                };
                32
            ],
            sql: some(),
            objects_total: 40,
        },
        sender: Sender {
            instance_id: some(),
            subnet_id: some(),
            availability_zone_id: some(),
            security_groups: vec![
                SecurityGroup {
                    id: of(),
                    name: some(),
                };
                20
            ],
            tags: (0..50).map(|at| (format!("{at}{text}"), of())).collect(),
            tags_total: 60,
            lineage: some(),
            observed_at: None,
        },
        bytes: u64::MAX,
        payload_bytes: u64::MAX,
        parameters: Some(parameters(&of(), &of())),
        ..theft()
    }
}
