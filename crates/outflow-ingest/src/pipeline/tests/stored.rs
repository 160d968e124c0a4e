//! A lake tells what its sources told.

use outflow_finding::{write_coverage_json, write_json};
use outflow_lake::{Access, Lake};
use outflow_sim::Topology;

use super::*;
use crate::{Filter, IngestSettings, StoredLogs, ingest};

fn lake(folder: &TempDir) -> Lake {
    let place = folder.path().join("lake").display().to_string();
    Lake::create(place.parse().unwrap(), &Access::default()).unwrap()
}

/// Ingests the objects in batches of so many, the last first.
fn lake_of(objects: &[Object], at_once: usize) -> (TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    for batch in objects.rchunks(at_once) {
        ingest(
            batch,
            &IngestSettings::default(),
            &lake,
            &Progress::default(),
        )
        .unwrap();
    }
    (folder, lake)
}

fn read(lake: &Lake, settings: &Settings) -> Outcome {
    let filter = Filter {
        since: settings.since,
        until: settings.until,
        ..Filter::default()
    };
    let logs = StoredLogs::open(lake, &filter).unwrap();
    let outcome = logs.detect(settings, &Progress::default()).unwrap();
    assert!(outcome.accounts.balances(), "{:?}", outcome.accounts);
    outcome
}

/// The JSON lines of an outcome.
fn lines(outcome: &Outcome) -> String {
    let mut out = Vec::new();
    let accounts = &outcome.accounts;
    write_json(&mut out, &outcome.incidents, &outcome.findings, accounts).unwrap();
    write_coverage_json(&mut out, &outcome.coverage, accounts).unwrap();
    String::from_utf8(out).unwrap()
}

/// Asserts that a lake of these objects tells the same as they do, however they came into it.
#[track_caller]
fn agrees(objects: &[Object], settings: &Settings) -> Outcome {
    let expected = detected(objects, settings);
    for at_once in [objects.len().div_ceil(7), objects.len()] {
        let (_folder, lake) = lake_of(objects, at_once);
        for workers in [1, 3] {
            let settings = Settings {
                workers,
                ..settings.clone()
            };
            let told = read(&lake, &settings);
            assert_eq!(lines(&told), lines(&expected), "{at_once} at once");
            assert_eq!(told.coverage, expected.coverage);
            assert_eq!(told.remarks, expected.remarks);
        }
    }
    expected
}

/// Resolver query logs that name the destinations of findings, in the hours in which they were sent to.
fn answers(findings: &[Finding]) -> String {
    let mut text = String::new();
    for (at, finding) in findings.iter().enumerate() {
        let (Some(vpc), Some(seen)) = (&finding.vpc_id, finding.first_seen) else {
            continue;
        };
        for addr in &finding.destination.addresses {
            text += &format!(
                r#"{{"query_timestamp":"{seen}","query_name":"host.example{at}.net.","vpc_id":"{vpc}","answers":[{{"Rdata":"drop.example.net.","Type":"CNAME"}},{{"Rdata":"{addr}","Type":"A"}}],"srcaddr":"10.0.0.5"}}"#
            );
            text.push('\n');
        }
    }
    text
}

#[test]
fn a_lake_tells_what_its_sources_told() {
    let folder = world();
    for gone in ["odd.log", "tgw.log", "copy.log"] {
        fs::remove_file(folder.path().join(gone)).unwrap();
    }
    let found = detected(&objects(folder.path()), &Settings::default());
    let answers = answers(&found.findings);
    put(folder.path(), "vpcdnsquerylogs/dns.log", answers.as_bytes());
    let objects = objects(folder.path());
    let told = agrees(&objects, &Settings::default());
    let domains = told
        .findings
        .iter()
        .filter_map(|f| f.destination.domain.as_ref());
    assert!(domains.count() > 0, "answers reach the findings");
    assert!(told.accounts.queries > 0 && told.accounts.rejects > 0);
    assert_eq!(told.accounts.damaged, 1);
    assert!(told.findings.iter().all(|f| !f.evidence.objects.is_empty()));
}

#[test]
fn what_one_point_saw_of_another_is_told_the_same() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        for (number, log) in Topology::new(seed).logs.into_iter().enumerate() {
            let (account, flow_log) = (&log.account_id, &log.flow_log);
            let mut lines = log.text.lines();
            let header = lines.next().unwrap();
            let rows: Vec<&str> = lines.collect();
            // Two logs of one interface may say the very same, and copies count once.
            let blank = "\n".repeat(1 + number);
            // Several objects of each log, so that some hold nothing but what a gateway passed on.
            for (at, some) in rows.chunks(rows.len().div_ceil(4).max(1)).enumerate() {
                let name = format!(
                    "{account}_vpcflowlogs_us-east-1_{flow_log}_20260901T0{at}00Z_0a1b2c3d.log"
                );
                put(
                    folder.path(),
                    &name,
                    format!("{header}\n{}{blank}", some.join("\n")).as_bytes(),
                );
            }
        }
        agrees(&objects(folder.path()), &Settings::default());
    }
}

