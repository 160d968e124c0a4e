//! The output format that others parse: which keys a line has, in which order, and what they may hold.

use std::collections::BTreeSet;

use outflow_record::Timestamp;

use crate::json::Json;
use crate::run::{detect_stdin, workspace};

const FINDING: [&str; 24] = [
    "type",
    "id",
    "incident",
    "family",
    "title",
    "severity",
    "risk",
    "bits",
    "account_id",
    "region",
    "vpc_id",
    "interface_id",
    "workload",
    "destination",
    "first_seen",
    "last_seen",
    "bytes",
    "payload_bytes",
    "packets",
    "flows",
    "attack",
    "why",
    "coverage",
    "evidence",
];
const DESTINATION: [&str; 19] = [
    "group",
    "addresses",
    "domain",
    "asn",
    "org",
    "country",
    "service",
    "vendor",
    "product",
    "site",
    "category",
    "domains",
    "domains_total",
    "ambiguous",
    "addresses_total",
    "groups_total",
    "prevalence",
    "first_seen",
    "databases",
];
/// What explains a finding beside its reasons: the last keys.
const EXPLANATION: [&str; 7] = [
    "risk_parts",
    "stages",
    "paths",
    "parameters",
    "harmless",
    "history",
    "state",
];
const SENDER: [&str; 8] = [
    "instance_id",
    "subnet_id",
    "availability_zone_id",
    "security_groups",
    "tags",
    "tags_total",
    "lineage",
    "observed_at",
];
const WHY: [&str; 5] = ["observed", "expected", "bound", "unit", "text"];
const COVERAGE: [&str; 5] = [
    "share",
    "minutes_covered",
    "minutes_expected",
    "skipdata",
    "late_bytes",
];
const ACCOUNTS: [&str; 32] = [
    "type",
    "objects",
    "damaged",
    "lines",
    "header_lines",
    "blank_lines",
    "rows",
    "coverage_rows",
    "rejects",
    "rejects_by_reason",
    "bytes",
    "counted_bytes",
    "enis",
    "first",
    "last",
    "seconds",
    "unmeasured",
    "outside",
    "copies",
    "resolution",
    "control_messages",
    "queries",
    "counted_payload_bytes",
    "guessed_payload_bytes",
    "repeated_bytes",
    "received_bytes",
    "inside_bytes",
    "inside_payload_bytes",
    "rejected_bytes",
    "unmeasured_bytes",
    "outside_bytes",
    "suppressions",
];
const FAMILIES: [&str; 16] = [
    "volume.ledger",
    "volume.shift",
    "volume.total",
    "volume.served",
    "destination.rare",
    "dns.tunnel",
    "dns.bypass",
    "beacon",
    "connection.long",
    "protocol.misuse",
    "scan.fanout",
    "staging.relay",
    "policy.jurisdiction",
    "policy.path",
    "policy.telemetry",
    "policy.port",
];

fn parse(stdout: &str) -> Vec<Json> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    stdout.lines().map(line).collect()
}

/// The incidents and findings of the archive.
fn lines() -> Vec<Json> {
    let mut lines = parse(&crate::breach::report().stdout);
    lines.pop();
    assert!(lines.len() > 10);
    lines
}

fn is(line: &Json, kind: &str) -> bool {
    line.get("type").text() == kind
}

#[test]
fn findings_and_incidents_have_the_documented_keys_in_order() {
    for line in lines() {
        let mut keys = FINDING.to_vec();
        if is(&line, "incident") {
            keys.push("findings");
        } else {
            assert!(is(&line, "finding"), "{line:?}");
        }
        keys.extend(["sender", "rate_bits", "urgency", "q_value"]);
        if is(&line, "incident") {
            keys.push("lane");
        }
        keys.extend(EXPLANATION);
        assert_eq!(line.keys(), keys);
        assert_eq!(line.get("sender").keys(), SENDER);
        assert_eq!(line.get("destination").keys(), DESTINATION);
        for why in line.get("why").list() {
            assert_eq!(why.keys(), WHY);
        }
        if *line.get("coverage") != Json::Null {
            assert_eq!(line.get("coverage").keys(), COVERAGE);
        }
        assert_eq!(
            line.get("evidence").keys(),
            ["objects", "sql", "objects_total"]
        );
        for object in line.get("evidence").get("objects").list() {
            assert_eq!(object.keys(), ["uri", "sha256", "rows"]);
        }
        for tested in line.get("harmless").list() {
            assert_eq!(tested.keys(), ["explanation", "outcome", "text"]);
        }
        let asked = line.get("harmless").list().len();
        assert!((3..=8).contains(&asked), "{line:?}");
        if *line.get("history") != Json::Null {
            let keys = ["unit", "days", "median", "p99", "observed"];
            assert_eq!(line.get("history").keys(), keys);
        }
        assert_eq!(line.get("state").keys(), ["objects", "rows", "sha256"]);
    }
}

