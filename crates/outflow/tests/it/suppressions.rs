//! What a file of suppressions hides, and what other settings would have told.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::breach;
use crate::run::{Run, count, detect, run, text, workspace};

const ARCHIVE: &str = "testdata/breach";

/// A file of a folder of its own.
fn file(written: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("written.toml");
    std::fs::write(&path, written).unwrap();
    (folder, path.display().to_string())
}

/// A suppression of what a finding's interface sent to its destination, up to a payload and until a day.
fn of(finding: &Value, payload_bytes_day: u64, expires: &str) -> String {
    let interface = text(finding, "interface_id").unwrap();
    let group = text(&finding["destination"], "group").unwrap();
    format!(
        "[[suppression]]\nid = \"tests\"\nreason = \"path tests\"\nowner = \"network team\"\nexpires = {expires}\n\
         payload_bytes_day = {payload_bytes_day}\nfamilies = [\"protocol.misuse\"]\ninterface_id = \"{interface}\"\n\
         destination = \"{group}\"\n"
    )
}

fn icmp() -> Value {
    let findings = breach::report().report().findings;
    let is_icmp = |of: &Value| text(of, "family") == Some("protocol.misuse");
    findings.into_iter().find(is_icmp).unwrap()
}

fn suppressed(written: &str) -> Run {
    let (_folder, path) = file(written);
    detect(&workspace(), &[ARCHIVE, "--suppressions", &path]).exits(0)
}

#[test]
fn what_is_suppressed_is_counted_and_not_told() {
    let icmp = icmp();
    let told = suppressed(&of(&icmp, 20_000_000, "2026-12-31")).report();
    let all = breach::report().report();
    assert_eq!(told.findings.len() + 1, all.findings.len());
    assert!(told.findings.iter().all(|of| of["id"] != icmp["id"]));
    let book = &told.accounts["suppressions"][0];
    assert_eq!(
        (count(book, "findings"), text(book, "owner")),
        (1, Some("network team"))
    );
    assert_eq!(count(book, "payload_bytes"), count(&icmp, "payload_bytes"));
    told.reconciles();
    assert_eq!(told.account("counted_bytes"), all.account("counted_bytes"));
}

#[test]
fn what_exceeds_its_cap_or_comes_after_its_last_day_is_told_and_says_so() {
    let icmp = icmp();
    for (cap, expires, said) in [
        (17_000_000, "2026-12-31", "hides up to 17.0 MB a day"),
        (20_000_000, "\"2026-09-04\"", "hid this until 2026-09-04"),
    ] {
        let told = suppressed(&of(&icmp, cap, expires)).report();
        let own = told
            .findings
            .iter()
            .find(|of| of["id"] == icmp["id"])
            .unwrap();
        let why = own["why"].as_array().unwrap().last().unwrap();
        assert!(text(why, "text").unwrap().contains(said), "{why}");
        assert_eq!(count(&told.accounts["suppressions"][0], "findings"), 0);
    }
}

#[test]
fn the_table_says_what_each_suppression_did() {
    let (_folder, path) = file(&of(&icmp(), 20_000_000, "2026-12-31"));
    let told = run(&workspace(), &["detect", ARCHIVE, "--suppressions", &path]).exits(0);
    assert!(
        told.stdout
            .contains("suppressed  1 finding: tests 1 (17.5 MB)"),
        "{}",
        told.stdout
    );
}

#[test]
fn a_wrong_file_of_suppressions_is_named_with_what_is_wrong() {
    let right = of(&icmp(), 1, "2026-12-31");
    for (wrong, said) in [
        (right.replace("owner", "ownr"), "unknown field `ownr`"),
        (
            right.replace("protocol.misuse", "icmp"),
            "`icmp` is no family",
        ),
        (
            right.replace("2026-12-31", "\"soon\""),
            "`expires` is a day such as 2026-12-31",
        ),
        (
            right.replace("2026-12-31", "2026-12-31T00:00:00Z"),
            "`expires` is a day such as 2026-12-31",
        ),
        (format!("{right}{right}"), "suppression 1 has this id"),
    ] {
        let (_folder, path) = file(&wrong);
        let run = detect(&workspace(), &[ARCHIVE, "--suppressions", &path]).exits(2);
        run.says(&[said, &path, "hint: "]);
    }
    let run = detect(&workspace(), &[ARCHIVE, "--suppressions", "not-there.toml"]).exits(2);
    run.says(&["could not read suppressions `not-there.toml`"]);
}

