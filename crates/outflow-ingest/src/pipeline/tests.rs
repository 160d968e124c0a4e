use std::fs;
use std::io::Write as _;
use std::path::Path;

use outflow_sim::{Scenario, World, WorldConfig};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{Source, list};

mod covered;
mod evidence;
mod following;
mod hostile;
mod parquet;
mod remembering;
mod stored;
mod uncounted;

/// 2026-09-21T14:13:20Z
const START: i64 = 1_790_000_000;

/// A record of ten seconds from a private address to an outside one.
fn record(eni: &str, bytes: u64, start: i64) -> String {
    let (packets, end) = (bytes.div_ceil(1_000), start + 10);
    format!(
        "2 123456789012 {eni} 10.0.0.5 203.0.113.9 40000 443 6 {packets} {bytes} {start} {end} ACCEPT OK\n"
    )
}

/// A record of 300 MB: a finding.
fn leak(eni: &str, start: i64) -> String {
    record(eni, 300_000_000, start)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        put(folder.path(), name, bytes);
    }
    folder
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn objects(folder: &Path) -> Vec<Object> {
    list(&[Source::Path(folder.to_owned())]).unwrap().objects
}

fn detected(objects: &[Object], settings: &Settings) -> Outcome {
    let outcome = detect(objects, settings, &Progress::default());
    assert!(outcome.accounts.balances(), "{:?}", outcome.accounts);
    outcome
}

/// What a folder of these files holds.
fn outcome(files: &[(&str, &[u8])]) -> Outcome {
    let folder = folder(files);
    detected(&objects(folder.path()), &Settings::default())
}

/// A few days of a small network in which someone sends out a lot, and objects that are not as they should be.
fn world() -> TempDir {
    let config = WorldConfig {
        seed: 11,
        days: 3,
        enis: 8,
        scenarios: vec![Scenario::Burst, Scenario::ResolverBypass],
        object_minutes: 60,
        base_flows_per_eni_hour: 4,
        ..WorldConfig::default()
    };
    let folder = tempfile::tempdir().unwrap();
    for (at, object) in World::new(&config).unwrap().objects().enumerate() {
        let stored = if at % 3 == 0 {
            gzip(&object.text)
        } else {
            object.text
        };
        put(folder.path(), &object.path, &stored);
        match at {
            5 => put(folder.path(), "copy.log", &stored),
            6 => put(folder.path(), "cut.log.gz", &stored[..stored.len() / 2]),
            _ => {}
        }
    }
    put(folder.path(), "odd.log", b"what is this\n");
    put(folder.path(), "tgw.log", b"version tgw-id account-id\n");
    folder
}

#[test]
fn number_of_workers_has_no_influence() {
    let folder = world();
    let mut objects = objects(folder.path());
    objects.push(Object::file(folder.path().join("gone.log")));
    let with = |workers| {
        let settings = Settings {
            workers,
            ..Settings::default()
        };
        detected(&objects, &settings)
    };
    let one = with(1);
    assert!(one.findings.len() > 1 && !one.incidents.is_empty());
    assert!(
        one.findings
            .iter()
            .all(|finding| !finding.evidence.objects.is_empty())
    );
    assert_eq!(one.problems.len(), 3, "{:#?}", one.problems);
    assert!(one.remarks.iter().any(|remark| remark.contains("copy.log")));
    for workers in [0, 2, 3, 8, usize::MAX] {
        assert_eq!(with(workers), one, "{workers} workers");
    }
}

#[test]
fn order_of_the_objects_has_no_influence_without_copies() {
    let folder = world();
    fs::remove_file(folder.path().join("copy.log")).unwrap();
    let mut objects = objects(folder.path());
    let settings = Settings {
        workers: 2,
        ..Settings::default()
    };
    let forwards = detected(&objects, &settings);
    objects.reverse();
    assert_eq!(detected(&objects, &settings), forwards);
}

#[test]
fn copies_are_counted_once() {
    let text = leak("eni-0a1", START);
    let once = outcome(&[("a.log", text.as_bytes())]);
    let copied = outcome(&[
        ("a.log", text.as_bytes()),
        ("b/a.log", text.as_bytes()),
        ("c/a.log", text.as_bytes()),
    ]);
    let expected = Accounts {
        copies: 2,
        ..once.accounts
    };
    assert_eq!(copied.accounts, expected);
    assert_eq!(copied.findings[0].bytes, 300_000_000);
    assert_eq!(copied.findings[0].evidence.objects.len(), 1);
    assert!(
        copied.findings[0].evidence.objects[0]
            .uri
            .ends_with("/a.log")
    );
    assert!(once.remarks.is_empty(), "{:?}", once.remarks);
    let [count, first, second] = &copied.remarks[..] else {
        panic!("{:?}", copied.remarks);
    };
    assert!(
        count.starts_with("2 objects") && count.contains("counted once"),
        "{count}"
    );
    assert!(
        first.contains("b/a.log") && second.contains("c/a.log"),
        "{first}; {second}"
    );
}