#[test]
fn values_are_of_their_kinds() {
    for line in lines() {
        assert!(FAMILIES.contains(&line.get("family").text()), "{line:?}");
        assert!(!line.get("title").text().is_empty());
        assert!((1..=5).contains(&line.get("severity").whole()));
        assert!((0..=100).contains(&line.get("risk").whole()));
        assert!(*line.get("bits") == Json::Null || line.get("bits").is_number());
        for key in ["account_id", "region", "vpc_id", "interface_id", "workload"] {
            null_or_text(line.get(key));
        }
        for key in ["bytes", "payload_bytes", "packets", "flows"] {
            assert!(line.get(key).whole() > 0, "{key} of {line:?}");
        }
        assert!(line.get("payload_bytes").whole() <= line.get("bytes").whole());
        for technique in line.get("attack").list() {
            let digits = technique
                .text()
                .strip_prefix('T')
                .unwrap()
                .replacen('.', "", 1);
            assert!(
                digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{technique:?}"
            );
        }
        let span = ["first_seen", "last_seen"].map(|key| instant(line.get(key)));
        assert!(span[0] <= span[1]);
        let id = line.get("id").text();
        let (prefix, digits) = id.split_once('-').unwrap();
        assert_eq!(prefix, if is(&line, "incident") { "inc" } else { "f" });
        assert!(digits.len() == 16 && hex(digits), "{id}");
    }
}

#[test]
fn destinations_reasons_and_coverage_hold_what_they_say() {
    for line in lines() {
        let destination = line.get("destination");
        for key in [
            "group", "domain", "org", "country", "service", "vendor", "product", "site", "category",
        ] {
            null_or_text(destination.get(key));
        }
        let names = destination.get("domains").list().len() as i128;
        assert!(destination.get("domains_total").whole() >= names);
        assert!(matches!(destination.get("ambiguous"), Json::Bool(_)));
        let addresses: Vec<&str> = destination
            .get("addresses")
            .list()
            .iter()
            .map(Json::text)
            .collect();
        assert!(!addresses.is_empty());
        assert!(destination.get("addresses_total").whole() >= addresses.len() as i128);
        assert!(destination.get("groups_total").whole() >= 1);
        assert_eq!(
            addresses.iter().collect::<BTreeSet<_>>().len(),
            addresses.len()
        );
        for address in addresses {
            address.parse::<std::net::IpAddr>().unwrap();
        }
        assert!(
            !line.get("why").list().is_empty(),
            "a finding without a reason: {line:?}"
        );
        for why in line.get("why").list() {
            assert!(why.get("observed").is_number());
            for key in ["expected", "bound"] {
                assert!(*why.get(key) == Json::Null || why.get(key).is_number());
            }
            assert!(!why.get("text").text().is_empty() && !why.get("unit").text().is_empty());
        }
        if let coverage @ Json::Object(_) = line.get("coverage") {
            let minutes =
                ["minutes_covered", "minutes_expected"].map(|key| coverage.get(key).whole());
            assert!(coverage.get("share").is_number() && minutes[0] <= minutes[1]);
            assert!(coverage.get("skipdata").whole() >= 0);
        }
    }
}

