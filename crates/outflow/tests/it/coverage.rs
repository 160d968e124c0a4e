//! `outflow coverage` on the archive in testdata and on small logs.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::run::{Run, count, run, text, workspace};

const ARCHIVE: &str = "testdata/breach";

fn coverage(args: &[&str]) -> Run {
    let args: Vec<&str> = [&["coverage"], args].concat();
    run(&workspace(), &args)
}

fn lines(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let own = |line: &&Value| text(line, "type") == Some(kind);
    lines.iter().filter(own).collect()
}

const PARTS: [&str; 5] = [
    "minutes_ok",
    "minutes_nodata",
    "minutes_skipdata",
    "minutes_between",
    "minutes_missing",
];

#[test]
fn every_minute_of_the_archive_has_one_state_and_the_books_are_those_of_detect() {
    let lines = lines(&coverage(&[ARCHIVE, "--format", "json"]).exits(0));
    let interfaces = of_type(&lines, "coverage");
    let mut accounts = lines.last().unwrap().clone();
    assert_eq!(count(&accounts, "enis"), interfaces.len() as u64);
    for line in &interfaces {
        let sum: u64 = PARTS.iter().map(|part| count(line, part)).sum();
        assert_eq!(count(line, "minutes_expected"), sum, "{line}");
    }
    let rows: u64 = interfaces
        .iter()
        .flat_map(|line| ["rows_accepted", "rows_rejected"].map(|key| count(line, key)))
        .sum();
    assert_eq!(rows, count(&accounts, "rows"));
    let flow_logs = of_type(&lines, "flow_log");
    let delivered = |key| flow_logs.iter().map(|line| count(line, key)).sum::<u64>();
    assert_eq!(
        delivered("rows_accepted") + delivered("rows_rejected"),
        rows
    );
    let mut books = crate::breach::report().report().accounts;
    for of in [&mut accounts, &mut books] {
        of["seconds"] = Value::Null;
    }
    assert_eq!(accounts, books);
}

#[test]
fn hours_add_up_to_their_interface() {
    let lines = lines(&coverage(&[ARCHIVE, "--by", "hour", "--format", "json"]).exits(0));
    let mut sums: BTreeMap<&str, [u64; 5]> = BTreeMap::new();
    for line in of_type(&lines, "coverage_hour") {
        let sum = sums.entry(text(line, "interface_id").unwrap()).or_default();
        for (sum, part) in sum.iter_mut().zip(PARTS) {
            *sum += count(line, part);
        }
        assert!(count(line, "minutes_expected") <= 60 * count(line, "hours"));
    }
    let interfaces = of_type(&lines, "coverage");
    assert!(interfaces.len() > 30);
    for line in interfaces {
        let whole = PARTS.map(|part| count(line, part));
        assert_eq!(sums[text(line, "interface_id").unwrap()], whole);
    }
}

#[test]
fn the_table_ends_as_that_of_detect_and_threads_have_no_influence() {
    let table = |threads| {
        let run = coverage(&[ARCHIVE, "--threads", threads]).exits(0);
        let kept = run
            .stdout
            .lines()
            .filter(|line| !line.starts_with("seconds"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    let one = table("1");
    assert_eq!(one, table("3"));
    let detect = run(&workspace(), &["detect", ARCHIVE]).exits(0);
    let books = |lines: &[&str]| {
        let from = lines
            .iter()
            .position(|line| line.starts_with("objects "))
            .unwrap();
        lines[from..].join("\n")
    };
    let of_detect: Vec<&str> = detect
        .stdout
        .lines()
        .filter(|line| !line.starts_with("seconds"))
        .collect();
    let own: Vec<&str> = one.iter().map(String::as_str).collect();
    assert_eq!(books(&own), books(&of_detect));
}

#[test]
fn a_small_log_is_told_with_its_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let row = |eni: &str, minute: u64, what: &str| {
        let start = 1_790_000_000 + minute * 60;
        let traffic = match what {
            "ACCEPT" | "REJECT" => {
                format!("10.0.0.5 203.0.113.9 40000 443 6 1 1000 {start} {start} {what} OK")
            }
            status => format!("- - - - - - - {start} {} - {status}", start + 39),
        };
        format!("2 123456789012 {eni} {traffic}\n")
    };
    let mut log = String::new();
    for minute in (0..40).chain(100..120) {
        log += &row("eni-gap", minute, "ACCEPT");
    }
    for minute in 0..120 {
        log += &row("eni-refused", minute, "REJECT");
        log += &row(
            "eni-quiet",
            minute,
            if minute % 10 == 0 {
                "SKIPDATA"
            } else {
                "NODATA"
            },
        );
        log += &row("eni-whole", minute, "ACCEPT");
    }
    fs::write(folder.path().join("a.log"), log).unwrap();
    let told = run(folder.path(), &["coverage", "a.log"]).exits(0);
    let told = told.says(&["interfaces with REJECT rows only: 1 (`eni-refused`)"]);
    let (table, _) = told.stdout.split_once("\nobjects ").unwrap();
    insta::assert_snapshot!(table, @r#"
    interface     first, last       minutes   ok  nodata  skipdata  between  missing  late  covered
    ────────────────────────────────────────────────────────────────────────────────────────────────
    eni-refused   2026-09-21 14:13      120  120       0         0        0        0     0  100.0 %
    123456789012  2026-09-21 16:12
          • cannot be judged: all of its 120 rows are REJECT, so what left is not in its log

    eni-gap       2026-09-21 14:13      120   60       0         0        0       60     0   50.0 %
    123456789012  2026-09-21 16:12
          • cannot be judged: 50.0 % of its minutes are missing, of at most 25 %

    eni-quiet     2026-09-21 14:13      120    0     108        12        0        0     0   90.0 %
    123456789012  2026-09-21 16:12
          • cannot be judged: 10.0 % of its minutes have SKIPDATA, of at most 5 %

    eni-whole     2026-09-21 14:13      120  120       0         0        0        0     0  100.0 %
    123456789012  2026-09-21 16:12

    4 interfaces, 480 minutes, 85.0 % covered; 3 interfaces cannot be judged.
    "#);
    let out = ["coverage", "a.log", "--format", "json", "--out", "c.jsonl"];
    assert_eq!(run(folder.path(), &out).exits(0).stdout, "");
    let json = fs::read_to_string(folder.path().join("c.jsonl")).unwrap();
    assert_eq!(json.lines().count(), 5);
    run(folder.path(), &["coverage", "a.log", "--out", "a.log"]).exits(2);
    run(folder.path(), &["coverage", "none.log"]).exits(2);
    let span = [
        "coverage",
        "a.log",
        "--since",
        "2026-10-02",
        "--until",
        "2026-10-01",
    ];
    run(folder.path(), &span).exits(2);
}
