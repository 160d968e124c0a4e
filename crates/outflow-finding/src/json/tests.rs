use super::*;
use crate::{
    Database, Evidence, EvidenceObject, Held, Prevalence, RiskTerm, SecurityGroup, finding_id,
};

fn line(finding: &Finding) -> String {
    let mut out = Vec::new();
    write_finding(&mut out, finding).unwrap();
    String::from_utf8(out).unwrap()
}

fn destination() -> Destination {
    Destination {
        group: Some("198.51.100.0/24".to_owned()),
        addresses: vec!["198.51.100.7".to_owned()],
        domain: Some("example.net".to_owned()),
        asn: Some(64500),
        org: Some("Example".to_owned()),
        country: Some("NL".to_owned()),
        service: Some("S3".to_owned()),
        vendor: Some("Datadog".to_owned()),
        product: Some("Datadog".to_owned()),
        site: Some("EU1".to_owned()),
        category: Some("telemetry".to_owned()),
        domains: vec!["a.example.net".to_owned(), "b.example.com".to_owned()],
        domains_total: 3,
        ambiguous: true,
        addresses_total: 1,
        groups_total: 1,
        prevalence: Some(Prevalence {
            workloads: 1,
            of: 31,
        }),
        first_seen: Some(Timestamp(0)),
        databases: [Database {
            name: "GeoLite2-City".to_owned(),
            built_at: Timestamp(86_400),
        }]
        .into(),
    }
}

fn sender() -> Sender {
    Sender {
        instance_id: Some("i-1".to_owned()),
        subnet_id: Some("subnet-1".to_owned()),
        availability_zone_id: Some("euc1-az1".to_owned()),
        security_groups: vec![
            SecurityGroup {
                id: "sg-1".to_owned(),
                name: Some("web".to_owned()),
            },
            SecurityGroup {
                id: "sg-2".to_owned(),
                name: None,
            },
        ],
        tags: BTreeMap::from([("app".to_owned(), "shop".to_owned())]),
        tags_total: 2,
        lineage: Some("app=shop".to_owned()),
        observed_at: Some(Timestamp(0)),
    }
}

fn tested() -> Vec<Tested> {
    let tested = |explanation, outcome, text: &str| Tested {
        explanation,
        outcome,
        text: text.to_owned(),
    };
    vec![
        tested(
            crate::Harmless::OwnHistory,
            Held::Rejected,
            "more than ever",
        ),
        tested(
            crate::Harmless::KnownService,
            Held::Unknown,
            "nobody was asked",
        ),
    ]
}

fn evidence() -> Evidence {
    Evidence {
        objects: vec![
            EvidenceObject {
                uri: "s3://logs/1.gz".into(),
                sha256: Some("00".into()),
                rows: 4,
            },
            EvidenceObject {
                uri: "stdin".into(),
                sha256: None,
                rows: 1,
            },
        ],
        sql: Some("select 1".to_owned()),
        objects_total: 7,
    }
}

fn full() -> Finding {
    Finding {
        id: finding_id(&["full"]),
        incident: Some("i-0".to_owned()),
        title: "title".to_owned(),
        severity: Severity::High,
        risk: 80,
        bits: Some(21.5),
        account_id: Some("123456789012".to_owned()),
        region: Some("eu-central-1".to_owned()),
        vpc_id: Some("vpc-1".to_owned()),
        interface_id: Some("eni-1".to_owned()),
        workload: Some("web".to_owned()),
        destination: destination(),
        first_seen: Some(Timestamp(0)),
        last_seen: Some(Timestamp(3600)),
        bytes: u64::MAX,
        payload_bytes: 2,
        packets: 3,
        flows: 4,
        attack: vec!["T1048".to_owned()],
        why: vec![Why {
            observed: 100.0,
            expected: Some(0.25),
            bound: None,
            unit: "bytes".to_owned(),
            text: "more than expected".to_owned(),
        }],
        coverage: Some(Coverage {
            share: 1.0,
            minutes_covered: 60,
            minutes_expected: 60,
            skipdata: 0,
            late_bytes: 0,
        }),
        evidence: evidence(),
        sender: sender(),
        risk_parts: vec![RiskPart {
            part: RiskTerm::Bound,
            points: 80,
        }],
        stages: vec![Stage::Scan, Stage::Exfiltration],
        paths: vec![TrafficPath(1), TrafficPath(8)],
        parameters: Some(Parameters {
            version: "0.1.0".into(),
            sha256: "00ff".into(),
        }),
        harmless: tested(),
        history: History::of(vec![30, 10, 20, 90], 500),
        state: Some(JudgedState {
            objects: 2,
            rows: 7,
            sha256: "01".into(),
        }),
        ..Finding::new(Family::VolumeLedger)
    }
}