#[test]
fn every_line_explains_its_risk_its_stages_and_what_it_was_judged_by() {
    let mut digests = BTreeSet::new();
    for line in lines() {
        let parts = line.get("risk_parts").list();
        assert!(parts.len() >= 3, "{line:?}");
        let points = parts.iter().map(|part| {
            assert_eq!(part.keys(), ["part", "points"]);
            part.get("points").whole()
        });
        assert_eq!(
            points.sum::<i128>(),
            line.get("risk").whole(),
            "the parts add up to the risk: {line:?}"
        );
        let stages = line.get("stages").list().iter().map(Json::text);
        let known = ["scan", "command-and-control", "staging", "exfiltration"];
        let places: Vec<usize> = stages
            .map(|stage| known.iter().position(|own| *own == stage).unwrap())
            .collect();
        assert!(!places.is_empty() && places.is_sorted_by(|a, b| a < b));
        for path in line.get("paths").list() {
            assert_eq!(path.keys(), ["path", "name"]);
        }
        let parameters = line.get("parameters");
        assert_eq!(parameters.keys(), ["version", "sha256"]);
        let sha256 = parameters.get("sha256").text();
        assert!(sha256.len() == 64 && hex(sha256), "{sha256}");
        digests.insert(sha256.to_owned());
        let destination = line.get("destination");
        if *destination.get("prevalence") != Json::Null {
            let prevalence = destination.get("prevalence");
            assert_eq!(prevalence.keys(), ["workloads", "of"]);
            let [some, all] = ["workloads", "of"].map(|key| prevalence.get(key).whole());
            assert!((1..=all).contains(&some));
            assert!(instant(destination.get("first_seen")) <= instant(line.get("last_seen")));
        }
        for database in destination.get("databases").list() {
            assert_eq!(database.keys(), ["name", "built_at"]);
        }
    }
    assert_eq!(digests.len(), 1, "one run has one set of parameters");
}

#[test]
fn every_finding_is_of_an_incident_that_lists_it_and_follows_it() {
    let (mut incident, mut members): (Option<Json>, Vec<String>) = (None, Vec::new());
    let mut ids = BTreeSet::new();
    let mut risk = 100;
    let finish = |incident: &Option<Json>, members: &[String]| {
        if let Some(incident) = incident {
            let listed: Vec<&str> = incident
                .get("findings")
                .list()
                .iter()
                .map(Json::text)
                .collect();
            assert_eq!(listed, members);
            assert!(!members.is_empty(), "an incident without findings");
        }
    };
    for line in lines() {
        assert!(
            ids.insert(line.get("id").text().to_owned()),
            "an id twice: {line:?}"
        );
        if is(&line, "incident") {
            finish(&incident, &members);
            assert_eq!(*line.get("incident"), Json::Null);
            assert!(line.get("risk").whole() <= risk, "incidents come by risk");
            risk = line.get("risk").whole();
            (incident, members) = (Some(line), Vec::new());
        } else {
            assert_eq!(line.get("incident"), incident.as_ref().unwrap().get("id"));
            members.push(line.get("id").text().to_owned());
        }
    }
    finish(&incident, &members);
}

#[test]
fn evidence_names_objects_that_are_there_with_rows() {
    for line in lines() {
        let objects = line.get("evidence").get("objects").list();
        assert!(!objects.is_empty(), "no evidence: {line:?}");
        let uris: Vec<&str> = objects
            .iter()
            .map(|object| object.get("uri").text())
            .collect();
        assert_eq!(uris.iter().collect::<BTreeSet<_>>().len(), uris.len());
        for object in objects {
            let sha256 = object.get("sha256").text();
            assert!(sha256.len() == 64 && hex(sha256), "{sha256}");
            assert!(object.get("rows").whole() > 0);
            assert!(workspace().join(object.get("uri").text()).is_file());
        }
        let total = line.get("evidence").get("objects_total").whole();
        assert!(total >= objects.len() as i128, "{total}: {line:?}");
        let findings = line.entries().iter().find(|(key, _)| key == "findings");
        match findings.map(|(_, ids)| ids.list()) {
            None | Some([_]) => assert!(sql_of(&line).starts_with("SELECT ")),
            Some(several) => {
                for id in several {
                    let own = format!("-- {}\nSELECT ", id.text());
                    assert_eq!(sql_of(&line).matches(&own).count(), 1, "{own}");
                }
            }
        }
    }
}