/// The lines of a backtest: what differs, and what both come to.
fn backtest(args: &[&str]) -> (Vec<Value>, Value) {
    let args = [&["backtest", ARCHIVE, "--format", "json"], args].concat();
    let run = run(&workspace(), &args).exits(0);
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Value> = lines.collect();
    let last = lines.pop().unwrap();
    assert_eq!(last["type"], "backtest");
    (lines, last)
}

#[test]
fn a_backtest_tells_what_other_settings_would_hide_and_tell() {
    let (_config, config) = file("[policy.bounds]\nicmp_day = 50_000_000\nresolver_day = 2_000\n");
    let (changed, sums) = backtest(&["--new-config", &config]);
    let told = detect(&workspace(), &[ARCHIVE, "--config", &config])
        .exits(0)
        .report();
    let all = breach::report().report();
    assert_eq!(
        count(&sums["before"], "findings"),
        all.findings.len() as u64
    );
    assert_eq!(
        count(&sums["after"], "findings"),
        told.findings.len() as u64
    );
    assert_eq!(
        count(&sums["after"], "incidents"),
        told.incidents.len() as u64
    );
    let hidden = changed.iter().filter(|of| of["change"] == "hidden");
    let hidden: Vec<_> = hidden.map(|of| of["finding"]["id"].clone()).collect();
    let gone = |id: &Value| told.findings.iter().all(|of| of["id"] != *id);
    let gone: Vec<_> = all
        .findings
        .iter()
        .map(|of| of["id"].clone())
        .filter(gone)
        .collect();
    assert_eq!(hidden, gone);
    assert!(hidden.contains(&icmp()["id"]));
}

#[test]
fn a_backtest_tells_which_suppression_would_hide_a_finding() {
    let (_folder, path) = file(&of(&icmp(), 20_000_000, "2026-12-31"));
    let (changed, sums) = backtest(&["--new-suppressions", &path]);
    assert_eq!(changed.len(), 1);
    assert_eq!(text(&changed[0], "suppression"), Some("tests"));
    assert_eq!(text(&changed[0], "change"), Some("hidden"));
    assert_eq!(count(&sums["after"], "suppressed_findings"), 1);
    assert!(count(&sums, "eni_days") > 100);
}

#[test]
fn a_backtest_needs_two_settings_and_one_border() {
    let run_of = |args: &[&str]| run(&workspace(), &[&["backtest", ARCHIVE], args].concat());
    run_of(&[])
        .exits(2)
        .says(&["both judgements would be the same", "--new-config"]);
    let (_config, config) = file("internal = [\"192.0.2.0/24\"]\n");
    run_of(&["--new-config", &config])
        .exits(2)
        .says(&["`internal` in", "one border"]);
}

#[test]
fn a_budget_parts_incidents_and_drops_none() {
    let told = detect(&workspace(), &[ARCHIVE, "--budget", "20"])
        .exits(0)
        .report();
    let all = breach::report().report();
    assert_eq!(told.incidents.len(), all.incidents.len());
    assert_eq!(told.findings.len(), all.findings.len());
    let lanes: Vec<&str> = told
        .incidents
        .iter()
        .map(|of| text(of, "lane").unwrap())
        .collect();
    let alerts = lanes.iter().filter(|lane| **lane == "alert").count();
    // Twenty in a thousand of some 161 interface-days.
    assert_eq!(alerts, 4, "{lanes:?}");
    assert!(
        lanes[alerts..].iter().all(|lane| *lane == "digest"),
        "{lanes:?}"
    );
    assert!(all.incidents.iter().all(|of| of["lane"].is_null()));

    let table = run(&workspace(), &["detect", ARCHIVE, "--budget", "20"]).exits(0);
    let (alerts, digest) = table.stdout.split_once("Digest: ").unwrap();
    assert!(
        alerts.contains("• ") && digest.starts_with("3 beyond the budget"),
        "{digest}"
    );
    let digest = digest.split("\nobjects").next().unwrap();
    assert!(!digest.contains("• "), "{digest}");
    run(&workspace(), &["detect", ARCHIVE, "--budget", "0"])
        .exits(2)
        .says(&["`0` is no number above zero"]);
}