#[test]
fn a_format_is_kept_where_all_of_a_field_is_null_and_where_it_changes() {
    let names = "version resource-type tgw-id tgw-attachment-id srcaddr dstaddr packets bytes start end log-status";
    let of_gateway = format!(
        "{names}\n6 TransitGateway tgw-1 tgw-attach-1 10.0.0.5 203.0.113.9 9 300000000 {START} {START} OK\n"
    );
    let changing = format!("{}{of_gateway}{}", record("eni-0a1", 10, START), "what\n");
    // Whatever has an instance column and none in it passed packets on for others.
    let names = "interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr bytes start end instance-tag";
    let relayed = format!(
        "{names}\neni-nat - 10.0.1.9 203.0.113.9 10.0.0.7 203.0.113.9 300000000 {START} {START} a%20%2520b\n"
    );
    let folder = folder(&[
        ("a.log", changing.as_bytes()),
        ("b.log", relayed.as_bytes()),
        (
            "c.log",
            leak("eni-0b2", START).replace("OK", "NODATA").as_bytes(),
        ),
        ("d.log", leak("eni-0b2", START + 60).as_bytes()),
    ]);
    let told = agrees(&objects(folder.path()), &Settings::default());
    // Without its column of instances, the gateway would be charged itself.
    let is_host = |finding: &Finding| finding.workload.as_deref() == Some("10.0.0.7");
    assert!(told.findings.iter().any(is_host), "{:#?}", told.findings);
    assert!(
        told.remarks
            .iter()
            .any(|remark| remark.contains("`packets`"))
    );
}

#[test]
fn a_span_counts_what_starts_in_it() {
    let day = 86_400;
    let files: Vec<(String, String)> = (0..6)
        .map(|at| (format!("{at}.log"), leak("eni-0a1", START + at * day / 2)))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let folder = folder(&files);
    let objects = objects(folder.path());
    let (_kept, lake) = lake_of(&objects, 2);
    let at = |halves: i64| Some(Timestamp(START + halves * day / 2));
    for (since, until, rows) in [
        (at(1), at(4), 3),
        (at(2), None, 4),
        (None, at(2), 2),
        (at(9), None, 0),
    ] {
        let settings = Settings {
            since,
            until,
            ..Settings::default()
        };
        let (told, expected) = (read(&lake, &settings), detected(&objects, &settings));
        assert_eq!(told.findings, expected.findings);
        assert_eq!(told.incidents, expected.incidents);
        assert_eq!(told.accounts.bytes, expected.accounts.bytes);
        assert_eq!(told.accounts.outside, 6 - rows);
        assert_eq!(told.remarks, expected.remarks);
        let files = |filter: &Filter| StoredLogs::open(&lake, filter).unwrap().stored_bytes();
        let some = Filter {
            since,
            until,
            ..Filter::default()
        };
        assert!(
            files(&some) < files(&Filter::default()),
            "what is outside is not read"
        );
    }
}

#[test]
fn copies_that_were_ingested_apart_count_once() {
    let text = leak("eni-0a1", START);
    let folder = folder(&[("a.log", text.as_bytes()), ("b.log", text.as_bytes())]);
    let objects = objects(folder.path());
    let (_kept, lake) = lake_of(&objects, 1);
    let told = read(&lake, &Settings::default());
    let expected = detected(&objects, &Settings::default());
    assert_eq!(lines(&told), lines(&expected));
    assert_eq!(told.accounts.copies, 1);
    assert_eq!(told.remarks, expected.remarks);
}

#[test]
fn rows_of_a_batch_that_is_not_complete_are_left_out() {
    let (a, b) = (leak("eni-0a1", START), leak("eni-0b2", START));
    let folder = folder(&[("a.log", a.as_bytes()), ("b.log", b.as_bytes())]);
    let objects = objects(folder.path());
    let (kept, lake) = lake_of(&objects, 1);
    // The journal is written last: without its last commit, the batch of `a.log` was decided and no more.
    let log = kept.path().join("lake/sources/_delta_log");
    let commits = fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let commits = commits.filter(|path| path.extension().is_some_and(|name| name == "json"));
    fs::remove_file(commits.max().unwrap()).unwrap();
    let told = read(&lake, &Settings::default());
    let expected = detected(&objects[1..], &Settings::default());
    assert_eq!(lines(&told), lines(&expected));
    let said = "1 rows are of a batch that is not complete, and were left out";
    assert!(told.remarks[0].starts_with(said), "{:?}", told.remarks);
    lake.journal().unwrap();
    let told = read(&lake, &Settings::default());
    assert_eq!(
        lines(&told),
        lines(&detected(&objects, &Settings::default()))
    );
}

#[test]
fn accounts_and_regions_bound_what_is_read() {
    let named = |account: &str, region: &str| {
        format!("{account}_vpcflowlogs_{region}_fl-1_20260921T1420Z_0a1b2c3d.log")
    };
    let (one, two) = (
        named("123456789012", "us-east-1"),
        named("123456789013", "eu-west-1"),
    );
    let text = leak("eni-0a1", START);
    let other = leak("eni-0b2", START);
    let folder = folder(&[(&one, text.as_bytes()), (&two, other.as_bytes())]);
    let (_kept, lake) = lake_of(&objects(folder.path()), 2);
    for filter in [
        Filter {
            accounts: vec!["123456789012".to_owned()],
            ..Filter::default()
        },
        Filter {
            regions: vec!["us-east-1".to_owned()],
            ..Filter::default()
        },
    ] {
        let logs = StoredLogs::open(&lake, &filter).unwrap();
        assert_eq!((logs.objects(), logs.left_out()), (1, 1));
        let told = logs
            .detect(&Settings::default(), &Progress::default())
            .unwrap();
        assert_eq!(told.accounts.rows, 1);
        assert_eq!(told.findings[0].interface_id.as_deref(), Some("eni-0a1"));
        assert_eq!(told.remarks, Vec::<String>::new());
    }
}