fn sql_of(line: &Json) -> &str {
    line.get("evidence").get("sql").text()
}

#[test]
fn accounts_have_the_documented_keys_in_order() {
    let lines = parse(&crate::breach::report().stdout);
    let accounts = lines.last().unwrap();
    assert_eq!(accounts.keys(), ACCOUNTS);
    for (key, value) in accounts.entries() {
        match key.as_str() {
            "type" => assert_eq!(value.text(), "accounts"),
            "resolution" => assert_eq!(value.text(), "address"),
            "rejects_by_reason" => assert_eq!(value.entries(), []),
            "suppressions" => assert!(value.list().is_empty()),
            "first" | "last" => assert!(instant(value).secs() > 0),
            "seconds" => assert!(value.is_number()),
            _ => assert!(value.whole() >= 0),
        }
    }
}

#[test]
fn what_is_unknown_is_null_and_never_left_out() {
    // A log that tells neither who sent nor when it was read.
    let format = "${srcaddr} ${dstaddr} ${protocol} ${packets} ${bytes} ${start} ${end}";
    let line = b"10.0.0.5 203.0.113.9 6 300000 300000000 1790000000 1790000060\n";
    let run = detect_stdin(&workspace(), &["--log-format", format], line).exits(0);
    let lines = parse(&run.stdout);
    let [incident, finding, accounts] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(
        finding.keys(),
        [
            &FINDING[..],
            &["sender", "rate_bits", "urgency", "q_value"],
            &EXPLANATION
        ]
        .concat()
    );
    assert_eq!(finding.get("paths").list(), []);
    assert_eq!(finding.get("destination").get("databases").list(), []);
    for line in [incident, finding] {
        assert_eq!(line.get("sender").keys(), SENDER);
        for (key, value) in line.get("sender").entries() {
            let unknown = match key.as_str() {
                "security_groups" => Json::List(Vec::new()),
                "tags" => Json::Object(Vec::new()),
                "tags_total" => Json::Whole(0),
                _ => Json::Null,
            };
            assert_eq!(*value, unknown, "{key}");
        }
        for key in ["account_id", "region", "vpc_id", "interface_id", "workload"] {
            assert_eq!(*line.get(key), Json::Null, "{key}");
        }
        for key in [
            "domain", "asn", "org", "country", "service", "vendor", "product", "site", "category",
        ] {
            assert_eq!(*line.get("destination").get(key), Json::Null, "{key}");
        }
        let destination = line.get("destination");
        assert_eq!(destination.get("domains").list(), []);
        assert_eq!(destination.get("domains_total").whole(), 0);
        assert_eq!(*destination.get("ambiguous"), Json::Bool(false));
    }
    assert_eq!(accounts.keys(), ACCOUNTS);

    let run = detect_stdin(&workspace(), &[], b"").exits(0);
    let lines = parse(&run.stdout);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].keys(), ACCOUNTS);
    assert_eq!(
        (lines[0].get("first"), lines[0].get("last")),
        (&Json::Null, &Json::Null)
    );
}

#[test]
fn rejects_are_counted_by_reason() {
    let text = "2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 3 300 1790000000 1790000060 ACCEPT OK\n\
                2 123456789012 eni-0a1 10.0.0.5 203.0.113 40000 443 6 3 300 1790000000 1790000060 ACCEPT OK\n\
                too short\n";
    let run = detect_stdin(&workspace(), &[], text.as_bytes()).exits(0);
    run.report().reconciles();
    let reasons = &run.report().accounts["rejects_by_reason"];
    assert_eq!(
        *reasons,
        serde_json::json!({ "bad-value:dstaddr": 1, "field-count": 1 })
    );
}

#[track_caller]
fn null_or_text(value: &Json) {
    assert!(
        *value == Json::Null || !value.text().is_empty(),
        "empty text is no value"
    );
}

/// An instant of RFC 3339, in UTC and whole seconds.
#[track_caller]
fn instant(value: &Json) -> Timestamp {
    let text = value.text();
    let at: Timestamp = text.parse().unwrap();
    assert_eq!(at.to_string(), text);
    assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    at
}

fn hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