#[test]
fn a_finding_has_its_keys_in_order() {
    insta::assert_snapshot!(line(&full()), @r#"{"type":"finding","id":"f-8b6c3e7f8a928988","incident":"i-0","family":"volume.ledger","title":"title","severity":4,"risk":80,"bits":21.5,"account_id":"123456789012","region":"eu-central-1","vpc_id":"vpc-1","interface_id":"eni-1","workload":"web","destination":{"group":"198.51.100.0/24","addresses":["198.51.100.7"],"domain":"example.net","asn":64500,"org":"Example","country":"NL","service":"S3","vendor":"Datadog","product":"Datadog","site":"EU1","category":"telemetry","domains":["a.example.net","b.example.com"],"domains_total":3,"ambiguous":true,"addresses_total":1,"groups_total":1,"prevalence":{"workloads":1,"of":31},"first_seen":"1970-01-01T00:00:00Z","databases":[{"name":"GeoLite2-City","built_at":"1970-01-02T00:00:00Z"}]},"first_seen":"1970-01-01T00:00:00Z","last_seen":"1970-01-01T01:00:00Z","bytes":18446744073709551615,"payload_bytes":2,"packets":3,"flows":4,"attack":["T1048"],"why":[{"observed":100,"expected":0.25,"bound":null,"unit":"bytes","text":"more than expected"}],"coverage":{"share":1,"minutes_covered":60,"minutes_expected":60,"skipdata":0,"late_bytes":0},"evidence":{"objects":[{"uri":"s3://logs/1.gz","sha256":"00","rows":4},{"uri":"stdin","sha256":null,"rows":1}],"sql":"select 1","objects_total":7},"sender":{"instance_id":"i-1","subnet_id":"subnet-1","availability_zone_id":"euc1-az1","security_groups":[{"id":"sg-1","name":"web"},{"id":"sg-2","name":null}],"tags":{"app":"shop"},"tags_total":2,"lineage":"app=shop","observed_at":"1970-01-01T00:00:00Z"},"rate_bits":null,"urgency":null,"q_value":null,"risk_parts":[{"part":"bound","points":80}],"stages":["scan","exfiltration"],"paths":[{"path":1,"name":"vpc-resource"},{"path":8,"name":"internet-gateway"}],"parameters":{"version":"0.1.0","sha256":"00ff"},"harmless":[{"explanation":"own-history","outcome":"rejected","text":"more than ever"},{"explanation":"known-service","outcome":"unknown","text":"nobody was asked"}],"history":{"unit":"bytes a day","days":4,"median":20,"p99":90,"observed":500},"state":{"objects":2,"rows":7,"sha256":"01"}}"#);
}

#[test]
fn what_is_unknown_is_null_and_never_left_out() {
    insta::assert_snapshot!(line(&Finding::new(Family::PolicyPort)), @r#"{"type":"finding","id":"","incident":null,"family":"policy.port","title":"","severity":1,"risk":0,"bits":null,"account_id":null,"region":null,"vpc_id":null,"interface_id":null,"workload":null,"destination":{"group":null,"addresses":[],"domain":null,"asn":null,"org":null,"country":null,"service":null,"vendor":null,"product":null,"site":null,"category":null,"domains":[],"domains_total":0,"ambiguous":false,"addresses_total":0,"groups_total":0,"prevalence":null,"first_seen":null,"databases":[]},"first_seen":null,"last_seen":null,"bytes":0,"payload_bytes":0,"packets":0,"flows":0,"attack":[],"why":[],"coverage":null,"evidence":{"objects":[],"sql":null,"objects_total":0},"sender":{"instance_id":null,"subnet_id":null,"availability_zone_id":null,"security_groups":[],"tags":{},"tags_total":0,"lineage":null,"observed_at":null},"rate_bits":null,"urgency":null,"q_value":null,"risk_parts":[],"stages":[],"paths":[],"parameters":null,"harmless":[],"history":null,"state":null}"#);
}

#[test]
fn an_incident_ends_with_its_findings() {
    let body = Finding {
        id: "i-1".to_owned(),
        ..Finding::new(Family::Beacon)
    };
    let incident = Incident {
        finding_ids: vec!["f-1".to_owned(), "f-2".to_owned()],
        body,
        lane: None,
        is_again: false,
    };
    let mut out = Vec::new();
    write_incident(&mut out, &incident).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"type":"incident","id":"i-1","incident":null,"family":"beacon","title":"","severity":1,"risk":0,"bits":null,"account_id":null,"region":null,"vpc_id":null,"interface_id":null,"workload":null,"destination":{"group":null,"addresses":[],"domain":null,"asn":null,"org":null,"country":null,"service":null,"vendor":null,"product":null,"site":null,"category":null,"domains":[],"domains_total":0,"ambiguous":false,"addresses_total":0,"groups_total":0,"prevalence":null,"first_seen":null,"databases":[]},"first_seen":null,"last_seen":null,"bytes":0,"payload_bytes":0,"packets":0,"flows":0,"attack":[],"why":[],"coverage":null,"evidence":{"objects":[],"sql":null,"objects_total":0},"findings":["f-1","f-2"],"sender":{"instance_id":null,"subnet_id":null,"availability_zone_id":null,"security_groups":[],"tags":{},"tags_total":0,"lineage":null,"observed_at":null},"rate_bits":null,"urgency":null,"q_value":null,"lane":null,"risk_parts":[],"stages":[],"paths":[],"parameters":null,"harmless":[],"history":null,"state":null}"#);
}

#[test]
fn accounts_have_their_keys_in_order() {
    let accounts = Accounts {
        objects: 2,
        lines: 14,
        rows: 7,
        coverage_rows: 1,
        rejects: 2,
        rejects_by_reason: BTreeMap::from([("truncated".to_owned(), 2)]),
        first: Some(Timestamp(0)),
        seconds: 0.5,
        unmeasured: 3,
        copies: 1,
        resolution: Resolution::Group,
        control_messages: 2,
        queries: 4,
        ..Accounts::default()
    };
    assert!(accounts.balances());
    let mut out = Vec::new();
    write_accounts(&mut out, &accounts).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"type":"accounts","objects":2,"damaged":0,"lines":14,"header_lines":0,"blank_lines":0,"rows":7,"coverage_rows":1,"rejects":2,"rejects_by_reason":{"truncated":2},"bytes":0,"counted_bytes":0,"enis":0,"first":"1970-01-01T00:00:00Z","last":null,"seconds":0.5,"unmeasured":3,"outside":0,"copies":1,"resolution":"group","control_messages":2,"queries":4,"counted_payload_bytes":0,"guessed_payload_bytes":0,"repeated_bytes":0,"received_bytes":0,"inside_bytes":0,"inside_payload_bytes":0,"rejected_bytes":0,"unmeasured_bytes":0,"outside_bytes":0,"suppressions":[]}"#);
}

