//! `--deliver` and `outflow redeliver`. Servers of others are for `tests/deliver/run.sh`.

use std::fs;

use crate::run::{run, workspace};

fn breach() -> String {
    workspace().join("testdata/breach").display().to_string()
}

#[test]
fn incidents_are_delivered_by_severity_in_the_format_of_each_target() {
    let folder = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| run(folder.path(), &[&["detect", &breach()], args].concat());
    let told = at(&[
        "--format",
        "json",
        "--deliver",
        "grave.jsonl#severity=high",
        "--deliver",
        "hub/#format=asff",
    ])
    .exits(0)
    .says(&["delivered to grave.jsonl: ", "delivered to hub/: "]);
    let report = told.report();
    let grave: Vec<&str> = report
        .incidents
        .iter()
        .filter(|incident| incident["severity"].as_u64() >= Some(4))
        .map(|incident| incident["id"].as_str().unwrap())
        .collect();
    assert!(!grave.is_empty() && grave.len() < report.incidents.len());
    let lines = fs::read_to_string(folder.path().join("grave.jsonl")).unwrap();
    let ids: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, grave);
    // The same incidents again are the same object.
    let objects = || {
        let entries = crate::run::files(&folder.path().join("hub"));
        assert!(!entries.is_empty());
        entries
    };
    let before = objects();
    at(&["--deliver", "hub/#format=asff"]).exits(0);
    assert_eq!(objects(), before);
}

#[test]
fn what_does_not_arrive_is_kept_and_delivered_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |args: &[&str]| run(folder.path(), args);
    let target = "later/incidents.jsonl#severity=high";
    let breach = breach();
    let detect = ["detect", &breach, "--deliver", target];
    // A file where a folder should be.
    fs::write(folder.path().join("later"), "").unwrap();
    at(&detect).exits(3).says(&[
        "was not delivered to later/incidents.jsonl",
        "--dead-letters FILE",
    ]);
    at(&[&detect[..], &["--dead-letters", "dead.jsonl"]].concat())
        .exits(3)
        .says(&["`outflow redeliver` delivers them again"]);
    let redeliver = ["redeliver", "dead.jsonl", "--deliver", target];
    at(&redeliver).exits(3).says(&["was not delivered"]);
    fs::remove_file(folder.path().join("later")).unwrap();
    fs::create_dir(folder.path().join("later")).unwrap();
    at(&redeliver)
        .exits(0)
        .says(&["delivered to later/incidents.jsonl"]);
    let lines = fs::read_to_string(folder.path().join("later/incidents.jsonl")).unwrap();
    assert!(lines.lines().count() > 0);
    at(&redeliver)
        .exits(0)
        .says(&["nothing waits for these targets"]);
}

#[test]
fn targets_that_are_none_are_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at =
        |target: &str| run(folder.path(), &["detect", "nowhere", "--deliver", target]).exits(2);
    at("http://192.0.2.1/hook").says(&["`http://192.0.2.1/", "is no target"]);
    at("in.jsonl#severity=grave").says(&["severity", "is no target"]);
    at("https://soc.example/hook#secret=env:NO_SUCH_VARIABLE").says(&[
        "no secret in",
        "NO_SUCH_VARIABLE",
        "#secret=env:NAME",
    ]);
    run(
        folder.path(),
        &["redeliver", "nothing.jsonl", "--deliver", "a.jsonl"],
    )
    .exits(3)
    .says(&["`nothing.jsonl`"]);
}