#[test]
fn objects_of_equal_size_or_of_equal_text_are_no_copies() {
    let (a, b) = (leak("eni-0a1", START), leak("eni-0b2", START));
    assert_eq!(a.len(), b.len());
    let same_size = outcome(&[("a.log", a.as_bytes()), ("b.log", b.as_bytes())]);
    assert_eq!((same_size.accounts.rows, same_size.accounts.enis), (2, 2));
    // Compressed anew, an object is another: only what is stored is compared.
    let packed = outcome(&[("a.log", a.as_bytes()), ("a.log.gz", &gzip(a.as_bytes()))]);
    assert_eq!((packed.accounts.rows, packed.remarks.len()), (2, 0));
    let empty = outcome(&[("a.log", b""), ("b.log", b"")]);
    assert_eq!((empty.accounts.objects, empty.remarks.len()), (2, 0));
}

#[test]
fn what_is_wrong_with_an_object_is_a_problem_and_the_rest_is_kept() {
    let many: String = (0..500)
        .map(|at| record("eni-0b2", 40 + at % 97 * 13, START + 60))
        .collect();
    let packed = gzip(many.as_bytes());
    let folder = folder(&[
        ("a.log", leak("eni-0a1", START).as_bytes()),
        ("cut.log.gz", &packed[..packed.len() / 2]),
        ("json.log", b"{\"records\": []}\n"),
        ("odd.log", b"eni-0a1 203.0.113.9 1500\n"),
        ("parquet.log", b"PAR1\x15\x04"),
        (
            "tgw.log",
            b"version resource-type tgw-id\n6 TransitGateway tgw-1\n",
        ),
    ]);
    fs::create_dir(folder.path().join("folder.log")).unwrap();
    let mut objects = objects(folder.path());
    let missing = ["gone.log", "folder.log"].map(|name| Object::file(folder.path().join(name)));
    objects.extend(missing);
    let outcome = detected(&objects, &Settings::default());
    let path = format!("{}/", folder.path().display());
    let told: Vec<(String, String)> = outcome
        .problems
        .iter()
        .map(|problem| {
            (
                problem.uri.replace(&path, ""),
                problem.reason.replace(&path, ""),
            )
        })
        .collect();
    let expected = [
        ("cut.log.gz", "`cut.log.gz` is damaged behind byte "),
        ("folder.log", "could not read `folder.log`: "),
        ("gone.log", "could not read `gone.log`: No such file"),
        (
            "json.log",
            "`json.log` was refused: the format cannot be told: this is JSON",
        ),
        (
            "odd.log",
            "`odd.log` was refused: the format cannot be told: no header",
        ),
        ("parquet.log", "`parquet.log` is damaged: "),
        (
            "tgw.log",
            "`tgw.log` cannot be counted: its format has no srcaddr, ",
        ),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((uri, reason), (own_uri, own_reason)) in told.iter().zip(expected) {
        assert_eq!(uri, own_uri);
        assert!(reason.starts_with(own_reason), "{reason}");
    }
    let by_format = outcome
        .problems
        .iter()
        .filter(|problem| problem.hint.contains("--log-format"));
    assert_eq!(by_format.count(), 1, "a format helps with text only");

    let accounts = &outcome.accounts;
    assert_eq!((accounts.objects, accounts.damaged), (8, 7));
    assert!(
        (2..=500).contains(&accounts.rows),
        "rows before the damage count: {accounts:?}"
    );
    assert_eq!(accounts.enis, 3, "one has no id");
    assert_eq!(outcome.incidents.len(), 1, "the leak is found all the same");
}

#[test]
fn a_line_cut_by_damage_is_no_record() {
    // Stored blocks, so that the cut is where we want it: in the last number of a line.
    let text = format!(
        "{}{}",
        record("eni-0a1", 1_000, START),
        record("eni-0a1", 9_999, START)
    );
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(text.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let cut = packed.len() - 8 - " 1790000010 ACCEPT OK\n".len();
    let outcome = outcome(&[("a.log.gz", &packed[..cut])]);
    assert_eq!((outcome.accounts.rows, outcome.accounts.bytes), (1, 1_000));
    assert_eq!(
        outcome.accounts.rejects_by_reason,
        [("truncated".to_owned(), 1)].into()
    );
    assert_eq!(outcome.problems.len(), 1);
}

#[test]
fn since_and_until_bound_what_counts_and_not_what_is_read() {
    let text: String = (0..4).map(|at| leak("eni-0a1", START + at * 60)).collect();
    let folder = folder(&[("a.log", text.as_bytes())]);
    let between = |since: Option<i64>, until: Option<i64>| {
        let settings = Settings {
            since: since.map(Timestamp),
            until: until.map(Timestamp),
            ..Settings::default()
        };
        let outcome = detected(&objects(folder.path()), &settings);
        assert_eq!(
            (outcome.accounts.rows, outcome.accounts.bytes),
            (4, 1_200_000_000)
        );
        let sent: u64 = outcome.findings.iter().map(|finding| finding.bytes).sum();
        assert_eq!(outcome.accounts.counted_bytes, sent);
        let rows = outcome
            .findings
            .iter()
            .flat_map(|finding| &finding.evidence.objects);
        assert_eq!(rows.map(|own| own.rows).sum::<u64>() * 300_000_000, sent);
        let outside = 4 - sent / 300_000_000;
        assert_eq!(outcome.accounts.outside, outside);
        let remark = format!("{outside} rows lie outside --since and --until");
        assert_eq!(outcome.remarks.contains(&remark), outside > 0);
        (
            sent / 300_000_000,
            outcome.accounts.first,
            outcome.accounts.last,
        )
    };
    let at = |secs| Some(Timestamp(START + secs));
    assert_eq!(between(None, None), (4, at(0), at(190)));
    assert_eq!(
        between(Some(START + 60), None),
        (3, at(60), at(190)),
        "from the instant itself"
    );
    assert_eq!(
        between(Some(START + 61), None),
        (2, at(120), at(190)),
        "a record counts by its start"
    );
    assert_eq!(
        between(None, Some(START + 120)),
        (2, at(0), at(70)),
        "up to before the instant"
    );
    assert_eq!(
        between(Some(START + 60), Some(START + 120)),
        (1, at(60), at(70))
    );
    assert_eq!(between(Some(START + 900), None), (0, None, None));
}

#[test]
fn coverage_rows_are_accounted_for_and_reach_the_findings() {
    let gap = |status: &str, start: i64| {
        format!(
            "2 123456789012 eni-0a1 - - - - - - - {start} {} - {status}\n",
            start + 60
        )
    };
    let text = [
        leak("eni-0a1", START),
        gap("NODATA", START + 60),
        gap("SKIPDATA", START + 120),
        record("eni-0a1", 100, START + 300),
    ]
    .concat();
    let folder = folder(&[("a.log", text.as_bytes())]);
    let outcome = detected(&objects(folder.path()), &Settings::default());
    assert_eq!(
        (outcome.accounts.rows, outcome.accounts.coverage_rows),
        (2, 2)
    );
    assert_eq!((outcome.accounts.lines, outcome.accounts.enis), (4, 1));
    let coverage = outcome.findings[0].coverage.as_ref().unwrap();
    assert_eq!(coverage.skipdata, 1);

    let settings = Settings {
        until: Some(Timestamp(START + 120)),
        ..Settings::default()
    };
    let before = detected(&objects(folder.path()), &settings);
    assert_eq!(
        before.accounts.coverage_rows, 2,
        "what is outside is read all the same"
    );
    assert_eq!(
        before.findings[0].coverage.as_ref().unwrap().skipdata,
        0,
        "but does not count"
    );
}

#[test]
fn a_window_without_traffic_is_no_traffic() {
    let text = "2 123456789012 eni-0a1 - - - - - - - 1790000000 1790000060 - NODATA\n";
    let outcome = outcome(&[("a.log", text.as_bytes())]);
    let accounts = outcome.accounts;
    assert_eq!(
        (accounts.lines, accounts.rows, accounts.coverage_rows),
        (1, 0, 1)
    );
    assert_eq!((accounts.bytes, accounts.counted_bytes), (0, 0));
    assert_eq!((accounts.first, accounts.last), (None, None));
}

#[test]
fn records_of_a_transit_gateway_count_for_the_hosts_behind_it() {
    let names = "version resource-type tgw-id tgw-attachment-id srcaddr dstaddr packets bytes start end log-status";
    let row = format!(
        "6 TransitGateway tgw-1 tgw-attach-1 10.0.0.5 203.0.113.9 9 900 {START} {START} OK"
    );
    // Also where the object begins as a VPC flow log.
    let text = format!("{}{names}\n{row}\nwhat\n", record("eni-0a1", 10, START));
    let outcome = outcome(&[("a.log", text.as_bytes())]);
    let accounts = &outcome.accounts;
    assert_eq!((accounts.rows, accounts.lines, accounts.rejects), (2, 3, 1));
    assert_eq!((accounts.bytes, accounts.counted_bytes), (910, 910));
    assert_eq!(outcome.problems.len(), 0);
    assert_eq!(accounts.enis, 2);
}

#[test]
fn a_header_in_the_middle_changes_the_format() {
    let text = format!(
        "{}interface-id bytes packets srcaddr dstaddr protocol start end\n\
         eni-0a1 300000000 300000 10.0.0.5 203.0.113.9 6 {START} {START}\n",
        record("eni-0a1", 10, START)
    );
    let outcome = outcome(&[("a.log", text.as_bytes())]);
    assert_eq!(
        (outcome.accounts.rows, outcome.accounts.header_lines),
        (2, 1)
    );
    assert_eq!(outcome.accounts.bytes, 300_000_010);
}

#[test]
fn an_object_of_many_batches_is_read_as_of_one() {
    let text: String = (0..10_000)
        .map(|at| record("eni-0a1", 30_000, START + at))
        .collect();
    let outcome = outcome(&[("a.log.gz", &gzip(text.as_bytes()))]);
    assert_eq!(
        (outcome.accounts.rows, outcome.accounts.bytes),
        (10_000, 300_000_000)
    );
    assert_eq!(outcome.findings[0].flows, 10_000);
    assert_eq!(outcome.findings[0].evidence.objects[0].rows, 10_000);
}

#[test]
fn nothing_to_read_gives_empty_books() {
    let outcome = detected(&[], &Settings::default());
    assert_eq!(outcome.accounts, Accounts::default());
    assert!(
        outcome.findings.is_empty() && outcome.problems.is_empty() && outcome.remarks.is_empty()
    );
}

#[test]
fn progress_ends_at_the_sums() {
    let folder = world();
    let objects = objects(folder.path());
    let progress = Progress::default();
    let settings = Settings {
        workers: 2,
        ..Settings::default()
    };
    let outcome = detect(&objects, &settings, &progress);
    assert_eq!(progress.objects.into_inner(), outcome.accounts.objects);
    assert_eq!(progress.rows.into_inner(), outcome.accounts.rows);
    let stored: u64 = objects.iter().filter_map(|object| object.size).sum();
    assert!(progress.stored_bytes.into_inner() <= stored);
}

#[test]
fn an_object_of_rejects_alone_is_not_understood() {
    let bad = record("eni-1", 1_000, START).replace("10.0.0.5", "nowhere");
    let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                  action log-status\n";
    let folder = folder(&[
        ("bad.log", (header.to_owned() + &bad + &bad).as_bytes()),
        (
            "good.log",
            (record("eni-1", 1_000, START) + &bad).as_bytes(),
        ),
        ("header.log", header.as_bytes()),
        (
            "nodata.log",
            b"2 123456789012 eni-2 - - - - - - - 1790000000 1790000060 - NODATA\n",
        ),
    ]);
    let outcome = detected(&objects(folder.path()), &Settings::default());
    let [problem] = &outcome.problems[..] else {
        panic!("{:#?}", outcome.problems);
    };
    assert!(problem.uri.ends_with("bad.log"));
    let told = "was not understood: none of its 2 lines is a record (the first is a reject by `bad-value:srcaddr`)";
    assert!(problem.reason.contains(told), "{}", problem.reason);
    assert_eq!((outcome.accounts.rejects, outcome.accounts.damaged), (3, 1));
}

#[test]
fn a_time_beyond_what_sums_hold_is_a_reject() {
    let late = [
        record("eni-1", 300_000_000, 4_294_967_290),
        record("eni-1", 300_000_000, 9_999_999_999),
    ];
    let text = late.concat() + &record("eni-1", 1_000, 4_294_967_280);
    let folder = folder(&[("late.log", text.as_bytes())]);
    let outcome = detected(&objects(folder.path()), &Settings::default());
    assert_eq!((outcome.accounts.rows, outcome.accounts.rejects), (1, 2));
    let reasons: Vec<(&str, u64)> = outcome
        .accounts
        .rejects_by_reason
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count))
        .collect();
    assert_eq!(reasons, [("bad-value:end", 1), ("bad-value:start", 1)]);
}

#[test]
fn hosts_in_public_networks_count_behind_a_transit_gateway() {
    let header = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-id tgw-dst-vpc-id srcaddr \
                  dstaddr srcport dstport protocol packets bytes start end log-status flow-direction";
    let settings = Settings {
        networks: Networks::default().and(["44.1.0.0/16".parse().unwrap()]),
        ..Settings::default()
    };
    let sent_by = |source: &str| {
        let row = format!(
            "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 vpc-1 - {source} 9.9.9.9 40000 443 6 300000 300000000 \
             {START} {} OK ingress",
            START + 10
        );
        let folder = folder(&[("tgw.log", format!("{header}\n{row}\n").as_bytes())]);
        let outcome = detected(&objects(folder.path()), &settings);
        (outcome.accounts.counted_bytes, outcome.incidents.len())
    };
    assert_eq!(sent_by("44.1.2.3").0, 300_000_000);
    assert_ne!(sent_by("44.1.2.3").1, 0);
    // As if nobody had said that it is inside.
    assert_eq!(sent_by("44.2.2.3").0, 0);
}
