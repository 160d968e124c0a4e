//! Tunnels through the resolver, as Resolver query logs show them.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::run::{Report, Run, beside, count, detect, run, text};

/// Bytes of names that a session may have sent without a finding: a client's bound of a day.
const BOUND: u64 = 4_096;

/// Severity of a note.
const LOW: u64 = 2;

/// A log in which an instance sends data below one domain, an address looks up hosts, and another instance asks for
/// names of one label and of inside.
fn log() -> String {
    let mut lines = String::new();
    let mut state = 11u64;
    for at in 0..600 {
        let mut below = String::new();
        for _ in 0..24 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let digit = (state >> 33) % 32;
            below.push(char::from(
                b"abcdefghijklmnopqrstuvwxyz234567"[usize::try_from(digit).unwrap()],
            ));
        }
        let time = format!("2026-09-21T{:02}:{:02}:00Z", at / 60, at % 60);
        for (name, client) in [
            (
                format!("{below}.t.example.com."),
                r#""srcaddr":"10.0.0.5","srcids":{"instance":"i-1"}"#,
            ),
            (
                format!("host{}.example.org.", at % 9),
                r#""srcaddr":"10.0.0.6","srcids":{}"#,
            ),
            (
                format!("{below}.internal."),
                r#""srcaddr":"10.0.0.7","srcids":{"instance":"i-3"}"#,
            ),
        ] {
            lines += &format!(
                r#"{{"version":"1.100000","account_id":"111122223333","region":"eu-central-1","vpc_id":"vpc-1","query_timestamp":"{time}","query_name":"{name}","query_type":"TXT","query_class":"IN","rcode":"NOERROR","answers":[{{"Rdata":"\"{below}\"","Type":"TXT","Class":"IN"}}],"srcport":"4711","transport":"UDP",{client}}}"#
            );
            lines.push('\n');
        }
    }
    lines
}

/// A folder with that log.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/queries.log");
    fs::create_dir(folder.path().join("logs")).unwrap();
    fs::write(&path, log()).unwrap();
    // A watch takes no file for whole that was written just now.
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_788_220_800))
        .unwrap();
    folder
}

/// The lines of a run but for the books, which say how long it took.
fn found(run: &Run) -> Vec<&str> {
    let lines: Vec<&str> = run.stdout.lines().collect();
    lines[..lines.len() - 1].to_vec()
}

#[test]
fn a_tunnel_is_kept_as_a_case_with_its_timeline() {
    let folder = folder();
    let at = |args: &[&str]| run(folder.path(), args);
    at(&["ingest", "logs", "--lake", "lake"]).exits(0);
    at(&["case", "export", "inc-", "--lake", "lake", "--out", "case"])
        .exits(0)
        .says(&["rows of evidence: 600"]);
    let told = fs::read_to_string(folder.path().join("case/timeline/i-1.txt")).unwrap();
    assert!(
        told.contains("600 names of example.com (TXT): 600 queries"),
        "{told}"
    );
    at(&["case", "verify", "case"]).exits(0);
}

#[test]
fn a_tunnel_is_told_with_what_one_needs_to_check_it() {
    let folder = folder();
    let told = detect(folder.path(), &["logs"]).exits(0);
    let report = told.report();
    report.reconciles();
    let [finding] = &report.findings[..] else {
        panic!("one finding: {:#?}", report.findings);
    };
    assert_eq!(text(finding, "family"), Some("dns.tunnel"));
    assert_eq!(finding["destination"]["domain"], "example.com");
    assert_eq!(text(finding, "workload"), Some("i-1"));
    assert_eq!(finding["sender"]["instance_id"], "i-1");
    assert_eq!(finding["severity"], 4);
    assert_eq!(
        finding["attack"],
        serde_json::json!(["T1071.004", "T1048.003"])
    );
    assert_eq!(count(finding, "flows"), 600);
    let object = &finding["evidence"]["objects"][0];
    assert_eq!(
        (&object["uri"], &object["rows"]),
        (&"logs/queries.log".into(), &600.into())
    );
    let sql = finding["evidence"]["sql"].as_str().unwrap();
    assert!(
        sql.starts_with("SELECT * FROM dns WHERE vpc_id = 'vpc-1' AND instance = 'i-1' AND "),
        "{sql}"
    );
    assert!(sql.contains("query_name LIKE '%.example.com'"), "{sql}");
    let first = &finding["why"][0];
    assert_eq!(
        (&first["bound"], &first["unit"]),
        (&32_768.into(), &"bits".into())
    );
    // 24 characters of base32 are 120 bits.
    assert!(
        first["observed"].as_f64().unwrap() >= 600.0 * 120.0,
        "{first}"
    );
}