#[test]
fn numbers_are_integers_where_they_can_be() {
    let printed = |observed: f64| {
        serde_json::to_value(Why {
            observed,
            ..Why::default()
        })
        .unwrap()
    };
    let cases = [
        (100.0, "100"),
        (-0.0, "0"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (1e300, "1e+300"),
        (f64::NAN, "null"),
        (f64::INFINITY, "null"),
    ];
    for (observed, text) in cases {
        assert_eq!(printed(observed)["observed"].to_string(), text);
    }
}

#[test]
fn hostile_text_stays_on_its_line() {
    let title =
        "a\nb\r\u{1b}[2J\"}\u{0}\u{2028}\u{7f}\u{9b}2J\u{202e}\u{2066}é日\u{e0041}z".to_owned();
    let printed = line(&Finding {
        title: title.clone(),
        ..full()
    });
    assert_eq!(printed.lines().count(), 1);
    assert!(!printed.trim_end().contains(acts), "{printed:?}");
    assert!(
        printed.contains(r"\u2028\u007f\u009b2J\u202e\u2066é日\udb40\udc41z"),
        "{printed}"
    );
    let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(read["title"], title);
}

#[test]
fn hostile_keys_are_written_out_too() {
    let reason = "bad\u{9b}".to_owned();
    let accounts = Accounts {
        rejects_by_reason: BTreeMap::from([(reason.clone(), 1)]),
        ..Accounts::default()
    };
    let mut out = Vec::new();
    write_accounts(&mut out, &accounts).unwrap();
    let printed = String::from_utf8(out).unwrap();
    assert!(!printed.trim_end().contains(acts), "{printed:?}");
    let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(read["rejects_by_reason"][&reason], 1);
}

#[test]
fn incidents_come_by_risk_each_with_its_findings_and_accounts_last() {
    let member = |id: &str, incident: Option<&str>, risk: u8| Finding {
        id: id.to_owned(),
        incident: incident.map(str::to_owned),
        risk,
        ..Finding::new(Family::Beacon)
    };
    let incident = |id: &str, risk: u8| Incident {
        finding_ids: Vec::new(),
        body: member(id, None, risk),
        lane: None,
        is_again: false,
    };
    let incidents = [
        incident("i-2", 10),
        incident("i-3", 90),
        incident("i-1", 10),
    ];
    let findings = [
        member("f-9", None, 99),
        member("f-1", Some("i-1"), 5),
        member("f-2", Some("i-3"), 5),
        member("f-3", Some("i-3"), 50),
        member("f-4", Some("i-2"), 5),
    ];
    let mut out = Vec::new();
    write_json(&mut out, &incidents, &findings, &Accounts::default()).unwrap();
    let ids: Vec<String> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|value| value["id"].as_str().unwrap_or("accounts").to_owned())
        .collect();
    assert_eq!(
        ids,
        [
            "i-3", "f-3", "f-2", "i-1", "f-1", "i-2", "f-4", "f-9", "accounts"
        ]
    );
}

#[test]
fn errors_of_the_writer_are_returned() {
    let mut full: &mut [u8] = &mut [0; 8];
    assert!(write_finding(&mut full, &Finding::new(Family::Beacon)).is_err());
}
