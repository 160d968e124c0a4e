//! Exit codes: 0 done, 1 an incident at or above `--fail-on`, 2 usage, 3 could not finish.

use std::fs;

use super::{LEAK, folder, leak};
use crate::run::{detect, run};

#[test]
fn an_incident_alone_is_no_failure() {
    let folder = leak();
    let report = detect(folder.path(), &["leak.log"]).exits(0).report();
    assert_eq!((report.incidents.len(), report.severity_max()), (1, 4));
}

#[test]
fn fail_on_is_reached_at_and_above() {
    let folder = leak();
    for (severity, code) in [
        ("informational", 1),
        ("low", 1),
        ("medium", 1),
        ("high", 1),
        ("4", 1),
        ("critical", 0),
        ("5", 0),
    ] {
        let run = detect(folder.path(), &["leak.log", "--fail-on", severity]).exits(code);
        assert_eq!(run.stderr, "", "--fail-on {severity}");
        assert_eq!(
            run.report().incidents.len(),
            1,
            "the report is printed all the same"
        );
    }
}

#[test]
fn damage_outweighs_fail_on() {
    let folder = folder(&[
        ("leak.log", LEAK.line().as_bytes()),
        ("x.log", b"what is this\n"),
    ]);
    let run = detect(folder.path(), &[".", "--fail-on", "low"]).exits(3);
    assert_eq!(run.report().incidents.len(), 1);
}

#[test]
fn usage_is_told_with_what_is_wrong() {
    let folder = leak();
    for (args, told) in [
        (&["detect", "leak.log", "--bogus"][..], "--bogus"),
        (&["detect"], "<SOURCE>"),
        (&["detekt"], "detekt"),
        (&["detect", "leak.log", "--threads", "0"], "--threads"),
        (&["detect", "leak.log", "--threads", "-1"], "-1"),
        (
            &["detect", "leak.log", "--format", "xml"],
            "possible values: table, json",
        ),
        (
            &["detect", "leak.log", "--fail-on", "grave"],
            "`grave` is no severity",
        ),
        (
            &["detect", "leak.log", "--since", "yesterday"],
            "`yesterday` is no UTC timestamp",
        ),
        (
            &["detect", "leak.log", "--internal", "10.0.0.0/33"],
            "10.0.0.0/33",
        ),
        (&["detect", "leak.log", "--internal", ""], "--internal"),
        (
            &["detect", "leak.log", "--log-format", "${nonsense}"],
            "`nonsense` is no field",
        ),
        (
            &["detect", "leak.log", "--log-format", "${bytes} ${bytes}"],
            "`bytes` twice",
        ),
    ] {
        let run = run(folder.path(), args).exits(2);
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
        assert!(!run.stderr.contains("For more"), "{}", run.stderr);
        if told != "--internal" {
            run.says(&[told]);
        }
    }
}

#[test]
fn a_source_that_is_none_is_told_with_a_hint() {
    let folder = folder(&[
        ("empty/_SUCCESS", b""),
        ("notes/read.md", b"x"),
        ("leak.log", b""),
    ]);
    for (source, reason, hint) in [
        (
            "nowhere",
            "`nowhere` does not exist",
            "hint: name a flow log file, a folder of them",
        ),
        (
            "s3://",
            "`s3://` names no bucket",
            "hint: write s3://bucket/prefix",
        ),
        (
            "empty",
            "folder `empty` holds no object (1 entries skipped)",
            "hint: name the folder",
        ),
        (
            "notes",
            "folder `notes` holds no object",
            "a file named explicitly is always read",
        ),
    ] {
        let run = detect(folder.path(), &["leak.log", source]).exits(2);
        assert_eq!(run.stdout, "", "{source}");
        let lines: Vec<&str> = run.stderr.lines().collect();
        let [error, told] = lines[..] else {
            panic!("{}", run.stderr);
        };
        assert!(
            error.starts_with("error: ") && error.contains(reason),
            "{error}"
        );
        assert!(told.starts_with("hint: ") && told.contains(hint), "{told}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_no_finish() {
    let folder = leak();
    fs::create_dir(folder.path().join("taken")).unwrap();
    for out in ["nowhere/out.json", "taken"] {
        let run = detect(folder.path(), &["leak.log", "--out", out]).exits(3);
        assert_eq!(run.stdout, "");
        run.says(&[
            &format!("could not write `{out}`"),
            "\nhint: name a file with --out",
        ]);
    }
}
