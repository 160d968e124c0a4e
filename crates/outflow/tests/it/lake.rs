//! Lakes, as the user of the command line meets them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{files, run};

/// A record of a day of September 2026.
fn line(day: u64, bytes: u64) -> String {
    let start = 1_788_220_800 + 86_400 * (day - 1);
    let end = start + 10;
    format!(
        "2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 9 {bytes} {start} {end} ACCEPT OK\n"
    )
}

/// A folder with logs of two days, ingested one after the other into a lake beside them.
fn ingested() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let reject = "2 123456789012 eni-0a1\n";
    for (name, text) in [
        ("a.log", line(1, 1_000) + &line(2, 2_000)),
        ("b.log", line(2, 3_000) + reject),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        run(folder.path(), &["ingest", name, "--lake", "lake"]).exits(0);
    }
    folder
}

/// The JSON lines of a command.
#[track_caller]
fn json(folder: &Path, args: &[&str]) -> Vec<Value> {
    let args = [args, &["--lake", "lake", "--format", "json"]].concat();
    let stdout = run(folder, &args).exits(0).stdout;
    let lines = stdout.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Files of a table as they lie in the folder.
fn stored(folder: &Path, table: &str) -> Vec<PathBuf> {
    let table = folder.join("lake").join(table);
    let is_data = |path: &PathBuf| path.extension().is_some_and(|end| end == "parquet");
    let files = files(&table)
        .into_iter()
        .filter(|path| !path.starts_with("_delta_log"));
    files.filter(is_data).map(|path| table.join(path)).collect()
}

#[test]
fn the_status_tells_what_was_ingested() {
    let folder = ingested();
    let lines = json(folder.path(), &["lake", "status"]);
    let flows = &lines[0];
    assert_eq!(
        (flows["table"].as_str(), flows["rows"].as_u64()),
        (Some("flows"), Some(3))
    );
    assert_eq!(
        (flows["files"].as_u64(), flows["small_files"].as_u64()),
        (Some(3), Some(2))
    );
    assert_eq!(flows["first_day"], "2026-09-01");
    assert_eq!(flows["last_day"], "2026-09-02");
    let lake = &lines[7];
    assert_eq!(
        (lake["objects"].as_u64(), lake["is_complete"].as_bool()),
        (Some(2), Some(true))
    );
    let table = run(folder.path(), &["lake", "status", "--lake", "lake"]).exits(0);
    assert!(
        table.stdout.contains("2026-09-01 to 2026-09-02"),
        "{}",
        table.stdout
    );
    assert!(
        table.stdout.contains("objects   2 in the journal"),
        "{}",
        table.stdout
    );
}

#[test]
fn a_compaction_joins_files_and_keeps_rows_and_old_files() {
    let folder = ingested();
    let lines = json(folder.path(), &["compact"]);
    let flows = &lines[0];
    assert_eq!(
        (
            flows["files_before"].as_u64(),
            flows["files_after"].as_u64()
        ),
        (Some(2), Some(1))
    );
    assert_eq!(flows["rows"], 2);
    assert_eq!(
        lines[7]["removed_files"], 0,
        "what was taken out is kept for days"
    );
    assert_eq!(stored(folder.path(), "flows").len(), 4);
    let checked = json(folder.path(), &["lake", "verify", "--sources"]);
    assert_eq!(checked[0]["faults"], 0);
    assert_eq!(
        (checked[0]["rows"].as_u64(), checked[0]["bytes"].as_u64()),
        (Some(3), Some(6_000))
    );
    assert_eq!(checked[0]["objects_same"], 2);
}

#[test]
fn days_are_taken_out_and_nothing_is_read_again() {
    let folder = ingested();
    let none = json(folder.path(), &["lake", "expire", "--older-than", "65535"]);
    assert_eq!(none[0]["files"], 0);
    // Whatever the day of this run, the logs of 2026 are not younger than a day for ever; until then nothing is old.
    let done = json(folder.path(), &["lake", "expire", "--older-than", "1"]);
    let rows = done[0]["rows"].as_u64().unwrap();
    let status = json(folder.path(), &["lake", "status"]);
    assert_eq!(status[0]["rows"].as_u64(), Some(3 - rows));
    assert_eq!(status[6]["rows"], 2, "the journal stays");
    let again = run(
        folder.path(),
        &["ingest", "a.log", "--lake", "lake", "--format", "json"],
    );
    assert!(again.exits(0).stdout.contains("\"objects_known\":1"));
    json(folder.path(), &["lake", "verify"]);
}

#[test]
fn what_does_not_add_up_is_named() {
    let folder = ingested();
    let damaged = &stored(folder.path(), "flows")[0];
    fs::write(damaged, b"PAR1, or so it says").unwrap();
    fs::write(folder.path().join("b.log"), line(2, 4_000)).unwrap();
    let name = damaged.strip_prefix(folder.path().join("lake")).unwrap();
    run(
        folder.path(),
        &["lake", "verify", "--sources", "--lake", "lake"],
    )
    .exits(3)
    .says(&[
        &format!("error: `{}` cannot be read: ", name.display()),
        "a.log` has ",
        "b.log` has SHA-256 ",
        "hint: ",
    ]);
}

#[test]
fn what_is_no_lake_and_what_would_harm_readers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["lake", "status"][..], &["lake", "verify"], &["compact"]] {
        let run = run(folder.path(), &[command, &["--lake", "nowhere"]].concat());
        run.exits(2)
            .says(&["error: `nowhere` holds no lake", "hint: make one with"]);
    }
    assert!(files(folder.path()).is_empty(), "looking makes nothing");
    run(
        folder.path(),
        &["compact", "--lake", "nowhere", "--keep-days", "0"],
    )
    .exits(2);
}