#[test]
fn a_lake_and_a_watch_tell_the_same() {
    let folder = folder();
    let at = folder.path();
    let told = detect(at, &["logs"]).exits(0);
    run(at, &["ingest", "logs", "--lake", "lake"]).exits(0);
    let stored = detect(at, &["--lake", "lake"]).exits(0);
    assert_eq!(found(&stored), found(&told));
    let span = ["--since", "2026-09-21T01:00", "--until", "2026-09-21T08:30"];
    let told = detect(at, &[&["logs"][..], &span].concat()).exits(0);
    let stored = detect(at, &[&["--lake", "lake"][..], &span].concat()).exits(0);
    assert_eq!(found(&stored), found(&told));
    assert_eq!(count(&told.report().findings[0], "flows"), 450);

    let watched = [
        "watch",
        "logs",
        "--lake",
        "watched",
        "--out",
        "told.jsonl",
        "--once",
    ];
    run(at, &watched).exits(0);
    run(at, &watched).exits(0);
    let lines = fs::read_to_string(at.join("told.jsonl")).unwrap();
    let whole = detect(at, &["--lake", "lake"]).exits(0);
    let families = |lines: &str| {
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let findings = lines.filter(|line| line["type"] == "finding");
        findings
            .map(|line| line["id"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        families(&lines),
        families(&whole.stdout),
        "once, and by the same id"
    );
}

#[test]
fn a_configuration_may_let_a_domain_be_told_more() {
    let folder = folder();
    let known = "[[policy.dns.known]]\ndomain = \"example.com\"\nbits_per_day = 1_000_000\nreason = \"our own\"\n";
    fs::write(folder.path().join("outflow.toml"), known).unwrap();
    let args = ["logs", "--config", "outflow.toml"];
    let report = detect(folder.path(), &args).exits(0).report();
    assert_eq!(report.findings, Vec::<Value>::new());
    fs::write(
        folder.path().join("outflow.toml"),
        "[policy.dns]\nclient_day_bits = 0\n",
    )
    .unwrap();
    detect(folder.path(), &args)
        .exits(2)
        .says(&["client_day_bits"]);
}

fn report(set: &Path) -> Report {
    let report = detect(set, &["AWSLogs"]).exits(0).report();
    report.reconciles();
    report
}

/// Instances with a tunnel, and how many bytes of names it had.
fn tunnels(set: &Path) -> Vec<(String, u64)> {
    let csv = fs::read_to_string(set.join("labels.csv")).unwrap();
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|own| *own == name).unwrap();
    let values = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let tunnels = values.filter(|values| values[at("class")] == "malicious");
    tunnels
        .map(|values| {
            let bytes = values[at("name_bytes")].parse().unwrap();
            (values[at("instance")].to_owned(), bytes)
        })
        .collect()
}

#[test]
fn real_tunnels_above_the_bound_are_found() {
    for name in ["tunnel-samples-resolver", "tunnel-samples-direct"] {
        let Some(set) = beside(&format!("datasets/dns/{name}")) else {
            return;
        };
        let report = report(&set);
        let above: Vec<_> = tunnels(&set)
            .into_iter()
            .filter(|(_, bytes)| *bytes > BOUND)
            .collect();
        assert!(above.len() >= 5, "{above:?}");
        for (instance, bytes) in above {
            let is_it = |finding: &&Value| text(finding, "workload") == Some(&instance);
            let finding = report.findings.iter().find(is_it);
            let severity = finding.map_or(0, |finding| count(finding, "severity"));
            assert!(
                severity > LOW,
                "{name}: {instance}, {bytes} bytes of names, {finding:?}"
            );
        }
    }
}

#[test]
fn ordinary_names_raise_no_alarm() {
    for (name, incidents) in [
        ("graphtunnel-normal", 1),
        ("maccdc-dns", usize::MAX),
        ("acm-benign24h", usize::MAX),
    ] {
        let Some(set) = beside(&format!("datasets/dns/{name}")) else {
            return;
        };
        let report = report(&set);
        assert!(
            report.incidents.len() <= incidents,
            "{name}: {:#?}",
            report.incidents
        );
        assert!(
            report.severity_max() <= LOW,
            "{name}: {:#?}",
            report.incidents
        );
    }
}
